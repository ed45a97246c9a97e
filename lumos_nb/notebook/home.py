"""Where the tools of a cell's run belong: the cell's own thread and event loop.

One idea: the agent's loop is elsewhere, so the view goes on while a tool works. Plain functions
run on the main thread, which serves them while it waits for the run; `async def` tools on the
kernel's loop, for the notebook's objects are bound to it; `@tool(thread=True)` in a worker.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from typing import Any, TypeVar

from lumos_nb.agent.background import CallerHome, ToolInterruptedError, deliver
from lumos_nb.agent.home import Job, Outcome
from lumos_nb.notebook.capture import SINK, encoded, flush_figures
from lumos_nb.widgets.clicks import poll_clicks

POLL_S = 0.05
"""How often a blocked thread looks for clicks that only it can read."""


T = TypeVar("T")


def interruptible(home: CellHome | SyncCellHome, fn: Callable[[], T]) -> T:
    """Run a function on the cell's thread so that an interrupt ends it.

    It is the innermost place: an interrupt that leaves a task on the kernel's loop ends the kernel.

    Raises:
        ToolInterruptedError: It was interrupted, or tried to end the process.
    """
    try:
        try:
            home.in_tool = True
            return fn()
        finally:
            home.in_tool = False
    except KeyboardInterrupt:
        raise ToolInterruptedError("The tool was interrupted.") from None
    except SystemExit:
        raise ToolInterruptedError("The tool tried to end the process.") from None


class _Prepared:
    """A job whose output is captured and whose value gets its notebook form."""

    def __init__(self, job: Job, shell: Any, home: CellHome | SyncCellHome) -> None:
        self.job = job
        self.shell = shell
        self.home = home

    def plain(self) -> Outcome:
        """Run a plain function, here and now."""
        token = SINK.set(self.job.emit)
        try:
            if self.job.in_thread:
                return self._outcome(self.job.fn(**self.job.arguments))
            value = interruptible(self.home, lambda: self.job.fn(**self.job.arguments))
            flush_figures()
            return self._outcome(value)
        finally:
            SINK.reset(token)

    async def coroutine(self) -> Outcome:
        """Run an async function on the running loop."""
        token = SINK.set(self.job.emit)
        try:
            return self._outcome(await self.job.fn(**self.job.arguments))
        finally:
            SINK.reset(token)

    def _outcome(self, value: Any) -> Outcome:
        if value is None or isinstance(value, str | bytes | int | float):
            return Outcome(value, {})
        formatter = getattr(self.shell, "display_formatter", None)
        if formatter is None:
            return Outcome(value)
        bundle = encoded(formatter.format(value)[0])
        bundle.pop("text/plain", None)
        return Outcome(value, bundle) if bundle else Outcome(value)


class CellHome:
    """The home of an awaited cell: its coroutine serves the jobs."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.in_tool = False
        self._kernel_loop = asyncio.get_running_loop()
        self._jobs: asyncio.Queue[Callable[[], None] | None] = asyncio.Queue()

    async def run(self, job: Job) -> Outcome:
        prepared = _Prepared(job, self.shell, self)
        if job.in_thread and not job.is_async:
            return await asyncio.to_thread(prepared.plain)
        if not job.is_async:
            return await self.call(prepared.plain)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Outcome] = loop.create_future()
        context = contextvars.copy_context()
        started: list[asyncio.Task[None]] = []
        self._kernel_loop.call_soon_threadsafe(
            lambda: started.append(
                self._kernel_loop.create_task(_deliver_async(loop, future, prepared), context=context)
            )
        )
        try:
            return await future
        except asyncio.CancelledError:
            self._kernel_loop.call_soon_threadsafe(lambda: [t.cancel() for t in started])
            raise

    async def call(self, fn: Callable[[], T]) -> T:
        """Run a function on the cell's thread and return what it returns."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        context = contextvars.copy_context()
        self._post(lambda: deliver(loop, future, lambda: context.run(fn)))
        return await future

    def _post(self, job: Callable[[], None] | None) -> None:
        self._kernel_loop.call_soon_threadsafe(self._jobs.put_nowait, job)

    def stop(self) -> None:
        """End `serve`."""
        self._post(None)

    async def serve(self) -> None:
        """Run jobs on this thread until `stop`."""
        while (job := await self._jobs.get()) is not None:
            job()


async def _deliver_async(loop: asyncio.AbstractEventLoop, future: asyncio.Future[Outcome], prepared: _Prepared) -> None:
    try:
        outcome = await prepared.coroutine()
    except BaseException as error:  # given to the loop that waits for it
        failure = error
        deliver(loop, future, lambda: _raise(failure))
    else:
        deliver(loop, future, lambda: outcome)


def _raise(error: BaseException) -> Any:
    raise error if isinstance(error, Exception) else ToolInterruptedError(f"{type(error).__name__} in the tool")


class SyncCellHome(CallerHome):
    """The home of a cell that cannot be awaited (`%%time`, a function): the blocked thread serves the jobs.

    `async def` tools run on the agent's loop, for the kernel's is blocked.
    """

    def __init__(self, shell: Any) -> None:
        super().__init__()
        self.shell = shell
        self.in_tool = False

    async def run(self, job: Job) -> Outcome:
        prepared = _Prepared(job, self.shell, self)
        if job.is_async:
            return await asyncio.create_task(prepared.coroutine())
        if job.in_thread:
            return await asyncio.to_thread(prepared.plain)
        return await self.call(prepared.plain)

    def between_jobs(self) -> float:
        """Read the clicks that wait for this thread."""
        return POLL_S if poll_clicks() else super().between_jobs()
