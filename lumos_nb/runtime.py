"""The session of this process: which agents there are, which thread is current, what runs now.

One idea: it is the one place that wires names which a person types to agents, models, threads
and tools. The magics parse, call this, and display.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lumos_nb import clock
from lumos_nb.agent import Agent
from lumos_nb.agent.bridge import run_sync
from lumos_nb.agent.control import RunControl
from lumos_nb.errors import ThreadNotFoundError, UsageError, nearest
from lumos_nb.events import AgentEvent, RunStart
from lumos_nb.memory import Memory, MemoryThread
from lumos_nb.providers import LlmProvider, llm
from lumos_nb.providers.fallback import in_turn
from lumos_nb.tools import Tool, tool
from lumos_nb.values import is_of

DEFAULT_INSTRUCTIONS = "You are a helpful assistant in a Jupyter notebook. Answer in Markdown, briefly."


class LiveRun:
    """A run that goes on now: how it stands, and what can be done to it.

    Args:
        agent: Name of its agent.
        thread: Title of its thread; empty where it has none.
        control: To steer and to pause it.
        stop: Stops it, as Stop in its view does.
        questions: Says how many of its tool calls wait for a person.
        cell: Execution count of its cell.
        is_background: Whether no cell waits for it.
        act: Does what a person asks for elsewhere than in its view; returns why it cannot be done.
        doc: Returns the document of the run as it stands.
        hear: Called when a person has its questions in view elsewhere.
        cell_id: Id of its cell; None where it has none.
        has_asked: Says whether somebody was asked about a call.
    """

    def __init__(
        self, *, agent: str, thread: str, control: RunControl, stop: Callable[[], object],
        questions: Callable[[], int] = lambda: 0, cell: int | None = None, is_background: bool = False,
        act: Callable[[dict[str, Any]], str] = lambda action: "Nobody listens to this run.",
        doc: Callable[[], dict[str, Any]] = lambda: {"status": "running", "items": []},
        hear: Callable[[], object] = lambda: None, cell_id: str | None = None,
        has_asked: Callable[[str], bool] = lambda call_id: False,
    ) -> None:  # fmt: skip
        self.agent, self.thread, self.cell, self.is_background = agent, thread, cell, is_background
        self.control = control
        self.started_at = clock.time()
        self.run_id = ""
        self.thread_id: str | None = None
        self.is_stopping = False
        self.act, self.doc, self.hear = act, doc, hear
        self.cell_id, self.has_asked = cell_id, has_asked
        self._stop, self._questions = stop, questions

    def on_events(self, events: Sequence[AgentEvent]) -> None:
        """Learn its id from its first event."""
        for event in events if not self.run_id else ():
            if isinstance(event, RunStart):
                self.run_id, self.thread_id = event.run_id, event.thread_id

    @property
    def status(self) -> str:
        """running, waiting for you, paused or stopping."""
        if self.is_stopping:
            return "stopping"
        if self._questions():
            return "waiting for you"
        return "paused" if self.control.is_paused else "running"

    def stop(self) -> None:
        """End it; a pause does not hold that up."""
        self._stop()


class Runtime:
    """What a notebook's cells share.

    Args:
        namespace: Where agents, tools and models are looked up by variable name.
        notebook: Path of the notebook, or None where there is none.
    """

    def __init__(self, namespace: Mapping[str, Any], notebook: Callable[[], str | None] = lambda: None) -> None:
        self.namespace = namespace
        self.notebook = notebook
        self.running: list[LiveRun] = []
        #: Called with what is not as it was, such as "runs" or "threads"; from any thread.
        self.on_change: Callable[..., object] = lambda *what: None
        #: Called with each view that a cell opens, before anything is shown in it.
        self.on_view: Callable[[Any], object] = lambda view: None
        self._default = Agent("agent", instructions=DEFAULT_INSTRUCTIONS)
        self._current_agent: str | None = None
        self._current_thread: str | None = None

    @property
    def memory(self) -> Memory:
        """Where threads are kept: the default database, also after a setting named another one."""
        return Memory()

    # ---- agents, tools, models --------------------------------------------------------

    def agents(self) -> dict[str, Agent]:
        """Return agents by the names they can be called by: their own, and their variables'."""
        found = {self._default.name: self._default}
        for variable, value in list(self.namespace.items()):
            if is_of(value, Agent) and not variable.startswith("_"):
                found[variable] = value
                found.setdefault(value.name, value)
        return found

    def agent(self, name: str | None = None) -> Agent:
        """Return an agent by name, or the current one.

        Raises:
            UsageError: There is none of that name; names the nearest.
        """
        name = name or self._current_agent or self._default.name
        agents = self.agents()
        if name not in agents:
            raise UsageError(f"There is no agent {name!r}.", hint=nearest(name, agents))
        return agents[name]

    def use_agent(self, name: str) -> Agent:
        """Make an agent the one that a cell without a name runs."""
        agent = self.agent(name)
        self._current_agent = name
        self.on_change("agents", "status")
        return agent

    def tools(self, names: str) -> list[Tool]:
        """Return the notebook's tools or functions of these names, separated by commas.

        Raises:
            UsageError: One is not there, or cannot be called.
        """
        return [self._tool(name.strip()) for name in names.split(",") if name.strip()]

    def find_tool(self, name: str) -> Tool | None:
        """Return the notebook's tool or function of that name, or None."""
        value = self.namespace.get(name)
        if value is None:
            value = next((v for v in list(self.namespace.values()) if is_of(v, Tool) and v.name == name), None)
        return None if value is None else tool(value)

    def _tool(self, name: str) -> Tool:
        found = self.find_tool(name)
        if found is None:
            tools = {n: v for n, v in list(self.namespace.items()) if is_of(v, Tool)}
            raise UsageError(
                f"There is no tool {name!r} in this notebook.",
                hint=nearest(name, {*tools, *(v.name for v in tools.values())})
                or "Define a function with @tool in an earlier cell.",
            )
        return found

    def model(self, spec: str) -> LlmProvider:
        """Return a model by `vendor/model`, or the one that a variable holds; several with commas, asked in turn."""
        names = [name.strip() for name in spec.split(",") if name.strip()]
        if len(names) > 1:
            return in_turn([self.model(name) for name in names])
        value = self.namespace.get(spec)
        if isinstance(value, LlmProvider):
            return value
        return llm(value if isinstance(value, str) else spec)

    # ---- threads ----------------------------------------------------------------------

    def thread(self, name: str) -> MemoryThread:
        """Return a thread by name or id. Raises `ThreadNotFoundError` with the nearest name."""
        return run_sync(self.memory.get_thread(name))

    def new_thread(self, name: str | None = None, *, use: bool = True) -> MemoryThread:
        """Make a thread, and make it the one that goes on if `use`.

        Raises:
            UsageError: There is one of that name already.
        """
        taken = {t.title for t in run_sync(self.memory.list_threads())}
        if name is not None and name in taken:
            raise UsageError(
                f"There is a thread {name!r} already.", hint=f"Continue it with -t {name}, or choose another name."
            )
        title = name or self._free_title(taken)
        thread = run_sync(self.memory.create_thread(title=title, notebook=self.notebook() or ""))
        return self.use_thread(thread.id) if use else thread

    def use_thread(self, name: str) -> MemoryThread:
        """Make a thread the one that a cell without `-t` continues, also after a restart."""
        thread = self.thread(name)
        self._current_thread = thread.id
        if (notebook := self.notebook()) is not None:
            run_sync(self.memory.keep(f"thread:{notebook}", thread.id))
        self.on_change("threads", "status")
        return thread

    def current_thread(self) -> MemoryThread:
        """Return the notebook's current thread: the one it had before a restart, or a new one."""
        return self.known_thread() or self.new_thread()

    def known_thread(self) -> MemoryThread | None:
        """Return the notebook's current thread, or None where it has not begun one."""
        notebook = self.notebook()
        kept = self._current_thread
        if kept is None and notebook is not None:
            kept = run_sync(self.memory.kept(f"thread:{notebook}"))
        if kept is not None:
            try:
                return self.thread(kept)
            except ThreadNotFoundError:  # deleted meanwhile, or another database
                pass
        return None

    def _free_title(self, taken: set[str]) -> str:
        notebook = self.notebook()
        stem = Path(notebook).stem if notebook else "thread"
        if stem not in taken:
            return stem
        return next(t for n in range(2, len(taken) + 3) if (t := f"{stem}-{n}") not in taken)

    # ---- runs -------------------------------------------------------------------------

    def live(self, name: str | None = None) -> list[LiveRun]:
        """Return what runs now: all of it, or what a run's id, its agent or its thread names.

        Raises:
            UsageError: Nothing that runs is called that.
        """
        running = list(self.running)
        if name is None:
            return running
        found = [run for run in running if name in {run.agent, run.thread} or _is_id(name, run.run_id)]
        if not found:
            known = [word for run in running for word in (run.run_id, run.agent, run.thread) if word]
            raise UsageError(f"Nothing that runs is called {name!r}.", hint=nearest(name, known) or "Nothing runs.")
        return found


def _is_id(name: str, run_id: str) -> bool:
    return len(name) >= 4 and (run_id.startswith(name) or run_id.endswith(name))
