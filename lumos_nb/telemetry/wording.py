"""The few phrases of every view of a trace: times, counts, prices, names, and text that cannot act.

One idea: what a model or a tool wrote is foreign. `visible` shows what would turn lines around,
colour a terminal or break XML as an escape; `escaped` makes HTML and XML of it.
"""

from __future__ import annotations

import json
import unicodedata
from functools import lru_cache
from typing import Any

from lumos_nb.events import TokenUsage
from lumos_nb.hiding.known import masked
from lumos_nb.telemetry.spans import Span

MARKS = {"ok": "✓", "error": "✗", "denied": "✗", "cancelled": "-", "running": "…", "waiting": "…"}
"""How a status is told without colour."""

_PRETTY_BYTES = 20_000_000

_WAITS = {
    "approval": "waited for a person",
    "retry": "waited to try again",
    "rate_limit": "waited for the rate limit",
    "pause": "paused",
    "away": "stopped, then taken up again",
}
# Joiners of words and emoji are no danger, and without them words are wrong.
_KEPT = {"\u200c", "\u200d"}
_SEARCHED = 20_000
"""Of longer arguments the rest is looked through for keys where it is shown."""


def seconds(value: float | None) -> str:
    """Say a duration, finer than elsewhere: of bars side by side some are of milliseconds, some of hours.

    Example:
        >>> seconds(0.0312), seconds(4.12), seconds(75), seconds(7384), seconds(None)
        ('0.03 s', '4.12 s', '1 min 15 s', '2 h 03 min', '')
    """
    if value is None:
        return ""
    if value < 60:
        return f"{value * 1000:.2g} ms" if 0 < value < 0.005 else f"{value:.2f} s"
    if value < 3600:
        return f"{int(value) // 60} min {int(value) % 60:02d} s"
    if value < 2 * 86400:
        return f"{int(value) // 3600} h {int(value) % 3600 // 60:02d} min"
    return f"{value / 86400:.1f} days"


def tokens(usage: TokenUsage | None) -> str:
    """Say tokens; nothing where there were none.

    Example:
        >>> tokens(TokenUsage(input_tokens=1200, output_tokens=7)), tokens(None)
        ('1,200 in, 7 out', '')
    """
    return f"{usage.input_tokens:,} in, {usage.output_tokens:,} out" if usage and usage.total_tokens else ""


def visible(text: str) -> str:
    """Return a text with escapes for what is not seen but acts: control codes, direction marks, half characters.

    Line ends and tabs stay.

    Example:
        >>> visible("a\\x1b[31mb \\u202e \\ud800")
        'a\\\\x1b[31mb \\\\u202e \\\\ud800'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else _shown(c) for c in text)


@lru_cache(4096)
def _shown(char: str) -> str:
    if char in _KEPT or (unicodedata.category(char) == "Zs"):
        return char
    return char.encode("unicode_escape").decode()


def escaped(text: str) -> str:
    """Return a text to stand between tags of HTML and of XML: nothing in it acts.

    A notebook takes dollars and backslashes for formulas, but not across tags, so each has one of its own. It is not
    made for attributes: none has foreign text.

    Example:
        >>> escaped("a < b for $5")
        'a &lt; b for <span>$</span>5'
    """
    plain = visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return plain.replace("$", "<span>$</span>").replace("\\", "<span>\\</span>")


def one_line(text: str, width: int) -> str:
    """Return a text on one line, cut to a width.

    Example:
        >>> one_line("first line\\nsecond", 40), one_line("abcdef", 4)
        ('first line second', 'abc…')
    """
    line = " ".join(visible(text[: width * 8]).split())
    return line if len(line) <= width and len(text) <= width * 8 else line[: width - 1] + "…"


def arguments(text: str, width: int = 100) -> str:
    """Return the arguments of a call on one line, by name.

    Example:
        >>> arguments('{"table": "orders", "limit": 5}'), arguments("not JSON")
        ("table='orders', limit=5", 'not JSON')
    """
    try:
        value: Any = json.loads(text or "{}") if len(text) < 10_000 else None
        shown = ", ".join(f"{k}={_short(v)}" for k, v in value.items())
    except (ValueError, AttributeError, RecursionError):
        shown = text
    return one_line(shown, width)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…{text[-1]}"


def title(span: Span) -> str:
    """Say what a span is, in few words.

    Example:
        >>> title(Span(trace_id="", span_id="", parent_span_id=None, op="chat", name="chat gpt-5", model="gpt-5",
        ...            step=2, start_ns=0, end_ns=0, status="ok", run_id="r"))
        'step 2 · gpt-5'
    """
    match span.op:
        case "invoke_agent":
            model = "/".join(part for part in (span.provider, span.model) if part)
            return " · ".join(part for part in (span.agent or "agent", model) if part)
        case "chat":
            return " · ".join([*([f"step {span.step}"] if span.step else []), span.model or "model"])
        case "execute_tool":
            given = masked(str(span.attributes.get("args_json") or "")[:_SEARCHED])
            return f"{span.tool or 'tool'}({arguments(given, 60)})"
        case "approval":
            return f"{_WAITS['approval']} · {span.tool or 'tool'}"
        case _:  # another wait, or one of a later version
            return _WAITS.get(span.op, span.name or span.op)


def decision(span: Span) -> str:
    """Say who decided what about a call that had to wait; nothing for others.

    Example:
        >>> decision(Span(trace_id="", span_id="", parent_span_id=None, op="approval", name="", start_ns=0, end_ns=0,
        ...               status="denied", run_id="r", attributes={"decision": "deny", "decided_by": "person"}))
        'denied by you'
    """
    made = span.attributes.get("decision")
    if not made:
        return ""
    by = (
        "you" if span.attributes.get("decided_by") == "person" else str(span.attributes.get("decided_by") or "somebody")
    )
    said = {"deny": f"denied by {by}", "edit": f"changed by {by}", "allow_thread": f"allowed in this thread by {by}"}
    reason = span.attributes.get("decision_reason")
    return said.get(str(made), f"allowed by {by}") + (
        f": {one_line(masked(str(reason)[:_SEARCHED]), 80)}" if reason else ""
    )


def what_failed(span: Span) -> str:
    """Return type and message of an error; messages of tools begin with the type already."""
    kind, message = span.error_type or "", span.error_message or ""
    return message if message.startswith(kind) and message else ": ".join(part for part in (kind, message) if part)


def body_text(body: bytes) -> str:
    """Return a body as text: JSON in lines, anything else as it is.

    Example:
        >>> print(body_text(b'{"model":"m","n":[1]}'))
        {
          "model": "m",
          "n": [
            1
          ]
        }
        >>> body_text(b"data: {}")
        'data: {}'
    """
    text = body.decode(errors="replace")
    if not text.lstrip().startswith(("{", "[")) or len(body) > _PRETTY_BYTES:
        return text
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return text
