"""What a page may ask of a run, checked before anybody else sees it.

One idea: whatever a page sends is a claim. An action is passed on if it has its fields, in their types
and of a bearable size, and is about a call that waits; all else is refused in words.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lumos_nb.messages import valid_text

Act = Callable[[dict[str, Any]], str | None]
"""Takes an action and returns what is wrong with it, in words; nothing if it was taken."""

LONGEST_BYTES = 100_000
"""A text longer than this is refused: nobody wrote it into a form."""

_FIELDS: dict[str, tuple[str, ...]] = {
    "stop": (),
    "allow": ("call_id",),
    "allow_thread": ("call_id",),
    "edit": ("call_id", "arguments"),
    "deny": ("call_id", "reason"),
    "steer": ("text",),
}
_NOT_UNDERSTOOD = "The kernel did not understand this request. Reload the page and try again."


class Refused(ValueError):
    """An action that is not passed on; its text is shown to the person."""


def number_of(content: dict[str, Any]) -> int | None:
    """Return the number that a page gave its action, by which it is acknowledged.

    Example:
        >>> number_of({"t": "stop", "n": 7}), number_of({"t": "stop", "n": True})
        (7, None)
    """
    n = content.get("n")
    return n if type(n) is int and 0 <= n < 2**53 else None


def outline(content: Any) -> str:
    """Return what a message consists of, for the log, which a notebook may keep: names and types, no values.

    Example:
        >>> outline({"t": "deny", "reason": "the password is …", "n": 1})
        'n: int, reason: str, t: str (deny)'
    """
    if not isinstance(content, dict):
        return type(content).__name__
    kind = content.get("t")
    parts = [f"{name}: {type(content[name]).__name__}" for name in sorted(map(str, content)) if name in content]
    return ", ".join(parts)[:200] + (f" ({kind})" if isinstance(kind, str) and kind in _FIELDS else "")


def checked(content: dict[str, Any], doc: dict[str, Any]) -> dict[str, Any]:
    """Return an action with its own fields only.

    Args:
        content: What the page sent.
        doc: The document of the run.

    Raises:
        Refused: It cannot have been asked for in earnest, or comes too late.

    Example:
        >>> checked({"t": "stop", "n": 1, "more": 2}, {"status": "running", "items": []})
        {'t': 'stop'}
    """
    kind = content.get("t")
    fields = _FIELDS.get(kind) if isinstance(kind, str) else None
    if fields is None or not all(isinstance(content.get(field), str) for field in fields):
        raise Refused(_NOT_UNDERSTOOD)
    action: dict[str, str] = {"t": str(kind), **{field: valid_text(content[field]) for field in fields}}
    for field in fields:
        if len(action[field].encode()) > LONGEST_BYTES:
            raise Refused(f"This is too long: {LONGEST_BYTES // 1000} kB are the most.")
    if kind == "steer" and not action["text"].strip():
        raise Refused("There is nothing to say.")
    if doc["status"] != "running":
        raise Refused("The run has ended.")
    if "call_id" in fields:
        _check_call(action["call_id"], doc)
    return action


def _check_call(call_id: str, doc: dict[str, Any]) -> None:
    item = next((item for item in list(doc["items"]) if item.get("call_id") == call_id), None)
    if item is None:
        raise Refused("This run has no such call.")
    if item["status"] != "waiting":
        raise Refused("This call is already decided.")
