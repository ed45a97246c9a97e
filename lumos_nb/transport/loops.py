"""One thing for each event loop.

One idea: a connection belongs to the loop that opened it, while a transport may be used from the
cell, from the background loop and from threads.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar
from weakref import WeakSet

T = TypeVar("T")


class PerLoop(Generic[T]):
    """Makes one `T` for each event loop, and lets it go when that loop was closed.

    Args:
        make: Makes it; called inside the loop.
        forget: Told what a closed loop has left behind.
        disown: Told, in a forked process, what is the parent's: it must not be closed there.

    Example:
        >>> lists = PerLoop(list)
        >>> async def same():
        ...     return lists.get() is lists.get()
        >>> asyncio.run(same())
        True
    """

    def __init__(
        self,
        make: Callable[[], T],
        forget: Callable[[T], None] = lambda _: None,
        disown: Callable[[T], None] = lambda _: None,
    ) -> None:
        self._make = make
        self._forget = forget
        self._disown = disown
        self._lock = threading.Lock()
        self._of: dict[asyncio.AbstractEventLoop, T] = {}
        self._of_parent: list[dict[asyncio.AbstractEventLoop, T]] = []
        _every.add(self)

    def get(self) -> T:
        """Return the running loop's."""
        loop = asyncio.get_running_loop()
        found = self._of.get(loop)
        if found is None:
            with self._lock:
                self._drop_closed()
                found = self._of.setdefault(loop, self._make())
        return found

    def pop(self) -> T | None:
        """Return the running loop's and begin anew the next time."""
        with self._lock:
            return self._of.pop(asyncio.get_running_loop(), None)

    def items(self) -> list[tuple[asyncio.AbstractEventLoop, T]]:
        """Return all that there are."""
        with self._lock:
            self._drop_closed()
            return list(self._of.items())

    def _drop_closed(self) -> None:
        for loop in [loop for loop in self._of if loop.is_closed()]:
            self._forget(self._of.pop(loop))

    def after_fork(self) -> None:
        """Begin anew in the child; the parent goes on with the sockets and the selectors that both now hold."""
        self._lock = threading.Lock()
        self._of_parent.append(self._of)  # kept: what is let go of may close
        self._of = {}
        for each in self._of_parent[-1].values():
            self._disown(each)


_every: WeakSet[PerLoop[Any]] = WeakSet()


def _after_fork() -> None:
    for each in list(_every):
        each.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
