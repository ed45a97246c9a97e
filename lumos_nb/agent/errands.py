"""Work that a loop hands to another thread or another loop, and waits for.

One idea: nothing goes on behind a run that has ended. Who is cancelled while a tool works
elsewhere drops it if it has not begun, and otherwise waits until it has returned.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import ctypes
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class ToolInterruptedError(Exception):
    """A tool was stopped by an interrupt, or tried to end the process."""


class _Errand(Generic[T]):
    """What both kinds have: an outcome that another thread brings."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[T] = self._loop.create_future()
        self._future.add_done_callback(_looked_at)
        #: Set, on the loop of who asked, when the work begins.
        self.begun = asyncio.Event()

    async def outcome(self) -> T:
        """Return or raise what the work did. Cancelled: end the work, and return when it has ended."""
        try:
            return await asyncio.shield(self._future)
        except asyncio.CancelledError:
            if not self.end():
                await asyncio.wait([self._future])
            raise

    def end(self) -> bool:
        """Ask the work to end. Return whether it will not be done at all."""
        raise NotImplementedError

    def let_go(self, after_s: float = 0.0) -> None:
        """Wait no longer for work that does not end, or only so many seconds. From any thread."""
        self._post(self._loop.call_later, after_s, self._future.cancel)

    def _tell(self, value: Any, error: BaseException | None) -> None:
        if error is not None and not isinstance(error, Exception):
            error = ToolInterruptedError(f"{type(error).__name__} in the tool")
        self._post(_set, self._future, value, error)

    def _post(self, fn: Callable[..., object], *arguments: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
            self._loop.call_soon_threadsafe(fn, *arguments)


class Errand(_Errand[T]):
    """A function for another thread, in the context of who asked.

    Example:
        >>> async def ask():
        ...     errand = Errand(lambda: 41 + 1)
        ...     errand.in_thread()
        ...     return await errand.outcome()
        >>> asyncio.run(ask())
        42
    """

    def __init__(self, fn: Callable[[], T]) -> None:
        super().__init__()
        self._fn = fn
        self._context = contextvars.copy_context()
        self._lock = threading.Lock()
        self._state = "new"
        self._interrupt: Callable[[], object] | None = None

    @property
    def in_worker(self) -> bool:
        """Whether a thread of its own does it."""
        return self._interrupt is not None

    def in_thread(self, interrupt: Callable[[], object] = lambda: None) -> None:
        """Do it in a thread of its own, which does not keep the process alive; `interrupt` asks that thread to end."""
        self._interrupt = interrupt
        threading.Thread(target=self.do, name="lumos-tool", daemon=True).start()

    def do(self) -> None:
        """Do it here and now, unless it was dropped. An interrupt goes on upwards as well."""
        value: Any = None
        error: BaseException | None = None
        if not self._move("new", "begun"):
            return
        try:
            self._post(self.begun.set)
            value = self._context.run(self._fn)
        except BaseException as raised:
            error = raised
        self._tell(value, error)
        if isinstance(error, KeyboardInterrupt) and not self.in_worker:
            raise error

    def end(self) -> bool:
        """Drop it, or interrupt it if a thread of its own does it."""
        if self._move("new", "dropped"):
            return True
        if self._interrupt is not None:
            self._interrupt()
        return False

    def _move(self, before: str, after: str) -> bool:
        with self._lock:
            if self._state != before:
                return False
            self._state = after
            return True


class LoopErrand(_Errand[T]):
    """A coroutine for another loop, in the context of who asked.

    Args:
        work: Makes the coroutine.
        there: The loop.
        interrupt: Called with the cancelling, for work that keeps its loop from hearing of it.
    """

    def __init__(
        self,
        work: Callable[[], Coroutine[Any, Any, T]],
        there: asyncio.AbstractEventLoop,
        interrupt: Callable[[], object] = lambda: None,
    ) -> None:
        super().__init__()
        self._there = there
        self._interrupt = interrupt
        self._lock = threading.Lock()
        self._task: asyncio.Task[T] | None = None
        self._is_dropped = False
        there.call_soon_threadsafe(self._begin, work)

    def end(self) -> bool:
        """Cancel it on its own loop; one that goes on all the same can be cancelled again."""
        with self._lock:
            self._is_dropped = True
            if self._task is None:
                return True
        self._there.call_soon_threadsafe(self._task.cancel)
        self._interrupt()
        return False

    def _begin(self, work: Callable[[], Coroutine[Any, Any, T]]) -> None:
        with self._lock:
            if self._is_dropped:
                return
            self._task = self._there.create_task(work())
        self._post(self.begun.set)
        self._task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[T]) -> None:
        if task.cancelled():
            self._tell(None, asyncio.CancelledError())
        elif (error := task.exception()) is not None:
            self._tell(None, error)
        else:
            self._tell(task.result(), None)


class ThreadGuard:
    """Calls a function so that another thread can interrupt it: at its next step in Python, and once.

    Example:
        >>> guard = ThreadGuard()
        >>> guard(lambda: 41 + 1)
        42
        >>> guard.interrupt()  # it has ended: nothing is hit
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: int | None = None

    def __call__(self, fn: Callable[[], Any]) -> Any:
        """Return what the function returns.

        Raises:
            ToolInterruptedError: It was interrupted.
        """
        try:
            try:
                self._thread = threading.get_ident()
                return fn()
            finally:
                with self._lock:  # who holds it has hit, or will not
                    self._thread = None
        except KeyboardInterrupt:
            raise ToolInterruptedError("The tool was interrupted.") from None

    def interrupt(self) -> None:
        """Raise `KeyboardInterrupt` in the function, if it runs."""
        with self._lock:
            if self._thread is not None:
                exception = ctypes.py_object(KeyboardInterrupt)
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread), exception)
                self._thread = None


def _set(future: asyncio.Future[Any], value: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(value)
    else:
        future.set_exception(error)


def _looked_at(future: asyncio.Future[Any]) -> None:
    """Take note of an exception that nobody may wait for any more, so that no message is printed about it."""
    if not future.cancelled():
        future.exception()
