"""What a tool was given, gave back, printed and displayed, as safe HTML.

One idea: everything that comes from a tool is foreign. HTML passes an allow-list, pictures are
data, text is escaped, and what is too long to read is cut with a note of its size.
"""

from __future__ import annotations

import base64
import json
import re
from functools import lru_cache
from typing import Any

import nh3
from markdown_it.common.utils import escapeHtml

from lumos_nb.outputs import WIDGET, shown_text
from lumos_nb.phrases import size
from lumos_nb.widgets import words
from lumos_nb.widgets.ansi import ansi_html
from lumos_nb.widgets.markdown import code_html, render, text_html

SHOWN_CHARS = 100_000
"""A text longer than this is cut where it is shown."""

MUTED = "color:var(--jp-ui-font-color2,#7a7a7a)"
# The theme's red alone is too dark on black: a part of the text's own colour gives the contrast.
ERROR = "color:color-mix(in srgb,var(--jp-error-color1,#e05048) 75%,var(--jp-content-font-color1,currentColor))"
_CODE_FONT = "font-family:var(--jp-code-font-family,monospace);font-size:var(--jp-code-font-size,13px)"
PRINTED = f"margin:0;padding:0;background:none;white-space:pre-wrap;overflow-wrap:anywhere;{_CODE_FONT};line-height:1.4"
SCROLL = "max-height:420px;overflow:auto;max-width:100%"
_IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml")
_LANGUAGES = {"code": "python", "source": "python", "python": "python", "sql": "sql", "html": "html"}
_NO_PICTURE = re.compile(r"<img(?![^>]* src=)[^>]*>")
_MODEL_ID = re.compile(r"[\w-]{1,64}")
_DATA_IMAGE = re.compile(r"data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]+\Z")


def display_html(bundle: dict[str, Any], content: str = "") -> str:
    """Return the richest safe form of a MIME bundle; `content` stands in for an empty one.

    Example:
        >>> display_html({"text/html": "<b onclick=x()>hi</b><script>x()</script>", "text/plain": "hi"})
        '<div style="max-height:420px;overflow:auto;max-width:100%"><b>hi</b></div>'
    """
    if WIDGET in bundle:
        return _widget(bundle, content)
    for mime in _IMAGES:
        if bundle.get(mime):
            return _image(mime, bundle[mime])
    if html := joined(bundle.get("text/html")):
        return _cut_html(html, joined(bundle.get("text/plain")) or content)
    if "application/json" in bundle:
        return json_html(bundle["application/json"])
    if markdown := joined(bundle.get("text/markdown")):
        return render(markdown[:SHOWN_CHARS]) + _note(markdown)
    return plain_html(joined(bundle.get("text/plain")) or content)


def _widget(bundle: dict[str, Any], content: str) -> str:
    """Return the place of a living widget, which holds what stands for it where there is no kernel."""
    view, others = bundle[WIDGET], {mime: data for mime, data in bundle.items() if mime != WIDGET}
    model_id = view.get("model_id") if isinstance(view, dict) else None
    fallback = display_html(others, content)
    is_known = isinstance(model_id, str) and _MODEL_ID.fullmatch(model_id)
    return f'<div data-widget="{model_id}">{fallback}</div>' if is_known else fallback


def joined(value: Any) -> str:
    """Return a text of a notebook's bundle, which may be a list of lines."""
    return "".join(map(str, value)) if isinstance(value, list) else str(value or "")


def plain_html(text: str) -> str:
    """Return a text as it stands; one that is JSON, in its colours."""
    if text[:1] in ("{", "[") and len(text) <= SHOWN_CHARS:
        try:
            return json_html(json.loads(text))
        except (ValueError, RecursionError):
            pass
    if not text:
        return f'<span style="{MUTED}">nothing</span>'
    return f'<div style="{SCROLL}"><pre style="{PRINTED}">{ansi_html(text[:SHOWN_CHARS])}</pre></div>{_note(text)}'


def json_html(value: Any) -> str:
    """Return a JSON value, indented and coloured."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    return f'<div style="{SCROLL}">{code_html(text[:SHOWN_CHARS], "json")}</div>{_note(text)}'


def clean(html: str) -> str:
    """Return foreign HTML without anything that acts, loads or covers the page.

    Example:
        >>> clean('<table><tr><td colspan="2" onclick="x()">a</td></tr></table><img src="http://a/b.png">')
        '<table><tbody><tr><td colspan="2">a</td></tr></tbody></table>'
    """
    return _NO_PICTURE.sub("", str(_cleaner().clean(html)))


@lru_cache(1)
def _cleaner() -> Any:
    tags = nh3.ALLOWED_TAGS - {"area", "map"}
    return nh3.Cleaner(
        tags=tags,
        attributes={
            "a": {"href", "title"}, "img": {"src", "alt", "width", "height"}, "ol": {"start"},
            "td": {"colspan", "rowspan", "align"}, "th": {"colspan", "rowspan", "align", "scope"},
        },
        clean_content_tags={"script", "style"},
        attribute_filter=_allowed,
        url_schemes={"http", "https", "mailto", "data"},
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )  # fmt: skip


def _allowed(tag: str, name: str, value: str) -> str | None:
    """Let pictures come from data alone, and links never lead into it."""
    if (tag, name) == ("img", "src"):
        return value if _DATA_IMAGE.match(value) else None
    return None if name == "href" and value.strip().lower().startswith("data:") else value


def _cut_html(html: str, plain: str) -> str:
    # Half a table is no table: a page too long is shown as its text.
    if len(html) > SHOWN_CHARS and plain:
        return plain_html(plain) + (_note(html) if len(plain) <= SHOWN_CHARS else "")
    return f'<div style="{SCROLL}">{clean(html[:SHOWN_CHARS])}</div>{_note(html)}'


def _image(mime: str, data: Any) -> str:
    text = joined(data)
    if mime == "image/svg+xml":  # in an img a drawing can neither run nor load anything
        text = base64.b64encode(text.encode("utf-8", "replace")).decode()
    text = re.sub(r"[^A-Za-z0-9+/=]", "", text)
    return f'<img src="data:{mime};base64,{text}" alt="" style="max-width:100%">'


def _note(text: str) -> str:
    if len(text) <= SHOWN_CHARS:
        return ""
    full = size(len(text.encode("utf-8", "replace")))
    return f'<div style="{MUTED}">The first {size(SHOWN_CHARS)} of {full} are shown.</div>'


def arguments_html(text: str) -> str:
    """Return the arguments of a call: a name and a typed value each; long text as a block."""
    args = words.arguments(text)
    if args is None:
        return plain_html(text)
    return "".join(_argument(name, value) for name, value in args.items())


def _argument(name: str, value: Any) -> str:
    label = f'<span style="{MUTED}">{text_html(name)}</span> '
    if isinstance(value, str) and ("\n" in value or len(value) > 120):
        code = code_html(value[:SHOWN_CHARS], _LANGUAGES.get(name, ""))
        return f'<div>{label}<div style="{SCROLL}">{code}</div>{_note(value)}</div>'
    text = json.dumps(value, ensure_ascii=False, default=str)
    if len(text) > 120:
        return f"<div>{label}{json_html(value)}</div>"
    shown = f'<code style="{_CODE_FONT};background:none;padding:0">{escapeHtml(text)}</code>'
    return f'<div style="overflow-wrap:anywhere">{label}{shown}</div>'


def output_parts(output: list[dict[str, Any]]) -> list[str]:
    """Return what a tool printed and displayed, in its order; each a part, so that one can change alone."""
    shown = (o for o in output if o["kind"] != "clear")
    return [display_html(o["data"]) if o["kind"] == "display" else _printed(o) for o in shown]


def _printed(output: dict[str, Any]) -> str:
    quiet = ";background:var(--jp-rendermime-error-background,#d9453d22)" if output["kind"] == "stderr" else ""
    text, half = shown_text(output["text"]), SHOWN_CHARS // 2
    # Of what is printed the end matters. It is cut in steps, so that while a tool prints on,
    # the view is sent what is new and not all of it again.
    start = -(-max(0, len(text) - SHOWN_CHARS) // half) * half
    cut = f'<div style="{MUTED}">The first {size(start)} are not shown.</div>' if start else ""
    return f'{cut}<div style="{SCROLL}{quiet}"><pre style="{PRINTED}">{ansi_html(text[start:])}</pre></div>'


def error_html(item: dict[str, Any]) -> str:
    """Return why a call failed: the last line of the traceback, the rest folded."""
    first, _, rest = (item.get("traceback") or item.get("content") or "The tool failed.").strip().partition("\n")
    line = f'<pre style="{PRINTED};{ERROR}">{ansi_html(first)}</pre>'
    if not rest.strip():
        return line
    folded = f'<pre style="{PRINTED}">{ansi_html(rest[:SHOWN_CHARS])}</pre>'
    return f'{line}<details><summary style="cursor:pointer;{MUTED}">Traceback</summary>{folded}</details>'
