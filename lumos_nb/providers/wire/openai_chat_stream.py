"""Reading a Chat Completions stream.

One idea: a read is decoded in one go into the few fields that are used, and everything known
about the response so far is in its `Decoder`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from lumos_nb.events import Finish, ModelEvent, ModelToolCall, PartEnd, ReasoningDelta, TextDelta, TokenUsage
from lumos_nb.providers.failures import from_stream
from lumos_nb.providers.wire.base import Quirks
from lumos_nb.providers.wire.block_calls import uncut
from lumos_nb.providers.wire.decoding import StreamDecoder, broken_off, mended, reason_with, stopped, unreadable
from lumos_nb.providers.wire.openai_chat_parts import CallPart, Calls, Usage, joined_details, split_content
from lumos_nb.providers.wire.sse import SseParser
from lumos_nb.providers.wire.think import ThinkSplitter

_REASONS = {
    "stop": "stop",
    "eos": "stop",
    "stop_sequence": "stop",
    "end_turn": "stop",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "model_context_window_exceeded": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    "sensitive": "content_filter",
}
#: The server stopped in the middle; the next time it may get to the end.
_FAILURES = {"error", "abort", "network_error", "insufficient_system_resource"}


class _Delta(msgspec.Struct, gc=False):
    content: Any = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    #: OpenRouter's: rows that want to go back with the tool calls.
    reasoning_details: list[Any] | None = None
    refusal: str | None = None
    tool_calls: list[CallPart] | None = None


class _Choice(msgspec.Struct, gc=False):
    index: int | None = 0
    delta: _Delta | None = None
    #: Stands for the delta in an answer that was not streamed.
    message: _Delta | None = None
    finish_reason: str | None = None


class _Groq(msgspec.Struct, gc=False):
    usage: Usage | None = None


class _Chunk(msgspec.Struct, gc=False):
    id: Any = None
    model: Any = None
    choices: list[_Choice] | None = None
    usage: Usage | None = None
    x_groq: _Groq | None = None
    error: Any = None
    object: Any = None


_chunk_decoder = msgspec.json.Decoder(_Chunk)


class Decoder(StreamDecoder):
    r"""Turns the bytes of one response into events.

    Example:
        >>> decoder = Decoder()
        >>> decoder.feed(b'data: {"choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\n')
        [TextDelta(delta='Hi')]
        >>> [event.type for event in decoder.feed(b"data: [DONE]\n\n")]
        ['finish']
    """

    def __init__(self, quirks: Quirks | None = None) -> None:
        super().__init__(SseParser())
        self._calls = Calls()
        self._think = ThinkSplitter() if quirks is not None and quirks.has_think_tags else None
        self._usage: Usage | None = None
        self._details: list[Any] = []
        self._reason = ""
        self._model = ""
        self._id = ""
        #: Some of an answer was read; and an event that holds none, for what it may say.
        self._has_begun = False
        self._other = b""

    def _read(self, events: list[tuple[str, bytes]], out: list[ModelEvent]) -> None:
        for name, data in events:
            if data.startswith(b"[DONE]"):
                self._end(out)
                return
            chunk: _Chunk | None
            try:
                chunk = _chunk_decoder.decode(data)
            except (msgspec.DecodeError, UnicodeDecodeError):
                chunk = mended(_chunk_decoder, data)
            if name == "error" or (chunk is not None and (chunk.error or chunk.object == "error")):
                if chunk is not None:
                    self._take(chunk, out)
                self._fail(from_stream(data))
                return
            if chunk is None:
                raise unreadable(data, "Chat Completions")
            self._take(chunk, out)
            if chunk.choices is None and chunk.usage is None:
                self._other = data

    def _end(self, out: list[ModelEvent]) -> None:
        """Take the format's end: it makes whole what was said, but nothing is no answer."""
        if self._has_begun:
            self._finish(out)
        else:
            self._fail(from_stream(self._other) if self._other else broken_off())

    def _take(self, chunk: _Chunk, out: list[ModelEvent]) -> None:
        if chunk.choices:
            self._has_begun = True
            choice = chunk.choices[0]
            if (delta := choice.delta or choice.message) is not None and not choice.index:
                self._take_delta(delta, out)
            if choice.finish_reason:
                self._reason = choice.finish_reason
        if usage := chunk.usage or (chunk.x_groq and chunk.x_groq.usage):
            self._usage = usage
        if chunk.model and not self._model:
            self._model = str(chunk.model)
            self._id = str(chunk.id or "")

    def _take_delta(self, delta: _Delta, out: list[ModelEvent]) -> None:
        # Some servers send both keys with the same text: one counts.
        if reasoning := delta.reasoning_content or delta.reasoning:
            out.append(ReasoningDelta(reasoning))
        if delta.reasoning_details:
            self._details += delta.reasoning_details
        content = delta.content or delta.refusal
        if content:
            if type(content) is str and self._think is None:
                out.append(TextDelta(content))
            elif type(content) is str:
                self._take_text(content, out)
            else:
                thought, text = split_content(content)
                if thought:
                    out.append(ReasoningDelta(thought))
                if text:
                    self._take_text(text, out)
        for part in delta.tool_calls or ():
            self._calls.add(part)

    def _take_text(self, text: str, out: list[ModelEvent]) -> None:
        if self._think is None:
            out.append(TextDelta(text))
        else:
            out.extend(self._think.feed(text))

    def _is_whole(self) -> bool:
        return bool(self._reason)

    def _finish(self, out: list[ModelEvent]) -> None:
        self.is_done = True
        if self._think is not None:
            out.extend(self._think.close())
        if self._reason in _FAILURES:
            raise stopped(self._reason)
        if self._details:
            out.append(PartEnd(joined_details(self._details)))
        reason = _REASONS.get(self._reason, "other") if self._reason else "stop"
        calls = uncut(self._calls.complete(self._id), reason)
        out.extend(ModelToolCall(call) for call in calls)
        usage = self._usage.total() if self._usage is not None else TokenUsage()
        out.append(Finish(reason_with(len(calls), reason), usage, self._model))
