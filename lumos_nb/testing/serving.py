"""How `FakeServer` writes an answer to a socket, with the faults that a `Reply` asks for."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from typing import Any

from lumos_nb.testing.answers import Answer, Reply
from lumos_nb.testing.wire import ServedFormat


class Gone(Exception):
    """The client has closed the connection."""


def echo(request: Any) -> Answer:
    """Return the last user message as the answer.

    Example:
        >>> class Asked: body = {"messages": [{"role": "user", "content": "Hi"}]}
        >>> echo(Asked).text
        'Hi'
    """
    body = request.body or {}
    rows = body.get("messages") or body.get("input") or body.get("contents") or []
    said = [row for row in rows if row.get("role") == "user"]
    content = said[-1].get("content", said[-1].get("parts")) if said else ""
    if isinstance(content, list) and content and all(isinstance(part, dict) and "text" in part for part in content):
        content = "".join(part["text"] for part in content)
    return Answer(text=content if isinstance(content, str) else json.dumps(content))


async def send_reply(
    reply: Reply, body: dict[str, Any], served: ServedFormat, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bool:
    """Write the reply in a format; return whether the connection may be used again.

    Raises:
        Gone: The client left before the end.
    """
    leaving = asyncio.ensure_future(reader.read(1))
    sending = asyncio.ensure_future(_send(reply, body, served, writer))
    try:
        await asyncio.wait({leaving, sending}, return_when=asyncio.FIRST_COMPLETED)
        if not sending.done():
            raise Gone
        try:
            return sending.result()
        except ConnectionError:
            raise Gone from None
    finally:
        leaving.cancel()
        sending.cancel()
        await asyncio.gather(leaving, sending, return_exceptions=True)


async def _send(reply: Reply, body: dict[str, Any], served: ServedFormat, writer: asyncio.StreamWriter) -> bool:
    await asyncio.sleep(reply.first_byte_delay_s)
    if reply.status != 200 or reply.body is not None:
        raw = reply.body if reply.body is not None else json.dumps({"error": {"message": f"Scripted {reply.status}"}})
        data = raw if isinstance(raw, bytes) else raw.encode()
        kind = reply.content_type or "application/json"
        writer.write(_head(reply, kind, f"Content-Length: {len(data)}") + data)
        await writer.drain()
        return True
    writer.write(_head(reply, reply.content_type or served.CONTENT_TYPE, "Transfer-Encoding: chunked"))
    for n, event in enumerate(served.events(reply.answer, body)):
        if reply.cut_after == n:
            return await _cut(reply.cut, writer)
        if reply.garbage_after == n:
            _write(writer, served.GARBAGE)
        if reply.error_after == n:
            _write(writer, served.error("The model is overloaded", "overloaded_error"))
        # Also without a pause: each piece is then its own read at the client, as in life.
        await asyncio.sleep(reply.answer.pause_s)
        _write(writer, event)
        await writer.drain()
    writer.write(b"0\r\n\r\n")
    await writer.drain()
    return True


async def _cut(how: str, writer: asyncio.StreamWriter) -> bool:
    await writer.drain()
    if how == "stall":
        await asyncio.Event().wait()
    if how == "reset":
        connection = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
    else:
        writer.write(b"0\r\n\r\n")
        await writer.drain()
    return False


def _head(reply: Reply, kind: str, length: str) -> bytes:
    lines = [f"HTTP/1.1 {reply.status} Scripted", f"Content-Type: {kind}", length]
    lines += [f"{name}: {value}" for name, value in reply.headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(b"%x\r\n%s\r\n" % (len(data), data))
