"""A model server on loopback, with a script: real HTTP, real faults.

One idea: what a client does in the face of a bad network is only known from real sockets, so the
server resets, stalls, cuts and lies on purpose, and records what the client sent and when it left.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any
from urllib.parse import unquote

from lumos_nb.testing.answers import Answer, Reply
from lumos_nb.testing.scripted import Scripted, as_answer
from lumos_nb.testing.serving import Gone, echo, send_reply
from lumos_nb.testing.wire import format_at, served_format


@dataclass(slots=True, kw_only=True)
class ServedRequest:
    """One request as the server received it."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    """The JSON of the body; None if there was none."""
    connection: int
    """Number of the connection, from 1: equal numbers mean that it was used again."""
    client_left: bool = False
    """Whether the client closed the connection before the answer was over."""
    done: threading.Event = field(default_factory=threading.Event)
    """Set when the answer is over, or the client has left."""

    @property
    def model(self) -> str:
        """The model asked for: in the body, or in the path as `…/models/NAME:…` or `…/model/NAME/…`."""
        if isinstance(self.body, dict) and "model" in self.body:
            return str(self.body["model"])
        found = re.search(r"/models?/([^/?]+?)(?=:\w+(?:\?|$)|/)", self.path)
        return unquote(found[1]) if found else ""


class FakeServer:
    """A model server that answers by script, in a thread of its own, in every wire format.

    The path says which one: `/v1/chat/completions`, `/v1/messages`, `/v1/api/chat` …

    Args:
        script: One entry a request: a text, an `Answer`, a `Reply`, tool calls, or a function of the
            request. The last one repeats. A dict gives a script for each model name (`*`: any
            other). Without a script it echoes the last user message.
        models: Names that `/v1/models` lists.

    Attributes:
        requests: The requests of model calls, in order. Other paths are in `other_requests`.

    Example:
        >>> with FakeServer(["Hello"]) as server:
        ...     server.base_url.startswith("http://127.0.0.1:")
        True
    """

    def __init__(
        self,
        script: Iterable[Scripted] | Mapping[str, Any] | Callable[[ServedRequest], Scripted] | None = None,
        *,
        models: Iterable[str] = ("fake-model",),
    ) -> None:
        named = script if isinstance(script, Mapping) else {"*": echo if script is None else script}
        self._scripts = {name: s if callable(s) or isinstance(s, str) else list(s) for name, s in named.items()}
        self._turns: dict[str, int] = {}
        self.models = [*models, *(name for name in self._scripts if name != "*")]
        self.requests: list[ServedRequest] = []
        self.other_requests: list[ServedRequest] = []
        self._n_connections = 0
        self._loop = asyncio.SelectorEventLoop()  # any system's: it can watch a listening socket
        self._tasks: set[asyncio.Task[Any]] = set()
        self._port = 0

    @property
    def base_url(self) -> str:
        """The address, as `base_url` takes it."""
        return f"http://127.0.0.1:{self._port}/v1"

    def __enter__(self) -> FakeServer:
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="lumos-fake-server", daemon=True)
        self._thread.start()
        ready.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def _run(self, ready: threading.Event) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve(ready))

    async def _serve(self, ready: threading.Event) -> None:
        self._stop = asyncio.Event()
        with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
            listener.setblocking(False)
            self._port = listener.getsockname()[1]
            self._loop.add_reader(listener, self._accept, listener)
            ready.set()
            await self._stop.wait()
            self._loop.remove_reader(listener)
        # A task that is cancelled before its first turn would never close its socket.
        await asyncio.sleep(0)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        # A transport closes its socket one turn of the loop after it was told to.
        await asyncio.sleep(0.01)

    def _accept(self, listener: socket.socket) -> None:
        """Take a connection by hand: asyncio's own server loses one that arrives while it closes."""
        try:
            connection, _ = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        connection.setblocking(False)
        task = self._loop.create_task(self._connect(connection))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, connection: socket.socket) -> None:
        try:
            reader, writer = await asyncio.open_connection(sock=connection)
        except BaseException:
            connection.close()
            raise
        await self._connection(reader, writer)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._n_connections += 1
        number = self._n_connections
        try:
            while await self._request(reader, writer, number):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            (writer.transport.abort if self._stop.is_set() else writer.close)()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ", 2)
        headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)}
        raw = await reader.readexactly(int(headers.get("content-length", 0)))
        request = ServedRequest(
            method=method, path=path, headers=headers, body=json.loads(raw) if raw else None, connection=number
        )
        served = format_at(path) if method == "POST" else None
        (self.requests if served else self.other_requests).append(request)
        reply = self._reply(request) if served else self._other(request)
        try:
            body = {"model": request.model, **(request.body or {})}
            return await send_reply(reply, body, served or served_format("openai-chat"), reader, writer)
        except Gone:
            request.client_left = True
            return False
        finally:
            request.done.set()

    def _other(self, request: ServedRequest) -> Reply:
        if request.path.partition("?")[0] == "/v1/models":
            return Reply(body=json.dumps({"object": "list", "data": [{"id": name} for name in self.models]}))
        return Reply(status=404, body=json.dumps({"error": {"message": f"No such path: {request.path}"}}))

    def _reply(self, request: ServedRequest) -> Reply:
        name = request.model if request.model in self._scripts else "*"
        script = self._scripts.get(name, echo)
        line: Any = script
        if isinstance(script, list):
            turn = self._turns[name] = self._turns.get(name, -1) + 1
            line = script[min(turn, len(script) - 1)]
        while callable(line):
            line = line(request)
        if isinstance(line, Reply):
            return line
        return Reply(answer=line if isinstance(line, Answer) else as_answer(line))
