"""Reading Ollama's stream: one JSON object a line, the last one says `done`.

One idea: tool calls come whole and in any line, so they are only collected, and named where the
server gave them no id.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from lumos_nb.events import Finish, ModelEvent, ModelToolCall, ReasoningDelta, TextDelta, TokenUsage
from lumos_nb.messages import ToolCall
from lumos_nb.providers.failures import from_stream
from lumos_nb.providers.wire.base import Quirks
from lumos_nb.providers.wire.decoding import StreamDecoder, mended, reason_with, unreadable
from lumos_nb.providers.wire.ndjson import NdjsonParser
from lumos_nb.providers.wire.think import ThinkSplitter

_REASONS = {"stop": "stop", "length": "length"}


class _Function(msgspec.Struct, gc=False):
    name: str | None = None
    #: An object; text from a few proxies.
    arguments: Any = None


class _Call(msgspec.Struct, gc=False):
    id: Any = None
    function: _Function | None = None


class _Message(msgspec.Struct, gc=False):
    content: str | None = None
    thinking: str | None = None
    tool_calls: list[_Call | None] | None = None


class _Line(msgspec.Struct, gc=False):
    message: _Message | None = None
    done: Any = None
    done_reason: Any = None
    prompt_eval_count: Any = None
    eval_count: Any = None
    model: Any = None
    created_at: Any = None
    error: Any = None


_line_decoder = msgspec.json.Decoder(_Line)


class Decoder(StreamDecoder):
    r"""Turns the bytes of one response into events.

    Example:
        >>> decoder = Decoder()
        >>> decoder.feed(b'{"message":{"content":"Hi"},"done":false}\n')
        [TextDelta(delta='Hi')]
        >>> [event.type for event in decoder.feed(b'{"done":true,"done_reason":"stop"}\n')]
        ['finish']
    """

    def __init__(self, quirks: Quirks | None = None) -> None:
        super().__init__(NdjsonParser())
        self._think = ThinkSplitter() if quirks is not None and quirks.has_think_tags else None
        self._calls: list[ToolCall] = []
        self._end = _Line()

    def _read(self, events: list[bytes], out: list[ModelEvent]) -> None:
        for data in events:
            line: _Line | None
            try:
                line = _line_decoder.decode(data)
            except (msgspec.DecodeError, UnicodeDecodeError):
                line = mended(_line_decoder, data, "prompt_eval_count")
            if line is None:
                raise unreadable(data, "Ollama")
            if line.message is not None:
                self._take(line.message, line, out)
            if line.error:
                self._fail(from_stream(data))
                return
            if line.done is True:
                self._end = line
                self._finish(out)
                return

    def _take(self, message: _Message, line: _Line, out: list[ModelEvent]) -> None:
        if message.thinking:
            out.append(ReasoningDelta(message.thinking))
        if message.content:
            if self._think is None:
                out.append(TextDelta(message.content))
            else:
                out.extend(self._think.feed(message.content))
        for call in message.tool_calls or ():
            if call is not None and call.function is not None:
                self._calls.append(self._whole(call, call.function, line))

    def _whole(self, call: _Call, function: _Function, line: _Line) -> ToolCall:
        name, arguments = function.name or "", function.arguments
        text = arguments if isinstance(arguments, str) else msgspec.json.encode(arguments or {}).decode()
        # Older servers send no id. One is made from the line: its time tells two answers apart.
        made = f"{line.created_at} {len(self._calls)} {name} {text}"
        id = str(call.id) if call.id else f"call_{hashlib.sha256(made.encode()).hexdigest()[:12]}"
        return ToolCall(id=id, name=name, arguments=text or "{}")

    def _finish(self, out: list[ModelEvent]) -> None:
        self.is_done = True
        if self._think is not None:
            out.extend(self._think.close())
        out.extend(ModelToolCall(call) for call in self._calls)
        end = self._end
        # A server before 0.1.38 says no reason; `load` and `unload` answer no prompt.
        reason = _REASONS.get(str(end.done_reason), "other") if end.done_reason else "stop"
        # The prompt's count is missing where all of it was cached.
        usage = TokenUsage(input_tokens=_count(end.prompt_eval_count), output_tokens=_count(end.eval_count))
        out.append(Finish(reason_with(len(self._calls), reason), usage, str(end.model or "")))


def _count(value: Any) -> int:
    return int(value) if isinstance(value, int | float) else 0
