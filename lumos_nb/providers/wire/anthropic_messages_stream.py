"""Reading a stream of Anthropic Messages.

One idea: text goes out as it comes; a thinking block ends with its signature, and the blocks that
call tools wait until the whole answer is there.
"""

from __future__ import annotations

from typing import Any

import msgspec

from lumos_nb.events import Finish, ModelEvent, ModelToolCall, PartEnd, ReasoningDelta, TextDelta
from lumos_nb.providers.failures import from_stream
from lumos_nb.providers.wire.anthropic_messages_parts import Block, Usage
from lumos_nb.providers.wire.base import Quirks
from lumos_nb.providers.wire.block_calls import BlockCalls, uncut
from lumos_nb.providers.wire.decoding import StreamDecoder, mended, reason_with, unreadable
from lumos_nb.providers.wire.sse import SseParser

_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


class _Delta(msgspec.Struct, gc=False):
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    partial_json: str | None = None
    stop_reason: Any = None


class _Message(msgspec.Struct, gc=False):
    id: Any = None
    model: Any = None
    usage: Any = None
    #: These two in an answer that was not streamed.
    content: list[Block] | None = None
    stop_reason: Any = None


class _Event(msgspec.Struct, gc=False):
    type: str | None = None
    index: int | None = None
    delta: _Delta | None = None
    content_block: Block | None = None
    message: _Message | None = None
    usage: Any = None
    error: Any = None


_event_decoder = msgspec.json.Decoder(_Event)
_message_decoder = msgspec.json.Decoder(_Message)
_KNOWN = {"message_start", "content_block_start", "content_block_delta", "message_delta"}
_KNOWN_DELTAS = {None, "text_delta", "thinking_delta", "signature_delta", "input_json_delta"}


class Decoder(StreamDecoder):
    r"""Turns the bytes of one response into events.

    Example:
        >>> decoder = Decoder()
        >>> decoder.feed(b'data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"Hi"}}\n\n')
        [TextDelta(delta='Hi')]
        >>> [event.type for event in decoder.feed(b'data: {"type":"message_stop"}\n\n')]
        ['finish']
    """

    def __init__(self, quirks: Quirks | None = None) -> None:
        super().__init__(SseParser())
        self._calls = BlockCalls()
        #: Index and signature of the thinking block that is open.
        self._thinking: int | None = None
        self._signature = ""
        self._usage = Usage()
        self._reason = ""
        self._model = ""
        self._id = ""

    def _read(self, events: list[tuple[str, bytes]], out: list[ModelEvent]) -> None:
        for name, data in events:
            if data.startswith(b"[DONE]"):
                continue
            event = _decoded(name, data)
            if event is None:
                continue
            if event.error or event.type == "error":
                self._fail(from_stream(data))
            elif event.type == "message_stop":
                self._finish(out)
            elif event.type == "message":
                self._take_whole(data, out)
            else:
                self._take(event, out)
            if self.is_done:
                return

    def _take(self, event: _Event, out: list[ModelEvent]) -> None:
        if event.type == "content_block_delta":
            if event.delta is not None:
                self._take_delta(event.index or 0, event.delta, out)
        elif event.type == "content_block_start":
            if event.content_block is not None:
                self._begin(event.index or 0, event.content_block, out)
        elif event.type == "content_block_stop":
            if self._thinking == (event.index or 0):
                self._end_thinking(out)
        elif event.type == "message_start" and event.message is not None:
            self._take_head(event.message)
        elif event.type == "message_delta":
            self._usage = self._usage.updated(event.usage)
            if event.delta is not None and event.delta.stop_reason:
                self._reason = str(event.delta.stop_reason)

    def _take_delta(self, index: int, delta: _Delta, out: list[ModelEvent]) -> None:
        if delta.text:
            out.append(TextDelta(delta.text))
        elif delta.thinking:
            out.append(ReasoningDelta(delta.thinking))
        elif delta.partial_json:
            self._calls.add(index, delta.partial_json)
        elif delta.signature:
            self._signature = delta.signature

    def _begin(self, index: int, block: Block, out: list[ModelEvent]) -> None:
        self._end_thinking(out)
        self._calls.end(index)
        if block.type == "tool_use":
            self._calls.begin(index, block.id, block.name, block.input)
        elif block.type == "thinking":
            self._thinking, self._signature = index, block.text_of("signature")
            if text := block.text_of("thinking"):
                out.append(ReasoningDelta(text))
        elif block.type == "redacted_thinking":
            # It has no text at all. It goes back whole, so it is kept whole: a plain signature is never JSON.
            whole = {"type": "redacted_thinking", "data": block.text_of("data")}
            out.append(PartEnd(msgspec.json.encode(whole).decode()))
        elif block.type == "text" and (text := block.text_of("text")):
            out.append(TextDelta(text))

    def _end_thinking(self, out: list[ModelEvent]) -> None:
        if self._thinking is not None:
            out.append(PartEnd(self._signature))
            self._thinking, self._signature = None, ""

    def _take_head(self, message: _Message) -> None:
        self._model = str(message.model or "")
        self._id = str(message.id or "")
        self._usage = self._usage.updated(message.usage)

    def _take_whole(self, data: bytes, out: list[ModelEvent]) -> None:
        """Take an answer that was not streamed although that was asked for."""
        try:
            message = _message_decoder.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise unreadable(data, "Anthropic Messages") from None
        self._take_head(message)
        for index, block in enumerate(message.content or ()):
            self._begin(index, block, out)
        self._reason = str(message.stop_reason or "")
        self._finish(out)

    def _is_whole(self) -> bool:
        return bool(self._reason)

    def _finish(self, out: list[ModelEvent]) -> None:
        self.is_done = True
        self._end_thinking(out)
        reason = _REASONS.get(self._reason, "other") if self._reason else "stop"
        calls = uncut(self._calls.complete(self._id), reason)
        out.extend(ModelToolCall(call) for call in calls)
        out.append(Finish(reason_with(len(calls), reason), self._usage.total(), self._model))


def _decoded(name: str, data: bytes) -> _Event | None:
    """Return an event, or None if it is of a kind that is not known here."""
    event: _Event | None
    try:
        event = _event_decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        event = mended(_event_decoder, data)
    if event is None:
        if name == "error":
            return _Event(type="error")
        if _is_known(data):
            raise unreadable(data, "Anthropic Messages")
        return None
    if event.type is None or name == "error":
        event.type = name or None
    return event


def _is_known(data: bytes) -> bool:
    """Return whether what cannot be read should have been: it is no JSON, or an event of a kind that is used."""
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return True
    if not isinstance(value, dict):
        return True
    delta = value.get("delta")
    kind = str(delta["type"]) if isinstance(delta, dict) and delta.get("type") is not None else None
    return str(value.get("type")) in _KNOWN and kind in _KNOWN_DELTAS
