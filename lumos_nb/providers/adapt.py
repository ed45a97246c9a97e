"""What a model cannot do itself is made up for around its call.

One idea: a call is rewritten before it is sent, and its events are rewritten as they come back;
nothing else knows that a model has no function calling or cannot keep to a form.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Protocol

import msgspec

from lumos_nb.errors import LumosError, UsageError, nearest
from lumos_nb.events import ModelEvent
from lumos_nb.messages import ToolChoice
from lumos_nb.providers.base import Ask


class EventFilter(Protocol):
    """Rewrites the events of one answer."""

    def feed(self, batch: Sequence[ModelEvent]) -> list[ModelEvent]:
        """Return what is certain by now; all of it once `Finish` came."""
        ...

    def flush(self) -> list[ModelEvent]:
        """Return what was held back of an answer that broke off."""
        ...


def adapted(ask: Ask, *, supports_function_calling: bool, structured: str, beside_tools: bool = True) -> Adapted:
    """Return the call as it is to be sent, and the filters of its answer.

    Args:
        ask: The call as the caller wants it.
        supports_function_calling: Whether the model takes tools.
        structured: How it keeps to a form: see `Quirks.structured`.
        beside_tools: Whether its own way to a form also works while there are tools.
    """
    _check_choice(ask)
    filters: list[EventFilter] = []
    if ask.options.output is not None:
        has_tools = bool(ask.tools)
        if not supports_function_calling and (structured == "tool" or has_tools):
            way = "prompt"
        else:
            way = "tool" if has_tools and not beside_tools else structured
        from lumos_nb.providers import structured_output

        ask, shaped = structured_output.adapt(ask, way)
        filters += [shaped] if shaped else []
    if ask.tools and not supports_function_calling:
        from lumos_nb.providers import legacy

        ask, parsed = legacy.adapt(ask)
        filters.insert(0, parsed)
    return Adapted(ask=ask, filters=tuple(filters))


def _check_choice(ask: Ask) -> None:
    choice = ToolChoice.of(ask.options.tool_choice)
    names = [tool.name for tool in ask.tools]
    if choice.mode == "tool" and names and choice.name not in names:
        hint = f"{nearest(choice.name, names)} There is: auto, none, required, {', '.join(names)}.".strip()
        raise UsageError(f"tool_choice cannot be {choice.name!r}: there is no such tool.", hint=hint)


class Adapted(msgspec.Struct, frozen=True, kw_only=True):
    """A call that is ready to be sent."""

    ask: Ask
    filters: tuple[EventFilter, ...]

    def feed(self, batch: list[ModelEvent]) -> list[ModelEvent]:
        """Return what is certain by now of the events of one read."""
        for each in self.filters:
            batch = each.feed(batch)
        return batch

    def flush(self) -> list[ModelEvent]:
        """Return what was held back of an answer that broke off."""
        return [event for each in self.filters for event in each.flush()]

    async def filtered(self, batches: AsyncGenerator[list[ModelEvent], None]) -> AsyncGenerator[list[ModelEvent], None]:
        """Yield the events of an answer through all filters; also what they hold when it breaks off."""
        failure: LumosError | None = None
        try:
            async with aclosing(batches):
                async for batch in batches:
                    if shown := self.feed(batch):
                        yield shown
        except LumosError as error:
            failure = error
        if failure is not None:
            if held := self.flush():
                yield held
            raise failure
