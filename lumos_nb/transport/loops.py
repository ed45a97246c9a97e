"""One thing for each event loop.

One idea: a connection belongs to the loop that opened it, while a transport may be used from the
cell, from the background loop and from threads.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class PerLoop(Generic[T]):
    """Makes one `T` for each event loop, and lets it go when that loop was closed.

    Args:
        make: Makes it; called inside the loop.
        forget: Told what a closed loop has left behind.

    Example:
        >>> lists = PerLoop(list)
        >>> async def same():
        ...     return lists.get() is lists.get()
        >>> asyncio.run(same())
        True
    """

    def __init__(self, make: Callable[[], T], forget: Callable[[T], None] = lambda _: None) -> None:
        self._make = make
        self._forget = forget
        self._lock = threading.Lock()
        self._of: dict[asyncio.AbstractEventLoop, T] = {}

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
