"""Runs that go on after their cell: `%%agent --background`.

One idea: such a run is a run like any other, only that no cell waits for it. Its tools belong to
the kernel's main thread and loop all the same, and get their turn when no cell blocks these.
"""

from __future__ import annotations

import asyncio
import concurrent.futures.thread
import contextlib
import contextvars
import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future
from typing import Any

from lumos_nb.agent.background import CoreTask
from lumos_nb.agent.errands import LoopErrand
from lumos_nb.agent.home import Job, Outcome
from lumos_nb.agent.loops import CORE
from lumos_nb.agent.run import LumosCancelled, error_event
from lumos_nb.errors import UsageError
from lumos_nb.events import AgentGenerateResult
from lumos_nb.notebook.guard import guarded
from lumos_nb.notebook.home import NotebookHome
from lumos_nb.notebook.interrupt import Interrupts
from lumos_nb.notebook.work import Work
from lumos_nb.widgets import View

RETURNS_WITHIN_S = 0.5
"""How long tools wait for the end of the cell; it may be one that goes on, or none at all."""

AT_EXIT_S = 3.0
"""How long the end of the process waits until runs that it stopped are recorded."""


class BackgroundHome(NotebookHome):
    """The home of a run that no cell waits for: the kernel's loop does its plain tools when it comes to them."""

    waits = "waits for the cell that runs"

    def __init__(self, shell: Any) -> None:
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
        shell.events.register("post_execute", self._on_return)

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


class BackgroundRun:
    """A run in the background: `await` it for its result, or look how it stands.

    Args:
        task: The run.
        view: Where it is shown.
        home: Where its tools run.
        at_end: Called with the result, or None, before anybody else has it.
    """

    def __init__(
        self,
        task: CoreTask[AgentGenerateResult],
        view: View,
        home: BackgroundHome,
        at_end: Callable[[AgentGenerateResult | None], object],
    ) -> None:
        self._task, self._view, self._home, self._at_end = task, view, home, at_end
        self._ended: Future[AgentGenerateResult] = Future()
        context = contextvars.copy_context()  # what is shown at the end belongs to this cell
        _open.add(self)
        threading.Thread(target=context.run, args=(self._see_to_end,), name="lumos-background", daemon=True).start()

    # ---- how it stands ----------------------------------------------------------------

    @property
    def run_id(self) -> str:
        """Its id in the log; empty until it has begun."""
        return str(self._doc["run_id"])

    @property
    def status(self) -> str:
        """running, waiting for you, paused or stopping; at the end completed, failed or cancelled."""
        doc = self._doc
        if self._ended.done():
            error = self._ended.exception()
            return "completed" if error is None else "cancelled" if isinstance(error, LumosCancelled) else "failed"
        return doc["state"] if doc["state"] in {"waiting for you", "paused", "stopping"} else "running"

    def done(self) -> bool:
        """Whether it has ended."""
        return self._ended.done()

    def result(self) -> AgentGenerateResult:
        """Return its result, or raise what it ended with.

        Raises:
            UsageError: It has not ended.
        """
        if not self._ended.done():
            raise UsageError("The run has not ended yet.", hint="Write `await` before it to wait for its result.")
        return self._ended.result()

    def stop(self) -> None:
        """Stop this run, as Stop in its view does."""
        self._home.interrupts.stop()

    cancel = stop

    def __repr__(self) -> str:
        return f"<BackgroundRun {self._doc['agent'] or 'agent'}: {self.status}>"

    def __await__(self) -> Generator[Any, Any, AgentGenerateResult]:
        return self._wait().__await__()

    async def _wait(self) -> AgentGenerateResult:
        ended = asyncio.wrap_future(self._ended)
        while not ended.done():  # a kernel's loop hears an interrupt only when something wakes it
            await asyncio.wait([ended], timeout=0.1)
        if getattr(self._view, "heard_at", 0.0) == 0.0:
            self._show_again()
        return self.result()

    # ---- its end ----------------------------------------------------------------------

    @property
    def _doc(self) -> dict[str, Any]:
        return self._view.transcript.doc

    def _see_to_end(self) -> None:
        self._task.wait()
        try:
            outcome: AgentGenerateResult | Exception = self._task.result()
        except BaseException as error:  # nobody else looks at it
            outcome = error if isinstance(error, Exception) else LumosCancelled()
        self._at_end(None if isinstance(outcome, Exception) else outcome)
        if isinstance(outcome, Exception):
            status = "cancelled" if isinstance(outcome, LumosCancelled) else "failed"
            self._view.on_events([error_event(outcome, status)])
        with contextlib.suppress(Exception):  # a view is a subscriber: its fault must not cost the answer
            self._view.close()
        _open.discard(self)
        if isinstance(outcome, Exception):
            self._ended.set_exception(outcome)
        else:
            self._ended.set_result(outcome)

    def _show_again(self) -> None:
        """Show the end in its cell once more: a plain runner hears only what the cell that runs sends."""
        from IPython.display import update_display

        from lumos_nb.widgets.bundle import static_bundle

        if display_id := getattr(self._view, "display_id", ""):
            update_display(static_bundle(self._doc), display_id=display_id, raw=True)


async def wait() -> list[AgentGenerateResult | Exception]:
    """Wait until no run is left in the background: `await lumos.wait()` at the end of a notebook.

    Returns:
        Their results, in the order in which they began; in place of one that failed, its error.
    """
    return await asyncio.gather(*sorted(_open, key=lambda run: run.run_id), return_exceptions=True)  # type: ignore[return-value]


_open: set[BackgroundRun] = set()


def _stop_all() -> None:
    """Stop what is left when the process ends, so that it is recorded as stopped."""
    left = list(_open)
    for run in left:
        run._task.cancel()
        run._home.abandon()
    concurrent.futures.wait([run._ended for run in left], timeout=AT_EXIT_S)


# Before the workers of the store end, which is before `atexit`.
if hasattr(threading, "_register_atexit"):
    threading._register_atexit(_stop_all)
