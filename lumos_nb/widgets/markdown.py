"""Markdown of a model, as HTML that is safe anywhere.

One idea: one renderer for the live view and for the saved output, so that the one can take the
other's place unseen. HTML in the text is shown, never obeyed; pictures come only from data; a
formula passes through untouched, because the notebook typesets it itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml

from lumos_nb.widgets.code import PRE, highlight

TABLE = "margin:0 0 8px 0;table-layout:auto;border-collapse:collapse;font-size:inherit"

# Code first: a dollar in code is a dollar. An amount such as $5 is no formula: no blank may
# stand inside the dollars, no digit behind them. Nothing runs across an empty line.
_MATH = re.compile(
    r"""(?P<code>^[ ]{0,3}(?P<fence>```+|~~~+)[^\n]*\n.*?(?:^[ ]{0,3}(?P=fence)|\Z)
        |(?<!`)(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`))
    |\$\$(?:(?!\n\s*\n).)+?\$\$
    |\\\[(?:(?!\n\s*\n).)+?\\\]
    |\\\((?:(?!\n\s*\n).)+?\\\)
    |\\begin\{(?P<env>\w+\*?)\}(?:(?!\n\s*\n).)+?\\end\{(?P=env)\}
    |(?<![\\$\w])\$(?![\s$])[^$\n]*?(?<![\s\\])\$(?![\d$])""",
    re.M | re.S | re.X,
)
_HELD = re.compile("\ue000(\\d+)\ue001")


def text_html(text: str) -> str:
    """Escape a text, and keep the notebook from taking its dollars for formulas.

    MathJax ends a formula at a tag, so a dollar in a `span` of its own never begins one.

    Example:
        >>> text_html("a < b for $5")
        'a &lt; b for <span>$</span>5'
    """
    return escapeHtml(text).replace("$", "<span>$</span>")


def render(text: str) -> str:
    """Return a Markdown text as safe HTML.

    Example:
        >>> render("**a** <b> $x_1$").strip()
        '<p><strong>a</strong> &lt;b&gt; $x_1$</p>'
    """
    formulas: list[str] = []

    def hold(match: re.Match[str]) -> str:
        if match["code"]:
            return match[0]
        formulas.append(match[0])
        return f"\ue000{len(formulas) - 1}\ue001"

    html = _parser().render(_MATH.sub(hold, text))

    def give_back(match: re.Match[str]) -> str:
        i = int(match[1])
        return escape(formulas[i]) if i < len(formulas) else ""

    return _HELD.sub(give_back, html)


@lru_cache(1)
def _parser() -> MarkdownIt:
    md = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    rules: dict[str, Callable[..., str]] = {
        "text": lambda tokens, i, *_: text_html(tokens[i].content),
        "fence": lambda tokens, i, *_: code_html(tokens[i].content, tokens[i].info.strip()),
        "code_block": lambda tokens, i, *_: code_html(tokens[i].content),
        "link_open": lambda tokens, i, *_: _link(str(tokens[i].attrs.get("href", ""))),
        "image": lambda tokens, i, *_: _image(str(tokens[i].attrs.get("src", "")), tokens[i].content),
        "table_open": lambda *_: f'<div style="overflow-x:auto"><table style="{TABLE}">',
        "table_close": lambda *_: "</table></div>",
        "th_open": lambda tokens, i, *_: _cell(tokens[i]),
        "td_open": lambda tokens, i, *_: _cell(tokens[i]),
    }
    md.renderer.rules.update(rules)  # type: ignore[attr-defined]
    return md


def code_html(code: str, language: str = "", colours: bool = True) -> str:
    """Return a block of code, coloured where its language is known."""
    inner = highlight(code, language) if colours else escapeHtml(code)
    return f'<pre style="{PRE}"><code style="background:none;padding:0">{inner}</code></pre>\n'


def _link(href: str) -> str:
    return f'<a href="{escape(href)}" target="_blank" rel="noopener noreferrer">'


def _image(src: str, alt: str) -> str:
    # A picture from elsewhere would tell its server who reads this, so it is a link.
    if re.match(r"data:image/(png|jpeg|gif|webp);", src):
        return f'<img src="{escape(src)}" alt="{escape(alt)}" style="max-width:100%">'
    return f"{_link(src)}{text_html(alt or src)}</a>"


def _cell(token: Any) -> str:
    align = str(token.attrs.get("style", "text-align:left"))
    return f'<{token.tag} style="{escape(align)}">'
