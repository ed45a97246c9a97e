"""What a bar opens to: request and answer, arguments and result, each in a bounded piece.

One idea: a saved notebook stays small. A long text shows its beginning and its end, says how much
of it that is, and how all of it is had.
"""

from __future__ import annotations

import json
import re
import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from lumos_nb.errors import LumosError
from lumos_nb.hiding.headers import masked_headers
from lumos_nb.hiding.known import masked, masked_url
from lumos_nb.memory.configs import read_config
from lumos_nb.memory.exchanges import SavedExchange, read_exchanges
from lumos_nb.phrases import size
from lumos_nb.stores import Store
from lumos_nb.stores.base import Condition
from lumos_nb.telemetry.spans import Span
from lumos_nb.telemetry.texts import read_answers, read_prompt, read_results
from lumos_nb.telemetry.wording import body_text, decision, seconds, what_failed

_READ_BYTES = 64_000_000
_LONG_TEXT = 600
"""Texts within a request are cut to this in the piece that is shown, so that its shape is seen."""

_KEY_CHARS = 4000
"""No key is longer."""

_DAMAGED = (LumosError, msgspec.MsgspecError, zlib.error, ValueError, TypeError, KeyError, AttributeError)
"""What reading raises of rows that another program, or half a disk, has written."""


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """A part of what a bar opens to."""

    label: str
    text: str
    #: How much of it is shown and how all of it is had; empty where it is whole.
    note: str = ""
    #: Whether it opens by itself, being less often looked at.
    is_folded: bool = False


class Inspector:
    """Reads what was kept of spans.

    Args:
        store: Where it was kept; None: only what the spans themselves say.
    """

    def __init__(self, store: Store | None = None) -> None:
        self._store = store
        self._left_bytes = _READ_BYTES
        self._expected: dict[str, set[int]] = defaultdict(set)
        self._read: dict[str, list[SavedExchange] | None] = {}
        self._answers: dict[str, dict[int, str]] = {}

    def pieces(self, span: Span, room: int) -> list[Piece]:
        """Return the pieces of a span, none longer than `room` characters."""
        try:
            found = self._kept(span, room)
        except _DAMAGED as error:
            found = [Piece(label="What was kept", text=f"It cannot be read: {type(error).__name__}: {error}")]
        return [*_error(span, room), *found, *_others(span, room)]

    def _kept(self, span: Span, room: int) -> list[Piece]:
        match span.op:
            case "chat":
                return self._chat(span, room)
            case "execute_tool":
                return self._tool(span, room)
            case "invoke_agent":
                return self._run(span, room)
        return []

    def _run(self, span: Span, room: int) -> list[Piece]:
        given = span.attributes
        config = read_config(self._store, given.get("config_hash")) if self._store else None
        prompt = read_prompt(self._store, span.run_id) if self._store else None
        texts = [("Prompt", prompt or given.get("prompt_preview")), ("Answer", given.get("output_preview"))]
        found = [_piece(label, str(text), room) for label, text in texts if text]
        if config is None:
            return found
        tools = "\n".join(f"{t.get('name')}: {t.get('description', '')}" for t in config.get("tools") or [])
        more = [("Instructions", str(config.get("instructions") or "")), ("Tools", tools)]
        return found + [_piece(label, text, room, is_folded=True) for label, text in more if text]

    def _chat(self, span: Span, room: int) -> list[Piece]:
        if self._store is None or span.step is None:
            return []
        if span.step not in self._expected[span.run_id]:
            self.expect([span])
        if span.run_id not in self._answers:
            self._answers[span.run_id] = read_answers(self._store, span.run_id, self._expected[span.run_id])
        answer = self._answers[span.run_id].get(span.step)
        found = [_piece("Answer", answer, room)] if answer else []
        saved = self._exchanges(self._store, span)
        for n, exchange in enumerate(saved, 1):
            found += _exchange_pieces(exchange, room // min(len(saved), 4), n, len(saved), _call(span, exchange, n))
        return found

    def expect(self, spans: Iterable[Span]) -> None:
        """Read together what will be asked for of these: each request is kept as a change of the one before."""
        self._expected, self._read, self._answers = defaultdict(set), {}, {}
        for span in spans:
            if span.op == "chat" and span.step is not None:
                self._expected[span.run_id].add(span.step)

    def _exchanges(self, store: Store, span: Span) -> list[SavedExchange]:
        if span.run_id not in self._read:
            steps = self._expected[span.run_id]
            where: list[Condition] = [("run_id", "=", span.run_id), ("step", "in", list(steps))]
            sizes = store.select("exchanges", ["request_bytes", "response_bytes"], where=where)
            # Of a giant conversation one after the other is held.
            few = sum((a or 0) + (b or 0) for a, b in sizes) <= _READ_BYTES
            self._read[span.run_id] = read_exchanges(store, span.run_id, steps) if few else None
        read = self._read[span.run_id]
        found = read_exchanges(store, span.run_id, span.step) if read is None else read
        return [exchange for exchange in found if exchange.step == span.step]

    def _tool(self, span: Span, room: int) -> list[Piece]:
        given, asked = span.attributes.get("args_json"), span.attributes.get("asked_args_json")
        found = [_piece("Arguments", body_text(str(given or "{}").encode(errors="replace")), room)]
        if asked is not None and asked != given:
            found.insert(0, _piece("Asked for", body_text(str(asked).encode(errors="replace")), room))
        result = None
        if self._store is not None and span.tool_call_id is not None and self._left_bytes > 0:
            result = read_results(self._store, span.run_id, span.tool_call_id).get((span.step, span.tool_call_id))
        if result is not None:
            self._left_bytes -= len(result)
            all_of_it = f'load_trace("{span.run_id[-12:]}").result("{span.tool_call_id}")'
            return [*found, _piece("Result", result, room, all_of_it)] if result else found
        preview = span.attributes.get("result_preview")
        return [*found, _piece("Result", str(preview), room)] if preview else found


def _exchange_pieces(saved: SavedExchange, room: int, n: int, of: int, call: str) -> list[Piece]:
    which = f" {n} of {of}" if of > 1 else ""
    sent, got = size(len(saved.request_body)), size(len(saved.response_body))
    told = [f"HTTP {saved.http_status}" if saved.http_status else "no answer", saved.status, saved.error_type or "",
            got, seconds(saved.duration_s)]  # fmt: skip
    first = f"first byte after {seconds(saved.first_byte_s)}" if saved.first_byte_s is not None else ""
    return [
        Piece(label=f"Request{which}", text=f"{saved.method} {masked_url(saved.url)} · {sent}"),
        _piece("Headers", _lines(saved.request_headers), room, is_folded=True),
        _piece("Body", _short_texts(saved.request_body), room, call.format("request"), sent, True),
        Piece(label=f"Response{which}", text=" · ".join(part for part in [*told, first] if part)),
        _piece("Headers", _lines(saved.response_headers), room, is_folded=True),
        _piece("Raw response", _short_texts(saved.response_body), room, call.format("response"), got, True),
    ]


def _call(span: Span, saved: SavedExchange, n: int) -> str:
    return f'load_trace("{span.run_id[-12:]}").{{}}({saved.step}, attempt={n}).text'


def _lines(headers: dict[str, str]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in masked_headers(headers).items())


def _short_texts(body: bytes) -> str:
    """Return a body to read in which long texts within it are cut."""
    if len(body) > 2_000_000 or not body.lstrip().startswith((b"{", b"[")):
        return body.decode(errors="replace")
    try:
        return json.dumps(_shorter(json.loads(body)), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return body.decode(errors="replace")


def _shorter(value: Any) -> Any:
    if isinstance(value, str) and len(value) > _LONG_TEXT:
        return f"{_beginning(value, _LONG_TEXT)}… ({len(value) - _LONG_TEXT:,} more characters)"
    if isinstance(value, list):
        return [_shorter(entry) for entry in value]
    return {k: _shorter(v) for k, v in value.items()} if isinstance(value, dict) else value


def _piece(
    label: str, text: str, room: int, all_of_it: str = "", total: str = "", is_folded: bool = False
) -> Piece:  # fmt: skip
    """Return a piece that has the beginning and the end of a text, if it does not fit."""
    shown, note = text, ""
    if len(text) > room:
        head, tail = room * 2 // 3, room - room * 2 // 3
        middle = f"\n\n… {len(text) - room:,} characters left out …\n\n"
        shown = _beginning(text, head) + middle + _beginning(text[::-1], tail, turned=True)[::-1]
        note = f"{room:,} of {len(text):,} characters"
    elif "more characters)" in text and all_of_it:
        note = "long texts are cut"
    if note and total:
        note += f" of {total}"
    if note and all_of_it:
        note += f"; all of it: {all_of_it}"
    return Piece(label=label, text=shown if len(text) > room else masked(text), note=note, is_folded=is_folded)


def _beginning(text: str, room: int, turned: bool = False) -> str:
    """Return the beginning of a text without keys. Half a key is no key to see: more is looked at than shown."""
    part = text[: room + _KEY_CHARS]
    seen = masked(part[::-1])[::-1] if turned else masked(part)
    return seen[:room] if len(part) == len(text) else seen[:-_KEY_CHARS][:room]


def _error(span: Span, room: int) -> list[Piece]:
    told = what_failed(span)
    return [_piece("Error", told, room)] if told else []


_TOLD = {
    "args_json", "asked_args_json", "result_preview", "prompt_preview", "output_preview", "config_hash",
    "decision", "decided_by", "decision_reason",
}  # fmt: skip


def _others(span: Span, room: int) -> list[Piece]:
    """Return what else the span says, on one line, so that nothing that was recorded is missing."""
    decided = decision(span)
    told = [
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in sorted({**span.attributes, **_notebook(span)}.items())
        if name not in _TOLD
    ]
    told.append(f"run {span.run_id}" if span.op == "invoke_agent" else "")
    text = " · ".join(part for part in told if part)
    pieces: Sequence[Piece] = [_piece("Decision", decided, room)] if decided else []
    return [*pieces, *([_piece("More", text, room)] if text else [])]


def _notebook(span: Span) -> dict[str, str]:
    """Return the notebook by its file's name: what is shown is saved with it, and its folder names a person."""
    path = span.attributes.get("notebook")
    return {"notebook": re.split(r"[\\/]", path)[-1]} if isinstance(path, str) else {}
