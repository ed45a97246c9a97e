"""Ids that sort by the time they were made: UUID version 7, as text.

One idea: the first 60 bits are the time (milliseconds, then a fraction of one), the rest is
random; within a process each id is greater than the one before.
"""

from __future__ import annotations

import hashlib
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


def trace_id(run_id: str) -> str:
    """Return the trace id of a run that nobody handed one over: 32 hexadecimal digits.

    Example:
        >>> trace_id("0199c2a1-7c1e-7000-8123-456789abcdef")
        '0199c2a17c1e70008123456789abcdef'
    """
    digits = run_id.replace("-", "")
    return digits if len(digits) == 32 else hashlib.blake2b(run_id.encode(), digest_size=16).hexdigest()


def span_id(run_id: str, part: str | int = "") -> str:
    """Return the id of a run's span, or of a part of it: a step's number, a tool call's id; 16 hexadecimal digits.

    It can be told before and after from the names alone, so nobody has to remember it.

    Example:
        >>> run = new_id()
        >>> len(span_id(run)), span_id(run, 1) == span_id(run, 1), span_id(run, 1) == span_id(run, "call_1")
        (16, True, False)
    """
    named = part if isinstance(part, str) else f"step/{part}"
    return hashlib.blake2b(f"{run_id}/{named}".encode(), digest_size=8).hexdigest()


def _after_fork() -> None:
    global _lock, _random
    _lock, _random = threading.Lock(), random.Random()  # noqa: S311  the parent's would give the same ids


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
