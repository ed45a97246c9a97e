"""Reading a stream of Cohere's chat, version 2.

One idea: a plan and a thought are both reasoning; a plan is marked, so that it goes back as one.
"""

from __future__ import annotations

from typing import Any

import msgspec

from lumos_nb.errors import LumosError, StreamError
from lumos_nb.events import Finish, ModelEvent, ModelToolCall, PartEnd, ReasoningDelta, TextDelta, TokenUsage
from lumos_nb.providers.failures import from_stream
from lumos_nb.providers.wire.base import Quirks
from lumos_nb.providers.wire.block_calls import uncut
from lumos_nb.providers.wire.decoding import StreamDecoder, broken_off, mended, reason_with, unreadable
from lumos_nb.providers.wire.openai_chat_parts import CallPart, Calls
from lumos_nb.providers.wire.sse import SseParser

PLAN = "tool_plan"
"""Signature of reasoning that was a plan: what the model said before it called tools."""

_REASONS = {"COMPLETE": "stop", "STOP_SEQUENCE": "stop", "MAX_TOKENS": "length", "TOOL_CALL": "tool_calls"}
_FAILURES = {"ERROR", "TIMEOUT"}


class _Content(msgspec.Struct, gc=False):
    text: str | None = None
    thinking: str | None = None


class _Message(msgspec.Struct, gc=False):
    #: An object in a stream, a list in an answer that was not streamed; text in an error.
    content: _Content | list[_Content] | str | None = None
    tool_plan: str | None = None
    tool_calls: CallPart | list[CallPart] | None = None


class _Tokens(msgspec.Struct, gc=False):
    input_tokens: float | None = None
    output_tokens: float | None = None


class _Usage(msgspec.Struct, gc=False):
    tokens: _Tokens | None = None
    billed_units: _Tokens | None = None
    cached_tokens: float | None = None

    def total(self) -> TokenUsage:
        tokens = self.tokens or self.billed_units or _Tokens()
        return TokenUsage(
            input_tokens=int(tokens.input_tokens or 0),
            output_tokens=int(tokens.output_tokens or 0),
            cache_read_tokens=int(self.cached_tokens or 0),
        )


class _End(msgspec.Struct, gc=False):
    """How it ended: in the delta of the last event, or at the top of an answer that was not streamed."""

    finish_reason: Any = None
    usage: _Usage | None = None
    error: Any = None


class _Delta(_End):
    message: _Message | None = None


class _Event(_End):
    type: str | None = None
    id: Any = None
    index: int | None = None
    delta: _Delta | None = None
    #: The answer itself where it was not streamed; text in an error.
    message: _Message | str | None = None


_event_decoder = msgspec.json.Decoder(_Event)


class Decoder(StreamDecoder):
    r"""Turns the bytes of one response into events.

    Example:
        >>> decoder = Decoder()
        >>> decoder.feed(b'data: {"type":"content-delta","delta":{"message":{"content":{"text":"Hi"}}}}\n\n')
        [TextDelta(delta='Hi')]
        >>> [e.type for e in decoder.feed(b'data: {"type":"message-end","delta":{"finish_reason":"COMPLETE"}}\n\n')]
        ['finish']
    """

    def __init__(self, quirks: Quirks | None = None) -> None:
        super().__init__(SseParser())
        self._calls = Calls()
        self._id = ""
        #: What stands open: `plan`, `thinking`, `text`, or nothing.
        self._open = ""
        self._end = _End()

    def _read(self, events: list[tuple[str, bytes]], out: list[ModelEvent]) -> None:
        for name, data in events:
            if data.startswith(b"[DONE]"):
                raise broken_off()
            event: _Event | None
            try:
                event = _event_decoder.decode(data)
            except (msgspec.DecodeError, UnicodeDecodeError):
                event = mended(_event_decoder, data)
            if event is None:
                raise from_stream(data) if name == "error" else unreadable(data, "Cohere")
            self._take_event(name, event, data, out)
            if self.is_done:
                return

    def _take_event(self, name: str, event: _Event, data: bytes, out: list[ModelEvent]) -> None:
        if event.delta is not None and event.delta.message is not None:
            self._take(event.delta.message, event.index, out)
        elif type(event.message) is _Message:
            self._take(event.message, None, out)
        if event.type == "message-start":
            self._id = str(event.id or "")
        elif event.type in {"content-end", "tool-call-start"}:
            self._end_part("", out)
        if name == "error" or event.error or type(event.message) is str:
            self._fail(from_stream(data))
        elif event.type == "message-end" or event.finish_reason:
            self._close_with(event if event.finish_reason else event.delta or _End(), out)

    def _take(self, message: _Message, index: int | None, out: list[ModelEvent]) -> None:
        content = message.content
        if type(content) is _Content:
            self._take_content(content, out)
        elif type(content) is list:
            for item in content:
                self._take_content(item, out)
        if message.tool_plan:
            self._end_part("plan", out)
            out.append(ReasoningDelta(message.tool_plan))
        calls = message.tool_calls
        if type(calls) is list:
            for call in calls:
                self._calls.add(call)
        elif type(calls) is CallPart:
            calls.index = index
            self._calls.add(calls)

    def _take_content(self, content: _Content, out: list[ModelEvent]) -> None:
        if content.thinking:
            self._end_part("thinking", out)
            out.append(ReasoningDelta(content.thinking))
        if content.text:
            self._end_part("text", out)
            out.append(TextDelta(content.text))

    def _end_part(self, begun: str, out: list[ModelEvent]) -> None:
        """End the part that stands open, unless what has begun is more of it."""
        if self._open != begun:
            if self._open == "plan":
                out.append(PartEnd(PLAN))
            elif self._open == "thinking":
                out.append(PartEnd())
            self._open = begun

    def _close_with(self, end: _End, out: list[ModelEvent]) -> None:
        if end.error or str(end.finish_reason) in _FAILURES:
            self._fail(_failure(end))
            return
        self._end = end
        self._finish(out)

    def _finish(self, out: list[ModelEvent]) -> None:
        self.is_done = True
        self._end_part("", out)
        said = self._end.finish_reason
        reason = _REASONS.get(str(said), "other") if said else "stop"
        calls = uncut(self._calls.complete(self._id), reason)
        out.extend(ModelToolCall(call) for call in calls)
        usage = self._end.usage
        out.append(Finish(reason_with(len(calls), reason), usage.total() if usage is not None else TokenUsage()))


def _failure(end: _End) -> LumosError:
    shape = {"message": end.error or f"the answer ended with {end.finish_reason}", "code": end.finish_reason}
    failure = from_stream(msgspec.json.encode(shape))
    if isinstance(failure, StreamError) and end.finish_reason == "TIMEOUT":
        failure.is_temporary = True
    return failure
