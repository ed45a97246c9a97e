"""Asking a person before a tool runs.

One idea: the run puts a question and waits; who answers, and by what means, is the caller's. An
`Approver` is any async function from a `Question` to a `Decision`.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Literal

import msgspec

from lumos_nb import settings
from lumos_nb.context import RuntimeContext
from lumos_nb.errors import ToolError
from lumos_nb.memory import Memory
from lumos_nb.messages import ToolCall, valid_text
from lumos_nb.tools import Tool
from lumos_nb.tools.permissions import ALLOWED, Ruling, is_approved, patterns_of, ruling

logger = logging.getLogger("lumos_nb")


Choice = Literal["allow", "allow_thread", "edit", "deny"]
"""What can be decided about a tool call."""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided about a tool call.

    Example:
        >>> Decision(decision="deny", reason="not on a Friday").is_allowed
        False
    """

    decision: Choice
    #: With `edit`: the arguments to run with, as JSON text.
    arguments: str = ""
    #: With `deny`: why, as the model is told.
    reason: str = ""
    #: person, or policy.
    by: str = "person"

    @property
    def is_allowed(self) -> bool:
        """Whether the call may run."""
        return self.decision in ("allow", "allow_thread", "edit")


class Question:
    """A tool call that waits for a person.

    Attributes:
        call: The call, with the arguments that the model wrote.
        tool: The tool that it calls.
        reason: Why it has to wait.
    """

    def __init__(self, call: ToolCall, tool: Tool, reason: str = "") -> None:
        self.call = call
        self.tool = tool
        self.reason = reason

    def problem_of(self, decision: Decision) -> str:
        """Return why a decision cannot be taken, such as arguments that do not fit or are denied; empty if it can.

        Example:
            >>> question = Question(ToolCall(id="1", name="f", arguments="{}"), Tool(lambda n=1: n, name="f"))
            >>> question.problem_of(Decision(decision="edit", arguments="{"))[:31]
            "The arguments of 'f' were not a"
        """
        try:
            msgspec.convert(msgspec.structs.asdict(decision), Decision)
        except msgspec.ValidationError as error:
            return f"That is no decision: {error}."
        if decision.decision != "edit":
            return ""
        call = msgspec.structs.replace(self.call, arguments=decision.arguments)
        try:
            found = ruling(self.tool, self.tool.arguments(call, RuntimeContext()))
        except ToolError as error:
            return error.message
        return f"These arguments are not allowed: {found.reason}" if found.permission == "deny" else ""


Approver = Callable[[Question], Awaitable[Decision] | Decision | bool]
"""Puts a question to somebody and returns the decision, or whether the call may run. Cancelled when the run ends."""

UNASKED = Decision(
    decision="deny",
    reason="Nobody could be asked. To allow it, pass on_approval= or approve=[…], or set LUMOS_APPROVE to its name.",
    by="policy",
)
"""What is decided where nobody can be asked."""


class Permits:
    """What the tool calls of one run may do, and who is asked where that is open.

    Args:
        approver: Who is asked; None: nobody can be, and what would have to be asked is denied.
        approved: Names and patterns that need no question, beside those of the setting `approve`.
        thread_id: Where "allow in this thread" holds; None: in this run alone.
        memory: Keeps what is allowed in a thread.
    """

    def __init__(
        self,
        approver: Approver | None = None,
        approved: str | Collection[str] = (),
        thread_id: str | None = None,
        memory: Memory | None = None,
    ) -> None:
        self._approver = approver
        self._approved = patterns_of(approved)
        self._thread_id = thread_id or ""
        self._memory = memory if thread_id is not None else None
        self._allowed: set[str] = set()
        self._open: dict[asyncio.Future[Decision], str] = {}

    def ruling(self, tool: Tool, arguments: dict[str, Any]) -> Ruling:
        """Return what a call may do by the rules alone."""
        found = ruling(tool, arguments)
        if found.permission != "ask":
            return found
        approved = (*self._approved, *patterns_of(settings.current().approve))
        return ALLOWED if is_approved(tool.name, approved) else found

    async def is_allowed_here(self, name: str) -> bool:
        """Return whether a person has allowed this tool in the thread, or in a run without one."""
        here = self._allowed if self._memory is None else await self._memory.allowed_tools(self._thread_id)
        return name in here

    async def ask(self, question: Question) -> Decision:
        """Return what was decided. One "allow in this thread" answers the other questions about that tool too."""
        name = question.tool.name
        if name in self._allowed and await self.is_allowed_here(name):  # while the question came into the log
            return Decision(decision="allow_thread")
        asking = asyncio.ensure_future(self._asked(question))
        self._open[asking] = name
        try:
            decision = await asking
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if name not in self._allowed or (task is not None and task.cancelling()):
                raise
            return Decision(decision="allow_thread")
        finally:
            asking.cancel()
            self._open.pop(asking, None)
        if decision.decision == "allow_thread":
            await self._allow(name)
        return decision

    async def _asked(self, question: Question) -> Decision:
        if self._approver is None:
            return UNASKED
        try:
            answer = self._approver(question)
            decision = await answer if inspect.isawaitable(answer) else answer
        except Exception as error:  # the caller's own code; what fails must not let through
            logger.exception("The approver of a run failed.")
            return Decision(decision="deny", reason=f"Asking failed: {type(error).__name__}.", by="policy")
        if not isinstance(decision, Decision):
            decision = Decision(decision="allow" if decision is True else "deny")
        if problem := question.problem_of(decision):
            return Decision(decision="deny", reason=problem, by="policy")
        return msgspec.structs.replace(decision, reason=valid_text(decision.reason))

    async def _allow(self, name: str) -> None:
        self._allowed.add(name)
        if self._memory is not None:
            await self._memory.allow_tool(self._thread_id, name)
        for asking, other in list(self._open.items()):
            if other == name:
                asking.cancel()


UNUSED = Permits()
"""Of every run without tools: nothing is asked for."""
