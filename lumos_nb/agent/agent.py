"""`Agent`: instructions, a model and tools behind `generate` and `stream`.

One idea: an agent holds no conversation. Threads do; an agent reads one, answers, and adds to it.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Protocol, Unpack, runtime_checkable

from lumos_nb import providers
from lumos_nb.agent.bridge import run_sync
from lumos_nb.agent.config import AgentConfig, AgentGenerateOptions, Instructions, Model, Tools
from lumos_nb.agent.output import OutputType
from lumos_nb.context import RuntimeContext
from lumos_nb.events import (
    AgentEvent,
    AgentGenerateResult,
    GenerationComplete,
    TextDelta,
    ToolCallStart,
)
from lumos_nb.messages import Message, ToolCall
from lumos_nb.providers.base import LlmProvider, ModelOptions
from lumos_nb.tools import ToolRegistry

if TYPE_CHECKING:
    from lumos_nb.memory import Memory

Prompt = str | Message | Sequence[Message]


@runtime_checkable
class AgentLike(Protocol):
    """What counts as an agent: anything with these two, ours or not."""

    def generate(self, prompt: Any, **options: Any) -> Awaitable[Any]: ...

    def stream(self, prompt: Any, **options: Any) -> AsyncIterator[Any]: ...


class Agent:
    """An agent: give it a prompt, get an answer, or watch it come.

    Args:
        name: How it is called in magics, views and tables.
        model: `"vendor/model"`, a provider made by `llm(…)`, a list of these that are asked in turn, a
            function of the context that returns one, or None for the setting, the first vendor with
            a key, or the embedded model.
        instructions: The system prompt, or a function of the context that returns it.
        tools: Functions or tools, or a function of the context that returns them.
        output: Type of the answer: a pydantic model, a dataclass, `list[str]` …, or a JSON schema; it is
            then `result.output`. None: the answer is text.
        options: Temperature, length and the like, for each model call.
        max_steps: Model calls a run may make; None for the setting.
        memory: Where threads are kept; None for the default database.

    Raises:
        UsageError: A part cannot be used; says which and what it must be.

    Example:
        >>> from lumos_nb.testing import ScriptedProvider
        >>> agent = Agent(name="analyst", model=ScriptedProvider(["Hello Ada."]))
        >>> agent.generate_sync("I am Ada.").response
        'Hello Ada.'
    """

    def __init__(
        self,
        name: str = "agent",
        *,
        model: Model = None,
        instructions: Instructions = "",
        tools: Tools = (),
        output: Any = None,
        options: ModelOptions | None = None,
        max_steps: int | None = None,
        memory: Memory | None = None,
    ) -> None:
        self.config = AgentConfig(
            name=name, instructions=instructions, model=model, tools=tools, options=options, max_steps=max_steps
        )
        self.output_type = None if output is None else OutputType(output)
        self._memory = memory
        self._fixed_tools = None if callable(tools) else ToolRegistry(tools)
        self._models: dict[str, LlmProvider] = {}

    @property
    def name(self) -> str:
        """How it is called."""
        return self.config.name

    def __repr__(self) -> str:
        model = self.config.model
        shown = model if isinstance(model, str) else repr(model) if model is not None else "default model"
        tools = "dynamic" if self._fixed_tools is None else ", ".join(t.name for t in self._fixed_tools) or "none"
        return f"<Agent {self.name}: {shown}; tools: {tools}>"

    # ---- running ----------------------------------------------------------------------

    async def generate(self, prompt: Prompt, **options: Unpack[AgentGenerateOptions]) -> AgentGenerateResult:
        """Run to the end and return the result.

        Args:
            prompt: Text, a message, or messages.
            options: See `AgentGenerateOptions`.

        Raises:
            CredentialError: There is no key, or it was refused.
            ProviderError: The model could not answer; the text so far is in the log.
            OutputError: The answer has not the type `output`, also when asked again.
            StoreError: The database cannot be used.
        """
        return await _result(await self._batches(prompt, options))

    async def resume(self, run: str = "last", **options: Unpack[AgentGenerateOptions]) -> AgentGenerateResult:
        """Take up a run that was stopped, and run it to the end.

        It goes on as the same run in the same log: tools that have ended are not run again, one that waited
        for a person is asked for again, one that had begun and is marked `unsafe` is never run twice.

        Args:
            run: Its id, a beginning or end of it, or `last`.
            options: See `AgentGenerateOptions`; the thread is the run's own.

        Raises:
            UsageError: It has ended well, still goes on, or had not come to a tool.
        """
        from lumos_nb.agent.resume import prepare_resumed

        return await _result((await prepare_resumed(self, run, options)).batches())

    async def stream(self, prompt: Prompt, **options: Unpack[AgentGenerateOptions]) -> AsyncGenerator[AgentEvent, None]:
        """Yield events as they happen; the last one is `generation_complete`, or `error` before it raises."""
        async with aclosing(await self._batches(prompt, options)) as batches:
            async for batch in batches:
                for event in batch:
                    yield event

    def generate_sync(self, prompt: Prompt, **options: Unpack[AgentGenerateOptions]) -> AgentGenerateResult:
        """Run to the end from plain code, also where an event loop is running."""
        return run_sync(self.generate(prompt, **options))

    async def stream_with_callbacks(
        self,
        prompt: Prompt,
        *,
        on_text: Callable[[str], Any] | None = None,
        on_tool_call: Callable[[ToolCall], Any] | None = None,
        on_event: Callable[[AgentEvent], Any] | None = None,
        **options: Unpack[AgentGenerateOptions],
    ) -> AgentGenerateResult:
        """Run, call back with each piece of text, tool call and event (plain or async functions), return the result."""
        result = None
        async for event in self.stream(prompt, **options):
            if on_event is not None:
                await _maybe(on_event(event))
            if isinstance(event, TextDelta) and on_text is not None:
                await _maybe(on_text(event.delta))
            elif isinstance(event, ToolCallStart) and on_tool_call is not None:
                await _maybe(on_tool_call(event.call))
            elif isinstance(event, GenerationComplete):
                result = event.result
        assert result is not None
        return result

    async def generate_with_memory(
        self, prompt: Prompt, thread: str, **options: Unpack[AgentGenerateOptions]
    ) -> AgentGenerateResult:
        """Load the thread, answer, and save: `generate` with a thread that must be named."""
        options["thread_id"] = thread
        return await self.generate(prompt, **options)

    # ---- parts ------------------------------------------------------------------------

    def get_tools(self, context: RuntimeContext | None = None) -> ToolRegistry:
        """Return the tools that a run with this context has."""
        if self._fixed_tools is not None:
            return self._fixed_tools
        return ToolRegistry(self.config.tools(context or RuntimeContext()))

    def get_memory(self) -> Memory:
        """Return where this agent's threads are kept."""
        if self._memory is not None:
            return self._memory
        from lumos_nb.memory import Memory

        return Memory()  # not kept: the settings may name another database, and a tape does

    def get_llm(self, context: RuntimeContext | None = None, model: Model = None) -> LlmProvider:
        """Return the model that a run with this context uses; `model` stands in for the agent's own."""
        model = self.config.model if model is None else model
        if callable(model) and not isinstance(model, LlmProvider):
            model = model(context or RuntimeContext())
        return self._provider(model)

    def _provider(self, model: str | LlmProvider | Sequence[str | LlmProvider] | None) -> LlmProvider:
        if isinstance(model, LlmProvider):
            return model
        if model is not None and not isinstance(model, str):
            return providers.in_turn([self._provider(each) for each in model])
        from lumos_nb.providers.catalog import default_model

        key = model or default_model()  # looked for each time: a key may have been given since
        if key not in self._models:
            self._models[key] = providers.llm(key)
        return self._models[key]

    # ---- a run ------------------------------------------------------------------------

    async def _batches(self, prompt: Prompt, options: AgentGenerateOptions) -> AsyncGenerator[list[AgentEvent], None]:
        from lumos_nb.agent.prepare import prepare

        return (await prepare(self, prompt, options)).batches()


async def _result(run: AsyncGenerator[list[AgentEvent], None]) -> AgentGenerateResult:
    """Read a run to its end and return its result."""
    async with aclosing(run) as batches:
        async for batch in batches:
            last = batch[-1]
    assert isinstance(last, GenerationComplete)
    return last.result


async def _maybe(value: Any) -> None:
    """Await what a callback returned, if it can be awaited."""
    if inspect.isawaitable(value):
        await value
