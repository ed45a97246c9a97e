"""Reading a stream of Responses.

One idea: text is passed on as it comes, and everything else waits for the whole item, which the
server sends when the item is done; where it does not, the fragments and the last event make up for it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from lumos_nb.events import Finish, ModelEvent, ModelToolCall, PartEnd, ReasoningDelta, TextDelta, TokenUsage
from lumos_nb.providers.failures import from_stream
from lumos_nb.providers.wire.base import Quirks
from lumos_nb.providers.wire.decoding import StreamDecoder, mended, reason_with, unreadable
from lumos_nb.providers.wire.openai_responses_items import Event, Item, OpenCall, Response, texts
from lumos_nb.providers.wire.sse import SseParser

_TEXT = {"response.output_text.delta", "response.refusal.delta"}
_REASONING = {"response.reasoning_summary_text.delta", "response.reasoning_text.delta"}
_ENDS = {"response.completed", "response.incomplete", "response.done"}
_FAILURES = {"response.failed", "response.cancelled"}
_CUT = {
    "max_output_tokens": "length",
    "max_tokens": "length",
    "length": "length",
    "content_filter": "content_filter",
}


_event_decoder = msgspec.json.Decoder(Event)
_response_decoder = msgspec.json.Decoder(Response)


class Decoder(StreamDecoder):
    r"""Turns the bytes of one response into events.

    Example:
        >>> decoder = Decoder()
        >>> decoder.feed(b'data: {"type":"response.output_text.delta","delta":"Hi"}\n\n')
        [TextDelta(delta='Hi')]
        >>> [event.type for event in decoder.feed(b'data: {"type":"response.completed","response":{}}\n\n')]
        ['finish']
    """

    def __init__(self, quirks: Quirks | None = None) -> None:
        super().__init__(SseParser())
        #: By the place of the item in the output.
        self._calls: dict[Any, OpenCall] = {}
        #: The calls, and the reasoning behind the first of them: passed on together, or the order would be lost.
        self._held: list[ModelEvent | OpenCall] = []
        #: Items of which text was read, each with the kind and number of its last part.
        self._seen: dict[Any, tuple[str, Any]] = {}
        self._has_open_text = False
        self._has_done_items = False
        self._reason = ""
        self._usage = TokenUsage()
        self._model = ""
        self._id = ""

    def _read(self, events: list[tuple[str, bytes]], out: list[ModelEvent]) -> None:
        for name, data in events:
            event: Event | None
            try:
                event = _event_decoder.decode(data)
            except (msgspec.DecodeError, UnicodeDecodeError):
                event = mended(_event_decoder, data)
            if event is None:
                if data.startswith(b"[DONE]"):
                    continue
                if name != "error":
                    raise unreadable(data, "Responses")
                event = Event(type="error")
            kind = event.type or name
            if kind in _TEXT:
                self._take_text(event, out)
            elif kind in _REASONING:
                self._take_reasoning(event, kind, out)
            elif kind == "error" or event.object == "error" or (event.error and event.object != "response"):
                self._fail(from_stream(data))
            else:
                self._take_other(kind, event, data, out)
            if self.is_done:
                return

    def _take_other(self, kind: str, event: Event, data: bytes, out: list[ModelEvent]) -> None:
        if event.object == "response":
            # An answer that was not streamed: the response itself.
            kind, event.response = "response.completed", _whole(data)
        if event.response is not None:
            self._model = str(event.response.model or "") or self._model
            self._id = str(event.response.id or "") or self._id
        if kind in _ENDS or kind in _FAILURES:
            self._take_end(kind, event.response or Response(), out)
        elif kind.startswith("response.function_call_arguments."):
            self._take_arguments(event)
        elif event.item is not None and kind == "response.output_item.added":
            self._begin(event.place, event.item, out)
        elif event.item is not None and kind == "response.output_item.done":
            self._has_done_items = True
            self._take_item(event.place, event.item, out)

    def _take_text(self, event: Event, out: list[ModelEvent]) -> None:
        if isinstance(event.delta, str) and event.delta:
            self._seen[event.place] = ("text", None)
            self._has_open_text = True
            out.append(TextDelta(event.delta))

    def _take_reasoning(self, event: Event, kind: str, out: list[ModelEvent]) -> None:
        if not isinstance(event.delta, str) or not event.delta:
            return
        part = event.summary_index if "summary" in kind else event.content_index
        before = self._seen.get(event.place)
        if before is not None and before[0] != kind:
            return  # the same thoughts, in full and in short: one is enough
        is_next = before is not None and before[1] != part
        self._seen[event.place] = (kind, part)
        self._hold(ReasoningDelta(f"\n\n{event.delta}" if is_next else event.delta), out)

    def _hold(self, event: ModelEvent, out: list[ModelEvent]) -> None:
        """Pass an event on, behind the calls if there are some before it."""
        if self._calls:
            self._held.append(event)
        else:
            out.append(event)

    def _take_arguments(self, event: Event) -> None:
        call = self._calls.get(event.place)
        if call is None:
            return
        if isinstance(event.arguments, str) and event.arguments:
            call.pieces = [event.arguments]
        elif isinstance(event.delta, str):
            call.pieces.append(event.delta)

    def _begin(self, place: Any, item: Item, out: list[ModelEvent]) -> None:
        if item.type == "function_call" and place not in self._calls:
            self._calls[place] = OpenCall(item)
            self._held.append(self._calls[place])
        elif item.type == "message" and self._has_open_text:
            # The phase of the message that begins is not that of the one before it.
            self._has_open_text = False
            out.append(PartEnd(part="text"))

    def _take_item(self, place: Any, item: Item, out: list[ModelEvent]) -> None:
        """Take in a whole item; it says more than its fragments did."""
        match item.type:
            case "function_call":
                self._begin(place, item, out)
                self._calls[place].item, self._calls[place].is_done = item, True
            case "message":
                self._take_message(place, item, out)
            case "reasoning":
                self._end_reasoning(place, item, out)

    def _take_message(self, place: Any, item: Item, out: list[ModelEvent]) -> None:
        if place not in self._seen and (text := "".join(texts(item.content))):
            self._has_open_text = True
            out.append(TextDelta(text))
        if item.phase and self._has_open_text:
            self._has_open_text = False
            out.append(PartEnd(msgspec.json.encode({"phase": item.phase}).decode(), part="text"))

    def _end_reasoning(self, place: Any, item: Item, out: list[ModelEvent]) -> None:
        if place not in self._seen and (text := "\n\n".join(texts(item.summary) or texts(item.content))):
            self._seen[place] = ("reasoning", None)
            self._hold(ReasoningDelta(text), out)
        signature = item.signature
        if signature or place in self._seen:
            self._hold(PartEnd(signature), out)

    def _take_end(self, kind: str, response: Response, out: list[ModelEvent]) -> None:
        if kind in _FAILURES or response.status in ("failed", "cancelled"):
            error = response.error or {"message": f"The response ended as {response.status or kind}"}
            self._fail(from_stream(msgspec.json.encode({"error": error})))
            return
        why = response.incomplete_details and response.incomplete_details.reason
        is_cut = bool(why) or kind == "response.incomplete" or response.status == "incomplete"
        self._reason = _CUT.get(str(why), "other") if is_cut else "stop"
        self._usage = response.usage.total() if response.usage is not None else TokenUsage()
        for index, item in enumerate(response.output or ()):
            self._take_late(index, item, out)
        self._finish(out)

    def _take_late(self, index: int, item: Item, out: list[ModelEvent]) -> None:
        """Take in an item of the last event, if it was not sent before."""
        place = next((place for place, call in self._calls.items() if call.is_same(item)), None)
        if self._has_done_items and (place is not None or item.type != "function_call" or not item.call_id):
            return
        if place is None:
            place = ("late", index)
        kinds = {"message": {"text"}, "reasoning": _REASONING}.get(str(item.type), set())
        if any(kind in kinds for kind, _ in self._seen.values()):
            self._seen[place] = ("", None)
        self._take_item(place, item, out)

    def _finish(self, out: list[ModelEvent]) -> None:
        self.is_done = True
        reason, n_calls = self._reason, 0
        for n, event in enumerate(self._held):
            if not isinstance(event, OpenCall):
                out.append(event)
            # An answer that was cut may end in the middle of a call.
            elif event.item.status != "incomplete" and (event.is_done or reason == "stop"):
                n_calls += 1
                out.append(ModelToolCall(event.done(self._id, n)))
        out.append(Finish(reason_with(n_calls, reason), self._usage, self._model))


def _whole(data: bytes) -> Response:
    try:
        return _response_decoder.decode(data)
    except msgspec.DecodeError:
        raise unreadable(data, "Responses") from None
