"""Runs that are stopped at a certain event."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest


def is_asked(event: Any) -> bool:
    return event.type == "approval_requested"


async def never(question: Any) -> Any:
    await asyncio.sleep(60)


async def begun(when: Callable[[Any], bool], work: Any, *arguments: Any, **options: Any) -> asyncio.Task[Any]:
    """Begin a run, and return it at the first event that is meant."""
    reached = asyncio.Event()

    def watch(events: Any) -> None:
        if any(map(when, events)):
            reached.set()

    run = asyncio.create_task(work(*arguments, on_events=watch, **options))
    seen = asyncio.create_task(reached.wait())
    await asyncio.wait({run, seen}, timeout=20, return_when=asyncio.FIRST_COMPLETED)
    return run


async def stopped(when: Callable[[Any], bool], work: Any, *arguments: Any, **options: Any) -> None:
    """Run until the first event that is meant, and stop there."""
    run = await begun(when, work, *arguments, **options)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
