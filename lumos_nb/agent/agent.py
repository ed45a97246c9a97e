"""`Agent`: instructions, a model and tools behind `generate` and `stream`.

One idea: an agent holds no conversation. Threads do; an agent reads one, answers, and adds to it.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from itertools import takewhile
from typing import Any, Protocol, Unpack, runtime_checkable

from lumos_nb import providers, settings
from lumos_nb.agent.background import run_sync
from lumos_nb.agent.config import AgentConfig, AgentGenerateOptions, Instructions, MemoryOptions, Model, Tools
from lumos_nb.agent.home import HOME
from lumos_nb.agent.loop import LoopState
from lumos_nb.agent.output import OutputType
from lumos_nb.agent.run import Run
from lumos_nb.context import RuntimeContext
from lumos_nb.errors import UsageError
from lumos_nb.events import (
    AgentEvent,
    AgentGenerateResult,
    GenerationComplete,
    TextDelta,
    ToolCallStart,
)
from lumos_nb.memory import Memory, RunInfo, new_id, provenance
from lumos_nb.messages import Message, TextPart, ToolCall, as_messages
from lumos_nb.providers.base import LlmProvider, ModelOptions
from lumos_nb.tools import ToolRegistry

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
        self._output = None if output is None else OutputType(output)
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
        result = None
        async for batch in self._batches(prompt, options):
            for event in batch:
                if isinstance(event, GenerationComplete):
                    result = event.result
        assert result is not None
        return result

    async def stream(self, prompt: Prompt, **options: Unpack[AgentGenerateOptions]) -> AsyncGenerator[AgentEvent, None]:
        """Yield events as they happen; the last one is `generation_complete`, or `error` before it raises."""
        batches = self._batches(prompt, options)
        try:
            async for batch in batches:
                for event in batch:
                    yield event
        finally:
            await batches.aclose()

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
        if self._memory is None:
            self._memory = Memory()
        return self._memory

    def get_llm(self, context: RuntimeContext | None = None) -> LlmProvider:
        """Return the model that a run with this context uses."""
        model = self.config.model
        if callable(model) and not isinstance(model, LlmProvider):
            model = model(context or RuntimeContext())
        return self._provider(model)

    def _provider(self, model: str | LlmProvider | Sequence[str | LlmProvider] | None) -> LlmProvider:
        if isinstance(model, LlmProvider):
            return model
        if model is not None and not isinstance(model, str):
            return providers.in_turn([self._provider(each) for each in model])
        key = model or settings.current().model
        if not key:  # looked for each time: a key may have been given since
            found = providers.default_llm()
            return self._models.setdefault(f"{found.provider}/{found.model}", found)
        if key not in self._models:
            self._models[key] = providers.llm(key)
        return self._models[key]

    # ---- a run ------------------------------------------------------------------------

    async def _batches(self, prompt: Prompt, options: AgentGenerateOptions) -> AsyncGenerator[list[AgentEvent], None]:
        run = await self._prepare(prompt, options)
        batches = run.batches()
        try:
            async for batch in batches:
                yield batch
        finally:
            await batches.aclose()

    async def _prepare(self, prompt: Prompt, options: AgentGenerateOptions) -> Run:
        unknown = set(options) - set(AgentGenerateOptions.__annotations__)
        if unknown:
            raise UsageError(
                f"There is no option {sorted(unknown)[0]!r}.",
                hint=f"There is: {', '.join(AgentGenerateOptions.__annotations__)}.",
            )
        messages = as_messages(prompt)
        if not any(not isinstance(p, TextPart) or p.text.strip() for m in messages for p in m.parts):
            raise UsageError("The prompt is empty.", hint="Write what the agent should do.")
        config = settings.current()
        thread_id = options.get("thread_id") if config.enable_memory_threads else None
        context = options.get("context") or RuntimeContext()
        context = context.with_run(new_id(), thread_id, self.name)
        model = options.get("model")
        provider = (self._provider(model) if model is not None else self.get_llm(context)).for_run()
        history = await self._history(thread_id, options.get("memory_options"))
        info = self._info(context, provider, messages, options)
        state = LoopState(
            provider,
            [*self._system(context), *history, *messages],
            tools=self._run_tools(context, options),
            context=context,
            home=HOME.get(),
            options=options.get("model_options") or self.config.options,
            max_steps=options.get("max_steps") or self.config.max_steps or config.max_steps,
            price=providers.cost_usd,
            output=self._output if options.get("output") is None else OutputType(options["output"]),
        )
        recorded = config.enable_telemetry or thread_id is not None
        return Run(
            info, state, messages,
            log=self.get_memory().run_log(info) if recorded else None,
            save=options.get("save_to_memory", True),
            on_events=options.get("on_events"),
        )  # fmt: skip

    def _run_tools(self, context: RuntimeContext, options: AgentGenerateOptions) -> ToolRegistry:
        if not settings.current().enable_function_calling:
            return ToolRegistry()
        given = options.get("tools")
        return ToolRegistry(given if given is not None else self.get_tools(context))

    def _system(self, context: RuntimeContext) -> list[Message]:
        text = self.config.instructions
        text = text(context) if callable(text) else text
        return [Message(role="system", content=text)] if text else []

    async def _history(self, thread_id: str | None, options: MemoryOptions | None) -> list[Message]:
        if thread_id is None:
            return []
        return await self.get_memory().load(thread_id, limit=options.last_messages if options else None)

    def _info(
        self, context: RuntimeContext, provider: LlmProvider, messages: list[Message], options: AgentGenerateOptions
    ) -> RunInfo:
        return RunInfo(
            run_id=context.run_id, thread_id=context.thread_id, title=options.get("thread_title", ""),
            agent=self.name, provider=provider.provider, model=provider.model,
            prompt=_asked(messages), started_at=time.time(),
            cost_source=providers.cost_source(provider.provider, provider.model), **provenance(),
        )  # fmt: skip


def _asked(messages: Sequence[Message]) -> str:
    """Return what the user says last, behind any conversation that was given with it."""
    spoken = takewhile(lambda message: message.role != "assistant", reversed(messages))
    return "\n".join([message.text for message in spoken if message.role == "user"][::-1])


async def _maybe(value: Any) -> None:
    """Await what a callback returned, if it can be awaited."""
    if inspect.isawaitable(value):
        await value
