"""Ids that sort by the time they were made: UUID version 7, as text.

One idea: the first 60 bits are the time (milliseconds, then a fraction of one), the rest is
random; within a process each id is greater than the one before.
"""

from __future__ import annotations

import os
import random
import threading
import time

_lock = threading.Lock()
_last_tick = 0
_random = random.Random()  # noqa: S311


def new_id() -> str:
    """Return a new id.

    Example:
        >>> first, second = new_id(), new_id()
        >>> first < second, len(first), first[14]
        (True, 36, '7')
    """
    global _last_tick
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    with _lock:
        # 1 ms is 4,096 ticks: the 12 bits behind the version.
        tick = _last_tick = max((milliseconds << 12) | (rest * 4096 // 1_000_000), _last_tick + 1)
    tail = _random.getrandbits(62)  # an id is no secret: the system's own random numbers cost a call each
    digits = f"{(tick >> 12) << 80 | 7 << 76 | (tick & 0xFFF) << 64 | 2 << 62 | tail:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _after_fork() -> None:
    global _lock, _random
    _lock, _random = threading.Lock(), random.Random()  # noqa: S311  the parent's would give the same ids


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
