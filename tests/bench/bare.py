"""The bare loop: the least that Python can do what an agent does. It marks what Python itself costs.

One `asyncio.Protocol` a connection, HTTP taken apart by hand, typed decoding, the shortest agent
loop. Not a client that anybody should use: no TLS, no redirects, no errors, no limits.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import msgspec

INSTRUCTIONS = "You are a helpful assistant."


class _Function(msgspec.Struct):
    name: str = ""
    arguments: str = ""


class _Call(msgspec.Struct):
    index: int
    function: _Function
    id: str = ""


class _Delta(msgspec.Struct):
    content: str | None = None
    tool_calls: list[_Call] = []


class _Choice(msgspec.Struct):
    delta: _Delta


class _Chunk(msgspec.Struct):
    choices: list[_Choice]


_decode = msgspec.json.Decoder(_Chunk).decode
_encode = msgspec.json.Encoder().encode
_arguments = msgspec.json.Decoder(dict[str, Any]).decode


async def lookup(key: str, count: int) -> str:
    """Look a key up and return so many entries.

    Args:
        key: What to look up.
        count: How many entries.
    """
    return f"{key}: {count}"


TOOL = {
    "type": "function",
    "function": {
        "name": "lookup",
        "description": "Look a key up and return so many entries.",
        "parameters": {
            "type": "object",
            "properties": {"key": {"type": "string"}, "count": {"type": "integer"}},
            "required": ["key", "count"],
        },
    },
}


class Link(asyncio.Protocol):
    """A connection that hands on the body's bytes, one list a read."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport

    def ask(self, request: bytes) -> None:
        self.rest = b""
        self.is_body = self.has_ended = False
        self.parts: list[bytes] = []
        self.waiter: asyncio.Future[None] | None = None
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        data = self.rest + data
        at = 0
        if not self.is_body:
            at = data.find(b"\r\n\r\n") + 4
            if at == 3:
                self.rest = data
                return
            self.is_body = True
        while (line_end := data.find(b"\r\n", at)) >= 0:
            end = line_end + 2 + int(data[at:line_end], 16)
            if end + 2 > len(data):
                break
            self.parts.append(data[line_end + 2 : end])
            at = end + 2
            if end == line_end + 2:
                self.has_ended = True
        self.rest = data[at:]
        if self.waiter is not None and self.parts:
            self.waiter.set_result(None)
            self.waiter = None

    async def read(self) -> bytes:
        """Return what has come since the last call."""
        if not self.parts:
            self.waiter = asyncio.get_running_loop().create_future()
            await self.waiter
        parts, self.parts = self.parts, []
        return b"".join(parts)


class Bare:
    """Runs prompts on the server at `base_url`."""

    def __init__(self, base_url: str) -> None:
        url = urlsplit(base_url)
        self.host, self.port = url.hostname, url.port
        self.head = f"POST {url.path}/chat/completions HTTP/1.1\r\nHost: {url.netloc}\r\n".encode()
        self.head += b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        self.idle: list[Link] = []

    def history(self, pairs: list[tuple[str, str]]) -> list[dict[str, Any]]:
        return [{"role": role, "content": text} for role, text in pairs]

    async def answer(self, body: dict[str, Any]) -> AsyncIterator[list[_Chunk]]:
        """Yield the chunks of each read."""
        if self.idle:
            link = self.idle.pop()
        else:
            _, link = await asyncio.get_running_loop().create_connection(Link, self.host, self.port)
        data = _encode(body)
        link.ask(self.head % len(data) + data)
        tail = b""
        while link.parts or not link.has_ended:
            *events, tail = (tail + await link.read()).split(b"\n\n")
            yield [_decode(event[6:]) for event in events if event != b"data: [DONE]"]
        self.idle.append(link)

    async def run(self, model: str, history: list[dict[str, Any]] | None = None) -> int:
        """Run one prompt to its end and return how many tokens came."""
        system, user = {"role": "system", "content": INSTRUCTIONS}, {"role": "user", "content": "Go on."}
        messages = [system, *(history or ()), user]
        n_tokens = 0
        while True:
            text: list[str] = []
            calls: dict[int, tuple[str, str, list[str]]] = {}
            async for chunks in self.answer({"model": model, "messages": messages, "stream": True, "tools": [TOOL]}):
                for chunk in chunks:
                    for choice in chunk.choices:
                        if choice.delta.content:
                            text.append(choice.delta.content)
                            n_tokens += 1
                        for call in choice.delta.tool_calls:
                            if call.id:
                                calls[call.index] = (call.id, call.function.name, [])
                            calls[call.index][2].append(call.function.arguments)
            if not calls:
                return n_tokens
            await self.call_tools(messages, "".join(text), [(id, name, "".join(a)) for id, name, a in calls.values()])

    async def call_tools(self, messages: list[Any], text: str, calls: list[tuple[str, str, str]]) -> None:
        """Run the calls at once and add what was said to the messages."""
        results = await asyncio.gather(*(lookup(**_arguments(given)) for _, _, given in calls))
        wire = [
            {"id": id, "type": "function", "function": {"name": name, "arguments": given}} for id, name, given in calls
        ]
        messages.append({"role": "assistant", "content": text or None, "tool_calls": wire})
        for (id, _, _), result in zip(calls, results, strict=True):
            messages.append({"role": "tool", "tool_call_id": id, "content": result})
