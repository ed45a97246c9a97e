"""A tool call whose tool is on tape: played in place of being made, or made and recorded.

One idea: the tape stands between the loop and the function. Who may call it, who is asked and what the model is
told stay as they are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from lumos_nb import clock, tapes
from lumos_nb.agent.home import Emit
from lumos_nb.messages import ToolCall, ToolResult
from lumos_nb.tapes.deck import Deck
from lumos_nb.tapes.edits import with_home
from lumos_nb.tapes.format import Output
from lumos_nb.tapes.scenes import scene
from lumos_nb.tapes.tools import result_of, tool_line
from lumos_nb.tools import Tool
from lumos_nb.tools.results import from_error


def at_home(call: ToolCall) -> ToolCall:
    """Return a call that a tape said, with this person's home folder in its paths: the tape has `~` in its place.

    What is told to the model goes through the tape's `~` again, so all requests stay those that were recorded.

    Example:
        >>> at_home(ToolCall(id="c1", name="read", arguments='{"n": 1}')).arguments
        '{"n": 1}'
    """
    return msgspec.structs.replace(call, arguments=with_home(call.arguments))


async def taped(
    call: ToolCall, tool: Tool, emit: Emit, begin: Callable[[], object], work: Callable[[Emit], Awaitable[ToolResult]]
) -> ToolResult:
    """Return the result of a call: from the tape in force if its tool is on tape, else by doing it.

    Args:
        call: As it is made, its arguments changed by a person perhaps.
        tool: Its tool.
        emit: Takes what it prints and displays.
        begin: Is told when a recorded call begins.
        work: Does it.

    Raises:
        TapeMiss: Only what is on the tape may be played, and this call is not.
    """
    deck = tapes.current() if tool.tape else None
    way = "off" if deck is None else deck.way_of(scene())
    if deck is None or way == "off":
        return await work(emit)
    if way != "record" and (line := deck.tools.find(call, scene())) is not None:
        begin()
        if clock.is_virtual():
            await clock.sleep(line.t)
        for kind, text, data in line.output:
            emit(kind, text, data)
        return result_of(line, call)
    if way != "record" and way != "refresh":
        raise deck.tools.missing(call)
    return await _recorded(call, emit, work, deck)


async def _recorded(
    call: ToolCall, emit: Emit, work: Callable[[Emit], Awaitable[ToolResult]], deck: Deck
) -> ToolResult:
    """Do the work and put it on the tape, also if it fails; a call that was cancelled has no end to be played."""
    began, output, here = clock.perf_counter(), list[Output](), scene()

    def noted(kind: str, text: str, data: dict[str, Any]) -> None:
        if kind != "state":
            output.append((kind, text, data))
        emit(kind, text, data)

    def keep(result: ToolResult) -> ToolResult:
        i, t = deck.next_number(), clock.perf_counter() - began
        deck.add_tool(tool_line(call, result, output, i=i, t=t, scene=here))
        return result

    try:
        return keep(await work(noted))
    except (asyncio.CancelledError, KeyboardInterrupt):
        raise
    except BaseException as error:  # the tool's own: what the model is told of it is its result
        keep(from_error(call, error))
        raise
