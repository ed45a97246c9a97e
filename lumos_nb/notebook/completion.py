"""What can stand at the cursor in a `%%agent` cell or behind `%agent`, `%thread`, `%trace` and `%lumos`.

One idea: the kernel knows the names; every front end asks here. IPython's own completer does (`complete_request`,
a terminal), and so does the extension of JupyterLab, which is answered while a cell runs, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from lumos_nb.notebook.candidates import Candidate, Names
from lumos_nb.notebook.options import OPTIONS, TABLE
from lumos_nb.runtime import Runtime

N_MOST = 200
"""Candidates that are told at most; who has more types another letter."""

_CELL = re.compile(r"\s*%%agent(?=[ \t]|$)", re.MULTILINE)
_LINE = re.compile(r"[ \t]*%(agent|thread|trace|lumos)[ \t]+(.*)$")
_WORD = re.compile(r"""(?:[^\s'"]|'[^']*(?:'|$)|"[^"]*(?:"|$))+$""")


class Completed(msgspec.Struct, frozen=True, kw_only=True):
    """What may stand in place of the characters from `start` to `end` of a cell."""

    start: int
    end: int
    items: list[Candidate]


def complete(source: str, cursor: int, names: Names) -> Completed | None:
    """Return what can stand at a cursor; None where it is nothing of ours.

    Args:
        source: All of the cell.
        cursor: Characters before the cursor.
        names: What there is in the notebook.

    Example:
        >>> names = Names(Runtime({}))
        >>> [item.text for item in complete("%%agent --max", 13, names).items]
        ['--max-steps', '--max-cost']
        >>> complete("a = 1", 5, names) is None
        True
    """
    before = source[:cursor]
    magic = _CELL.match(source)
    if magic and cursor >= magic.end():
        line = before[magic.end() :]
        if "\n" in line:
            return _in_braces(line, cursor, names)
        return _in_options(line, cursor, names)
    last = before.rpartition("\n")[2]
    if (command := _LINE.match(last)) is None:
        return None
    return _found(names.of_magic(command[1], command[2].split()[:-1] if _word(command[2]) else command[2].split()),
                  _word(command[2]), cursor)  # fmt: skip


def _in_options(line: str, cursor: int, names: Names) -> Completed:
    """Complete the first line of a `%%agent` cell."""
    word = _word(line)
    told = line[: len(line) - len(word)].split()
    option = next((o for o in TABLE if o.takes and told and told[-1] in o.names), None)
    name, equals, value = word.partition("=")
    if option is None and equals and name in OPTIONS:
        option, word = next(o for o in TABLE if name in o.names), value
    if option is not None:
        last = word if option.kind == "type" else word.rpartition(",")[2]
        if option.kind == "type":
            last = word.partition(":")[2] if ":" in word else word
            return _found(names.types() if ":" in word else [], last, cursor)
        return _found(names.of_kind(option.kind, told), last, cursor)
    free = [o for o in TABLE if o.field == "images" or not set(o.names) & set(told)]
    options = [Candidate(text=n, kind="option", help=o.help) for o in free for n in _shown(o.names, word)]
    has_agent = _has_agent(told)
    return _found([*([] if has_agent else names.agents()), *options], word, cursor)


def _shown(names: tuple[str, ...], word: str) -> tuple[str, ...]:
    """Return the form of an option that fits what was typed: the short one until two dashes are there."""
    return names[-1:] if word.startswith("--") else names[:1]


def _has_agent(told: list[str]) -> bool:
    takes = False
    for word in told:
        if not takes and not word.startswith("-"):
            return True
        takes = OPTIONS.get(word, ("", False))[1]
    return False


def _in_braces(body: str, cursor: int, names: Names) -> Completed | None:
    """Complete Python between double braces that are still open."""
    start = body.rfind("{{")
    if start < 0 or "}}" in body[start:]:
        return None
    expression = body[start + 2 :]
    text, found = names.python(expression)
    return Completed(start=cursor - len(text), end=cursor, items=found[:N_MOST])


def _found(candidates: Iterable[Candidate], typed: str, cursor: int) -> Completed:
    """Return those that begin with what was typed; where none does, those that hold it."""
    bare, every = typed.lstrip("'\"").lower(), list(candidates)
    hits = [c for c in every if c.text.lstrip("'\"").lower().startswith(bare)]
    hits = hits or [c for c in every if bare in c.text.lower()]
    return Completed(start=cursor - len(typed), end=cursor, items=hits[:N_MOST])


def _word(text: str) -> str:
    """Return the word that the cursor ends, with its quote."""
    found = _WORD.search(text)
    return found[0] if found else ""


class Completing:
    """Lets a shell's own completer ask here; `install` and `remove` it."""

    def __init__(self, shell: Any, runtime: Runtime) -> None:
        self._shell = shell
        self.names = Names(runtime, shell)

    def install(self) -> None:
        """Add to the shell's completer."""
        from IPython.core.completer import context_matcher

        @context_matcher(identifier="lumos_nb")  # type: ignore[untyped-decorator]
        def match(context: Any) -> dict[str, Any]:
            return self._match(context)

        self._matcher = match
        self._shell.Completer.custom_matchers.append(self._matcher)

    def remove(self) -> None:
        """Take out again."""
        self._shell.Completer.custom_matchers.remove(self._matcher)

    def _match(self, context: Any) -> dict[str, Any]:
        from IPython.core.completer import SimpleCompletion

        lines = context.full_text.split("\n")
        cursor = sum(len(line) + 1 for line in lines[: context.cursor_line]) + context.cursor_position
        found = complete(context.full_text, cursor, self.names)
        if found is None:
            return {"completions": []}
        return {
            "completions": [SimpleCompletion(item.text, type=item.kind) for item in found.items],
            "matched_fragment": context.full_text[found.start : found.end], "suppress": True, "ordered": True,
        }  # fmt: skip
