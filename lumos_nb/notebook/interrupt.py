"""■, Stop and Esc: one way to end a run.

One idea: an interrupt cancels the run, and stops a tool on the main thread as well. A handler
set by `signal.signal` does both at once; the event loop's own would let the tool run to its end.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any, Protocol

from lumos_nb.agent.background import CoreTask


class _Home(Protocol):
    in_tool: bool


class Interrupts:
    """Hears interrupts for one cell's run, from before it begins until it has ended.

    A cell may run inside a tool of another cell's run: an interrupt then ends both.
    """

    def __init__(self, home: _Home) -> None:
        self._home = home
        self._task: CoreTask[Any] | None = None
        self._outer: Interrupts | None = None
        self._was_pressed = False

    def watch(self, task: CoreTask[Any]) -> None:
        """Name the run, which is cancelled at once if the interrupt was first."""
        self._task = task
        if self._was_pressed:
            task.cancel()

    def cancel(self) -> None:
        """Cancel the run and those around it."""
        self._was_pressed = True
        if self._task is not None:
            self._task.cancel()
        if self._outer is not None:
            self._outer.cancel()

    def stop(self) -> None:
        """Do what an interrupt does, from any thread: the page's Stop arrives on one of the kernel's."""
        self.cancel()
        main = threading.main_thread().ident
        if self._home.in_tool and main is not None and hasattr(signal, "pthread_kill"):
            signal.pthread_kill(main, signal.SIGINT)

    def _on_interrupt(self, signum: int, frame: Any) -> None:
        self.cancel()
        if self._home.in_tool:
            raise KeyboardInterrupt

    @contextlib.contextmanager
    def installed(self) -> Iterator[None]:
        """Hear interrupts of this process while inside; only its main thread can."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.getsignal(signal.SIGINT)
        owner = getattr(before, "__self__", None)
        self._outer = owner if isinstance(owner, Interrupts) else None
        signal.signal(signal.SIGINT, self._on_interrupt)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before or signal.default_int_handler)
