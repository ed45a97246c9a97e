"""Who is asked before a tool runs, and how the answer comes back.

One idea: the best way that is there, and what is there is found by asking. A page that has shown a
sign of life is waited for, however long. Where none does, the question is typed (`prompt.py`); where
nobody can type, policy decides.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from lumos_nb.agent.approval import Decision, Question
from lumos_nb.agent.errands import ToolInterruptedError
from lumos_nb.notebook.home import NotebookHome
from lumos_nb.notebook.prompt import NobodyThereError, prompt

HEARD_WITHIN_S = 3.0
"""How long a page may take to answer the first ping before the question is typed."""

LOOK_S = 0.05


class Page(Protocol):
    """A view with a page behind it, as far as questions need it."""

    #: When the page last sent anything, by the monotonic clock; 0.0 if never.
    heard_at: float

    def ping(self) -> None:
        """Ask the page for a sign of life."""


class Asking:
    """The questions of one run.

    Args:
        shell: The IPython shell.
        home: Where a question can be typed: the cell's own thread; None where there is no cell.
        view: The run's view; one without `heard_at` has no buttons.

    Example:
        >>> import asyncio
        >>> from types import SimpleNamespace
        >>> from lumos_nb.messages import ToolCall
        >>> from lumos_nb.tools import Tool
        >>> asking = Asking(shell=None, home=None, view=SimpleNamespace(heard_at=1.0))
        >>> async def click():
        ...     call = ToolCall(id="c1", name="rows", arguments="{}")
        ...     answer = asyncio.create_task(asking.ask(Question(call, Tool(lambda: 1, name="rows"))))
        ...     await asyncio.sleep(0)
        ...     print([question.call.name for question in asking.pending])
        ...     print(repr(asking.decide({"t": "allow", "call_id": "c1"})))
        ...     print(asking.decide({"t": "deny", "call_id": "c1"}))
        ...     return (await answer).decision
        >>> asyncio.run(click())
        ['rows']
        ''
        This call is already decided.
        'allow'
    """

    def __init__(self, shell: Any, home: NotebookHome | None, view: Any) -> None:
        self._shell, self._home = shell, home
        self._page: Page | None = view if hasattr(view, "heard_at") else None
        self._lock = threading.Lock()
        self._open: dict[str, _Waiting] = {}
        self._decided: set[str] = set()
        self._is_over = False
        self._patience_ends = 0.0
        self._one_at_a_time = asyncio.Lock()

    @property
    def pending(self) -> list[Question]:
        """The questions that nobody has answered yet."""
        with self._lock:
            return [waiting.question for waiting in self._open.values()]

    def has_asked(self, call_id: str) -> bool:
        """Return whether somebody was asked about this call."""
        with self._lock:
            return call_id in self._open or call_id in self._decided

    async def ask(self, question: Question) -> Decision:
        """Put a question and return what was decided: the run's `Approver`."""
        waiting = _Waiting(question)
        with self._lock:
            self._decided.discard(question.call.id)  # vendors number calls anew in each step
            self._open[question.call.id] = waiting
        try:
            if await self._is_heard(waiting.answer):
                return await waiting.answer
            return await self._typed(waiting)
        finally:
            with self._lock:
                self._open.pop(question.call.id, None)
                self._decided.add(question.call.id)

    def decide(self, action: dict[str, Any]) -> str:
        """Take a page's answer; any thread may call it.

        Args:
            action: `t` is allow, allow_thread, edit or deny; `call_id`; `arguments` or `reason` as far as needed.

        Returns:
            Why it cannot be taken, for the person to read; empty if it was.
        """
        call_id = str(action.get("call_id", ""))
        decision = Decision(
            decision=action["t"], arguments=str(action.get("arguments", "")), reason=str(action.get("reason", ""))
        )
        with self._lock:
            waiting = self._open.get(call_id)
        if waiting is None:
            return self._too_late(call_id)
        if problem := waiting.question.problem_of(decision):
            return problem
        with self._lock:
            if self._open.get(call_id) is not waiting:
                return self._too_late(call_id)
            del self._open[call_id]
            self._decided.add(call_id)
        waiting.settle(decision)
        return ""

    def _too_late(self, call_id: str) -> str:
        if call_id in self._decided:
            return "This call is already decided."
        return "The run has ended." if self._is_over else "No call waits for this answer."

    def cancel(self) -> None:
        """Take back what is asked: the run is over."""
        with self._lock:
            self._is_over = True
            waiting = list(self._open.values())
        for one in waiting:
            one.cancel()

    # ---- who is there -----------------------------------------------------------------

    async def _is_heard(self, answer: asyncio.Future[Decision]) -> bool:
        """Whether a page is there. The first question of a run waits a while for its first sign."""
        page = self._page
        if page is None:
            return False
        if not page.heard_at and not self._patience_ends:
            self._patience_ends = time.monotonic() + HEARD_WITHIN_S
            page.ping()
        while not page.heard_at and not answer.done() and time.monotonic() < self._patience_ends:
            await asyncio.wait({answer}, timeout=LOOK_S)
        return bool(page.heard_at) or answer.done()

    async def _typed(self, waiting: _Waiting) -> Decision:
        async with self._one_at_a_time:
            if self._home is None or not can_type(self._shell):
                return policy(waiting.question)
            await asyncio.sleep(LOOK_S)  # what became of the one before is printed first, not behind the question
            typing = asyncio.ensure_future(self._home.call(lambda: prompt(waiting.question)))
            try:  # a page that comes late may still click
                await asyncio.wait({typing, waiting.answer}, return_when=asyncio.FIRST_COMPLETED)
                return waiting.answer.result() if waiting.answer.done() else await typing
            except (NobodyThereError, ToolInterruptedError):
                return policy(waiting.question)
            finally:
                typing.cancel()


class _Waiting:
    """One question and the future of its answer, on the loop of the run."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self._loop = asyncio.get_running_loop()
        self.answer: asyncio.Future[Decision] = self._loop.create_future()

    def settle(self, decision: Decision) -> None:
        self._soon(lambda: None if self.answer.done() else self.answer.set_result(decision))

    def cancel(self) -> None:
        self._soon(self.answer.cancel)

    def _soon(self, fn: Callable[[], object]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(fn)


def can_type(shell: Any) -> bool:
    """Return whether a person can be asked to type something in this cell or terminal.

    Example:
        >>> from types import SimpleNamespace
        >>> can_type(SimpleNamespace(kernel=SimpleNamespace(_allow_stdin=False)))
        False
    """
    kernel = getattr(shell, "kernel", None)
    if kernel is not None:
        return bool(getattr(kernel, "_allow_stdin", False))
    return sys.stdin is not None and sys.stdin.isatty()


def policy(question: Question) -> Decision:
    """Return what is decided where nobody can be asked."""
    reason = f"Nobody could be asked here. Allow it ahead with `--approve {question.call.name}` or the setting approve."
    return Decision(decision="deny", by="policy", reason=reason)
