"""How long an exchange may take: against servers that are slow in every way."""

import asyncio
import contextlib
import socket
import threading
import time

import pytest

from lumos_nb import settings
from lumos_nb.errors import ProviderError, StreamError
from lumos_nb.transport import Request, default_transport

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\n"


class SlowServer:
    """Sends `head` and then `body`, a byte each `pause_s`; says when the client has left."""

    def __init__(self, head=HEAD, body=b"x" * 1000, *, head_pause_s=0.0, pause_s=0.0, first_byte_s=0.0):
        self.head, self.body = head, body
        self.head_pause_s, self.pause_s, self.first_byte_s = head_pause_s, pause_s, first_byte_s
        self.client_left = asyncio.Event()
        self.connections = set()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"
        return self

    async def __aexit__(self, *error):
        await default_transport().aclose()
        await asyncio.wait_for(asyncio.gather(*self.connections), 5)
        self._server.close()
        await self._server.wait_closed()

    async def _connected(self, reader, writer):
        self.connections.add(asyncio.current_task())
        await reader.readuntil(b"\r\n\r\n")
        sending = asyncio.create_task(self._send(writer))
        with contextlib.suppress(ConnectionError):
            while await reader.read(1000):
                pass
        self.client_left.set()
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    async def _send(self, writer):
        await self._write(writer, self.head, self.head_pause_s)
        await asyncio.sleep(self.first_byte_s)
        await self._write(writer, self.body, self.pause_s)

    async def _write(self, writer, data, pause_s):
        pieces = [data[n : n + 1] for n in range(len(data))] if pause_s else [data]
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause_s)


async def read(server, **limits):
    async with default_transport().open(Request(url=server.url, method="GET", **limits)) as response:
        return await response.read()


async def failure_of(server, kind=ProviderError, **limits):
    """Return the error, the seconds until it, and check that nothing of the exchange is left."""
    before, started = asyncio.all_tasks(), time.monotonic()
    with pytest.raises(ProviderError) as caught:
        await read(server, **limits)
    took_s = time.monotonic() - started
    await asyncio.wait_for(server.client_left.wait(), 5)
    await asyncio.sleep(0.01)
    assert {t for t in asyncio.all_tasks() - before if "SlowServer" not in repr(t)} == set()
    assert type(caught.value) is kind and caught.value.__context__ is None
    assert server.url in caught.value.message
    return caught.value, took_s


@pytest.mark.parametrize(
    "server",
    [{"head_pause_s": 0.02}, {"first_byte_s": 30}, {"head": b"", "body": b""}],
    ids=["head byte by byte", "head and then silence", "silence"],
)
async def test_the_first_byte_of_the_body_has_a_limit_however_the_head_comes(server):
    settings.configure(first_byte_timeout_s=0.2)
    async with SlowServer(**server) as slow:
        error, took_s = await failure_of(slow)
    assert "sent nothing" in error.message and "first_byte_timeout_s" in error.message
    assert "LUMOS_FIRST_BYTE_TIMEOUT_S" in error.hint and error.is_temporary
    assert 0.15 < took_s < 2


async def test_a_head_in_dribbles_meets_the_read_timeout_where_there_is_no_limit_of_its_own():
    settings.configure(read_timeout_s=0.2)
    async with SlowServer(head_pause_s=0.02) as slow:
        error, took_s = await failure_of(slow)
    assert "LUMOS_READ_TIMEOUT_S" in error.hint and error.is_temporary and took_s < 2


async def test_the_size_of_a_chunk_is_no_byte_of_the_body():
    settings.configure(first_byte_timeout_s=0.2)
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with SlowServer(head=head, body=b"5;" + b"x" * 900, pause_s=0.02) as slow:
        error, _ = await failure_of(slow)
    assert "first_byte_timeout_s" in error.message


async def test_a_slow_first_byte_may_be_allowed_more_than_a_pause():
    settings.configure(first_byte_timeout_s=5, read_timeout_s=0.2)
    async with SlowServer(first_byte_s=0.4) as slow:
        assert await read(slow) == b"x" * 1000
    async with SlowServer(first_byte_s=0.4, body=b"x") as slow:
        error, took_s = await failure_of(slow, StreamError)
    assert "read_timeout_s" in error.message and "LUMOS_READ_TIMEOUT_S" in error.hint and error.is_temporary
    assert 0.55 < took_s < 3


async def test_a_server_at_one_byte_at_a_time_meets_the_limit_of_the_whole():
    settings.configure(total_timeout_s=0.3, read_timeout_s=5)
    async with SlowServer(pause_s=0.02) as slow:
        error, took_s = await failure_of(slow, StreamError)
    assert "total_timeout_s" in error.message and "LUMOS_TOTAL_TIMEOUT_S" in error.hint
    assert not error.is_temporary and 0.25 < took_s < 2


async def test_the_limit_of_the_whole_also_ends_a_head_that_does_not_come():
    settings.configure(total_timeout_s=0.2)
    async with SlowServer(head_pause_s=0.02) as slow:
        error, took_s = await failure_of(slow)
    assert "LUMOS_TOTAL_TIMEOUT_S" in error.hint and not error.is_temporary and took_s < 2


async def test_a_silence_is_told_from_a_whole_that_takes_long():
    settings.configure(total_timeout_s=5, read_timeout_s=0.2)
    async with SlowServer(body=b"xy") as slow:
        error, _ = await failure_of(slow, StreamError)
    assert "LUMOS_READ_TIMEOUT_S" in error.hint and error.is_temporary


async def test_a_request_may_have_limits_of_its_own():
    settings.configure(first_byte_timeout_s=60, total_timeout_s=60)
    async with SlowServer(first_byte_s=30) as slow:
        error, _ = await failure_of(slow, first_byte_timeout_s=0.1)
        assert "first_byte_timeout_s" in error.message
    async with SlowServer(pause_s=0.02) as slow:
        error, _ = await failure_of(slow, StreamError, total_timeout_s=0.1)
        assert "total_timeout_s" in error.message


async def test_an_answer_within_its_limits_is_whole_and_keeps_its_connection():
    settings.configure(first_byte_timeout_s=5, total_timeout_s=5, read_timeout_s=1)
    async with SlowServer(body=b"x" * 1000, first_byte_s=0.05) as slow:
        assert await read(slow) == b"x" * 1000
        assert not slow.client_left.is_set()


async def test_an_empty_body_needs_no_first_byte():
    settings.configure(first_byte_timeout_s=0.5)
    async with SlowServer(head=b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", body=b"") as slow:
        assert await read(slow) == b""


async def test_cancelling_while_a_limit_runs_is_a_cancellation():
    settings.configure(total_timeout_s=20)
    async with SlowServer(pause_s=0.02) as slow:
        task = asyncio.create_task(read(slow))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(slow.client_left.wait(), 5)


async def test_a_loop_that_stood_still_is_no_silence_of_the_server():
    settings.configure(read_timeout_s=0.2)
    body = iter([b"a", b"b", b"c"])

    def serve(listening):
        connection, _ = listening.accept()
        with connection:
            connection.recv(10_000)
            connection.sendall(HEAD.replace(b"1000", b"3") + next(body))
            is_waiting.wait(5)
            for piece in body:
                time.sleep(0.05)
                connection.sendall(piece)
            connection.recv(1)

    is_waiting = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = threading.Thread(target=serve, args=(listening,))
        server.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        async with default_transport().open(Request(url=url, method="GET")) as response:
            got = [await anext(response.chunks)]
            rest = asyncio.ensure_future(response.read())
            await asyncio.sleep(0.01)
            is_waiting.set()
            time.sleep(0.3)  # noqa: ASYNC251 - what a cell does
            got.append(await rest)
        await default_transport().aclose()
        server.join(5)
    assert b"".join(got) == b"abc"


async def test_without_a_limit_of_the_whole_no_read_after_the_first_has_a_timer(monkeypatch):
    made = []
    timeout_at = asyncio.timeout_at
    monkeypatch.setattr("asyncio.timeout_at", lambda when: made.append(when) or timeout_at(when))
    async with SlowServer(body=b"x" * 20, pause_s=0.001, head=HEAD.replace(b"1000", b"20")) as slow:
        assert await read(slow) == b"x" * 20
    assert len(made) <= 3  # to connect (aiohttp only), the head, the first byte


async def test_a_name_that_nobody_resolves_meets_the_limit_for_connecting(monkeypatch):
    async def silence(*args, **options):
        await asyncio.sleep(30)

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", silence)
    started = time.monotonic()
    with pytest.raises(ProviderError, match="connect_timeout_s"):
        async with default_transport().open(Request(url="http://slow.invalid/v1", connect_timeout_s=0.2)):
            pass
    assert time.monotonic() - started < 5
