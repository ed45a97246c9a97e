"""The time, as everything here asks for it: the machine's own, or one that a tape moves.

One idea: whoever needs the time calls `clock.time()` and never the standard library, so that a notebook which
is played from a tape shows the same times each time. As long as the machine's clock is in force, that costs nothing:
the names here *are* the standard library's functions.
"""

from __future__ import annotations

import asyncio
import heapq
import threading
import time as _time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from itertools import count

time: Callable[[], float] = _time.time
"""Unix time in seconds."""
time_ns: Callable[[], int] = _time.time_ns
"""Unix time in nanoseconds."""
perf_counter: Callable[[], float] = _time.perf_counter
"""Seconds since some moment, for durations."""
sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
"""Wait for seconds: between two tries of a request, or for a tape's next chunk."""

_PATIENCE = 5_000
"""Turns of the loop that a wait leaves to those with an earlier time; one may be on a loop that waits for this one."""

_virtual: VirtualClock | None = None


class VirtualClock:
    """A clock that stands still, except that who waits on it moves it on.

    Tasks that wait at once are woken in the order of their times, so what happens between them is the same each time.

    Args:
        start: Unix time in seconds.

    Example:
        >>> clock = VirtualClock(1_000.0)
        >>> asyncio.run(clock.sleep(2.5))
        >>> clock.time()
        1002.5
    """

    def __init__(self, start: float) -> None:
        self._now_ns = round(start * 1e9)
        self._lock = threading.Lock()
        self._waiting: list[tuple[int, int]] = []
        self._count = count()

    def time(self) -> float:
        """Return its Unix time in seconds."""
        return self._now_ns / 1e9

    def time_ns(self) -> int:
        """Return its Unix time in nanoseconds."""
        return self._now_ns

    def advance(self, seconds: float) -> None:
        """Move it on."""
        self._to(self._now_ns + round(seconds * 1e9))

    async def sleep(self, seconds: float) -> None:
        """Wait until it shows `seconds` more; that takes a few turns of the loop, and no time."""
        mine = (self._now_ns + max(0, round(seconds * 1e9)), next(self._count))
        with self._lock:
            heapq.heappush(self._waiting, mine)
        try:
            for turn in range(_PATIENCE):
                await asyncio.sleep(0)
                if turn >= 2 and self._waiting[0] == mine:  # who is about to wait as well has had its turns
                    break
            self._to(mine[0])
        finally:
            with self._lock:
                self._waiting.remove(mine)
                heapq.heapify(self._waiting)

    def _to(self, at_ns: int) -> None:
        with self._lock:
            self._now_ns = max(self._now_ns, at_ns)


async def _turn(seconds: float) -> None:
    await asyncio.sleep(0)


def use(virtual: VirtualClock | None, *, waits: bool = True) -> None:
    """Put a virtual clock in force, or the machine's again.

    Args:
        virtual: Which; None: the machine's.
        waits: With the machine's clock, whether `sleep` takes its time; else it takes one turn of the loop.
    """
    global time, time_ns, perf_counter, sleep, _virtual
    _virtual = virtual
    if virtual is None:
        time, time_ns, perf_counter = _time.time, _time.time_ns, _time.perf_counter
        sleep = asyncio.sleep if waits else _turn
    else:
        time, time_ns, perf_counter, sleep = virtual.time, virtual.time_ns, virtual.time, virtual.sleep


def is_virtual() -> bool:
    """Return whether a virtual clock is in force: then nothing may depend on how fast this machine is.

    Example:
        >>> is_virtual()
        False
    """
    return _virtual is not None


@contextmanager
def using(virtual: VirtualClock | None, *, waits: bool = True) -> Iterator[None]:
    """Put a clock in force inside the block; takes what `use` takes.

    Example:
        >>> from lumos_nb import clock
        >>> with clock.using(VirtualClock(0.0)):
        ...     asyncio.run(clock.sleep(3))
        ...     clock.time()
        3.0
    """
    before = _virtual, sleep is not _turn
    use(virtual, waits=waits)
    try:
        yield
    finally:
        use(before[0], waits=before[1])
