"""A model server that costs its client nothing: `python -m tests.bench.server` prints its port and serves.

One idea: everything it sends is encoded beforehand, and the model's name says what it does:
`tokens50-every20-calls2-rounds1` asks for two tool calls in one round, then says fifty tokens, one
each 20 ms. It speaks Chat Completions as a stream, on loopback, until its standard input ends.
"""

from __future__ import annotations

import asyncio
import re
import socket
import sys
from functools import lru_cache

import msgspec

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
LAST = b"0\r\n\r\n"
ARGUMENTS = '{"key": "paris", "count": 3}'
FRAGMENT = 7
WORDS = (" one", " more", " word", " of", " the", " answer")


class Plan(msgspec.Struct, frozen=True):
    """What a model's name asks for."""

    tokens: int = 20
    #: Milliseconds between two events; 0: all at once.
    every: float = 0
    calls: int = 1
    #: Rounds of tool calls before the answer.
    rounds: int = 0


class Said(msgspec.Struct):
    role: str


class Asked(msgspec.Struct):
    """The part of a request that matters here."""

    model: str
    messages: list[Said]


@lru_cache
def plan_of(model: str) -> Plan:
    fields = {name: float(value) for name, value in re.findall(r"([a-z]+)([\d.]+)", model)}
    return msgspec.convert(fields, Plan, strict=False)


@lru_cache
def pieces_of(plan: Plan, asks_for_tools: bool) -> tuple[bytes, ...]:
    """Return the answer as it goes over the wire, an event a piece; the last holds the end."""
    *pieces, usage, done = (b"%x\r\n%s\r\n" % (len(e), e) for e in events_of(plan, asks_for_tools))
    return (*pieces[:-1], pieces[-1] + usage + done + LAST)


def events_of(plan: Plan, asks_for_tools: bool) -> list[bytes]:
    """Return the events of an answer."""
    middle = _calls(plan.calls) if asks_for_tools else [{"content": WORDS[n % len(WORDS)]} for n in range(plan.tokens)]
    first = {"role": "assistant", "content": None if asks_for_tools else ""}
    usage = {"prompt_tokens": 10, "completion_tokens": len(middle), "total_tokens": 10 + len(middle)}
    return [
        *(_delta(delta) for delta in (first, *middle)),
        _delta({}, "tool_calls" if asks_for_tools else "stop"),
        _event({"choices": [], "usage": usage}),
        b"data: [DONE]\n\n",
    ]


def _calls(n: int) -> list[dict]:
    deltas: list[dict] = []
    for index in range(n):
        function = {"name": "lookup", "arguments": ""}
        deltas.append({"index": index, "id": f"call_{index}", "type": "function", "function": function})
        for at in range(0, len(ARGUMENTS), FRAGMENT):
            deltas.append({"index": index, "function": {"arguments": ARGUMENTS[at : at + FRAGMENT]}})
    return [{"tool_calls": [delta]} for delta in deltas]


def _delta(delta: dict, reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
    return _event({"choices": [choice], "usage": None})


def _event(fields: dict) -> bytes:
    common = {"id": "chatcmpl-bench", "object": "chat.completion.chunk", "created": 1_790_000_000, "model": "bench"}
    return b"data: " + msgspec.json.encode({**common, "system_fingerprint": "fp_bench", **fields}) + b"\n\n"


class Connection(asyncio.Protocol):
    """One connection: a request, its answer, the next request."""

    decode = staticmethod(msgspec.json.Decoder(Asked).decode)

    def connection_made(self, transport: asyncio.Transport) -> None:
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.transport = transport
        self.received = b""

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, found, body = self.received.partition(b"\r\n\r\n")
        if not found:
            return
        size = int(re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)[1])
        if len(body) >= size:
            self.received = body[size:]
            self.answer(self.decode(body[:size]))

    def answer(self, asked: Asked) -> None:
        plan = plan_of(asked.model)
        roles = [message.role for message in asked.messages]
        n_results = len(roles) - 1 - max(n for n, role in enumerate(roles) if role == "user")
        rounds = n_results // (plan.calls + 1)  # the assistant's message and its results
        self.pieces, self.n_sent = pieces_of(plan, rounds < plan.rounds), 0
        if not plan.every:
            self.transport.write(HEAD + b"".join(self.pieces))
            return
        self.every = plan.every / 1000
        self.started = asyncio.get_running_loop().time()
        self.transport.write(HEAD)
        self.send_due()

    def send_due(self) -> None:
        """Send the events whose time has come, and be back for the next one."""
        loop = asyncio.get_running_loop()
        if self.transport.is_closing():
            return
        due = min(int((loop.time() - self.started) / self.every + 1e-6) + 1, len(self.pieces))
        self.transport.write(b"".join(self.pieces[self.n_sent : due]))
        self.n_sent = due
        if due < len(self.pieces):
            loop.call_at(self.started + due * self.every, self.send_due)


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
