"""■, Stop and Esc: one way to end a run.

One idea: an interrupt cancels the run, and stops a tool on the main thread as well. A handler
set by `signal.signal` does both at once; the event loop's own would let the tool run to its end.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, Protocol

from lumos_nb.agent.bridge import CoreTask
from lumos_nb.errors import AgentInterrupted, LumosCancelled
from lumos_nb.notebook.guard import guarded

LET_GO_S = 1.0
"""An interrupt this long after the first one means: wait no longer for a tool that does not end."""

TWICE_S = 0.02
"""An interrupt often comes twice (a bouncing key, Stop and ■): the second one must not hit the kernel's own code."""


class _Home(Protocol):
    in_tool: bool

    def let_go(self) -> None: ...


class Interrupts:
    """Hears interrupts for one cell's run, from before it begins until it has ended.

    A cell may run inside a tool of another cell's run: an interrupt then ends both.
    """

    def __init__(self, home: _Home) -> None:
        self._home = home
        self._task: CoreTask[Any] | None = None
        self._tell: Callable[[], object] = lambda: None
        self._outer: Interrupts | None = None
        self._first_at: float | None = None
        self._is_click = False
        self._n_signals = 0
        self._before: Any = None
        self._is_installed = False

    def watch(self, task: CoreTask[Any], tell: Callable[[], object] = lambda: None) -> None:
        """Name the run, which is cancelled at once if the interrupt was first.

        Args:
            task: The run.
            tell: Called on the run's loop when it begins to stop: a tool may take its time.
        """
        self._task, self._tell = task, tell
        if self._first_at is not None:
            self._end(task)

    def cancel(self) -> None:
        """Cancel the run and those around it. From any thread, and from a signal handler."""
        self.cancel_this()
        if self._outer is not None:
            self._outer.cancel()

    def cancel_this(self) -> None:
        """Cancel the run, and no other. The second time: wait no longer for its tools."""
        now = time.monotonic()
        if self._first_at is None:
            self._first_at = now
            if self._task is not None:
                self._end(self._task)
        elif now - self._first_at > LET_GO_S:
            self._home.let_go()

    def stop(self) -> None:
        """Do for this run what an interrupt does, from any thread: the page's Stop arrives on one of the kernel's."""
        self.cancel_this()
        main = threading.main_thread().ident
        if self._home.in_tool and main is not None and hasattr(signal, "pthread_kill"):
            self._is_click = True
            signal.pthread_kill(main, signal.SIGINT)

    def _end(self, task: CoreTask[Any]) -> None:
        task.cancel()
        task.post(self._tell)

    def _on_interrupt(self, signum: int, frame: Any) -> None:
        self._n_signals += 1
        is_click, self._is_click = self._is_click, False
        if not is_click:
            self.cancel()
        if self._home.in_tool:
            raise KeyboardInterrupt

    @contextlib.contextmanager
    def installed(self) -> Iterator[None]:
        """Hear interrupts of this process while inside; only its main thread can."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        self._before = signal.getsignal(signal.SIGINT)
        self._outer = _owner(self._before)
        self._is_installed = True
        heard = self._first_at, self._n_signals
        signal.signal(signal.SIGINT, self._on_interrupt)
        try:
            yield
        finally:
            if (self._first_at, self._n_signals) != heard:  # not at each step of a tool behind a Stop
                time.sleep(TWICE_S)
            self._is_installed = False
            if _owner(signal.getsignal(signal.SIGINT)) is self:  # else a run that began later puts it back
                signal.signal(signal.SIGINT, _still_heard(self._before))
            self._outer = None


def stopped() -> BaseException:
    """Return what a stopped run raises in its cell: an interrupt, so that Run All stops.

    Not in a task that the notebook's own code made: an interrupt that leaves a task ends the kernel.
    """
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if frame.f_code.co_name == "run_code" or frame.f_code is guarded.__code__:  # these catch it
            return AgentInterrupted("the run was stopped; what it had said is kept.")
        frame = frame.f_back
    return LumosCancelled()


def _owner(handler: Any) -> Interrupts | None:
    owner = getattr(handler, "__self__", None)
    return owner if isinstance(owner, Interrupts) else None


def _still_heard(handler: Any) -> Any:
    """Return the handler, or what was before it if its run has ended meanwhile: async tools may overlap."""
    while (owner := _owner(handler)) is not None and not owner._is_installed:
        handler = owner._before
    return signal.default_int_handler if handler is None else handler
