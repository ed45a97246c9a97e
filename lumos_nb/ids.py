"""Ids that sort by the time they were made: UUID version 7, as text.

One idea: the first 60 bits are the time (milliseconds, then a fraction of one), the rest is
random; within a process each id is greater than the one before. Where a notebook must come out the same each
time, they are counted instead, each kind for itself: what a background thread makes does not move a run's.
"""

from __future__ import annotations

import os
import random
import threading
from collections import Counter

from lumos_nb import clock

_KINDS = ("", "run", "thread", "message", "event")

_lock = threading.Lock()
_last_tick = 0
_random = random.Random()  # noqa: S311
_counted: Counter[str] | None = None


def new_id(kind: str = "") -> str:
    """Return a new id.

    Args:
        kind: What it is for, one of run, thread, message, event or nothing; counted ids have a series for each.

    Example:
        >>> first, second = new_id(), new_id()
        >>> first < second, len(first), first[14]
        (True, 36, '7')
    """
    if _counted is not None:
        return _next(_counted, kind)
    global _last_tick
    milliseconds, rest = divmod(clock.time_ns(), 1_000_000)
    with _lock:
        # 1 ms is 4,096 ticks: the 12 bits behind the version.
        tick = _last_tick = max((milliseconds << 12) | (rest * 4096 // 1_000_000), _last_tick + 1)
    tail = _random.getrandbits(62)  # an id is no secret: the system's own random numbers cost a call each
    return _written(f"{(tick >> 12) << 80 | 7 << 76 | (tick & 0xFFF) << 64 | 2 << 62 | tail:032x}")


def count_ids(is_counted: bool = True) -> None:
    """Count ids from one, in this process; False: make them as usual again.

    Only for a database of its own: another process that counts makes the same ones.

    Example:
        >>> count_ids()
        >>> new_id("run"), new_id("run")[-3:]
        ('00000000-0000-7001-8000-000000000001', '002')
        >>> count_ids(False)
    """
    global _counted
    _counted = Counter() if is_counted else None


def _next(counted: Counter[str], kind: str) -> str:
    with _lock:
        counted[kind] += 1
        n = counted[kind]
    return _written(f"{7 << 76 | _KINDS.index(kind) << 64 | 2 << 62 | n:032x}")


def _written(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _after_fork() -> None:
    global _lock, _random
    _lock, _random = threading.Lock(), random.Random()  # noqa: S311  the parent's would give the same ids


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
