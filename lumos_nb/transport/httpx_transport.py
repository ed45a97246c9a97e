"""The transport of everyday use, on httpx.

One idea: a client of httpx is quick as long as it has few connections, so many requests at once
are spread over several of them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from lumos_nb.errors import ProviderError, UsageError
from lumos_nb.hiding.addresses import without_secrets, without_userinfo
from lumos_nb.transport.base import LOOPBACK, Request, Response
from lumos_nb.transport.failures import explain
from lumos_nb.transport.limits import Limits
from lumos_nb.transport.loops import PerLoop
from lumos_nb.transport.tls import ssl_context

if TYPE_CHECKING:
    import httpx

_N_GENERATORS = 6
"""Generators that lie in one another under a body, in httpx and httpcore together."""

_REQUESTS_A_CLIENT = 32
"""For each request httpx walks over all connections of a client, more than once: 1,000 in one cost
41 s where 32 a client cost 4."""


class _Pool:
    """The clients of one event loop, and how many requests each has under way."""

    def __init__(self) -> None:
        self.clients: dict[tuple[bool, bool], list[_Client]] = {}
        self.is_closing = False

    def client(self, url: str) -> _Client:
        """Return a client that has room for a request."""
        # Proxies of the environment are for other machines: a server on this one is reached directly.
        kind = _kind(url)
        clients = self.clients.setdefault(kind, [])
        for client in clients:
            if client.in_flight < _REQUESTS_A_CLIENT:
                return client
        clients.append(_Client(trust_env=not kind[0], is_secure=kind[1] or not kind[0]))
        return clients[-1]

    async def close_if_idle(self) -> None:
        every = [client for clients in self.clients.values() for client in clients]
        if self.is_closing and not any(client.in_flight for client in every):
            self.clients = {}
            for client in every:
                await client.http.aclose()


class _Client:
    """A client of httpx, and how many requests it has under way."""

    def __init__(self, *, trust_env: bool, is_secure: bool) -> None:
        import httpx

        limits = httpx.Limits(max_connections=None, max_keepalive_connections=_REQUESTS_A_CLIENT, keepalive_expiry=30.0)
        logging.getLogger("httpx").addFilter(_hide_secrets)  # the same one again is not added
        verify = ssl_context() if is_secure else False
        self.http = _over_proxy(lambda: httpx.AsyncClient(limits=limits, trust_env=trust_env, verify=verify))
        self.in_flight = 0


class HttpxTransport:
    """Carries requests over httpx, with connections kept for the next request.

    Example:
        >>> HttpxTransport()
        <HttpxTransport>
    """

    def __init__(self) -> None:
        self._pools = PerLoop(_Pool)

    def __repr__(self) -> str:
        return "<HttpxTransport>"

    @asynccontextmanager
    async def open(self, request: Request) -> AsyncIterator[Response]:
        """Send `request` and give its response; see `Transport.open`."""
        pool = self._pools.get()
        client = pool.client(request.url)
        client.in_flight += 1
        try:
            limits = Limits(request)
            response = await _send(client.http, request, limits)
            try:
                headers = {k.lower(): v for k, v in response.headers.items()}
                async with aclosing(_chunks(response, request, limits)) as chunks:
                    yield Response(status=response.status_code, headers=headers, chunks=chunks)
            finally:
                is_whole = response.is_closed
                await response.aclose()
                if not is_whole:
                    await _settle()
        finally:
            client.in_flight -= 1
            await pool.close_if_idle()

    async def aclose(self) -> None:
        """Close the connections of this event loop once nothing uses them."""
        pool = self._pools.pop()
        if pool is not None:
            pool.is_closing = True
            await pool.close_if_idle()


def _over_proxy(make: Callable[[], httpx.AsyncClient]) -> httpx.AsyncClient:
    """Return the client that `make` gives, which reads the proxies of the environment.

    Raises:
        UsageError: One of them cannot be used.
    """
    import httpx

    hint = "Correct or unset HTTPS_PROXY, HTTP_PROXY and ALL_PROXY."
    try:
        return make()
    except ImportError:
        hint += " For one with SOCKS run `pip install httpx[socks]`."
    except (ValueError, httpx.InvalidURL):  # not quoted: it may hold a password
        pass
    raise UsageError("A proxy that the environment names cannot be used.", hint=hint)


def _kind(url: str) -> tuple[bool, bool]:
    """Return whether an address is on this machine, and whether it is secure."""
    try:
        parts = urlsplit(url)
        return parts.hostname in LOOPBACK, parts.scheme == "https"
    except ValueError:  # said when it is sent
        return False, False


def _hide_secrets(record: logging.LogRecord) -> bool:
    """Take out of httpx's line about a request what an address may hold beside the host: passwords and keys."""
    if isinstance(record.args, tuple):
        # Only addresses: the other arguments are a method, a version, a status and its words.
        record.args = tuple(without_secrets(str(a)) if type(a).__name__ == "URL" else a for a in record.args)
    return True


async def _settle() -> None:
    """Let the client's generators end: each holds the next, and each ends in a task, one turn of the loop later."""
    for _ in range(_N_GENERATORS * 2):
        await asyncio.sleep(0)


async def _send(client: httpx.AsyncClient, request: Request, limits: Limits) -> httpx.Response:
    import httpx

    read_s = None if limits.is_longer_at_first else limits.read_s
    failure: ProviderError

    async def on_progress(event: str, _: dict[str, Any]) -> None:
        if event.endswith(".receive_response_headers.started"):
            limits.mark_sent()

    try:
        # A key counts more than a name and password in the address, which httpx would put in its place.
        has_key = any(name.lower() == "authorization" for name in request.headers)
        outgoing = client.build_request(
            request.method,
            without_userinfo(request.url) if has_key else request.url,
            headers={"accept-encoding": "identity", **request.headers},
            content=request.body or None,
            timeout=httpx.Timeout(connect=limits.connect_s, read=read_s, write=limits.read_s, pool=None),
            extensions={"trace": on_progress},
        )
        return await limits.until_head(client.send(outgoing, stream=True))
    except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
        failure = explain(error, request.url, is_streaming=False)
    # Outside the except block: otherwise the foreign error hangs on as __context__, and shows.
    raise failure


async def _chunks(response: httpx.Response, request: Request, limits: Limits) -> AsyncGenerator[bytes, None]:
    import httpx

    failure: ProviderError | None = None
    is_plain = response.headers.get("content-encoding", "identity") == "identity"
    # A generator that is left to the garbage collector closes in a task of its own, some time later.
    try:
        pieces = cast("AsyncGenerator[bytes, None]", response.aiter_raw() if is_plain else response.aiter_bytes())
        async with aclosing(pieces):
            chunk = await limits.first_chunk(pieces)
            while chunk is not None and limits.is_watching:
                yield chunk
                chunk = await limits.next_chunk(pieces)
            if chunk is not None:
                yield chunk
                async for chunk in pieces:
                    yield chunk
    except (httpx.HTTPError, httpx.StreamError, OSError) as error:
        failure = explain(error, request.url, is_streaming=True)
    if failure is not None:
        raise failure
