"""Where a tool's code runs.

One idea: the agent's loop may run on any thread, but a tool belongs to the person who wrote
it. A `Home` takes a job from the loop and runs it in the right place: in a plain program right
there, in a notebook on the thread and event loop of the cell (`notebook/home.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Protocol, TypeVar

import msgspec

T = TypeVar("T")

Emit = Callable[[str, str, dict[str, Any]], None]
"""Tells what a tool printed or showed: kind, text and data of a `ToolOutput`. From any thread."""


class Job(msgspec.Struct, frozen=True):
    """One call of a tool's function."""

    fn: Callable[..., Any]
    arguments: dict[str, Any]
    is_async: bool
    in_thread: bool
    emit: Emit


class Outcome(msgspec.Struct, frozen=True):
    """What a function returned, and how to show it where the home knows better than we do."""

    value: Any
    display: dict[str, Any] | None = None


class Home(Protocol):
    """A place where tools run."""

    async def run(self, job: Job) -> Outcome:
        """Run the job and return what it returned; raise what it raised."""


class InlineHome:
    """Runs a tool right in the loop: the loop is the caller's own."""

    async def run(self, job: Job) -> Outcome:
        if job.is_async:
            return Outcome(await job.fn(**job.arguments))
        if job.in_thread:
            return Outcome(await asyncio.to_thread(job.fn, **job.arguments))
        return Outcome(await self.call(lambda: job.fn(**job.arguments)))

    async def call(self, fn: Callable[[], T]) -> T:
        """Run a plain function and return what it returns."""
        return fn()


HOME: ContextVar[Home] = ContextVar("lumos_home", default=InlineHome())  # noqa: B039  it has no state
"""The home of the run in this context."""
