"""One cell that runs an agent: its run, its view, its result.

One idea: there is one way to run a cell, in three forms. Where the cell can be awaited the kernel's
loop stays free, so that clicks arrive; elsewhere the thread waits and serves the tools; in the
background nobody waits.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from typing import Any

from lumos_nb.agent.bridge import CoreTask
from lumos_nb.agent.control import RunControl
from lumos_nb.agent.home import HOME
from lumos_nb.events import AgentEvent, AgentGenerateResult, Metadata, ReasoningDelta, TextDelta, ToolOutput
from lumos_nb.notebook.asking import Asking
from lumos_nb.notebook.background import BackgroundRun
from lumos_nb.notebook.home import BackgroundHome, CellHome, NotebookHome, SyncCellHome
from lumos_nb.notebook.interrupt import Interrupts, stopped
from lumos_nb.notebook.place import cell_id, cell_number
from lumos_nb.notebook.request import Request
from lumos_nb.notebook.views import open_views
from lumos_nb.runtime import LiveRun, Runtime
from lumos_nb.widgets import View
from lumos_nb.widgets.actions import Refused, checked

logger = logging.getLogger("lumos_nb")

_OF_TEXT = TextDelta, ReasoningDelta, ToolOutput
"""What comes often and changes no list of runs."""


class CellRun:
    """A request in the cell that made it."""

    def __init__(self, shell: Any, runtime: Runtime, request: Request) -> None:
        self.shell = shell
        self.runtime = runtime
        self.request = request

    async def awaited(self) -> AgentGenerateResult:
        """Run in a cell that can be awaited."""
        home = CellHome(self.shell)
        interrupts = Interrupts(home)
        with interrupts.installed():
            task = self._begin(home, interrupts)
            while not task.done():
                try:
                    await home.serve()
                except asyncio.CancelledError:  # the kernel's own handler was asked before ours stood
                    interrupts.cancel()
            return self._end(task)

    def blocking(self) -> AgentGenerateResult:
        """Run on this thread, where nothing can be awaited."""
        home = SyncCellHome(self.shell)
        interrupts = Interrupts(home)
        with interrupts.installed():
            task = self._begin(home, interrupts)
            home.serve()
            return self._end(task)

    def background(self, *, in_cell: bool = True) -> BackgroundRun:
        """Begin to run, and return at once; the end is shown where the view is: in this cell, if there is one."""
        home = BackgroundHome(self.shell, in_cell=in_cell)
        task = self._begin(home, home.interrupts)

        def at_end(result: AgentGenerateResult | None) -> None:
            self._forget()
            if result is not None:
                self._keep(result)

        return BackgroundRun(task, self.view, home, self.live, at_end)

    def _begin(self, home: NotebookHome, interrupts: Interrupts) -> CoreTask[AgentGenerateResult]:
        request, is_background = self.request, self.request.options.background
        self.view = self._open_view()
        self.runtime.on_view(self.view)
        self.view.on_events(request.events())
        self.asking = Asking(self.shell, None if isinstance(home, BackgroundHome) else home, self.view)
        self.live = LiveRun(
            agent=request.agent.name, thread=request.thread_title, control=RunControl(), stop=interrupts.stop,
            questions=lambda: len(self.asking.pending), cell=cell_number(self.shell),
            is_background=is_background, act=self._checked, doc=self._doc, hear=self._hear,
            cell_id=cell_id(self.shell), has_asked=self.asking.has_asked,
        )  # fmt: skip
        self.live.on_events(request.events())
        self.runtime.running.append(self.live)
        self._tell()
        self.view.on_action(self._act)  # before the run begins: a page may be quick
        token = HOME.set(home)
        try:
            work = request.work(on_events=self._on_events, on_approval=self.asking.ask, control=self.live.control)
            task = CoreTask(work, home.stop)
        finally:
            HOME.reset(token)
        interrupts.watch(task, self._tell_stopping)
        return task

    def _open_view(self) -> View:
        request = self.request
        return open_views(self.shell, request.thread_title, request.prompt, background=request.options.background)

    def _doc(self) -> dict[str, Any]:
        if (catch_up := getattr(self.view, "catch_up", None)) is not None:  # a live view shows what came a little later
            catch_up()
        return self.view.transcript.doc

    def _on_events(self, events: Sequence[AgentEvent]) -> None:
        self.live.on_events(events)
        self.view.on_events(events)
        if not all(isinstance(event, _OF_TEXT) for event in events):
            self._tell()

    def _tell(self) -> None:
        self.runtime.on_change("runs", "approvals", "threads", "status")

    def _tell_stopping(self) -> None:
        self.live.is_stopping = True
        self.view.on_events([Metadata({"state": "stopping"})])

    def _checked(self, content: dict[str, Any]) -> str:
        """Do what a person asked for elsewhere than in the view, which checks by itself."""
        try:
            return self._act(checked(content, self._doc()))
        except Refused as refused:
            return str(refused)

    def _hear(self) -> None:
        """Take it that a person has the run's questions in view: then they are not typed, nor decided by policy."""
        if hasattr(self.view, "heard_at"):
            self.view.heard_at = time.monotonic()

    def _act(self, action: dict[str, Any]) -> str:
        """Do what a person asked for in the view; return why it cannot be done."""
        if self.live not in self.runtime.running:
            return "The run has ended."
        match action["t"]:
            case "stop":
                self.live.stop()
            case "steer":
                self.live.control.steer(action["text"])
            case _:
                return self.asking.decide(action)
        return ""

    def _forget(self) -> None:
        self.asking.cancel()
        if self.live in self.runtime.running:
            self.runtime.running.remove(self.live)
        self._tell()

    def _end(self, task: CoreTask[AgentGenerateResult]) -> AgentGenerateResult:
        self._forget()
        try:
            self.view.close()
        except Exception:  # a view is a subscriber: its fault must not cost the answer
            logger.exception("The view of a run could not be closed; the result is in `_`.")
        result = None
        with contextlib.suppress(asyncio.CancelledError):
            result = task.result()
        if result is None:  # raised here, so that nothing stands in its context
            raise stopped()
        self._keep(result)
        remember(self.shell, result)
        return result

    def _keep(self, result: AgentGenerateResult) -> None:
        if name := self.request.options.output:
            self.shell.user_ns[name] = result.output if self.request.output_type is not None else result


def remember(shell: Any, value: Any) -> None:
    """Make a value the last result, `_`, as if the cell had ended with it, without showing it."""
    update = getattr(shell.displayhook, "update_user_ns", None)
    if update is not None:
        update(value)
