"""Code in the colours of the notebook's own editor.

One idea: inline styles that name JupyterLab's variables, so that a theme recolours saved output,
with fallbacks that can be read on white and on black.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from markdown_it.common.utils import escapeHtml

PRE = (
    "overflow-x:auto;margin:0 0 8px 0;padding:6px 10px;background:var(--jp-cell-editor-background,#8881);"
    "border:1px solid var(--jp-cell-editor-border-color,#8884)"
)
HIGHLIGHTED_CHARS = 30_000
"""Longer code is shown plain: colours are not worth the wait."""

# Pygments' token names, longest first match wins: (name, variable, fallback).
_COLOURS = (
    ("Comment", "comment", "#5f8f8f"),
    ("Keyword.Constant", "atom", "#3a9a3a"),
    ("Keyword", "keyword", "#2f9a2f"),
    ("Literal.String", "string", "#cf5050"),
    ("Literal.Number", "number", "#3a9a3a"),
    ("Operator.Word", "keyword", "#2f9a2f"),
    ("Operator", "operator", "#b060f0"),
    ("Name.Builtin", "builtin", "#2f9a2f"),
    ("Name.Function", "def", "#6080ff"),
    ("Name.Class", "def", "#6080ff"),
    ("Name.Decorator", "meta", "#b060f0"),
    ("Name.Tag", "tag", "#2f9a2f"),
    ("Name.Attribute", "attribute", "#6080ff"),
)


def highlight(code: str, language: str) -> str:
    """Return code as HTML, escaped, with coloured spans where the language is known.

    Example:
        >>> highlight("x = 1", "nonsense")
        'x = 1'
        >>> "--jp-mirror-editor-number-color" in highlight("x = 1", "python")
        True
    """
    lexer = _lexer(language.split(None, 1)[0].lower()) if language else None
    if lexer is None or len(code) > HIGHLIGHTED_CHARS:
        return escapeHtml(code)
    runs: list[tuple[str, str]] = []  # neighbours of one colour are one span
    for token, text in lexer.get_tokens(code):
        colour = _colour(str(token)) if text.strip() else (runs[-1][0] if runs else "")
        if runs and runs[-1][0] == colour:
            runs[-1] = (colour, runs[-1][1] + text)
        else:
            runs.append((colour, text))
    return "".join(f'<span style="{c}">{escapeHtml(t)}</span>' if c else escapeHtml(t) for c, t in runs)


@lru_cache(64)
def _lexer(language: str) -> Any:
    from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]
    from pygments.util import ClassNotFound  # type: ignore[import-untyped]

    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


@lru_cache(512)
def _colour(token: str) -> str:
    name = token.removeprefix("Token.")
    for prefix, variable, fallback in _COLOURS:
        if name == prefix or name.startswith(prefix + "."):
            return f"color:var(--jp-mirror-editor-{variable}-color,{fallback})"
    return ""
