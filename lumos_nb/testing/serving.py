"""How `FakeServer` writes an answer to a socket, with the faults that a `Reply` asks for."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Iterator
from typing import Any

from lumos_nb.testing.answers import Answer, Reply, split


class Gone(Exception):
    """The client has closed the connection."""


def echo(request: Any) -> Answer:
    """Return the last user message as the answer.

    Example:
        >>> class Asked: body = {"messages": [{"role": "user", "content": "Hi"}]}
        >>> echo(Asked).text
        'Hi'
    """
    messages = [m for m in (request.body or {}).get("messages", []) if m.get("role") == "user"]
    content = messages[-1]["content"] if messages else ""
    return Answer(text=content if isinstance(content, str) else json.dumps(content))


async def send_reply(
    reply: Reply, body: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bool:
    """Write the reply; return whether the connection may be used again.

    Raises:
        Gone: The client left before the end.
    """
    leaving = asyncio.ensure_future(reader.read(1))
    try:
        sending = asyncio.ensure_future(_send(reply, body, writer))
        await asyncio.wait({leaving, sending}, return_when=asyncio.FIRST_COMPLETED)
        if not sending.done():
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            raise Gone
        try:
            return sending.result()
        except ConnectionError:
            raise Gone from None
    finally:
        if leaving.done() and not leaving.cancelled():
            leaving.exception()
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)


async def _send(reply: Reply, body: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
    await asyncio.sleep(reply.first_byte_delay_s)
    if reply.status != 200 or reply.body is not None:
        raw = reply.body if reply.body is not None else json.dumps({"error": {"message": f"Scripted {reply.status}"}})
        data = raw if isinstance(raw, bytes) else raw.encode()
        kind = reply.content_type or "application/json"
        writer.write(_head(reply, kind, f"Content-Length: {len(data)}") + data)
        await writer.drain()
        return True
    writer.write(_head(reply, reply.content_type or "text/event-stream", "Transfer-Encoding: chunked"))
    for n, event in enumerate(_events(reply.answer, body)):
        if reply.cut_after == n:
            return await _cut(reply.cut, writer)
        if reply.garbage_after == n:
            _write(writer, b"data: {this is not JSON\n\n")
        if reply.error_after == n:
            _write(writer, b'data: {"error":{"message":"The model is overloaded","code":"overloaded_error"}}\n\n')
        # Also without a pause: each piece is then its own read at the client, as in life.
        await asyncio.sleep(reply.answer.pause_s)
        _write(writer, b"data: " + event + b"\n\n")
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


def _events(answer: Answer, body: dict[str, Any]) -> Iterator[bytes]:
    def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
        row = {"id": "chatcmpl-fake", "object": "chat.completion.chunk", "model": body.get("model", "fake-model")}
        choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
        return json.dumps({**row, "choices": choices, **more}, separators=(",", ":"), ensure_ascii=False).encode()

    for piece in split(answer.reasoning):
        yield chunk({"reasoning_content": piece})
    for piece in answer.pieces():
        yield chunk({"content": piece})
    for index, call in enumerate(answer.tool_calls):
        function = {"name": call.name, "arguments": ""}
        yield chunk({"tool_calls": [{"index": index, "id": call.id, "type": "function", "function": function}]})
        for start in range(0, len(call.arguments), 8):
            part = {"index": index, "function": {"arguments": call.arguments[start : start + 8]}}
            yield chunk({"tool_calls": [part]})
    yield chunk({}, answer.reason)
    usage = answer.counted(sum(len(str(m.get("content")).split()) for m in body.get("messages", [])))
    counts = {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cache_read_tokens},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }
    last = json.loads(chunk({}))
    yield json.dumps({**last, "choices": [], "usage": counts}, separators=(",", ":")).encode()
    yield b"[DONE]"
