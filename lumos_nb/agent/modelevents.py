"""The events of one model call, from whichever provider.

One idea: a step takes what arrived with one read at once. Providers of ours hand it over so; one of the
caller's own need only yield event by event, and what its model lacks is made up for here.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

from lumos_nb.events import ModelEvent
from lumos_nb.messages import Message
from lumos_nb.providers.adapt import adapted
from lumos_nb.providers.base import Ask, BatchedProvider, LlmProvider, ModelOptions, ToolSpec, Watch


def model_events(
    provider: LlmProvider,
    messages: Sequence[Message],
    tools: Sequence[ToolSpec],
    options: ModelOptions | None,
    watch: Watch,
) -> AsyncGenerator[list[ModelEvent], None]:
    """Return a provider's events by read where it can, one by one where it cannot."""
    if isinstance(provider, BatchedProvider):
        return provider.generate_batches(messages, tools=tools, options=options, watch=watch)
    return _one_by_one(provider, messages, tools, options)


async def _one_by_one(
    provider: LlmProvider, messages: Sequence[Message], tools: Sequence[ToolSpec], options: ModelOptions | None
) -> AsyncGenerator[list[ModelEvent], None]:
    """Ask a provider of the caller's own; what its model lacks is made up for here."""
    ask = Ask(messages=tuple(messages), tools=tuple(tools), options=options or ModelOptions())
    can_call = provider.supports_function_calling
    call = adapted(ask, supports_function_calling=can_call, structured="tool" if can_call else "prompt")
    if call.ask is not ask:
        messages, tools, options = call.ask.messages, call.ask.tools, call.ask.options

    async def batches() -> AsyncGenerator[list[ModelEvent], None]:
        stream: Any = provider.generate_stream(messages, tools=tools, options=options)
        async with _closing(stream):
            async for event in stream:
                yield [event]

    async with aclosing(call.filtered(batches())) as filtered:
        async for batch in filtered:
            yield batch


@asynccontextmanager
async def _closing(stream: Any) -> AsyncGenerator[None, None]:
    """Close a stream that can be closed: a provider of the caller's own may be any async iterator."""
    try:
        yield
    finally:
        if hasattr(stream, "aclose"):
            await stream.aclose()
