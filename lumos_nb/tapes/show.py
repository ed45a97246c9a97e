"""What is on a tape, for a person: a line a request, or one request whole."""

from __future__ import annotations

import base64
import json

from lumos_nb.errors import UsageError
from lumos_nb.phrases import count, seconds
from lumos_nb.tapes.answered import answered
from lumos_nb.tapes.asked import last_text, model_of, turns_of
from lumos_nb.tapes.canonical import canonical
from lumos_nb.tapes.format import Interaction, Tape
from lumos_nb.tapes.scrub import shown_text

_ASKED, _ANSWERED, _CELL = 32, 44, 12
_HEAD = ("#", "cell", "model", "asked", "answered", "tokens", "status", "time", "end")


def shown(tape: Tape) -> str:
    """Return a tape as a table: a line a request, then a line a call of a tool.

    Example:
        >>> from lumos_nb.tapes.format import Header
        >>> print(shown(Tape(header=Header(notebook="orders.ipynb", recorded_at="2026-11-22T10:00:00Z"))))
        of orders.ipynb · recorded 2026-11-22T10:00:00Z · 0 requests
    """
    head = tape.header
    facts = [f"of {head.notebook}" if head.notebook else "", f"recorded {head.recorded_at}" if head.recorded_at else ""]
    facts += [f"by lumos {head.lumos}" if head.lumos else "", count(len(tape.interactions), "request")]
    facts += [count(len(tape.tools), "tool call")] if tape.tools else []
    rows = [_row(each) for each in tape.interactions]
    lines = [" · ".join(filter(None, facts)), *(_table([_HEAD, *rows]) if rows else [])]
    lines += [
        f"{line.i}  {_cut(line.cell, _CELL)}  tool {line.name}({_cut(bytes(line.arguments).decode(), _ANSWERED)})"
        for line in tape.tools
    ]
    return "\n".join(lines)


def shown_whole(tape: Tape, i: int) -> str:
    """Return one request of a tape and its answer, decoded, each read with its time.

    Raises:
        UsageError: There is none of that number.
    """
    found = next((each for each in tape.interactions if each.request.i == i), None)
    if found is None:
        known = ", ".join(str(each.request.i) for each in tape.interactions[:20]) or "none"
        raise UsageError(f"There is no request {i} on this tape.", hint=f"There is: {known}.")
    line, head = found.request, found.response
    body = bytes(line.body).decode() if bytes(line.body) else base64.b64decode(line.body64).decode(errors="replace")
    lines = [f"{line.method} {line.url}", *_headers(line.headers), "", _pretty(body), ""]
    if head is not None:
        lines += [f"{head.t:8.3f} s  status {head.status}", *_headers(head.headers)]
    lines += [f"{each.t:8.3f} s  {each.data.decode(errors='replace')!r}" for each in found.chunks]
    error = f": {found.end.error.message}" if found.end.error else ""
    return shown_text("\n".join([*lines, f"{found.end.t:8.3f} s  {found.end.how}{error}"]))


def _row(found: Interaction) -> tuple[str, ...]:
    line, body = found.request, canonical(found.request).get("body")
    answer = answered(found.answer)
    asked = last_text(turns_of(body)) or f"{line.method} {line.url}"
    tokens = [answer.input_tokens, answer.output_tokens]
    return (
        str(line.i) + (f" (try {line.attempt})" if line.attempt > 1 else ""),
        _cut(line.cell, _CELL), _cut(model_of(line, body), _ASKED), _cut(asked, _ASKED),
        _cut(str(answer), _ANSWERED),
        " + ".join("?" if n is None else str(n) for n in tokens) if any(tokens) else "",
        str(found.response.status) if found.response else "", seconds(found.end.t),
        found.end.how + (f": {found.end.error.type}" if found.end.error else ""),
    )  # fmt: skip


def _cut(text: str, limit: int) -> str:
    text = " ".join(shown_text(text).split())
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(n) for cell, n in zip(row, widths, strict=True)).rstrip() for row in rows]


def _headers(headers: dict[str, str]) -> list[str]:
    return [f"{name}: {value}" for name, value in headers.items()]


def _pretty(body: str) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body
