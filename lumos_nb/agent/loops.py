"""Event loops of this process in threads of their own.

One idea: the agents' loop is never kept waiting by other people's code. That runs on the caller's
loop, or, where the caller's is blocked, on a second one.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading


class LoopThread:
    """An event loop in a daemon thread, started on first use; another one after a fork.

    Example:
        >>> loops = LoopThread("example")
        >>> asyncio.run_coroutine_threadsafe(asyncio.sleep(0, "done"), loops.loop()).result()
        'done'
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pid = 0

    def loop(self) -> asyncio.AbstractEventLoop:
        """Return the loop, which runs."""
        with self._lock:
            if self._loop is None or self._loop.is_closed() or self._pid != os.getpid():
                self._loop, self._pid = asyncio.new_event_loop(), os.getpid()
                threading.Thread(target=_run, args=(self._loop,), name=self._name, daemon=True).start()
            return self._loop

    def is_here(self) -> bool:
        """Whether this code runs on it."""
        try:
            return asyncio.get_running_loop() is self._loop
        except RuntimeError:
            return False


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    while not loop.is_closed():
        # A task that raises SystemExit ends run_forever; the work of others goes on.
        with contextlib.suppress(SystemExit, KeyboardInterrupt):
            loop.run_forever()


CORE = LoopThread("lumos-core")
"""Runs agents."""

TOOLS = LoopThread("lumos-tools")
"""Runs `async def` tools whose own loop is blocked."""
