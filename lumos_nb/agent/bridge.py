"""The bridge to the loop on which agents run when the caller has none to spare.

One idea: the core is asynchronous once. `run_sync` hands a coroutine to one background loop of
the process and, while it waits, serves the tools that belong on the waiting thread.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import queue
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from lumos_nb.agent.errands import Errand
from lumos_nb.agent.home import HOME, InlineHome
from lumos_nb.agent.loops import CORE
from lumos_nb.errors import UsageError

T = TypeVar("T")


class CoreTask(Generic[T]):
    """Work on the background loop, as seen from another thread.

    Args:
        work: The coroutine; it runs in a copy of the caller's context.
        on_done: Called on the background loop when the work has ended, however it ended.
    """

    def __init__(self, work: Coroutine[Any, Any, T], on_done: Callable[[], None]) -> None:
        self._loop = CORE.loop()
        self._future: Future[T] = Future()
        self._task: asyncio.Task[T] | None = None
        self._cancelled = False
        self._on_done = on_done
        context = contextvars.copy_context()
        self._loop.call_soon_threadsafe(self._begin, work, context)

    def _begin(self, work: Coroutine[Any, Any, T], context: contextvars.Context) -> None:
        self._task = self._loop.create_task(work, context=context)
        # A callback, not a `finally` in the work: work that is cancelled before its first step never gets there.
        self._task.add_done_callback(self._ended)
        if self._cancelled:
            self._task.cancel()

    def _ended(self, task: asyncio.Task[T]) -> None:
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is not None:
            self._future.set_exception(error)
        else:
            self._future.set_result(task.result())
        self._on_done()

    def cancel(self) -> None:
        """Cancel the work; may be called from any thread and from a signal handler.

        Only the first call counts: a second one would break into the work's own orderly end.
        """
        if self._cancelled:
            return
        self._cancelled = True
        if self._task is not None:
            self._loop.call_soon_threadsafe(self._task.cancel)

    def post(self, fn: Callable[[], object]) -> None:
        """Call a function on the background loop, unless the work has ended by then. From anywhere, as `cancel`."""
        self._loop.call_soon_threadsafe(lambda: None if self.done() else fn())

    def wait(self) -> None:
        """Wait until the work has ended; not on the background loop."""
        concurrent.futures.wait([self._future])

    def done(self) -> bool:
        """Whether the work has ended."""
        return self._future.done()

    def result(self) -> T:
        """Return or raise what the work returned or raised; it must have ended."""
        return self._future.result(timeout=0)


class CallerHome(InlineHome):
    """Runs plain functions on the thread that waits for the run; see `run_sync`."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        #: Ends the run.
        self.cancel: Callable[[], object] = lambda: None

    async def call(self, fn: Callable[[], T]) -> T:
        errand = Errand(lambda: self._called(fn))
        self._jobs.put(errand.do)
        return await errand.outcome()

    def _called(self, fn: Callable[[], T]) -> T:
        try:
            return fn()
        except KeyboardInterrupt:
            self.cancel()  # now: once the tool has ended, the run would go on
            raise

    def stop(self) -> None:
        """End `serve`."""
        self._jobs.put(None)

    def serve(self) -> None:
        """Run jobs until `stop`. An interrupt reaches the waiting thread within half a second on any system."""
        while True:
            try:
                job = self._jobs.get(timeout=0.5)
            except queue.Empty:
                continue
            if job is None:
                return
            job()


def run_sync(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on the background loop and return its result; works where a loop is running too.

    Plain functions that are tools run on the calling thread meanwhile. An interrupt cancels the work.

    Raises:
        UsageError: Called on the background loop itself, where waiting would never end.
    """
    if CORE.is_here():
        work.close()
        raise UsageError(
            "generate_sync was called inside an agent's own loop, where it would wait for itself.",
            hint="Use `await agent.generate(…)` there.",
        )
    home = CallerHome()
    token = HOME.set(home)
    try:
        task = CoreTask(work, home.stop)
    finally:
        HOME.reset(token)
    home.cancel = task.cancel
    try:
        home.serve()
    except KeyboardInterrupt:
        task.cancel()
        home.serve()
        raise
    return task.result()
