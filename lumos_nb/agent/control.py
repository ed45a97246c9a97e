"""What may reach a run from outside while it works: a word of the person, a pause.

One idea: the run looks here at its own gates, before it asks the model and before tools begin. Any
thread may speak; nothing is forced on a step that is under way.
"""

from __future__ import annotations

import asyncio
import threading

from lumos_nb.errors import UsageError


class RunControl:
    """The reins of one run, given to it with the option `control`.

    Example:
        >>> control = RunControl()
        >>> control.steer("Only the north, please.")
        >>> control.take()
        ['Only the north, please.']
        >>> control.pause(); control.is_paused
        True
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._said: list[str] = []
        self._is_paused = False
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    @property
    def is_paused(self) -> bool:
        """Whether the run stands still at its next gate."""
        return self._is_paused

    @property
    def has_said(self) -> bool:
        """Whether something was said that the agent has not read."""
        return bool(self._said)

    def steer(self, text: str) -> None:
        """Say something that the agent reads before its next step.

        Raises:
            UsageError: It is empty: a model refuses a message without words.
        """
        if not text.strip():
            raise UsageError("There is nothing to say.", hint="Write what the agent should know or do.")
        with self._lock:
            self._said.append(text)

    def take(self) -> list[str]:
        """Return what was said since the last call."""
        with self._lock:
            said, self._said = self._said, []
        return said

    def pause(self) -> None:
        """Let the run stand still at its next gate."""
        with self._lock:
            self._is_paused = True

    def go_on(self) -> None:
        """End a pause."""
        with self._lock:
            self._is_paused, waiting, self._waiting = False, self._waiting, []
        for loop, event in waiting:
            loop.call_soon_threadsafe(event.set)

    async def gate(self) -> None:
        """Return when the run is not paused."""
        while True:
            waiting = (asyncio.get_running_loop(), asyncio.Event())
            with self._lock:
                if not self._is_paused:
                    return
                self._waiting.append(waiting)
            try:
                await waiting[1].wait()
            finally:
                with self._lock:
                    if waiting in self._waiting:  # cancelled: its loop may be closed when the pause ends
                        self._waiting.remove(waiting)


UNCONTROLLED = RunControl()
"""The reins of every run to which nobody gave any: nobody holds them, so one is enough."""
