"""One model call: from a provider's events to an `AgentStep`.

One idea: everything that has arrived is kept as it arrives, so that a call which breaks off
leaves its text behind.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from typing import Any

import msgspec

from lumos_nb import clock, settings
from lumos_nb.agent.modelevents import model_events
from lumos_nb.events import (
    AgentEvent,
    AgentStep,
    Finish,
    Metadata,
    ModelEvent,
    ModelToolCall,
    PartEnd,
    ReasoningDelta,
    Restart,
    TextDelta,
    ToolCallComplete,
    ToolCallStart,
)
from lumos_nb.messages import Message, Part, ReasoningPart, TextPart, ToolCall, ToolResult
from lumos_nb.providers.base import LlmProvider, ModelOptions, ToolSpec, Watch
from lumos_nb.providers.exchange import Exchange


class StepDraft:
    """A step while it happens."""

    def __init__(self, index: int, provider: LlmProvider, known_ids: Collection[str] = ()) -> None:
        self.index = index
        self._known_ids = set(known_ids)
        self.provider = provider
        #: Who answers: the provider's model, unless another one takes over.
        self.vendor, self.model, self.origin = provider.provider, provider.model, provider.origin
        self.attempt = 1
        self.waited_s = 0.0
        #: Name of the tape that the answer is played from; empty: a model gives it.
        self.tape = ""
        self._is_streaming = settings.current().enable_streaming
        #: Reasoning, text and calls as they came, each delta a piece.
        self._parts: list[_DraftPart] = []
        self._open = _DraftPart("")
        self.calls: list[ToolCall] = []
        self.results: dict[str, ToolResult] = {}
        self._begun: set[str] = set()
        self.finish: Finish | None = None
        self.started_at = clock.time()
        self._clock = clock.perf_counter()
        self._first: float | None = None
        self._last: float | None = None
        #: A step that is taken up again: as it was, with its answer.
        self._given: AgentStep | None = None
        self._answer: Message | None = None

    @classmethod
    def taken_up(cls, step: AgentStep, answer: Message, provider: LlmProvider) -> StepDraft:
        """Return a step whose answer was given before the run was stopped."""
        draft = cls(step.index, provider)
        draft._given, draft._answer = step, answer
        draft.calls = list(answer.tool_calls)
        draft.started_at = step.started_at
        return draft

    def asked(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec],
        options: ModelOptions | None,
        notify: Callable[[list[AgentEvent]], None],
        on_exchange: Callable[[Exchange], None] | None = None,
        traceparent: str = "",
    ) -> AsyncGenerator[list[ModelEvent], None]:
        """Ask the model; return what arrives, a list a read, for `keep`. `notify` hears of waits at once."""

        def on_wait(data: dict[str, Any]) -> None:
            self._held_up(data)
            notify([Metadata(data)])

        watch = Watch(on_wait=on_wait, on_exchange=on_exchange, traceparent=traceparent)
        return model_events(self.provider, messages, tools, options, watch)

    def end(self) -> list[AgentEvent]:
        """Note that nothing more will arrive; return what was not shown as it came."""
        self._last = clock.perf_counter()
        if self._is_streaming:
            return []
        reasoning: list[AgentEvent] = [ReasoningDelta(self.reasoning)] if self.reasoning else []
        return [*reasoning, TextDelta(self.text)] if self.text else reasoning

    def _held_up(self, data: dict[str, Any]) -> None:
        """Count the tries and the waits, and remember which model answers in the end, or which tape."""
        # Whatever else is told comes before another request is made.
        self.tape = data["tape"] if data.get("kind") == "replayed" else ""
        self.waited_s += float(data.get("wait_s") or 0.0)
        if data.get("kind") == "retry":
            self.attempt += 1
        elif data.get("kind") == "fallback":
            self.vendor, _, self.model = data["model"].partition("/")
            self.origin, self.attempt = data["origin"], 1

    @property
    def text(self) -> str:
        """What the model said so far."""
        return self._joined("text")

    @property
    def reasoning(self) -> str:
        """What the model thought so far."""
        return self._joined("reasoning")

    def _joined(self, kind: str) -> str:
        return "".join(piece for part in self._parts if part.kind == kind for piece in part.pieces)

    def keep(self, batch: Sequence[ModelEvent]) -> list[AgentEvent]:
        """Take what has arrived; return what of it is to be shown now."""
        shown: list[AgentEvent] = []
        for event in batch:
            kind = type(event)
            if kind is TextDelta:
                self._part("text").pieces.append(event.delta)  # type: ignore[union-attr]
                shown.append(event)  # type: ignore[arg-type]
            elif kind is ReasoningDelta:
                self._part("reasoning").pieces.append(event.delta)  # type: ignore[union-attr]
                shown.append(event)  # type: ignore[arg-type]
            elif isinstance(event, PartEnd):
                self._end_part(event)
            elif isinstance(event, ModelToolCall):
                self.calls.append(self._distinct(event.call))
                self._begin("call").call = self.calls[-1]
            elif isinstance(event, Restart):
                self._parts, self._open, self.calls = [], _DraftPart(""), []
                shown.append(Metadata({"kind": "restart"}))
            elif isinstance(event, Finish):
                self.finish = event
        if self._first is None and self._parts:
            self._first = clock.perf_counter()
        return shown if self._is_streaming else []

    def _part(self, kind: str) -> _DraftPart:
        return self._open if self._open.kind == kind else self._begin(kind)

    def _begin(self, kind: str) -> _DraftPart:
        self._open = _DraftPart(kind)
        self._parts.append(self._open)
        return self._open

    def _end_part(self, end: PartEnd) -> None:
        part = next((p for p in reversed(self._parts) if p.kind == end.part and not p.is_ended), None)
        if part is None and end.signature:
            part = self._begin(end.part)
        if part is not None:
            part.signature, part.is_ended = end.signature or None, True
        if part is self._open:
            self._open = _DraftPart("")

    def _distinct(self, call: ToolCall) -> ToolCall:
        """Return the call with an id of its own: some servers count anew in each answer, or send none."""
        id, n = call.id, 1
        while id in self._known_ids:
            n += 1
            id = f"{call.id}_{n}"
        self._known_ids.add(id)
        return call if id == call.id else msgspec.structs.replace(call, id=id)

    def message(self) -> Message | None:
        """Return what the model said as a message, or None if it said nothing."""
        if self._answer is not None:
            return self._answer
        if not self.calls and not any(part.kind == "text" for part in self._parts):
            return None
        parts = [part.done(self.origin) for part in self._parts]
        if len(parts) == 1 and isinstance(parts[0], TextPart) and not parts[0].signature:
            return Message(role="assistant", content=parts[0].text)
        return Message(role="assistant", content=tuple(parts))

    def keep_results(self, batch: Sequence[AgentEvent]) -> None:
        """Take what the tools gave back, and which of them have begun."""
        self._begun.update(e.call.id for e in batch if isinstance(e, ToolCallStart))
        self.results.update({e.call_id: e.result for e in batch if isinstance(e, ToolCallComplete)})

    def results_message(self) -> Message | None:
        """Return the tool results in the order of the calls; a call without one counts as cancelled."""
        if not self.calls:
            return None
        return Message(role="tool", content=tuple(self.results.get(c.id) or self._cancelled(c) for c in self.calls))

    def _cancelled(self, call: ToolCall) -> ToolResult:
        return cancelled(call, has_begun=call.id in self._begun)

    def done(self, cost_usd: float | None) -> AgentStep:
        """Return the step as a value."""
        if self._given is not None:
            return msgspec.structs.replace(self._given, tool_results=self._done_results())
        finish = self.finish or Finish("other")
        end = self._last or clock.perf_counter()
        return AgentStep(
            index=self.index,
            text=self.text,
            reasoning=self.reasoning,
            tool_calls=tuple(self.calls),
            tool_results=self._done_results(),
            usage=finish.usage,
            cost_usd=cost_usd,
            provider=self.vendor,
            model=finish.model or self.model,
            attempt=self.attempt,
            waited_s=self.waited_s,
            tape=self.tape,
            # Vendors call an answer with calls ended in several ways; that it was cut is known of all of them.
            stop_reason="tool_calls" if self.calls and finish.reason != "length" else finish.reason,
            started_at=self.started_at,
            duration_s=end - self._clock,
            ttft_s=None if self._first is None else self._first - self._clock,
            n_chunks=sum(len(part.pieces) for part in self._parts),
        )

    def _done_results(self) -> tuple[ToolResult, ...]:
        return tuple(self.results[c.id] for c in self.calls if c.id in self.results)


class _DraftPart:
    """A part of the answer while its pieces arrive."""

    __slots__ = ("call", "is_ended", "kind", "pieces", "signature")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.pieces: list[str] = []
        self.signature: str | None = None
        self.is_ended = False
        self.call: ToolCall | None = None

    def done(self, origin: str) -> Part:
        """Return it as a message keeps it, marked with where it came from."""
        text = "".join(self.pieces)
        if self.kind == "reasoning":
            return ReasoningPart(text, signature=self.signature, provider=origin)
        if self.call is None:
            return TextPart(text, signature=self.signature, provider=origin if self.signature else None)
        return msgspec.structs.replace(self.call, provider=origin) if self.call.signature else self.call


def cancelled(call: ToolCall, *, has_begun: bool) -> ToolResult:
    """Return the result of a call that never got one, so that the thread stays valid.

    The model must not believe that nothing happened: what has begun may have ended as the run was stopped.
    """
    told = "before it ended, and may have done its work" if has_begun else "before it began"
    return ToolResult(
        call_id=call.id, name=call.name, content=f"The call was cancelled {told}.", is_error=True,
        error_type="Cancelled",
    )  # fmt: skip
