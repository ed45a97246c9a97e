"""What an agent costs beside its model: `python tests/bench/bench_core.py`.

The model is a provider that costs next to nothing, so what is measured is ours. Each row is the
best of five, and a ratio to the first row of its group: machines differ, ratios less.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import lumos_nb as lumos
from lumos_nb import Agent, tool
from lumos_nb.events import Finish, ModelToolCall, TextDelta, TokenUsage
from lumos_nb.messages import Message, ToolCall
from lumos_nb.providers.base import BatchedProvider

N = 20_000
USAGE = TokenUsage(input_tokens=10, output_tokens=N)


class Instant(BatchedProvider):
    """Says `n` tokens, `per_read` at a time, after a tool call if there are tools."""

    provider, model = "local", "instant"

    def __init__(self, n: int, per_read: int = 1) -> None:
        self.batches = [[TextDelta("word ")] * per_read for _ in range(n // per_read)]

    async def generate_batches(self, messages: Any, *, tools: Any = (), options: Any = None, watch: Any = None) -> Any:
        if tools and messages[-1].role == "user":
            yield [ModelToolCall(ToolCall("c", "nothing", "{}")), Finish("tool_calls", USAGE)]
            return
        for batch in self.batches:
            yield batch
        yield [Finish("stop", USAGE)]


@tool
def nothing() -> str:
    "Nothing."
    return "nothing"


async def consume(stream: Any) -> None:
    async for _ in stream:
        pass


async def best(work: Callable[[], Awaitable[Any]], times: int = 1) -> float:
    """Return the least CPU seconds of one call."""
    found = []
    for _ in range(5):
        started = time.process_time()
        for _ in range(times):
            await work()
        found.append((time.process_time() - started) / times)
    return min(found)


async def main() -> None:
    print(f"{'row':46} {'figure':>12}  ratio")
    asked = [Message(role="user", content="Go")]
    for per_read in (1, 200):
        provider = Instant(N, per_read)
        agent = Agent("bench", model=provider)
        lumos.configure(enable_telemetry=False)
        base = show(
            f"token, {per_read} a read: provider alone",
            await best(lambda p=provider: consume(p.generate_stream(asked))),
        )
        show("  agent", await best(lambda a=agent: consume(a.stream("Go"))), base)
        lumos.configure(enable_telemetry=True)
        show("  agent, recorded", await best(lambda a=agent: consume(a.stream("Go"))), base)
    small, tools = Agent("bench", model=Instant(5)), Agent("bench", model=Instant(5), tools=[nothing])
    for recorded in (False, True):
        lumos.configure(enable_telemetry=recorded)
        name = "recorded" if recorded else "bare"
        base = show(f"small run, {name}", await best(lambda: small.generate("Go"), 200), unit="run")
        show("  with a tool", await best(lambda: tools.generate("Go"), 200), base, unit="run")


def show(name: str, seconds: float, base: float | None = None, unit: str = "token") -> float:
    figure = f"{seconds / N * 1e6:.2f} µs/tok" if unit == "token" else f"{seconds * 1e3:.3f} ms"
    print(f"{name:46} {figure:>12}" + (f"  {seconds / base:.1f}×" if base else ""))
    return seconds


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        lumos.configure(db=str(Path(folder) / "bench.db"))
        asyncio.run(main())
