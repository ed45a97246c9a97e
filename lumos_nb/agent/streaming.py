"""`StreamingAgent`: any agent, streamed as its caller wants it.

One idea: streaming is never made up. What streams is passed on as it arrives; what can only
`generate` gives its answer as one delta.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import msgspec

from lumos_nb.agent.agent import AgentLike
from lumos_nb.errors import UsageError
from lumos_nb.events import AgentEvent, AgentGenerateResult, GenerationComplete, MemoryUpdate, Metadata, TextDelta


class StreamingConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How a stream is delivered.

    Args:
        text_buffer_size: Characters to collect before a `text_delta` goes out; 0 for as they arrive.
        emit_metadata: Pass `metadata` events on.
        emit_memory_updates: Pass `memory_update` events on.
        text_delta_delay_ms: Milliseconds to wait before each `text_delta`; 0 for none.
    """

    text_buffer_size: int = 0
    emit_metadata: bool = True
    emit_memory_updates: bool = True
    text_delta_delay_ms: int = 0


class StreamingAgent:
    """Wrap an agent, ours or any object with `generate` or `stream`, for streaming.

    Example:
        >>> import asyncio
        >>> from lumos_nb import Agent
        >>> from lumos_nb.testing import ScriptedProvider
        >>> agent = Agent(name="a", model=ScriptedProvider(["Hello Ada."]))
        >>> async def main():
        ...     return [e.type async for e in StreamingAgent(agent).stream("Hi")]
        >>> asyncio.run(main())[-1]
        'generation_complete'
    """

    def __init__(self, agent: Any, config: StreamingConfig | None = None) -> None:
        if not (callable(getattr(agent, "stream", None)) or callable(getattr(agent, "generate", None))):
            raise UsageError(f"{agent!r:.80} is not an agent.", hint="It needs a method `stream` or `generate`.")
        self.agent: AgentLike = agent
        self.config = config or StreamingConfig()

    async def generate(self, prompt: Any, **options: Any) -> Any:
        """Run the wrapped agent to the end."""
        return await self.agent.generate(prompt, **options)

    async def stream(self, prompt: Any, **options: Any) -> AsyncGenerator[AgentEvent, None]:
        """Yield the wrapped agent's events, delivered as `config` says."""
        text: list[str] = []
        size = 0
        async with aclosing(self._events(prompt, options)) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    text.append(event.delta)
                    size += len(event.delta)
                    if size < self.config.text_buffer_size:
                        continue
                    event = TextDelta("".join(text)) if len(text) > 1 else event
                    text, size = [], 0
                    await self._pause()
                elif text:
                    yield TextDelta("".join(text))
                    text, size = [], 0
                if self._wanted(event):
                    yield event

    def _wanted(self, event: AgentEvent) -> bool:
        if isinstance(event, Metadata):
            return self.config.emit_metadata
        return self.config.emit_memory_updates or not isinstance(event, MemoryUpdate)

    async def _pause(self) -> None:
        if self.config.text_delta_delay_ms:
            await asyncio.sleep(self.config.text_delta_delay_ms / 1000)

    async def _events(self, prompt: Any, options: dict[str, Any]) -> AsyncGenerator[AgentEvent, None]:
        if callable(getattr(self.agent, "stream", None)):
            stream: Any = self.agent.stream(prompt, **options)
            try:
                async for event in stream:
                    yield event
            finally:
                if hasattr(stream, "aclose"):  # a foreign agent's may be any async iterator
                    await stream.aclose()
            return
        result = await self.agent.generate(prompt, **options)
        if not isinstance(result, AgentGenerateResult):
            result = AgentGenerateResult(response=str(getattr(result, "response", result)))
        yield TextDelta(result.response)
        yield GenerationComplete(result)
