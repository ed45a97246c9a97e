"""The innermost place of a tool: where an interrupt ends it, and nothing else.

One idea: an interrupt may raise only while the tool's own code runs on the main thread, and must
not get past it: one that leaves a task on the kernel's loop ends the kernel. An `async def` tool
is therefore driven step by step, each step under the same guard as a plain function.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Generator
from typing import Any, Protocol, TypeVar

from lumos_nb.agent.errands import ToolInterruptedError

T = TypeVar("T")

Guard = Callable[[Callable[[], Any]], Any]
"""Calls a function so that an interrupt ends it."""


class Watched(Protocol):
    """Who has to know whether a tool's code runs on the main thread."""

    in_tool: bool


def guarded(watched: Watched, fn: Callable[[], T]) -> T:
    """Call a tool's function; while inside, `in_tool` says that an interrupt may be raised."""
    # Plain attributes: between them and the call Python looks for no signal.
    try:
        try:
            watched.in_tool = True
            return fn()
        finally:
            watched.in_tool = False
    except KeyboardInterrupt:
        raise ToolInterruptedError("The tool was interrupted.") from None
    except SystemExit:
        raise ToolInterruptedError("The tool tried to end the process.") from None


class Steps:
    """Awaits what it is given, each step of it under a guard."""

    def __init__(self, awaitable: Awaitable[Any], guard: Guard) -> None:
        self._steps: Any = awaitable.__await__()
        self._guard = guard

    def __await__(self) -> Generator[Any, Any, Any]:
        step = functools.partial(self._steps.send, None)
        while True:
            try:
                waits_for = self._guard(step)
            except StopIteration as end:
                return end.value
            try:
                sent = yield waits_for
            except GeneratorExit:
                self._steps.close()
                raise
            except BaseException as error:  # such as being cancelled: it is the tool's to hear of it
                step = functools.partial(self._steps.throw, error)
            else:
                step = functools.partial(self._steps.send, sent)
