"""Reading a stream of Bedrock Converse.

One idea: the kind of an event stands in its frame's headers, so only payloads that say something are
decoded; a reasoning block ends with its signature, and tool calls wait for the end.
"""

from __future__ import annotations

from typing import Any

import msgspec

from lumos_nb.errors import StreamError
from lumos_nb.events import Finish, ModelEvent, ModelToolCall, PartEnd, ReasoningDelta, TextDelta, TokenUsage
from lumos_nb.providers.failures import from_stream
from lumos_nb.providers.wire.base import Quirks
from lumos_nb.providers.wire.block_calls import BlockCalls, uncut
from lumos_nb.providers.wire.decoding import StreamDecoder, mended, reason_with, unreadable
from lumos_nb.providers.wire.encoding import base64_of
from lumos_nb.providers.wire.eventstream import EventStreamParser, Frame

_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
}


class _ToolUse(msgspec.Struct, gc=False):
    toolUseId: Any = None
    name: Any = None
    #: `server_tool_use` for a tool that runs at the server.
    type: Any = None
    input: str | None = None


class _Reasoning(msgspec.Struct, gc=False):
    text: str | None = None
    signature: str | None = None
    redactedContent: bytes | None = None


class _Delta(msgspec.Struct, gc=False):
    text: str | None = None
    reasoningContent: _Reasoning | None = None
    toolUse: _ToolUse | None = None


class _Usage(msgspec.Struct, gc=False):
    inputTokens: float | None = None
    outputTokens: float | None = None
    cacheReadInputTokens: float | None = None
    cacheWriteInputTokens: float | None = None

    def total(self) -> TokenUsage:
        """Return it in our terms, where input includes what the cache held."""
        read, write = int(self.cacheReadInputTokens or 0), int(self.cacheWriteInputTokens or 0)
        return TokenUsage(
            input_tokens=int(self.inputTokens or 0) + read + write,
            output_tokens=int(self.outputTokens or 0),
            cache_read_tokens=read,
            cache_write_tokens=write,
        )


class _Payload(msgspec.Struct, gc=False):
    contentBlockIndex: int | None = None
    delta: _Delta | None = None
    #: Of a block.
    start: _Delta | None = None
    stopReason: Any = None
    usage: Any = None


_payload_decoder = msgspec.json.Decoder(_Payload)
_KNOWN = {"contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata"}


class Decoder(StreamDecoder):
    """Turns the bytes of one response into events.

    Example:
        >>> from lumos_nb.testing.wire.bedrock_converse import framed
        >>> Decoder().feed(framed(b'{"delta":{"text":"Hi"}}', event_type="contentBlockDelta"))
        [TextDelta(delta='Hi')]
    """

    def __init__(self, quirks: Quirks | None = None) -> None:
        super().__init__(EventStreamParser())
        self._calls = BlockCalls()
        #: The reasoning block that is open: its index, its signature, and what is hidden of it.
        self._thinking: int | None = None
        self._signature = ""
        self._hidden = b""
        self._usage = TokenUsage()
        self._reason: str | None = None

    def _read(self, events: list[Frame | StreamError], out: list[ModelEvent]) -> None:
        for event in events:
            if isinstance(event, StreamError):
                raise event
            headers, data = event
            if headers.get(":message-type", "event") != "event":
                self._fail(_failure(headers, data))
                return
            kind = headers.get(":event-type", "")
            if kind.endswith("Exception"):  # as some gateways send them
                self._fail(_failure({":exception-type": kind}, data))
                return
            if kind in _KNOWN:
                self._take(kind, _decoded(data), out)
            if self.is_done:
                return

    def _take(self, kind: str, payload: _Payload, out: list[ModelEvent]) -> None:
        index = payload.contentBlockIndex or 0
        if kind == "contentBlockDelta":
            if payload.delta is not None:
                self._take_delta(index, payload.delta, out)
        elif kind == "contentBlockStart":
            self._end_thinking(out)
            self._calls.end(index)
            use = payload.start and payload.start.toolUse
            if use and use.type != "server_tool_use":
                self._calls.begin(index, use.toolUseId, use.name)
        elif kind == "contentBlockStop":
            if self._thinking == index:
                self._end_thinking(out)
        elif kind == "messageStop":
            self._reason = str(payload.stopReason or "")
        else:
            self._usage = _counted(payload.usage)
            # The figures come last, behind the reason why it stopped.
            if self._is_whole():
                self._finish(out)

    def _take_delta(self, index: int, delta: _Delta, out: list[ModelEvent]) -> None:
        if self._thinking is not None and self._thinking != index:
            self._end_thinking(out)
        if delta.text:
            out.append(TextDelta(delta.text))
        elif (thought := delta.reasoningContent) is not None:
            self._thinking = index
            if thought.text:
                out.append(ReasoningDelta(thought.text))
            self._signature = thought.signature or self._signature
            self._hidden += thought.redactedContent or b""
        elif delta.toolUse is not None and delta.toolUse.input:
            self._calls.add(index, delta.toolUse.input)

    def _end_thinking(self, out: list[ModelEvent]) -> None:
        if self._thinking is None:
            return
        # What is hidden goes back whole, so it is kept whole: a plain signature is never JSON.
        hidden = {"redactedContent": base64_of(self._hidden)}
        out.append(PartEnd(msgspec.json.encode(hidden).decode() if self._hidden else self._signature))
        self._thinking, self._signature, self._hidden = None, "", b""

    def _is_whole(self) -> bool:
        return self._reason is not None

    def _finish(self, out: list[ModelEvent]) -> None:
        self.is_done = True
        self._end_thinking(out)
        reason = _REASONS.get(self._reason, "other") if self._reason else "stop"
        calls = uncut(self._calls.complete(""), reason)
        out.extend(ModelToolCall(call) for call in calls)
        out.append(Finish(reason_with(len(calls), reason), self._usage))


def _decoded(data: bytes) -> _Payload:
    try:
        return _payload_decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        payload = mended(_payload_decoder, data)
    if payload is None:
        raise unreadable(data, "Bedrock Converse")
    return payload


def _counted(usage: Any) -> TokenUsage:
    try:
        return msgspec.convert(usage or {}, _Usage, strict=False).total()
    except msgspec.ValidationError:
        return TokenUsage()  # an answer is not lost for a figure


def _failure(headers: dict[str, str], data: bytes) -> Any:
    """Return the error of an exception in the stream, or of an error that the framing itself reports."""
    code = headers.get(":exception-type") or headers.get(":error-code") or "error"
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        value = data.decode(errors="replace")
    said = value if isinstance(value, dict) else {"message": value}
    message = said.get("message") or said.get("originalMessage") or headers.get(":error-message") or code
    return from_stream(msgspec.json.encode({"error": {"code": code, "message": str(message)}}))
