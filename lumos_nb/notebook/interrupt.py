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


class _Interruptible(Protocol):
    in_tool: bool


@contextlib.contextmanager
def interrupts(task: CoreTask[Any], home: _Interruptible) -> Iterator[None]:
    """While inside, an interrupt of this process cancels the task and the tool that runs here."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def on_interrupt(signum: int, frame: Any) -> None:
        task.cancel()
        if home.in_tool:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before or signal.default_int_handler)


def stop(task: CoreTask[Any], home: _Interruptible) -> None:
    """Do what an interrupt does, from any thread: the page's Stop arrives on one of the kernel's."""
    task.cancel()
    main = threading.main_thread().ident
    if home.in_tool and main is not None and hasattr(signal, "pthread_kill"):
        signal.pthread_kill(main, signal.SIGINT)
