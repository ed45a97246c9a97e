"""From an agent, a prompt and options to a run that can begin.

One idea: everything that may be wrong with a request is found here, before a model is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, Any

import msgspec

from lumos_nb import clock, providers, settings
from lumos_nb.agent.approval import UNUSED, Permits
from lumos_nb.agent.config import AgentGenerateOptions
from lumos_nb.agent.control import UNCONTROLLED
from lumos_nb.agent.home import HOME
from lumos_nb.agent.output import OutputType
from lumos_nb.agent.run import Run
from lumos_nb.agent.state import LoopState
from lumos_nb.agent.watching import is_traced
from lumos_nb.context import IN_CALL, RuntimeContext
from lumos_nb.errors import UsageError
from lumos_nb.memory import RunInfo, new_id, provenance
from lumos_nb.memory.configs import RunConfig
from lumos_nb.messages import Message, TextPart, as_messages
from lumos_nb.providers.base import LlmProvider
from lumos_nb.tools import ToolRegistry
from lumos_nb.tools.reads import names_read
from lumos_nb.traceparent import span_id, trace_id

if TYPE_CHECKING:
    from lumos_nb.agent.agent import Agent, Prompt

_OPTIONS = frozenset(AgentGenerateOptions.__annotations__)


async def prepare(agent: Agent, prompt: Prompt, options: AgentGenerateOptions) -> Run:
    """Return the run of `agent` on `prompt`.

    Raises:
        UsageError: The prompt or an option cannot be used.
        ThreadNotFoundError: The thread cannot be read.
    """
    check_options(options)
    messages = _checked(prompt)
    thread_id = options.get("thread_id") if settings.current().enable_memory_threads else None
    context = (options.get("context") or RuntimeContext()).with_run(new_id("run"), thread_id, agent.name)
    provider = agent.get_llm(context, options.get("model")).for_run()
    history = await history_of(agent, thread_id, options)
    within = _take_place(context)
    state = state_of(agent, context, provider, [*history, *messages], options)
    config = settings.current()
    info = _info(context, provider, messages, options, {**within, **_from(state.tools)})
    if config.enable_telemetry:
        state.unkept = list(messages)
        info = msgspec.structs.replace(info, config=_run_config(agent.name, state))
    is_kept = config.enable_telemetry or thread_id is not None
    return Run(
        info, state, messages,
        log=agent.get_memory().run_log(info) if is_kept else None,
        save=options.get("save_to_memory", True),
        on_events=options.get("on_events"),
    )  # fmt: skip


async def previewed(agent: Agent, prompt: Prompt, options: AgentGenerateOptions) -> LoopState:
    """Return what a run would begin with: its model, messages, tools and limits. Nothing is sent or kept.

    Raises:
        UsageError: The prompt or an option cannot be used.
        ThreadNotFoundError: The thread cannot be read.
    """
    check_options(options)
    messages = _checked(prompt)
    context = options.get("context") or RuntimeContext()
    provider = agent.get_llm(context, options.get("model"))
    history = await history_of(agent, options.get("thread_id"), options)
    return state_of(agent, context, provider, [*history, *messages], options)


def state_of(
    agent: Agent,
    context: RuntimeContext,
    provider: LlmProvider,
    messages: Sequence[Message],
    options: AgentGenerateOptions,
) -> LoopState:
    """Return what the loop works with: `messages` behind the agent's instructions."""
    tools = _tools(agent, context, options)
    return LoopState(
        provider=provider,
        messages=[*_system(agent, context), *messages],
        tools=tools,
        context=context,
        home=HOME.get(),
        options=options.get("model_options") or agent.config.options,
        max_steps=options.get("max_steps") or agent.config.max_steps or settings.current().max_steps,
        max_cost_usd=options.get("max_cost_usd"),
        price=providers.cost_usd,
        output_type=agent.output_type if options.get("output") is None else OutputType(options["output"]),
        permits=_permits(agent, context, options) if len(tools) else UNUSED,
        control=options.get("control") or UNCONTROLLED,
        propagates=_propagates(context),
    )


def _propagates(context: RuntimeContext) -> bool:
    config = settings.current()
    is_wanted = context.parent is not None or is_traced(config)
    return config.propagate == "on" or (config.propagate == "auto" and is_wanted)


def _permits(agent: Agent, context: RuntimeContext, options: AgentGenerateOptions) -> Permits:
    memory = agent.get_memory() if context.thread_id is not None else None
    return Permits(options.get("on_approval"), options.get("approve", ()), context.thread_id, memory)


def check_options(options: AgentGenerateOptions) -> None:
    """Raise a `UsageError` for an option that there is not."""
    if unknown := options.keys() - _OPTIONS:
        raise UsageError(
            f"There is no option {sorted(unknown)[0]!r}.", hint=f"There is: {', '.join(sorted(_OPTIONS))}."
        )


def _checked(prompt: Prompt) -> list[Message]:
    messages = as_messages(prompt)
    if not any(not isinstance(p, TextPart) or p.text.strip() for m in messages for p in m.parts):
        raise UsageError("The prompt is empty.", hint="Write what the agent should do.")
    return messages


def _tools(agent: Agent, context: RuntimeContext, options: AgentGenerateOptions) -> ToolRegistry:
    if not settings.current().enable_function_calling:
        return ToolRegistry()
    given = options.get("tools")
    return ToolRegistry(given if given is not None else agent.get_tools(context))


def _system(agent: Agent, context: RuntimeContext) -> list[Message]:
    text = agent.config.instructions
    text = text(context) if callable(text) else text
    return [Message(role="system", content=text)] if text else []


async def history_of(agent: Agent, thread_id: str | None, options: AgentGenerateOptions) -> list[Message]:
    """Return what the model is told of the thread."""
    if thread_id is None:
        return []
    kept = options.get("memory_options")
    return await agent.get_memory().load(thread_id, limit=kept.last_messages if kept else None)


def _take_place(context: RuntimeContext) -> dict[str, Any]:
    """Find out what a run is part of, note it in its context, and return the ids of what it is within."""
    outer = IN_CALL.get()
    if outer is None:
        context.root_run_id, context.trace_id = context.run_id, trace_id(context.run_id)
        if context.parent is None:
            return {}
        context.trace_id = context.parent.trace_id
        return {"parent_span_id": context.parent.span_id}
    within, call_id = outer
    context.root_run_id, context.trace_id, context.parent = within.root_run_id, within.trace_id, within.parent
    return {"parent_run_id": within.run_id, "parent_span_id": span_id(within.run_id, call_id)}


def _run_config(agent: str, state: LoopState) -> RunConfig:
    first = state.messages[0]
    return RunConfig(
        agent=agent, instructions=first.text if first.role == "system" else "",
        tools=[tool.spec for tool in state.tools], options=state.call_options(), max_steps=state.max_steps,
    )  # fmt: skip


def _info(
    context: RuntimeContext,
    provider: LlmProvider,
    messages: Sequence[Message],
    options: AgentGenerateOptions,
    within: dict[str, Any],
) -> RunInfo:
    return RunInfo(
        run_id=context.run_id, thread_id=context.thread_id, title=options.get("thread_title", ""),
        agent=context.agent, provider=provider.provider, model=provider.model,
        prompt=_asked(messages), started_at=clock.time(),
        cost_source=providers.cost_source(provider.provider, provider.model),
        root_run_id=context.root_run_id, trace_id=context.trace_id, **within,
    )  # fmt: skip


def _from(tools: ToolRegistry) -> dict[str, Any]:
    """Return where the run is started; it depends on what its tools read, too."""
    place = provenance()
    if "names_read" in place:
        place["names_read"] = tuple(sorted({*place["names_read"], *(n for tool in tools for n in names_read(tool.fn))}))
    return place


def _asked(messages: Sequence[Message]) -> str:
    """Return what the user says last, behind any conversation that was given with it."""
    spoken = takewhile(lambda message: message.role != "assistant", reversed(messages))
    return "\n".join([message.text for message in spoken if message.role == "user"][::-1])
