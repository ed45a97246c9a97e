"""What a cell asks for, resolved: a prompt to an agent, or a stopped run to be taken up.

One idea: everything that can be wrong with it is found here, before a view opens and before a
model is asked.
"""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from shlex import quote
from typing import Any, Protocol, cast

from lumos_nb import settings
from lumos_nb.agent import Agent
from lumos_nb.agent.bridge import run_sync
from lumos_nb.agent.config import AgentGenerateOptions
from lumos_nb.agent.prepare import previewed
from lumos_nb.agent.resume import check_resumable
from lumos_nb.agent.state import LoopState
from lumos_nb.errors import ThreadNotFoundError, UsageError
from lumos_nb.events import AgentEvent, AgentGenerateResult
from lumos_nb.memory import MemoryThread, SavedRun
from lumos_nb.messages import Message, TextPart
from lumos_nb.notebook.attach import evaluated
from lumos_nb.notebook.commands.agents import COMMANDS
from lumos_nb.notebook.interpolate import interpolate
from lumos_nb.notebook.options import CellOptions
from lumos_nb.providers.prices import cost_source
from lumos_nb.providers.vendors import vendors
from lumos_nb.runtime import Runtime
from lumos_nb.tools import Tool

CELLS = "cells"
"""What `--tools` calls the tools for the notebook's cells."""


class Request(Protocol):
    """What `CellRun` runs."""

    options: CellOptions
    #: The person's words, for copies of the view.
    prompt: str
    agent: Agent
    #: Title of the thread; empty where there is none.
    thread_title: str
    output_type: Any

    def events(self) -> Sequence[AgentEvent]:
        """Return what a view shows before anything happens."""

    def work(self, **more: Any) -> Coroutine[Any, Any, AgentGenerateResult]:
        """Return the run, with more options for it."""


class PromptRequest:
    """A `%%agent` cell.

    Raises:
        UsageError: A part of it cannot be used.
    """

    def __init__(self, shell: Any, runtime: Runtime, options: CellOptions, body: str) -> None:
        if not body.strip():
            raise UsageError("The prompt is empty.", hint=_instead(options.agent))
        self.options = options
        self.prompt = interpolate(body.strip("\n"), shell.user_ns)
        self.agent = runtime.agent(options.agent)
        self._given = _named(shell, runtime, options)
        self._given.setdefault("model", self.agent.get_llm())
        self._attached = [evaluated(image, shell.user_ns) for image in options.images]
        self.output_type = self._given.get("output")
        thread = self._known_thread(runtime) if options.dry_run else self._thread(runtime)
        self.thread_title = thread.title if thread else ""
        self.thread_id = thread.id if thread else ""
        if thread is not None:
            self._given["thread_id"] = thread.id

    def _thread(self, runtime: Runtime) -> MemoryThread | None:
        if not settings.current().enable_memory_threads:
            return None
        if self.options.new:
            # A thread with a name is one beside the notebook's own.
            return runtime.new_thread(self.options.thread, use=self.options.thread is None)
        if self.options.thread:
            return _known(runtime, self.options.thread)
        return runtime.current_thread()

    def _known_thread(self, runtime: Runtime) -> MemoryThread | None:
        """Return the thread that the run would continue; None where it would begin one."""
        if not settings.current().enable_memory_threads or self.options.new:
            return None
        return _known(runtime, self.options.thread) if self.options.thread else runtime.known_thread()

    def events(self) -> Sequence[AgentEvent]:
        return ()

    def work(self, **more: Any) -> Coroutine[Any, Any, AgentGenerateResult]:
        return self.agent.generate(self._message(), **self._given, **more)

    def preview(self) -> LoopState:
        """Return what the run would begin with."""
        return run_sync(previewed(self.agent, self._message(), cast(AgentGenerateOptions, self._given)))

    def unpriced(self) -> str:
        """Say that what the cell may cost cannot be watched, if it cannot."""
        model = self.agent.get_llm(None, self._given["model"])
        if self.options.max_cost_usd is None or cost_source(model.provider, model.model) != "unknown":
            return ""
        name = f"{model.provider}/{model.model}"
        return f"The price of `{name}` is not known: `--max-cost` does not count it. The setting `prices` can name it."

    def _message(self) -> str | Message:
        if self._attached:
            return Message(role="user", content=(TextPart(self.prompt), *self._attached))
        return self.prompt


def _instead(word: str | None) -> str:
    """Say what to do about a cell without a prompt, also to who wrote a `%` too many."""
    if word in COMMANDS:
        return f"For the command write %agent {word}, with one %."
    return "Write below the %%agent line what the agent should do."


def _known(runtime: Runtime, name: str) -> MemoryThread:
    """Return a thread by its name; to who meant a new one, say how it is begun."""
    try:
        return runtime.thread(name)
    except ThreadNotFoundError as error:
        message, hint = error.message, error.hint
    raise ThreadNotFoundError(message, hint=f"{hint} --new -t {quote(name)} begins it.")


class ResumeRequest:
    """`%agent resume [RUN]`: a run that was stopped, with the agent and the tools that it had.

    Raises:
        UsageError: There is no such run, or it cannot be taken up, or the notebook has not what it needs.
    """

    def __init__(self, shell: Any, runtime: Runtime, options: CellOptions) -> None:
        if options.new or options.thread or options.images:
            raise UsageError(
                "A run is resumed in its own thread, with what it was given.",
                hint="Leave out -t, --new and --image.",
            )
        self.options = options
        self._saved = self._find(runtime, options.agent)
        row = self._saved.row
        self.prompt = row["prompt_preview"] or ""
        self.agent = self._agent(runtime, row["agent"] or "")
        self._given = _named(shell, runtime, options)
        self._given["tools"] = self._tools(runtime)
        self._given.setdefault("model", self._model(runtime))
        self.output_type = self._given.get("output")
        self.thread_title = runtime.thread(row["thread_id"]).title if row["thread_id"] else ""

    def events(self) -> Sequence[AgentEvent]:
        return self._saved.shown()

    def work(self, **more: Any) -> Coroutine[Any, Any, AgentGenerateResult]:
        return self.agent.resume(self._saved.row["run_id"], **self._given, **more)

    def _find(self, runtime: Runtime, name: str | None) -> SavedRun:
        memory = runtime.memory
        if name is None:
            alive = [run.run_id for run in runtime.live()]
            name = run_sync(memory.last_stopped(runtime.notebook(), alive))
        if name is None:
            raise UsageError("No run of this notebook was stopped.", hint="%trace df shows all runs.")
        saved = run_sync(memory.get_run(name))
        check_resumable(saved)
        return saved

    def _agent(self, runtime: Runtime, name: str) -> Agent:
        found = runtime.agents().get(name)
        if found is None:
            raise UsageError(
                f"The agent {name!r} of this run is not there.", hint="Run the cell that defines it, then resume."
            )
        return found

    def _tools(self, runtime: Runtime) -> list[Tool]:
        """Return the agent's tools, and those of the notebook that the run had beside them: no others."""
        from lumos_nb.notebook.celltools import cell_tools  # it needs what needs us

        tools = list(self._given["tools"]) if "tools" in self._given else list(self.agent.get_tools())
        known = {tool.name for tool in tools}
        for name in (name for name in self._saved.tools if name not in known):
            value = runtime.find_tool(name) or next((tool for tool in cell_tools() if tool.name == name), None)
            if value is None:
                raise UsageError(
                    f"The tool {name!r} of this run is not there.", hint="Run the cell that defines it, then resume."
                )
            tools.append(value)
        return tools

    def _model(self, runtime: Runtime) -> Any:
        """Return the model that the run had, as far as it can be had by its name."""
        own, row = self.agent.get_llm(), self._saved.row
        if (own.provider, own.model) != (row["provider"], row["model"]) and row["provider"] in vendors():
            return runtime.model(f"{row['provider']}/{row['model']}")
        return own


def _named(shell: Any, runtime: Runtime, options: CellOptions) -> dict[str, Any]:
    """Return the options of a run that a cell's line names."""
    found: dict[str, Any] = {}
    if options.model:
        found["model"] = runtime.model(options.model)
    if options.tools is not None:
        found["tools"] = _tools(runtime, options.tools)
    if options.output_type is not None:
        found["output"] = _type(shell, options.output_type)
    if options.max_steps is not None:
        found["max_steps"] = options.max_steps
    if options.max_cost_usd is not None:
        found["max_cost_usd"] = options.max_cost_usd
    if options.approve is not None:
        found["approve"] = options.approve
    return found


def _tools(runtime: Runtime, names: str) -> list[Tool]:
    """Return tools by their names; `cells` is those that work on the notebook's cells."""
    from lumos_nb.notebook.celltools import cell_tools

    others = [name for name in names.split(",") if name.strip() != CELLS or runtime.find_tool(CELLS)]
    ours = cell_tools() if len(others) < len(names.split(",")) else []
    return [*runtime.tools(",".join(others)), *ours]


def _type(shell: Any, expression: str) -> Any:
    try:
        return eval(expression, dict(shell.user_ns))  # noqa: S307 - a cell runs what its person wrote
    except Exception as error:
        raise UsageError(
            f"The type {expression!r} of -o cannot be had: {type(error).__name__}: {error}.",
            hint="Define it in an earlier cell, or use one such as list[str], quoted: -o 'names:list[str]'.",
        ) from None
