"""How many requests may be under way at once to one server.

One idea: a free place is handed to the one who has waited longest, whichever event loop and
thread that is in; nobody has to look again and again.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any
from urllib.parse import urlsplit

from lumos_nb import clock, settings


class _Waiter:
    """One request that waits, and the event loop in which it does."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.turn: asyncio.Future[None] = self.loop.create_future()
        self.has_place = False

    def wake(self) -> bool:
        """Tell it that it has a place; return whether its loop still runs."""
        try:
            self.loop.call_soon_threadsafe(self._take)
        except RuntimeError:  # the loop was closed
            return False
        self.has_place = True
        return True

    def _take(self) -> None:
        if not self.turn.done():
            self.turn.set_result(None)


class _Gate:
    """The places of one server. All methods are called under `_lock`."""

    def __init__(self) -> None:
        self.n_in_flight = 0
        self.waiting: deque[_Waiter] = deque()

    def enter(self, limit: int) -> _Waiter | None:
        """Take a place; or return the waiter that gets one later."""
        if self.n_in_flight < limit and not self.waiting:
            self.n_in_flight += 1
            return None
        self.waiting.append(_Waiter())
        return self.waiting[-1]

    def leave(self, waiter: _Waiter | None) -> None:
        """Give the place back, or leave the queue."""
        if waiter is not None and not waiter.has_place:
            if waiter in self.waiting:
                self.waiting.remove(waiter)
            return
        self.n_in_flight -= 1
        limit = settings.current().max_in_flight  # it may have been changed meanwhile
        while self.waiting and (limit <= 0 or self.n_in_flight < limit):
            self.n_in_flight += self.waiting.popleft().wake()


_lock = threading.Lock()
_gates: dict[str, _Gate] = {}


def turn(server: str, on_wait: Callable[[dict[str, Any]], None] | None = None) -> AbstractAsyncContextManager[None]:
    """Hold one of the places that the setting `max_in_flight` allows a server; wait for it if need be.

    Args:
        server: Any address at the server: places are counted for its scheme, host and port.
        on_wait: Is told if there is a wait, and when it is over.

    Example:
        >>> async def send():
        ...     async with turn("http://127.0.0.1:8080/v1/chat/completions"):
        ...         return "sent"
        >>> asyncio.run(send())
        'sent'
    """
    limit = settings.current().max_in_flight
    return _FREE if limit <= 0 else _turn(_host(server), limit, on_wait)


_FREE = nullcontext()


@asynccontextmanager
async def _turn(host: str, limit: int, on_wait: Callable[[dict[str, Any]], None] | None) -> AsyncIterator[None]:
    with _lock:
        gate = _gates.setdefault(host, _Gate())
        waiter = gate.enter(limit)
    try:
        if waiter is not None:
            await _wait(waiter, {"server": host, "max_in_flight": limit}, on_wait or (lambda data: None))
        yield
    finally:
        with _lock:
            gate.leave(waiter)
            if not gate.n_in_flight and not gate.waiting:
                _gates.pop(host, None)


async def _wait(waiter: _Waiter, place: dict[str, Any], on_wait: Callable[[dict[str, Any]], None]) -> None:
    since = clock.perf_counter()
    on_wait({"state": "waiting for a free request", **place})
    await waiter.turn
    on_wait({"kind": "queued", "state": "waiting for the first token", "wait_s": clock.perf_counter() - since, **place})


def _host(address: str) -> str:
    """Return scheme, host and port of an address.

    Example:
        >>> _host("https://ada:secret@API.example/v1?a=b")
        'https://api.example'
    """
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}"
