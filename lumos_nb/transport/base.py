"""What a transport is: it opens a request and gives status, headers and raw chunks.

One idea: everything above sees bytes exactly as they arrived, so a recorded exchange and a
real one cannot be told apart.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec

from lumos_nb.hiding.addresses import without_secrets

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
"""Hosts that are this machine: they are reached directly, whatever proxy the environment names."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request, whole.

    Example:
        >>> Request(url="http://127.0.0.1:8080/v1/models", method="GET", headers={"authorization": "Bearer abc"})
        <Request GET http://127.0.0.1:8080/v1/models, 0 bytes>
    """

    url: str
    method: str = "POST"
    headers: Mapping[str, str] = {}
    body: bytes = b""
    #: Which try it is, counted from 1.
    attempt: int = 1
    #: Seconds to connect; None: the setting `connect_timeout_s`.
    connect_timeout_s: float | None = None
    #: Seconds without a byte; None: the setting `read_timeout_s`.
    read_timeout_s: float | None = None
    #: Seconds from the request being sent to the first byte of the answer's body; None: the setting
    #: `first_byte_timeout_s`, 0: as `read_timeout_s`.
    first_byte_timeout_s: float | None = None
    #: Seconds for all of it, from sending to the last byte; None: the setting `total_timeout_s`, 0: no limit.
    total_timeout_s: float | None = None

    def __repr__(self) -> str:
        # The headers carry the key: they are never shown. Nor is what else may be secret.
        return f"<Request {self.method} {without_secrets(self.url)}, {len(self.body)} bytes>"


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """The beginning of an answer; its body comes in `chunks`, once."""

    status: int
    #: Names in lower case.
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes]
    #: Whether all of the body is here, as far as the transport can tell at once.
    has_ended: Callable[[], bool] = lambda: False
    #: Name of the tape that it is played from; empty: it comes from a server.
    tape: str = ""

    async def read(self, limit_bytes: int = 1_000_000) -> bytes:
        """Return the rest of the body, at most about `limit_bytes` of it."""
        parts: list[bytes] = []
        size = 0
        async for chunk in self.chunks:
            parts.append(chunk)
            size += len(chunk)
            if size >= limit_bytes:
                break
        return b"".join(parts)


class Transport(Protocol):
    """The seam: anything with these two methods carries requests."""

    def open(self, request: Request) -> AbstractAsyncContextManager[Response]:
        """Send `request`; leaving the context gives the connection back, or closes it if unread.

        Raises:
            UsageError: A proxy or a file of certificates that the environment names cannot be used.
            ProviderError: The server could not be reached, or was silent; raised by `chunks` too, for the first.
            StreamError: The body broke off, or took too long; raised by `chunks`.
        """
        ...

    async def aclose(self) -> None:
        """Close the connections of this event loop once nothing uses them."""
        ...
