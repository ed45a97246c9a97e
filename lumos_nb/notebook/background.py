"""Runs that go on after their cell: `%%agent --background`.

One idea: such a run is a run like any other, only that no cell waits for it: a thread of its own sees it
to its end, and shows and keeps what came of it.
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

from lumos_nb.agent.bridge import CoreTask
from lumos_nb.agent.run import error_event
from lumos_nb.errors import LumosCancelled, UsageError
from lumos_nb.events import AgentGenerateResult
from lumos_nb.notebook.home import BackgroundHome
from lumos_nb.runtime import LiveRun
from lumos_nb.widgets import View

AT_EXIT_S = 3.0
"""How long the end of the process waits until runs that it stopped are recorded."""


class BackgroundRun:
    """A run in the background: `await` it for its result, or look how it stands.

    Args:
        task: The run.
        view: Where it is shown.
        home: Where its tools run.
        live: How it stands, and how it is stopped.
        at_end: Called with the result, or None, before anybody else has it.
    """

    def __init__(
        self,
        task: CoreTask[AgentGenerateResult],
        view: View,
        home: BackgroundHome,
        live: LiveRun,
        at_end: Callable[[AgentGenerateResult | None], object],
    ) -> None:
        self._task, self._view, self._home, self._live, self._at_end = task, view, home, live, at_end
        self._ended: Future[AgentGenerateResult] = Future()
        context = contextvars.copy_context()  # what is shown at the end belongs to this cell
        _open.add(self)
        threading.Thread(target=context.run, args=(self._see_to_end,), name="lumos-background", daemon=True).start()

    # ---- how it stands ----------------------------------------------------------------

    @property
    def run_id(self) -> str:
        """Its id in the log; empty until it has begun."""
        return self._live.run_id

    @property
    def status(self) -> str:
        """running, waiting for you, paused or stopping; at the end completed, failed or cancelled."""
        if not self._ended.done():
            return self._live.status
        error = self._ended.exception()
        return "completed" if error is None else "cancelled" if isinstance(error, LumosCancelled) else "failed"

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
        self._live.stop()

    cancel = stop

    def __repr__(self) -> str:
        return f"<BackgroundRun {self._live.agent}: {self.status}>"

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

    def _see_to_end(self) -> None:
        self._task.wait()
        try:
            outcome: AgentGenerateResult | Exception = self._task.result()
        except BaseException as error:  # nobody else looks at it
            outcome = error if isinstance(error, Exception) else LumosCancelled()
        self._at_end(None if isinstance(outcome, Exception) else outcome)
        if isinstance(outcome, Exception):
            self._view.on_events([error_event(outcome)])
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
            update_display(static_bundle(self._view.transcript.doc), display_id=display_id, raw=True)


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
