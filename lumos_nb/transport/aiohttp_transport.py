"""The fast transport, on aiohttp: `pip install lumos-nb[fast]`, and it is used by itself.

One idea: a token that comes alone costs one wake-up of the loop, and little more. What is the
same for every request to an address is worked out once; requests through a proxy are left to
the everyday transport.
"""

from __future__ import annotations

import asyncio
import atexit
import base64
import contextlib
import functools
import urllib.request
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any
from urllib.parse import unquote

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload
from multidict import CIMultiDict
from yarl import URL

from lumos_nb.errors import ProviderError
from lumos_nb.transport.base import LOOPBACK, Request, Response
from lumos_nb.transport.failures import explain
from lumos_nb.transport.httpx_transport import HttpxTransport
from lumos_nb.transport.limits import Limits
from lumos_nb.transport.loops import PerLoop
from lumos_nb.transport.tls import ssl_context

_FOREIGN = (aiohttp.ClientError, OSError, ValueError)
"""What aiohttp raises; its time-outs are `OSError`s, a header that cannot be sent is a `ValueError`."""

if not hasattr(Payload, "write_with_length"):
    # As our extra wants it; an older one may be there for somebody else's sake.
    raise ImportError(f"aiohttp {aiohttp.__version__} is too old")

_BODY_AT_ONCE = 65_536
_LONGEST_HEADER = 65_536


class _Pool:
    """The session of one event loop, and how many requests use it."""

    def __init__(self) -> None:
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=30.0)
        # As long as the connections: what the environment says counts again for the next ones.
        self.has_proxy = functools.lru_cache(256)(_has_proxy)
        self.session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
            max_line_size=_LONGEST_HEADER,
            max_field_size=_LONGEST_HEADER,
        )
        self.in_flight = 0
        self.is_closing = False

    async def close_if_idle(self) -> None:
        if self.is_closing and not self.in_flight:
            await self.session.close()

    def forget(self) -> None:
        """Close without the loop, which is closed: nothing is awaited then."""
        for _ in self.session.close().__await__():
            pass

    def disown(self) -> None:
        """Never close: a forked process would take the connections out of its parent's selector."""
        connector = self.session.connector
        self.session.detach()
        if connector is not None:
            connector._closed = True  # it would close itself when the process ends


class AiohttpTransport:
    """Carries requests over aiohttp, with connections kept for the next request.

    Example:
        >>> AiohttpTransport()
        <AiohttpTransport>
    """

    def __init__(self) -> None:
        self._pools = PerLoop(_Pool, _Pool.forget, _Pool.disown)
        self._through_proxy = HttpxTransport()
        atexit.register(self._close_all)

    def __repr__(self) -> str:
        return "<AiohttpTransport>"

    def open(self, request: Request) -> AbstractAsyncContextManager[Response]:
        """Send `request` and give its response; see `Transport.open`."""
        pool = self._pools.get()
        if pool.has_proxy(request.url):
            return self._through_proxy.open(request)
        return _Exchange(pool, request)

    async def aclose(self) -> None:
        """Close the connections of this event loop once nothing uses them."""
        await self._through_proxy.aclose()
        pool = self._pools.pop()
        if pool is not None:
            pool.is_closing = True
            await pool.close_if_idle()

    def _close_all(self) -> None:
        """At the end of the process; otherwise aiohttp complains on stderr that nobody did."""
        for loop, pool in self._pools.items():
            with contextlib.suppress(Exception):
                if loop.is_running():
                    asyncio.run_coroutine_threadsafe(pool.session.close(), loop).result(1.0)
                else:
                    loop.run_until_complete(pool.session.close())


class _Exchange(AbstractAsyncContextManager[Response]):
    """One request and its response."""

    def __init__(self, pool: _Pool, request: Request) -> None:
        self._pool = pool
        self._request = request
        self._chunks: AsyncGenerator[bytes, None] | None = None
        self._response: aiohttp.ClientResponse | None = None

    async def __aenter__(self) -> Response:
        self._pool.in_flight += 1
        try:
            limits = Limits(self._request)
            self._response = await _send(self._pool.session, self._request, limits)
        except BaseException:
            await self._leave()
            raise
        self._chunks = _chunks(self._response, self._request, limits)
        headers = {k.lower(): v for k, v in self._response.headers.items()}
        return Response(
            status=self._response.status,
            headers=headers,
            chunks=self._chunks,
            has_ended=self._response.content.at_eof,
        )

    async def __aexit__(self, *error: object) -> None:
        try:
            if self._chunks is not None:
                await self._chunks.aclose()
        finally:
            await self._leave()

    async def _leave(self) -> None:
        if self._response is not None:
            # Read to its end, the connection was given back already; otherwise it is closed here.
            self._response.close()
        self._pool.in_flight -= 1
        await self._pool.close_if_idle()


class InvalidURL(ValueError):
    """An address to which nothing can be sent."""


class _Body(Payload):
    """The body of a request, which says when it was sent."""

    _autoclose = True

    def __init__(self, data: bytes, on_sent: Callable[[], None]) -> None:
        super().__init__(data, content_type="application/json")
        self._size = len(data)
        self._on_sent = on_sent

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return str(self._value.decode(encoding, errors))

    async def write(self, writer: AbstractStreamWriter) -> None:
        data: Any = self._value if len(self._value) <= _BODY_AT_ONCE else memoryview(self._value)
        for start in range(0, len(data), _BODY_AT_ONCE):
            await writer.write(data[start : start + _BODY_AT_ONCE])
        self._on_sent()

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        await self.write(writer)


async def _send(session: aiohttp.ClientSession, request: Request, limits: Limits) -> aiohttp.ClientResponse:
    failure: ProviderError
    try:
        url, credentials, is_secure = _target(request.url)
        headers = CIMultiDict({"accept-encoding": "identity", **credentials})
        headers.update(request.headers)
        if not "".join(request.headers.values()).isascii():
            raise ValueError  # aiohttp would send it as UTF-8, and the server refuse the key
        sending = session.request(
            request.method,
            url,
            headers=headers,
            data=_Body(request.body, limits.mark_sent) if request.body else None,
            ssl=ssl_context() if is_secure else True,
            allow_redirects=False,
            timeout=_timeout(limits.connect_s),
        )
        if not request.body:
            limits.mark_sent()
        return await limits.until_head(sending, sent_within_s=limits.connect_s + limits.read_s)
    except _FOREIGN as error:
        failure = explain(error, request.url, is_streaming=False)
    # Outside the except block: otherwise the foreign error hangs on as __context__, and shows.
    raise failure


async def _chunks(response: aiohttp.ClientResponse, request: Request, limits: Limits) -> AsyncGenerator[bytes, None]:
    failure: ProviderError | None = None
    content = response.content
    watch = _Watch(content, limits)
    try:
        # Mostly the first bytes came with the head, and no limit has to be set.
        chunk = content.read_nowait() or await limits.first_chunk(content.iter_any())
        watch.start()
        while chunk:
            watch.waits_since = None
            yield chunk
            watch.waits_since = watch.now()
            chunk = await content.readany()
    except _FOREIGN as error:
        failure = explain(error, request.url, is_streaming=True)
    finally:
        watch.end()
    if failure is not None:
        raise failure


class _Watch:
    """Ends a body that takes too long: one timer looks now and then, a read only notes the time.

    aiohttp's own limit makes a timer for each read.
    """

    def __init__(self, content: aiohttp.StreamReader, limits: Limits) -> None:
        self._loop = asyncio.get_running_loop()
        self.now = self._loop.time
        #: When the reader began to wait; None while it does something else.
        self.waits_since: float | None = None
        self._content = content
        self._limits = limits
        self._late_since: float | None = None
        self._timer: asyncio.Handle | None = None

    def start(self) -> None:
        """Begin to look."""
        self._look()

    def end(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        now = self.now()
        since = now if self.waits_since is None else self.waits_since
        error = self._limits.overrun(now, since)
        if error is None:
            self._timer = self._loop.call_at(self._limits.next_end(since), self._look)
        elif self.waits_since in (None, self._late_since):
            self._content.set_exception(error)
        else:
            # Perhaps the loop stood still: what came meanwhile has woken the reader, and it is its turn first.
            self._late_since = since
            self._timer = self._loop.call_soon(self._look)


@functools.lru_cache(256)
def _target(url: str) -> tuple[URL, dict[str, str], bool]:
    """Return an address as aiohttp wants it, the header for a name and password in it, and whether it is secure."""
    try:
        # What is encoded already stays as it is: a signature may cover every byte of the path.
        target = URL(url, encoded=url.isascii() and " " not in url)
        is_address = url.isprintable() and target.scheme in {"http", "https"} and bool(target.host)
    except ValueError:  # not quoted: a piece of a password may stand where a port is looked for
        is_address = False
    if not is_address:
        raise InvalidURL("it is no address of a web server") from None
    headers = {}
    if target.raw_user is not None:
        pair = f"{unquote(target.raw_user)}:{unquote(target.raw_password or '')}"
        headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        target = target.with_user(None)
    return target, headers, target.scheme == "https"


@functools.lru_cache(16)
def _timeout(connect_s: float) -> aiohttp.ClientTimeout:
    # Of all of it: `sock_connect` begins behind the name's resolution.
    return aiohttp.ClientTimeout(total=None, connect=connect_s)


def _has_proxy(url: str) -> bool:
    """Return whether the environment sends requests to this address through a proxy."""
    try:
        target = URL(url)
        host = target.host
    except ValueError:  # said when it is sent
        return False
    if host is None or host in LOOPBACK:
        return False
    proxies = urllib.request.getproxies()
    return bool(proxies.get(target.scheme) or proxies.get("all")) and not urllib.request.proxy_bypass(host)
