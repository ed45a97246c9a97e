"""The tool calls of one step: all at once, each with its own outcome.

One idea: a tool never breaks a run. What it raises, returns or prints becomes events; only
cancelling the run ends it early.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from lumos_nb.agent.home import Home, Job
from lumos_nb.context import RuntimeContext
from lumos_nb.errors import ToolError, nearest
from lumos_nb.events import AgentEvent, ToolCallComplete, ToolCallStart, ToolOutput
from lumos_nb.messages import ToolCall
from lumos_nb.tools import Tool, ToolRegistry
from lumos_nb.tools.results import from_error, from_value


async def run_calls(
    calls: Sequence[ToolCall], tools: ToolRegistry, context: RuntimeContext, home: Home
) -> AsyncGenerator[list[AgentEvent], None]:
    """Run all calls at once; yield starts first, then output and results as they come.

    The starts are yielded before any tool runs: whoever reads them commits them before asking on.
    """
    yield [ToolCallStart(call) for call in calls]
    queue: asyncio.Queue[AgentEvent] = asyncio.Queue()
    tasks = [asyncio.create_task(_run_one(call, tools, context, home, queue)) for call in calls]
    try:
        left = len(tasks)
        while left:
            batch = [await queue.get()]
            while not queue.empty():
                batch.append(queue.get_nowait())
            left -= sum(isinstance(e, ToolCallComplete) for e in batch)
            yield batch
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _run_one(
    call: ToolCall, tools: ToolRegistry, context: RuntimeContext, home: Home, queue: asyncio.Queue[AgentEvent]
) -> None:
    """Run one call and put its events into the queue; the last is `ToolCallComplete`."""
    loop = asyncio.get_running_loop()

    def emit(kind: str, text: str, data: dict[str, Any]) -> None:
        loop.call_soon_threadsafe(queue.put_nowait, ToolOutput(call.id, kind, text, data))

    started = time.perf_counter()
    try:
        tool = _find(call, tools)
        job = Job(tool.fn, tool.arguments(call, context), tool.is_async, tool.thread, emit)
        outcome = await home.run(job)
        result, status = from_value(call, outcome.value, outcome.display), "ok"
        if result.is_error:
            status = "error"
    except Exception as error:  # the tool's own; the model is told, the run goes on
        result, status = from_error(call, error), "error"
    # Behind call_soon, so that output which a thread handed over before the end comes first.
    complete = ToolCallComplete(call.id, result, time.perf_counter() - started, status)
    loop.call_soon(queue.put_nowait, complete)


def _find(call: ToolCall, tools: ToolRegistry) -> Tool:
    if call.name not in tools:
        names = [t.name for t in tools]
        raise ToolError(f"There is no tool {call.name!r}.", hint=nearest(call.name, names))
    return tools.get(call.name)
