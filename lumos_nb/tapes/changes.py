"""In what two requests differ, in words.

One idea: whoever changed a prompt knows at once that it was this, and whoever did not sees what else it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from lumos_nb.tapes.asked import shortened
from lumos_nb.tapes.scrub import shown_text

_AROUND = 18
"""Characters that are shown before the place where two texts begin to differ."""


def changes(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Return the differences of two canonical requests in words.

    Example:
        >>> old = {"body": {"messages": [{"content": "Go south now"}], "n": 1}}
        >>> changes(old, {"body": {"messages": [{"content": "Go north now"}], "temperature": 0.5, "n": "1"}})
        ["messages[0].content changed: '…south now' → '…north now'", "n changed: 1 → '1'", 'temperature added']
    """
    said = [each for part in ("method", "url") for each in _changed(part, old.get(part), new.get(part))]
    said += [f"header {each}" for each in _of_dicts("", old.get("headers", {}), new.get("headers", {}))]
    for part, path in (("body", ""), ("body64", "body")):
        if (part in old) != (part in new):
            said.append(f"the body {'is no longer' if part in old else 'is now'} {_KINDS[part]}")
        elif part in old:
            said += _changed(path, old[part], new[part])
    return said


_KINDS = {"body": "JSON", "body64": "bytes that are no JSON"}


def _changed(path: str, old: Any, new: Any) -> Iterator[str]:
    if type(old) is not type(new):
        yield f"{path or 'the body'} changed: {shortened(old)} → {shortened(new)}"
    elif isinstance(old, dict):
        yield from _of_dicts(path, old, new)
    elif isinstance(old, list):
        yield from _of_lists(path, old, new)
    elif old != new:
        if isinstance(old, str):
            old, new = _apart(shown_text(old), shown_text(new))
        yield f"{path or 'the body'} changed: {shortened(old)} → {shortened(new)}"


def _of_dicts(path: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    for name in [*old, *(name for name in new if name not in old)]:
        inner = f"{path}.{name}" if path else name
        if name not in new:
            yield f"{inner} removed"
        elif name not in old:
            yield f"{inner} added"
        else:
            yield from _changed(inner, old[name], new[name])


def _of_lists(path: str, old: list[Any], new: list[Any]) -> Iterator[str]:
    # What is the same before and behind is passed over, so that one entry more is not a change of all behind it.
    start = n_same(old, new)
    end = n_same(old[start:][::-1], new[start:][::-1]) if len(old) != len(new) else 0
    left, right = old[start : len(old) - end], new[start : len(new) - end]
    for n, (a, b) in enumerate(zip(left, right, strict=False), start=start):
        yield from _changed(f"{path}[{n}]", a, b)
    n = start + min(len(left), len(right))
    for k, entry in enumerate(left[len(right) :]):
        yield f"{path}[{n + k}] removed: {shortened(_words(entry))}"
    for k, entry in enumerate(right[len(left) :]):
        yield f"{path}[{n + k}] added: {shortened(_words(entry))}"


def n_same(old: list[Any], new: list[Any]) -> int:
    """Return how many entries two lists begin with that are the same.

    Example:
        >>> n_same([1, 2, 3], [1, 2.0, 3])
        1
    """
    pairs = zip(old, new, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if not _is_same(a, b)), min(len(old), len(new)))


def _is_same(a: Any, b: Any) -> bool:
    # Python holds 1, 1.0 and True for equal.
    return a == b and json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)


def _words(entry: Any) -> Any:
    """Return what of a message or a tool says most."""
    if not isinstance(entry, dict):
        return entry
    function = entry.get("function")
    inner = function if isinstance(function, dict) else entry
    return next((inner[name] for name in ("content", "name", "text", "parts") if inner.get(name)), entry)


def _apart(old: str, new: str) -> tuple[str, str]:
    """Return two texts from a little before where they differ."""
    start = next((n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    start = max((old.rfind(" ", 0, start) + 1) if start else 0, start - _AROUND)
    before = "…" if start else ""
    return before + old[start:], before + new[start:]
