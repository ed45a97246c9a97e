"""The four hottest paths as plain functions, without a network: `with PATHS[name]() as run: run()`.

One idea: what is counted must be the same each time. So no path waits for a clock, and each
prepares what it needs before it gives the function to measure.
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec

from tests.bench.server import Plan, events_of

Prepare = Callable[[], AbstractContextManager[Callable[[], object]]]


@contextmanager
def decoding_a_stream() -> Iterator[Callable[[], object]]:
    """Read an answer of 200 tokens, one a read."""
    from lumos_nb.providers.wire import Quirks, load_format

    make, reads = load_format("openai-chat").Decoder, events_of(Plan(tokens=200), False)

    def run() -> int:
        feed = make(Quirks()).feed
        return sum(len(feed(read)) for read in reads)

    assert run() == 201
    yield run


@contextmanager
def passing_tokens_on() -> Iterator[Callable[[], object]]:
    """Stream 200 tokens, one a read, through an agent whose model costs nothing."""
    import lumos_nb as lumos
    from lumos_nb.events import Finish, TextDelta
    from lumos_nb.providers.base import BatchedProvider

    class Free(BatchedProvider):
        provider, model = "local", "free"

        async def generate_batches(self, messages: Any, **_: Any) -> Any:
            for _ in range(200):
                yield [TextDelta(" word")]
            yield [Finish("stop")]

    agent = lumos.Agent("bench", model=Free())

    async def stream() -> int:
        return len([event async for event in agent.stream("Go on.") if type(event) is TextDelta])

    with _settings(enable_telemetry=False), asyncio.Runner() as runner:
        assert runner.run(stream()) == 200
        yield lambda: runner.run(stream())


@contextmanager
def sending_a_request() -> Iterator[Callable[[], object]]:
    """Send a conversation of 500 messages, some with tool calls, and ten tools; the answer is one word."""
    import lumos_nb as lumos
    from lumos_nb.messages import ToolSpec

    carrier = _Carrier(b"".join(events_of(Plan(tokens=1), False)))
    provider = lumos.llm("mine/bench", base_url="http://127.0.0.1:9/v1", api_key="none", transport=carrier)
    schema = {"type": "object", "properties": {"key": {"type": "string"}, "count": {"type": "integer"}}}
    tools = [ToolSpec(name=f"lookup_{n}", description="Look it up.", parameters=schema) for n in range(10)]

    async def send() -> None:
        async for _ in provider.generate_stream(_conversation(500), tools=tools):
            pass

    with asyncio.Runner() as runner:
        runner.run(send())
        assert len(msgspec.json.decode(carrier.body)["messages"]) == 500
        yield lambda: runner.run(send())


def _conversation(n: int) -> list[Any]:
    """Return messages as they come from a thread: anew each time, and one turn in five called a tool."""
    from lumos_nb.messages import Message, TextPart, ToolCall, ToolResult

    messages = []
    for turn in range(n // 4):
        messages.append(Message(role="user", content=f"Question {turn}. " + "It says some words more. " * 4))
        if turn % 5:
            messages.append(Message(role="assistant", content=f"Answer {turn}."))
            messages.append(Message(role="user", content="And then?"))
        else:
            call = ToolCall(id=f"call_{turn}", name="lookup_1", arguments='{"key": "paris", "count": 3}')
            result = ToolResult(call_id=call.id, name=call.name, content="three rows " * 20)
            messages.append(Message(role="assistant", content=(TextPart("I look."), call)))
            messages.append(Message(role="tool", content=(result,)))
        messages.append(Message(role="assistant", content=f"That was it, {turn}. " + "It says more. " * 8))
    return messages


class _Carrier:
    """A transport that answers every request alike and remembers the last."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.body = b""

    @asynccontextmanager
    async def open(self, request: Any) -> AsyncIterator[Any]:
        from lumos_nb.transport import Response

        async def chunks() -> AsyncIterator[bytes]:
            yield self.answer

        self.body = request.body
        yield Response(
            status=200, headers={"content-type": "text/event-stream"}, chunks=chunks(), has_ended=lambda: True
        )

    async def aclose(self) -> None:
        """Do nothing: there are no connections."""


@contextmanager
def recording_a_run() -> Iterator[Callable[[], object]]:
    """Record a run of 100 tokens and one tool call, with its thread and messages, into SQLite."""
    from lumos_nb.memory import Memory, RunInfo, Said
    from lumos_nb.messages import Message
    from lumos_nb.stores import SqliteStore

    with tempfile.TemporaryDirectory() as folder, _settings(enable_telemetry=True), asyncio.Runner() as runner:
        memory = Memory(SqliteStore(Path(folder) / "bench.db"))
        batches, numbers = _run_events(), iter(range(1_000_000))

        async def record() -> None:
            n = next(numbers)
            log = memory.run_log(RunInfo(run_id=f"run-{n}", thread_id=f"thread-{n}", prompt="Go on.", started_at=1.0))
            await log.start()
            for batch in batches[:-1]:
                await log.append(batch)
            messages = [Message(role="user", content="Go on."), Message(role="assistant", content=" word" * 100)]
            await log.finish(batches[-1], [Said(message, 1, 1.0) for message in messages])

        runner.run(record())
        assert len(list(memory.store.select("events", ["run_id"]))) == 7
        yield lambda: runner.run(record())
        memory.store.close()


def _run_events() -> list[list[Any]]:
    from lumos_nb.events import (
        AgentGenerateResult,
        AgentStep,
        GenerationComplete,
        RunStart,
        StepComplete,
        StepStart,
        TextDelta,
        ToolCallComplete,
        ToolCallStart,
    )
    from lumos_nb.messages import ToolCall, ToolResult

    call = ToolCall(id="call_0", name="lookup", arguments='{"key": "paris", "count": 3}')
    result = ToolResult(call_id="call_0", name="lookup", content="three rows " * 20)
    step = AgentStep(index=1, text=" word" * 100, tool_calls=(call,), tool_results=(result,), started_at=1.0)
    start = RunStart(run_id="r", thread_id="t", agent="a", provider="p", model="m", prompt="Go on.", started_at=1.0)
    return [
        [start],
        [StepStart(1)],
        *([TextDelta(" word")] for _ in range(100)),
        [ToolCallStart(call)],
        [ToolCallComplete("call_0", result, 0.001)],
        [StepComplete(step)],
        [GenerationComplete(AgentGenerateResult(response=step.text, steps=(step,), run_id="r"))],
    ]


@contextmanager
def ruler() -> Iterator[Callable[[], object]]:
    """Do such work with nothing of this project: what differs here is the Python or a library, not the project."""
    reads, decode = events_of(Plan(tokens=200), False), msgspec.json.decode
    database = sqlite3.connect(":memory:")
    database.execute("create table events (id text primary key, payload text)")

    async def work() -> None:
        futures = asyncio.get_running_loop()
        rows = []
        for n, read in enumerate(reads[:-1]):
            done = futures.create_future()
            futures.call_soon(done.set_result, SimpleNamespace(**decode(read[6:])))
            rows.append((f"{n}", msgspec.json.encode((await done).choices).decode()))
        database.executemany("insert or replace into events values (?, ?)", rows)

    with asyncio.Runner() as runner:
        runner.run(work())
        yield lambda: runner.run(work())
    database.close()


@contextmanager
def _settings(**changes: Any) -> Iterator[None]:
    from lumos_nb import settings

    before = {name: getattr(settings.current(), name) for name in changes}
    settings.configure(**changes)
    try:
        yield
    finally:
        settings.configure(**before)


PATHS: dict[str, Prepare] = {
    path.__name__: path for path in (decoding_a_stream, passing_tokens_on, sending_a_request, recording_a_run)
}
