"""One model call: from a provider's events to an `AgentStep`.

One idea: everything that has arrived is kept as it arrives, so that a call which breaks off
leaves its text behind.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

import msgspec

from lumos_nb import settings
from lumos_nb.events import (
    AgentEvent,
    AgentStep,
    Finish,
    Metadata,
    ModelEvent,
    ModelToolCall,
    ReasoningDelta,
    TextDelta,
)
from lumos_nb.messages import Message, Part, ReasoningPart, TextPart, ToolCall, ToolResult
from lumos_nb.providers.base import BatchedProvider, LlmProvider, ModelOptions, ToolSpec


class StepDraft:
    """A step while it happens."""

    def __init__(self, index: int, provider: LlmProvider, known_ids: Collection[str] = ()) -> None:
        self.index = index
        self._known_ids = set(known_ids)
        self.provider = provider
        self.text: list[str] = []
        self.reasoning: list[str] = []
        self.calls: list[ToolCall] = []
        self.results: dict[str, ToolResult] = {}
        self.finish: Finish | None = None
        self.started_at = time.time()
        self._clock = time.perf_counter()
        self._first: float | None = None
        self._last: float | None = None

    async def call(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec],
        options: ModelOptions | None,
        notify: Callable[[list[AgentEvent]], None],
    ) -> AsyncGenerator[list[AgentEvent], None]:
        """Ask the model and yield what arrives, one list a read; `notify` hears of waits at once."""
        is_streaming = settings.current().enable_streaming
        try:
            async for batch in _batches(self.provider, messages, tools, options, notify):
                shown = self._keep(batch)
                if shown and is_streaming:
                    yield shown
        finally:
            self._last = time.perf_counter()
        if not is_streaming and (self.text or self.reasoning):
            whole = (ReasoningDelta("".join(self.reasoning)), TextDelta("".join(self.text)))
            yield [event for event in whole if event.delta]

    def _keep(self, batch: Sequence[ModelEvent]) -> list[AgentEvent]:
        shown: list[AgentEvent] = []
        for event in batch:
            kind = type(event)
            if kind is TextDelta:
                self.text.append(event.delta)  # type: ignore[union-attr]
                shown.append(event)  # type: ignore[arg-type]
            elif kind is ReasoningDelta:
                self.reasoning.append(event.delta)  # type: ignore[union-attr]
                shown.append(event)  # type: ignore[arg-type]
            elif isinstance(event, ModelToolCall):
                self.calls.append(self._distinct(event.call))
            elif isinstance(event, Finish):
                self.finish = event
        if self._first is None and (self.text or self.reasoning or self.calls):
            self._first = time.perf_counter()
        return shown

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
        parts: list[Part] = []
        if self.reasoning:
            parts.append(ReasoningPart("".join(self.reasoning), provider=self.provider.provider))
        if self.text:
            parts.append(TextPart("".join(self.text)))
        parts.extend(self.calls)
        if not self.text and not self.calls:
            return None
        if len(parts) == 1 and isinstance(parts[0], TextPart):
            return Message(role="assistant", content=parts[0].text)
        return Message(role="assistant", content=tuple(parts))

    def results_message(self) -> Message | None:
        """Return the tool results in the order of the calls; a call without one counts as cancelled."""
        if not self.calls:
            return None
        return Message(role="tool", content=tuple(self.results.get(c.id) or cancelled(c) for c in self.calls))

    def done(self, cost_usd: float | None) -> AgentStep:
        """Return the step as a value."""
        finish = self.finish or Finish("other")
        end = self._last or time.perf_counter()
        return AgentStep(
            index=self.index,
            text="".join(self.text),
            reasoning="".join(self.reasoning),
            tool_calls=tuple(self.calls),
            tool_results=tuple(self.results[c.id] for c in self.calls if c.id in self.results),
            usage=finish.usage,
            cost_usd=cost_usd,
            provider=self.provider.provider,
            model=finish.model or self.provider.model,
            stop_reason="tool_calls" if self.calls else finish.reason,
            started_at=self.started_at,
            duration_s=end - self._clock,
            ttft_s=None if self._first is None else self._first - self._clock,
            n_chunks=len(self.text) + len(self.reasoning),
        )


def cancelled(call: ToolCall) -> ToolResult:
    """Return the result of a call that never got one, so that the thread stays valid."""
    return ToolResult(
        call_id=call.id, name=call.name, content="The call was cancelled before it ended.", is_error=True,
        error_type="Cancelled",
    )  # fmt: skip


async def _batches(
    provider: LlmProvider,
    messages: Sequence[Message],
    tools: Sequence[ToolSpec],
    options: ModelOptions | None,
    notify: Callable[[list[AgentEvent]], None],
) -> AsyncGenerator[Sequence[ModelEvent], None]:
    """Yield a provider's events by read where it can, one by one where it cannot."""
    if not isinstance(provider, BatchedProvider):
        one_by_one: Any = provider.generate_stream(messages, tools=tools, options=options)
        async with _closing(one_by_one):
            async for event in one_by_one:
                yield (event,)
        return
    batches = provider.generate_batches(
        messages, tools=tools, options=options, on_wait=lambda data: notify([Metadata(data)])
    )
    async with aclosing(batches):
        async for batch in batches:
            yield batch


@asynccontextmanager
async def _closing(stream: Any) -> AsyncGenerator[None, None]:
    """Close a stream that can be closed: a provider of the caller's own may be any async iterator."""
    try:
        yield
    finally:
        if hasattr(stream, "aclose"):
            await stream.aclose()
