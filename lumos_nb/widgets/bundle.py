"""The saved output of a run: one MIME bundle that reads well everywhere.

One idea: no kernel, no script, no style sheet. JupyterLab with the extension takes the document
itself; everything else takes HTML with inline styles, Markdown, or plain text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lumos_nb.transcript import MIME
from lumos_nb.widgets import words
from lumos_nb.widgets.results import MUTED, joined
from lumos_nb.widgets.rows import Row, final_row, footer_html, header_html

_FRAME = (
    "font-family:var(--jp-content-font-family,sans-serif);color:var(--jp-content-font-color1,inherit);"
    "overflow-wrap:break-word;padding:4px 0"
)
_HEAD = f"padding-bottom:2px;margin-bottom:4px;border-bottom:1px solid var(--jp-border-color2,#8886);{MUTED}"

SKELETON = (
    f'<div data-lumos="run" data-lm-suppress-shortcuts="true" style="{_FRAME}">'
    f'<div style="{_HEAD}">{{head}}</div><div>{{rows}}</div><div>{{footer}}</div></div>'
)
"""The frame of a run, here and in the live view. Lumino's attribute leaves Enter to the rows."""


def static_bundle(doc: dict[str, Any], rows: Sequence[Row] | None = None) -> dict[str, Any]:
    """Return the document of a run as `{mime: data}`, ready for `display(…, raw=True)`.

    The live view passes the `rows` that it has rendered already.

    Example:
        >>> from lumos_nb.events import TextDelta
        >>> from lumos_nb.transcript import Transcript
        >>> t = Transcript()
        >>> t.apply([TextDelta("**Hello**")])
        >>> sorted(static_bundle(t.doc))
        ['application/vnd.lumos.run+json', 'text/html', 'text/markdown', 'text/plain']
    """
    return {
        MIME: doc,
        "text/html": run_html(doc, rows),
        "text/markdown": run_markdown(doc),
        "text/plain": run_text(doc),
    }


def run_html(doc: dict[str, Any], rows: Sequence[Row] | None = None) -> str:
    """Return the run as HTML with inline styles only."""
    rows = [final_row(item) for item in doc["items"]] if rows is None else rows
    joined_rows = "".join(row.html() for row in rows)
    return SKELETON.format(head=header_html(doc), rows=joined_rows, footer=footer_html(doc))


def run_markdown(doc: dict[str, Any]) -> str:
    """Return the run as Markdown: what was said, and each tool call as a quoted line."""
    parts = []
    for item in doc["items"]:
        if item["kind"] == "text":
            parts.append(item["text"].strip())
        elif item["kind"] == "user":
            quoted = item["text"].strip().replace("\n", "\n> ")
            parts.append(f"> **You:** {quoted}")
        elif item["kind"] == "tool":
            parts.append(f"> {_code(_call(item))} {words.outcome(item)}{_outcome(item, '  {}')}")
    return "\n\n".join([p for p in parts if p] + _ending(doc, "*{}*"))


def run_text(doc: dict[str, Any]) -> str:
    """Return the run as plain text, to paste into a mail.

    Example:
        >>> from lumos_nb.transcript import Transcript
        >>> print(run_text({**Transcript().doc, "agent": "analyst", "status": "cancelled"}))
        analyst
        <BLANKLINE>
        - Stopped · 0 steps
    """
    parts = [" · ".join(words.title(doc))]
    for item in doc["items"]:
        if item["kind"] == "text":
            parts.append(item["text"].strip())
        elif item["kind"] == "user":
            parts.append(f"You: {item['text'].strip()}")
        elif item["kind"] == "tool":
            parts.append(f"[{_call(item)}] {words.outcome(item)}{_outcome(item, chr(10) + '  {}')}")
    return "\n\n".join([p for p in parts if p] + _ending(doc, "{}"))


def _call(item: dict[str, Any]) -> str:
    return f"{item['name']}({words.short_arguments(item)})"


def _outcome(item: dict[str, Any], form: str) -> str:
    if item["status"] == "error":
        text = (item.get("traceback") or item.get("content") or "").strip()
    elif words.is_unanswered(item):
        text = words.ASK_AGAIN
    elif item["status"] == "denied":
        text = ""  # the reason is said with the decision
    else:
        text = item["content"] or joined(item["display"].get("text/plain"))
    return form.format(words.one_line(text, 200)) if text.strip() else ""


def _code(text: str) -> str:
    # A run of backticks longer than any inside keeps the text whole.
    ticks = "`" * (max((len(run) for run in text.split() if "`" in run), default=0) + 1)
    return f"{ticks} {text} {ticks}" if "`" in text else f"`{text}`"


def _ending(doc: dict[str, Any], form: str) -> list[str]:
    figures = form.format(" · ".join(words.summary(doc)))
    failure = words.failure(doc)
    return [failure, figures] if failure else [figures]
