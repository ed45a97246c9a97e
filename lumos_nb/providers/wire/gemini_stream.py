"""Reading a Gemini stream.

One idea: the stream has no end of its own, so a reason to finish makes it whole, and what follows
that, such as the last count of tokens, is still read.
"""

from __future__ import annotations

from typing import Any

import msgspec

from lumos_nb.errors import ProviderError, StreamError
from lumos_nb.events import Finish, ModelEvent, ModelToolCall, PartEnd, ReasoningDelta, TextDelta
from lumos_nb.providers.failures import from_stream
from lumos_nb.providers.wire.base import Quirks
from lumos_nb.providers.wire.decoding import StreamDecoder, mended, reason_with, unreadable
from lumos_nb.providers.wire.gemini_parts import FunctionCall, OpenCall, Usage
from lumos_nb.providers.wire.sse import SseParser

_REASONS = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "MODEL_ARMOR": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
}
#: The model wrote something that is no answer; the next time it may be one.
_SLIPS = {"MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "MALFORMED_RESPONSE"}


class _Part(msgspec.Struct, rename="camel", gc=False):
    text: Any = None
    thought: Any = None
    thought_signature: Any = None
    function_call: FunctionCall | None = None


class _Content(msgspec.Struct, gc=False):
    parts: list[_Part] | None = None


class _Candidate(msgspec.Struct, rename="camel", gc=False):
    index: Any = None
    content: _Content | None = None
    finish_reason: str | None = None
    finish_message: Any = None


class _Feedback(msgspec.Struct, rename="camel", gc=False):
    block_reason: Any = None
    block_reason_message: Any = None


class _Chunk(msgspec.Struct, rename="camel", gc=False):
    candidates: list[_Candidate] | None = None
    usage_metadata: Usage | None = None
    model_version: Any = None
    response_id: Any = None
    prompt_feedback: _Feedback | None = None
    error: Any = None


_chunk_decoder = msgspec.json.Decoder(_Chunk)


class Decoder(StreamDecoder):
    r"""Turns the bytes of one response into events.

    Example:
        >>> decoder = Decoder()
        >>> part = b'{"content":{"parts":[{"text":"Hi"}]},"finishReason":"STOP"}'
        >>> decoder.feed(b'data: {"candidates":[' + part + b']}\n\n')
        [TextDelta(delta='Hi')]
        >>> [event.type for event in decoder.close()]
        ['finish']
    """

    def __init__(self, quirks: Quirks | None = None) -> None:
        super().__init__(SseParser())
        #: The calls, and the reasoning behind the first of them: passed on together, or the order would be lost.
        self._held: list[ModelEvent | OpenCall] = []
        self._call: OpenCall | None = None
        #: Kind of the part that is being written, and how many of each kind have not been ended.
        self._kind = ""
        self._n_open = {"text": 0, "reasoning": 0}
        self._usage = Usage()
        self._reason = ""
        self._model = ""
        self._id = ""

    def _read(self, events: list[tuple[str, bytes]], out: list[ModelEvent]) -> None:
        for name, data in events:
            chunk: _Chunk | None
            try:
                chunk = _chunk_decoder.decode(data)
            except (msgspec.DecodeError, UnicodeDecodeError):
                chunk = mended(_chunk_decoder, data, "usageMetadata")
            if chunk is None:
                if data.startswith(b"[DONE]"):
                    continue
                # Errors come alone or in a list of one.
                if name != "error" and not (data.lstrip().startswith(b"[") and b'"error"' in data):
                    raise unreadable(data, "Gemini")
                self._fail(from_stream(data))
                return
            self._take(chunk, out)
            if chunk.error or name == "error":
                self._fail(from_stream(data))
            if self.is_done:
                return

    def _take(self, chunk: _Chunk, out: list[ModelEvent]) -> None:
        self._model = self._model or str(chunk.model_version or "")
        self._id = self._id or str(chunk.response_id or "")
        # Each count is of all so far; some chunks have none.
        if chunk.usage_metadata is not None and chunk.usage_metadata.has_counts:
            self._usage = chunk.usage_metadata
        for candidate in chunk.candidates or ():
            if not candidate.index:
                for part in (candidate.content and candidate.content.parts) or ():
                    self._take_part(part, out)
                self._take_reason(candidate)
        feedback = chunk.prompt_feedback
        if feedback is not None and feedback.block_reason and not chunk.candidates:
            self._fail(_blocked(feedback))

    def _take_reason(self, candidate: _Candidate) -> None:
        self._reason = candidate.finish_reason or self._reason
        if candidate.finish_reason in _SLIPS:
            said = f": {candidate.finish_message}" if candidate.finish_message else ""
            self._fail(
                StreamError(
                    f"The model's answer could not be used: {candidate.finish_reason}{said:.300}.",
                    hint="Run it again; if it stays so, make the tools' schemas simpler.",
                    is_temporary=True,
                )
            )

    def _take_part(self, part: _Part, out: list[ModelEvent]) -> None:
        if part.function_call is not None:
            self._take_call(part.function_call, part.thought_signature)
            return
        text = part.text if isinstance(part.text, str) else ""
        kind = "reasoning" if part.thought else "text"
        if not text and (part.text is None or not part.thought_signature):
            return
        # Text is never held back, though a call may stand before it.
        target: list[Any] = self._held if self._held and (part.thought or not text) else out
        if part.thought_signature:
            # The part on which a signature came is one of its own.
            target += [PartEnd(part=kind)] * self._n_open[kind]
            self._n_open[kind] = 0
            self._kind = ""
        if text:
            target.append(ReasoningDelta(text) if part.thought else TextDelta(text))
        if part.thought_signature:
            target.append(PartEnd(str(part.thought_signature), part=kind))
        elif kind != self._kind:
            self._kind = kind
            self._n_open[kind] += 1

    def _take_call(self, call: FunctionCall, signature: Any) -> None:
        if call.name:
            self._call = OpenCall.begin(call)
            self._held.append(self._call)
        elif self._call is None:
            return  # the end of a call that came whole
        self._call.add(call, signature)
        if not self._call.is_open:
            self._call = None

    def _is_whole(self) -> bool:
        return bool(self._reason)

    def _finish(self, out: list[ModelEvent]) -> None:
        self.is_done = True
        reason, n_calls = _REASONS.get(self._reason, "other"), 0
        for n, event in enumerate(self._held):
            if not isinstance(event, OpenCall):
                out.append(event)
            # An answer that was cut may end in the middle of a call.
            elif not event.is_open or reason == "stop":
                n_calls += 1
                out.append(ModelToolCall(event.done(self._id, n)))
        out.append(Finish(reason_with(n_calls, reason), self._usage.total(), self._model))


def _blocked(feedback: _Feedback) -> ProviderError:
    said = f" ({feedback.block_reason_message})" if feedback.block_reason_message else ""
    return ProviderError(
        f"The server refused to answer this prompt: {feedback.block_reason}{said:.300}.",
        hint="Say it in other words, or pass extra={'safetySettings': […]} in the options of the call.",
    )
