"""The events of a step's tool calls, on their way from tools on any thread to the run.

One idea: one queue in the order in which things happened, and a way to wait until what was put
into it stands in the log.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from lumos_nb import clock
from lumos_nb.events import AgentEvent, ToolCallComplete, ToolOutput


class Events:
    """The events of a step's calls, in the order in which they happened."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[AgentEvent | None] = asyncio.Queue()
        self._waiting: list[asyncio.Future[None]] = []
        self._in_batch: list[asyncio.Future[None]] = []
        self._failure: BaseException | None = None

    def put(self, event: AgentEvent) -> None:
        """Add an event."""
        self._queue.put_nowait(event)

    async def told(self, event: AgentEvent) -> None:
        """Add an event, and return when it was taken: when it is in the log."""
        taken = asyncio.get_running_loop().create_future()
        self._queue.put_nowait(event)
        self._waiting.append(taken)
        await taken

    async def batch(self) -> list[AgentEvent]:
        """Return what there is, at least one event; raise what broke off a call that will bring none any more."""
        batch = [await self._queue.get()]
        while not self._queue.empty():
            batch.append(self._queue.get_nowait())
        if self._failure is not None:
            raise self._failure
        self._in_batch, self._waiting = self._waiting, []
        return [event for event in batch if event is not None]

    def note_end(self, task: asyncio.Task[None]) -> None:
        """Take note that the task of a call has ended; one that did not do so in good order ends the step."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failure = error
            self._queue.put_nowait(None)

    def were_taken(self) -> None:
        """Let those go on who waited for the last batch."""
        for future in self._in_batch:
            if not future.done():
                future.set_result(None)


class InOrder:
    """Under a virtual clock, the events of calls that work at once, as if they had worked one after the other.

    What they print and give back is held until all have ended: which is quicker is the machine's doing.

    Args:
        call_ids: The calls, in their order.
    """

    def __init__(self, call_ids: Sequence[str]) -> None:
        self._place = {id: n for n, id in enumerate(call_ids)}
        self._held: list[AgentEvent] = []

    def of(self, batch: list[AgentEvent], *, is_last: bool) -> list[AgentEvent]:
        """Return what of a batch is handed on now, with what was held at the last."""
        if not clock.is_virtual() and not self._held:
            return batch
        now: list[AgentEvent] = []
        for event in batch:
            (self._held if isinstance(event, ToolOutput | ToolCallComplete) else now).append(event)
        if is_last:
            now += sorted(self._held, key=self._place_of)
        return now

    def _place_of(self, event: AgentEvent) -> int:
        return self._place.get(getattr(event, "call_id", ""), 0)


class Output:
    """What one tool prints and shows, from any thread, as few events: a print is two writes, a loop thousands."""

    def __init__(self, call_id: str, events: Events) -> None:
        self._call_id = call_id
        self._events = events
        self._loop = asyncio.get_running_loop()
        self._waiting: list[tuple[str, str, dict[str, Any]]] = []
        self._lock = threading.Lock()

    def emit(self, kind: str, text: str, data: dict[str, Any]) -> None:
        """Take one piece; text of one stream is joined until the loop comes to it."""
        with self._lock:
            is_first = not self._waiting
            self._waiting.append((kind, text, data))
        if is_first and not clock.is_virtual():  # there how it is cut up must not depend on the machine
            self._loop.call_soon_threadsafe(self._flush)

    def end(self) -> None:
        """Hand over what is still there: the tool has ended. On the loop."""
        if clock.is_virtual():
            self._flush()

    def _flush(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for kind, group in groupby(waiting, lambda piece: piece[0]):
            pieces = list(group)
            if kind in ("stdout", "stderr"):
                self._events.put(ToolOutput(self._call_id, kind, "".join(text for _, text, _ in pieces)))
            else:
                for _, text, data in pieces:
                    self._events.put(ToolOutput(self._call_id, kind, text, data))
