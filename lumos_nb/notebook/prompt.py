"""A question that is typed: in a terminal, and where no page answers.

One idea: one line with the answers that there are; whatever else is typed is asked again.
"""

from __future__ import annotations

import json

from lumos_nb.agent.approval import Choice, Decision, Question
from lumos_nb.messages import ToolCall
from lumos_nb.widgets import words
from lumos_nb.widgets.plain import ARGUMENT_WIDTH, call_line

_ANSWERS: dict[str, Choice] = {
    "y": "allow", "yes": "allow", "t": "allow_thread", "thread": "allow_thread", "e": "edit", "edit": "edit",
    "n": "deny", "no": "deny",
}  # fmt: skip


class NobodyThereError(Exception):
    """Nobody could type an answer: the input is at its end, or there is none."""


def prompt(question: Question) -> Decision:
    """Ask on this thread until there is an answer that can be taken.

    Raises:
        NobodyThereError: Nobody types here.
    """
    line = visible(f"{_in_full(question.call)}Allow {call_line(question.call)}? [y]es [t]hread [e]dit [n]o ")
    while True:
        answer = _ANSWERS.get(_read(line).strip().lower())
        if answer == "edit":
            decision = _edited(question)
        elif answer == "deny":
            decision = Decision(decision="deny", reason=_read("Why not, for the model (may be empty): ").strip())
        else:
            decision = Decision(decision=answer) if answer else None
        if decision is not None:
            return decision


def _edited(question: Question) -> Decision | None:
    """Return the call with other arguments, or None if nothing was typed."""
    problem = ""
    while text := _read(f"{problem}Arguments as JSON: ").strip():
        decision = Decision(decision="edit", arguments=text)
        if not (problem := question.problem_of(decision)):
            return decision
        problem = f"{problem}\n"
    return None


def _in_full(call: ToolCall) -> str:
    """Return the arguments that the question's own line cuts short: nobody should allow what they have not read.

    Example:
        >>> _in_full(ToolCall(id="1", name="rows", arguments='{"table": "orders"}'))
        ''
    """
    arguments = words.arguments(call.arguments)
    if arguments is None:
        return f"{call.arguments}\n"
    dumped = {name: json.dumps(value, ensure_ascii=False) for name, value in arguments.items()}
    cut = [name for name, text in dumped.items() if words.one_line(text, ARGUMENT_WIDTH) != text]
    return "".join(
        f"{name}:\n{arguments[name] if isinstance(arguments[name], str) else dumped[name]}\n" for name in cut
    )


def visible(text: str) -> str:
    r"""Return a text that a terminal shows as it is: nothing in it moves the cursor or turns the writing round.

    Example:
        >>> visible("rm \x1b[2Kls")
        'rm \\x1b[2Kls'
    """
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text)


def _read(line: str) -> str:
    try:
        return input(line)
    except (EOFError, NotImplementedError, OSError, RuntimeError):  # closed, refused by the front end, or no input
        raise NobodyThereError from None
