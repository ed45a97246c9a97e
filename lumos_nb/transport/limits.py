"""How long one exchange may take, and at which point.

One idea: a time limit stands around one awaited read and never around a `yield`; and once the
first byte is there, an exchange without a limit of its own costs nothing more a read.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable
from typing import TypeVar

from lumos_nb import settings
from lumos_nb.errors import ProviderError
from lumos_nb.transport.base import Request
from lumos_nb.transport.failures import timed_out, unsent

_T = TypeVar("_T")


class Limits:
    """The time limits of one exchange, which begins now: the request's own, else the settings'.

    Args:
        request: What is about to be sent.

    Attributes:
        connect_s: Seconds to connect.
        read_s: Seconds between two bytes.
        is_watching: Whether each read needs its own limit, beside the one between two bytes.
    """

    def __init__(self, request: Request) -> None:
        config = settings.current()
        self._url = request.url
        self.connect_s = _first(request.connect_timeout_s, config.connect_timeout_s)
        self.read_s = _first(request.read_timeout_s, config.read_timeout_s)
        first_byte_s = _first(request.first_byte_timeout_s, config.first_byte_timeout_s)
        total_s = _first(request.total_timeout_s, config.total_timeout_s)
        self._first_byte_s = first_byte_s or self.read_s
        self._first_byte_setting = "first_byte_timeout_s" if first_byte_s else "read_timeout_s"
        # A client's own limit between bytes would end a longer wait for the first one.
        self.is_longer_at_first = self._first_byte_s > self.read_s
        self.is_watching = self.is_longer_at_first or bool(total_s)
        self._total_at = _now() + total_s if total_s else None
        self._first_byte_at: float | None = None
        self._timer: asyncio.Timeout | None = None

    def mark_sent(self) -> None:
        """Say that the request is sent: the time until the first byte begins."""
        self._first_byte_at = _now() + self._first_byte_s
        if self._timer is not None:
            self._timer.reschedule(self._earliest(self._first_byte_at))

    async def until_head(self, sending: Awaitable[_T], sent_within_s: float | None = None) -> _T:
        """Return what `sending` gives, the head of the answer.

        Args:
            sent_within_s: Seconds until `mark_sent`, for a client that has no limit of its own for it.

        Raises:
            ProviderError: It took too long.
        """
        at = self._first_byte_at
        if at is None and sent_within_s is not None:
            at = _now() + sent_within_s
        return await self._within(at, self._first_byte_setting, sending)

    async def first_chunk(self, chunks: AsyncIterator[bytes]) -> bytes | None:
        """Return the first bytes of the body; None if it is empty.

        Raises:
            ProviderError: They took too long.
        """
        if self._first_byte_at is None:  # a client that does not say when it has sent
            self.mark_sent()
        return await self._within(self._first_byte_at, self._first_byte_setting, anext(chunks, None))

    async def next_chunk(self, chunks: AsyncIterator[bytes]) -> bytes | None:
        """Return the next bytes of the body; None at its end.

        Raises:
            StreamError: They took too long.
        """
        read_at = _now() + self.read_s if self.is_longer_at_first else None
        return await self._within(read_at, "read_timeout_s", anext(chunks, None), is_streaming=True)

    def next_end(self, since: float) -> float:
        """Return the loop's time at which a read that waits since then has to be over."""
        return min(since + self.read_s, self._total_at or math.inf)

    def overrun(self, now: float, since: float) -> ProviderError | None:
        """Return the error of a read that waits since `since`, if it has taken too long."""
        if self._total_at is not None and now >= self._total_at:
            return timed_out("total_timeout_s", self._url, is_streaming=True)
        return timed_out("read_timeout_s", self._url, is_streaming=True) if now >= since + self.read_s else None

    async def _within(self, at: float | None, setting: str, read: Awaitable[_T], *, is_streaming: bool = False) -> _T:
        timer = self._timer = asyncio.timeout_at(self._earliest(at))
        try:
            async with timer:
                return await read
        except TimeoutError:
            if not timer.expired():
                raise
        finally:
            self._timer = None
        # Outside the except block: otherwise the foreign error hangs on as __context__, and shows.
        is_total = self._total_at is not None and timer.when() == self._total_at
        if not is_total and self._first_byte_at is None:
            raise unsent(self._url)
        raise timed_out("total_timeout_s" if is_total else setting, self._url, is_streaming=is_streaming)

    def _earliest(self, at: float | None) -> float | None:
        return min((t for t in (at, self._total_at) if t is not None), default=None)


def _first(given: float | None, setting: float) -> float:
    return setting if given is None else given


def _now() -> float:
    return asyncio.get_running_loop().time()
