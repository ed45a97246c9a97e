"""Asking a person before a tool runs.

One idea: the run puts a question and waits; who answers, and by what means, is the caller's. An
`Approver` is any async function from a `Question` to a `Decision`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal

import msgspec

from lumos_nb.context import RuntimeContext
from lumos_nb.errors import ToolError
from lumos_nb.messages import ToolCall
from lumos_nb.tools import Tool


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided about a tool call.

    Example:
        >>> Decision(decision="deny", reason="not on a Friday").is_allowed
        False
    """

    decision: Literal["allow", "allow_thread", "edit", "deny"]
    #: With `edit`: the arguments to run with, as JSON text.
    arguments: str = ""
    #: With `deny`: why, as the model is told.
    reason: str = ""
    #: person, or policy.
    by: str = "person"

    @property
    def is_allowed(self) -> bool:
        """Whether the call may run."""
        return self.decision != "deny"


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
        """Return why a decision cannot be taken, such as arguments that do not fit; empty if it can.

        Example:
            >>> question = Question(ToolCall(id="1", name="f", arguments="{}"), Tool(lambda n=1: n, name="f"))
            >>> question.problem_of(Decision(decision="edit", arguments="{"))[:31]
            "The arguments of 'f' were not a"
        """
        if decision.decision != "edit":
            return ""
        try:
            self.tool.arguments(msgspec.structs.replace(self.call, arguments=decision.arguments), RuntimeContext())
        except ToolError as error:
            return error.message
        return ""


Approver = Callable[[Question], Awaitable[Decision]]
"""Puts a question to somebody and returns the decision. Cancelled when the run ends."""
