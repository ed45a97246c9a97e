"""Where the tools of a cell's run belong: the cell's own thread and event loop.

One idea: the agent's loop is elsewhere, so the view goes on while a tool works. Plain functions
run on the main thread, which serves them while it waits for the run; `async def` tools on the
kernel's loop, for the notebook's objects are bound to it; `@tool(thread=True)` in a worker. Where no
cell waits for the run, they get their turn when no cell blocks that thread and loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
from collections.abc import Callable
from typing import Any, TypeVar

from lumos_nb import clock
from lumos_nb.agent.errands import Errand, LoopErrand, ThreadGuard, ToolInterruptedError
from lumos_nb.agent.home import Job, Outcome
from lumos_nb.agent.loops import CORE, TOOLS
from lumos_nb.errors import UsageError
from lumos_nb.notebook.guard import guarded
from lumos_nb.notebook.interrupt import Interrupts
from lumos_nb.notebook.work import Work
from lumos_nb.widgets.clicks import poll_clicks

POLL_S = 0.05
"""How often a blocked thread looks for clicks that only it can read."""

HEARS_WITHIN_S = 0.5
"""How long an `async def` tool that is cancelled again may take: one that hears of no cancelling is left behind."""

WAITS_AFTER_S = 0.3
"""A tool that has had no turn for so long is said to wait."""

RETURNS_WITHIN_S = 0.5
"""How long tools in the background wait for the end of their cell; it may be one that goes on, or none at all."""

T = TypeVar("T")

NotebookErrand = Errand[Outcome] | LoopErrand[Outcome]


class NotebookHome:
    """What the homes of a notebook have in common: workers, and letting go of what does not end."""

    #: What is said of a tool that has no turn yet.
    waits = "waits for another tool"

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        #: Whether a tool's code runs on the main thread: only then may an interrupt be raised.
        self.in_tool = False
        #: Whether the run is being stopped: then nothing begins any more.
        self.is_stopping = False
        self._open: set[NotebookErrand] = set()

    async def run(self, job: Job) -> Outcome:
        """Run the job where it belongs, and say so while something is in its way; see `Home`."""
        errand = self.send(job)
        told = asyncio.create_task(self._tell_wait(errand, job))
        try:
            return await self.outcome(errand)
        finally:
            told.cancel()

    def send(self, job: Job) -> NotebookErrand:
        """Send the job to where it belongs."""
        if job.in_thread and not job.is_async:
            guard = ThreadGuard()
            errand = Errand(Work(job, self.shell, guard).plain)
            errand.in_thread(guard.interrupt)
            return errand
        work = Work(job, self.shell, self.guard)
        return self._send_async(work) if job.is_async else self._send_plain(work)

    async def outcome(self, errand: NotebookErrand) -> Outcome:
        """Wait for what was sent."""
        self._open.add(errand)
        try:
            return await errand.outcome()
        finally:
            self._open.discard(errand)

    async def _tell_wait(self, errand: NotebookErrand, job: Job) -> None:
        if clock.is_virtual():  # whether it is slow depends on the machine
            return
        try:
            await asyncio.wait_for(errand.begun.wait(), WAITS_AFTER_S)
        except TimeoutError:
            job.emit("state", self.waits, {})
            await errand.begun.wait()
            job.emit("state", "", {})

    async def call(self, fn: Callable[[], T]) -> T:
        """Run a function on the cell's thread, where an interrupt ends it, and return what it returns."""
        errand = Errand(lambda: self._begin(lambda: self.guard(fn)))
        self._post(errand.do)
        outcome: T = await errand.outcome()
        return outcome

    def guard(self, fn: Callable[[], Any]) -> Any:
        """Call a tool's code on the main thread."""
        return guarded(self, fn)

    def let_go(self) -> None:
        """Cancel again what went on after it was cancelled, and wait no longer for what cannot be."""
        for errand in list(self._open):
            if isinstance(errand, LoopErrand):
                errand.end()
                errand.let_go(HEARS_WITHIN_S)
            elif errand.in_worker:
                errand.let_go()
            else:
                errand.end()

    def abandon(self) -> None:
        """Wait for nothing any more: the process ends."""
        for errand in list(self._open):
            errand.end()
            errand.let_go()

    def _send_plain(self, work: Work) -> Errand[Outcome]:
        errand = Errand(lambda: self._begin(work.plain))
        self._post(errand.do)
        return errand

    def _begin(self, fn: Callable[[], T]) -> T:
        """Call a function, but not behind a Stop: its turn may come before the run has taken it back."""
        if self.is_stopping:
            raise ToolInterruptedError("The run was stopped before this began.")
        return fn()

    def _post(self, job: Callable[[], None] | None) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        """End `serve`."""
        self._post(None)

    def _send_async(self, work: Work) -> LoopErrand[Outcome]:
        raise NotImplementedError


class CellHome(NotebookHome):
    """The home of an awaited cell: its coroutine serves the jobs."""

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        self._kernel_loop = asyncio.get_running_loop()
        self._jobs: asyncio.Queue[Callable[[], None] | None] = asyncio.Queue()

    def _send_async(self, work: Work) -> LoopErrand[Outcome]:
        return LoopErrand(work.on_loop, self._kernel_loop)

    def _post(self, job: Callable[[], None] | None) -> None:
        self._kernel_loop.call_soon_threadsafe(self._jobs.put_nowait, job)

    async def serve(self) -> None:
        """Run jobs on this thread until `stop`."""
        while (job := await self._jobs.get()) is not None:
            job()


class SyncCellHome(NotebookHome):
    """The home of a cell that cannot be awaited (`%%time`, a function): the blocked thread serves the jobs.

    `async def` tools run on a loop of their own, for the kernel's is blocked.
    """

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()

    def _send_async(self, work: Work) -> LoopErrand[Outcome]:
        work.guard = guard = ThreadGuard()
        return LoopErrand(work.on_loop, TOOLS.loop(), guard.interrupt)

    def _post(self, job: Callable[[], None] | None) -> None:
        self._jobs.put(job)

    def serve(self) -> None:
        """Run jobs until `stop`, and read the clicks that wait for this thread.

        An interrupt reaches it within half a second on any system.
        """
        while True:
            try:
                job = self._jobs.get(timeout=POLL_S if poll_clicks() else 0.5)
            except queue.Empty:
                continue
            if job is None:
                return
            job()


class BackgroundHome(NotebookHome):
    """The home of a run that no cell waits for: the kernel's loop does its plain tools when it comes to them.

    Args:
        shell: The IPython shell.
        in_cell: Whether a cell begins the run; it is to return before the first tool has its turn.
    """

    waits = "waits for the cell that runs"

    def __init__(self, shell: Any, *, in_cell: bool = True) -> None:
        super().__init__(shell)
        kernel = getattr(shell, "kernel", None)
        loop = getattr(getattr(kernel, "io_loop", None), "asyncio_loop", None)
        if loop is None:
            raise UsageError(
                "A run in the background needs a notebook: here is no kernel whose cells it could stand beside.",
                hint="Leave out --background.",
            )
        self._kernel_loop: asyncio.AbstractEventLoop = loop
        self.interrupts = Interrupts(self)
        self._has_returned = asyncio.Event()
        if in_cell:
            shell.events.register("post_execute", self._on_return)
        else:
            self._has_returned.set()

    async def run(self, job: Job) -> Outcome:
        """Run the job where it belongs, once the cell that began the run has returned."""
        with contextlib.suppress(TimeoutError):  # a tool that blocks must not keep the cell that began the run
            await asyncio.wait_for(self._has_returned.wait(), RETURNS_WITHIN_S)
        return await super().run(job)

    def guard(self, fn: Callable[[], Any]) -> Any:
        """Call a tool's code on the main thread. Between cells the kernel hears no interrupts: then we do."""
        with self.interrupts.installed():
            return guarded(self, fn)

    def _on_return(self) -> None:
        self.shell.events.unregister("post_execute", self._on_return)
        # The kernel's loop comes to it when the reply of the cell is sent.
        self._kernel_loop.call_soon_threadsafe(CORE.loop().call_soon_threadsafe, self._has_returned.set)

    def _send_async(self, work: Work) -> LoopErrand[Outcome]:
        return LoopErrand(work.on_loop, self._kernel_loop)

    def _post(self, job: Callable[[], None] | None) -> None:
        if job is not None:  # at the end: nobody serves
            self._kernel_loop.call_soon_threadsafe(job)
