"""The tool calls of one step: all at once, each with its own outcome.

One idea: a tool never breaks a run. What it raises, returns or prints becomes events; only
cancelling the run ends it early.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from collections.abc import AsyncGenerator, Sequence
from itertools import groupby
from typing import Any

from lumos_nb.agent.home import Emit, Home, Job, Outcome
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
        for task in tasks:  # they have all ended: raises what a task itself did wrong
            await task
    finally:
        if open_ := [task for task in tasks if not task.done()]:
            for task in open_:
                task.cancel()
            await asyncio.gather(*open_, return_exceptions=True)


async def _run_one(
    call: ToolCall, tools: ToolRegistry, context: RuntimeContext, home: Home, queue: asyncio.Queue[AgentEvent]
) -> None:
    """Run one call and put its events into the queue; the last is `ToolCallComplete`, whatever the tool does."""
    output = _Output(call.id, queue)
    begun: list[float] = []
    try:
        outcome = await _run_tool(_find(call, tools), call, context, home, output.emit, begun)
        result = from_value(call, outcome.value, outcome.display)
    except (Exception, SystemExit) as error:  # the tool's own; the model is told, the run goes on
        result = from_error(call, error)
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        result = from_error(call, error)  # not the run was cancelled, but something that the tool waited for
    status = "error" if result.is_error else "ok"
    duration_s = time.perf_counter() - begun[0] if begun else 0.0
    complete = ToolCallComplete(call.id, result, duration_s, status)
    # Behind call_soon, so that output which a thread handed over before the end comes first.
    asyncio.get_running_loop().call_soon(queue.put_nowait, complete)


async def _run_tool(
    tool: Tool, call: ToolCall, context: RuntimeContext, home: Home, emit: Emit, begun: list[float]
) -> Outcome:
    def work(**arguments: Any) -> Any:
        begun.append(time.perf_counter())  # only here: until then the call may have waited behind another
        return tool.fn(**arguments)

    outcome = await home.run(Job(work, tool.arguments(call, context), tool.is_async, tool.thread, emit))
    if inspect.iscoroutine(outcome.value):  # a plain function that hands on an async one's
        waiting = outcome.value
        outcome = await home.run(Job(lambda: waiting, {}, True, False, emit))
    return outcome


class _Output:
    """What one tool prints and shows, from any thread, as few events: a print is two writes, a loop thousands."""

    def __init__(self, call_id: str, queue: asyncio.Queue[AgentEvent]) -> None:
        self._call_id = call_id
        self._queue = queue
        self._loop = asyncio.get_running_loop()
        self._waiting: list[tuple[str, str, dict[str, Any]]] = []
        self._lock = threading.Lock()

    def emit(self, kind: str, text: str, data: dict[str, Any]) -> None:
        """Take one piece; text of one stream is joined until the loop comes to it."""
        with self._lock:
            is_first = not self._waiting
            self._waiting.append((kind, text, data))
        if is_first:
            self._loop.call_soon_threadsafe(self._flush)

    def _flush(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for kind, group in groupby(waiting, lambda piece: piece[0]):
            pieces = list(group)
            if kind in ("stdout", "stderr"):
                self._queue.put_nowait(ToolOutput(self._call_id, kind, "".join(text for _, text, _ in pieces)))
            else:
                for _, text, data in pieces:
                    self._queue.put_nowait(ToolOutput(self._call_id, kind, text, data))


def _find(call: ToolCall, tools: ToolRegistry) -> Tool:
    if call.name not in tools:
        names = [t.name for t in tools]
        raise ToolError(f"There is no tool {call.name!r}.", hint=nearest(call.name, names))
    return tools.get(call.name)
