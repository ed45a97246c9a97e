"""What a tool call may do without asking: allow, ask, deny.

One idea: the author of a tool marks it, the person's settings stand above the mark, and a list of
approvals answers questions ahead. Nothing here asks anybody.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase
from typing import Any, Literal, NamedTuple, get_args

from lumos_nb import settings
from lumos_nb.tools.function import Tool

Permission = Literal["allow", "ask", "deny"]


class Ruling(NamedTuple):
    """A permission, and the rule that gave it, as a person reads it."""

    permission: Permission
    reason: str = ""


ALLOWED = Ruling("allow")
"""What most calls get."""


def ruling(tool: Tool, arguments: dict[str, Any]) -> Ruling:
    """Return what a call may do: by the settings first, then by the tool's own mark.

    Args:
        tool: The tool.
        arguments: What it is called with, for a mark that is a function of them.

    Example:
        >>> ruling(Tool(lambda: None, name="clear", permission="ask"), {})
        Ruling(permission='ask', reason='It is marked to ask first.')
        >>> by_path = Tool(lambda path: None, name="write", permission=lambda path: "ask" if path == "/" else "allow")
        >>> ruling(by_path, {"path": "notes.txt"}).permission
        'allow'
    """
    for pattern, permission in settings.current().permissions.items():
        if fnmatchcase(tool.name, pattern):
            return Ruling(permission, f"The setting permissions has {pattern!r}: {permission!r}.")
    if tool.permission == "allow":
        return ALLOWED
    if not callable(tool.permission):
        return Ruling(tool.permission, _MARKS[tool.permission])
    try:
        found = tool.permission(**arguments)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # the author's rule; one that fails, however it does, must not let through
        return Ruling("ask", f"Its own rule failed: {type(error).__name__}: {error}")
    known: tuple[Permission, ...] = get_args(Permission)
    for permission in known if isinstance(found, str) else ():
        if found == permission:
            return ALLOWED if permission == "allow" else Ruling(permission, f"Its own rule says {permission}.")
    shown = repr(found) if isinstance(found, str) else f"a value of type {type(found).__name__}"
    return Ruling("ask", f"Its own rule gave {shown}, not allow, ask or deny.")


def standing(tool: Tool) -> Ruling:
    """Return what calls of a tool may do before their arguments are known; a rule of its own is to `ask`.

    Example:
        >>> standing(Tool(lambda: None, name="clear", permission="ask"))
        Ruling(permission='ask', reason='It is marked to ask first.')
    """
    if not callable(tool.permission) or any(fnmatchcase(tool.name, p) for p in settings.current().permissions):
        found = ruling(tool, {})
    else:
        found = Ruling("ask", "Its own rule decides by the arguments.")
    if found.permission == "ask" and is_approved(tool.name, patterns_of(settings.current().approve)):
        return Ruling("allow", "The setting approve has it.")
    return found


_MARKS = {"ask": "It is marked to ask first.", "deny": "It is marked as denied."}


def is_approved(name: str, patterns: Iterable[str]) -> bool:
    """Return whether a list of names and patterns, such as `read_*`, has this tool; `all` has every one.

    Example:
        >>> is_approved("read_file", ["rows", "read_*"]), is_approved("write_file", ["all"]), is_approved("x", [])
        (True, True, False)
    """
    return any(pattern == "all" or fnmatchcase(name, pattern) for pattern in patterns)


def patterns_of(text: str | Collection[str]) -> tuple[str, ...]:
    """Return names and patterns from a list, or a text with commas.

    Example:
        >>> patterns_of("rows, read_*")
        ('rows', 'read_*')
    """
    parts = text.split(",") if isinstance(text, str) else text
    return tuple(part.strip() for part in parts if part.strip())
