"""A run's document as rows, each with a head and parts of HTML.

One idea: the saved page is these rows joined; the live view is the same rows, of which it is
sent only what changed. They cannot look different, because they are the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lumos_nb.widgets import words
from lumos_nb.widgets.growing import GrowingText
from lumos_nb.widgets.markdown import render, text_html
from lumos_nb.widgets.results import ERROR, MUTED, arguments_html, display_html, error_html, output_parts

# In a narrow cell the state goes below the name: it is never cut, and never outside.
LINE = "display:inline-flex;flex-wrap:wrap;gap:0 10px;width:calc(100% - 16px);vertical-align:top;align-items:baseline"
CUT = "flex:1 1 0;min-width:0;overflow:hidden;text-overflow:ellipsis;white-space:nowrap"
ERROR_FRAME = "border-left:2px solid var(--jp-error-color1,#d9453d);padding:2px 0 2px 12px;margin:4px 0 6px 4px"
_SUMMARY = "cursor:pointer;padding:2px 0;line-height:1.5"
_FOLD = "margin:0 0 6px 0"
_BODY = "border-left:2px solid var(--jp-border-color2,#8886);margin:2px 0 6px 4px;padding:2px 0 2px 12px"
_SAID = "margin:6px 0;padding:2px 0 2px 12px;border-left:2px solid var(--jp-brand-color1,#4a90d9)"
SHELLS = {
    "text": '<div data-lumos="text" style="margin:4px 0"><div>{parts}</div></div>',
    "reasoning": f'<details data-lumos="reasoning"{{open}} style="{_FOLD};{MUTED}"><summary style="{_SUMMARY}">{{head}}'
    f'</summary><div style="{_BODY}">{{parts}}</div></details>',
    "tool": f'<details data-lumos="tool"{{open}} style="{_FOLD}"><summary style="{_SUMMARY}">{{head}}'
    f'</summary><div style="{_BODY}">{{parts}}</div></details>',
    "user": f'<div data-lumos="user" style="{_SAID}"><div>{{parts}}</div></div>',
}
"""The frame of each kind of row; the live view fills the same frames."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its kind (text, reasoning, tool, user), its head and its parts as HTML."""

    kind: str
    head: str
    parts: list[str]
    is_open: bool = False
    #: How many of the parts will not change any more.
    n_settled: int = 0

    def html(self) -> str:
        """Return the whole row."""
        opened = " open" if self.is_open else ""
        return SHELLS[self.kind].format(head=self.head, parts="".join(self.parts), open=opened)


def final_row(item: dict[str, Any]) -> Row:
    """Return an item of a run that is over as a row."""
    if (row := whole_row(item)) is not None:
        return row
    return _prose(item, [render(item["text"])], 1)


def whole_row(item: dict[str, Any]) -> Row | None:
    """Return an item that comes whole, a tool call or what a person said, as a row; None for one that is written on."""
    if item["kind"] == "tool":
        return tool_row(item)
    if item["kind"] != "user":
        return None
    said = f'<div style="white-space:pre-wrap">{text_html(item["text"])}</div>'
    return Row("user", "", [f'<div style="{MUTED}">You</div>{said}'])


def growing_row(item: dict[str, Any], growing: GrowingText, done: bool) -> Row:
    """Return an item of text or reasoning that may still be written."""
    return _prose(item, growing.parts(item["text"], done), growing.n_settled)


def _prose(item: dict[str, Any], parts: list[str], n_settled: int) -> Row:
    head = text_html(words.reasoning_state(item)) if item["kind"] == "reasoning" else ""
    return Row(item["kind"], head, parts, bool(item.get("open")), n_settled)


def tool_row(item: dict[str, Any]) -> Row:
    """Return a tool call as a row; its parts are what was asked, given, returned and raised, then each output."""
    failed, unanswered = item["status"] == "error", words.is_unanswered(item)
    ended = item["status"] not in {"running", "waiting"}
    decision = item.get("decision") or {}
    asked = decision.get("asked")
    parts = [
        _section("Asked for", arguments_html(asked)) if asked is not None else "",
        f'<div data-lumos="arguments">{_section("Arguments", arguments_html(item["arguments"]))}</div>',
        _section("Result", _result(item)) if ended and not failed and not unanswered else "",
        _section("Error", error_html(item)) if failed else "",
        _section("Question", f"It was waiting for an answer. {_again()}") if unanswered else "",
        _section("Reason", text_html(decision.get("reason", "").strip())) if item["status"] == "denied" else "",
        *(_section("" if i else "Output", html) for i, html in enumerate(output_parts(item["output"]))),
    ]
    is_open = item.get("open", failed or unanswered or item["status"] == "waiting")
    return Row("tool", _tool_head(item, failed), parts, bool(is_open))


def _result(item: dict[str, Any]) -> str:
    has_any = item["display"] or item["content"]
    return display_html(item["display"], item["content"]) if has_any or item["status"] == "ok" else ""


def _again() -> str:
    return text_html(words.ASK_AGAIN).replace("%agent resume", "<code>%agent resume</code>")


def _tool_head(item: dict[str, Any], failed: bool) -> str:
    state = "" if item["status"] == "denied" and item.get("decision") else text_html(words.tool_state(item))
    decided = text_html(words.one_line(words.decision(item), 120))
    colour = ERROR if failed else MUTED
    ends = [
        f'<span style="{CUT};flex:0 1 auto;max-width:max(45%,11em);{MUTED}">{decided}</span>' if decided else "",
        f'<span style="white-space:nowrap;margin-left:auto;{colour}"{_since(item)}>{state}</span>' if state else "",
    ]
    return (
        f'<span style="{LINE}"><strong>{text_html(item["name"])}</strong> '
        f'<span style="{CUT};{MUTED}">{text_html(words.short_arguments(item))}</span> '
        f"{' '.join(end for end in ends if end)}</span>"
    )


def _since(item: dict[str, Any]) -> str:
    """Return from when the page counts the seconds of a state."""
    if item["status"] not in {"running", "waiting"}:
        return ""
    since = item.get("question", {}).get("asked_at", item["started_at"])
    return f' data-since="{since:.1f}"'


def _section(label: str, html: str) -> str:
    if not html:
        return ""
    # The baseline of a picture is its foot: beside one, the label stands at the top.
    align = "flex-start" if "<img" in html[:200] else "baseline"
    return (
        f'<div style="display:flex;gap:12px;margin:2px 0;align-items:{align}">'
        f'<div style="flex:0 0 84px;{MUTED}">{label}</div>'
        f'<div style="flex:1 1 0;min-width:0">{html}</div></div>'
    )


def header_html(doc: dict[str, Any]) -> str:
    """Return the line above a run."""
    return text_html(" · ".join(words.title(doc)))


def footer_html(doc: dict[str, Any]) -> str:
    """Return what stands below a finished run: its error, if any, and the line of figures."""
    colour = ERROR if doc.get("status") == "failed" else MUTED
    line = f'<div style="{colour}">{text_html(" · ".join(words.summary(doc)))}</div>'
    return _error(doc) + _empty(doc) + line


def _error(doc: dict[str, Any]) -> str:
    error = doc.get("error")
    if not error or doc.get("status") == "cancelled":
        return ""
    hint = f"<div>{text_html(error['hint'])}</div>" if error.get("hint") else ""
    return f'<div style="{ERROR_FRAME}"><div style="{ERROR}">{text_html(error["message"])}</div>{hint}</div>'


def _empty(doc: dict[str, Any]) -> str:
    has_text = any(i["kind"] == "text" and i["text"].strip() for i in doc["items"])
    if has_text or doc.get("status") != "completed":
        return ""
    return f'<div style="{MUTED};margin:4px 0">The model ended without a text.</div>'
