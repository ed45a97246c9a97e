"""What is said where a request is not on the tape: in what it differs from the nearest one that is.

One idea: whoever changed a prompt knows at once that it was this, and whoever did not sees what else it was.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from os.path import commonprefix
from typing import Any

from lumos_nb.tapes.canonical import canonical
from lumos_nb.tapes.format import Interaction, RequestLine
from lumos_nb.tapes.lookup import is_of
from lumos_nb.tapes.scenes import Scene

_MOST_CHANGES = 6
_MOST_COMPARED = 100
_SHOWN = 36
_TURNS = ("messages", "contents", "input")


def difference(request: RequestLine, recorded: Sequence[Interaction], scene: Scene) -> str:
    """Return in words how a request differs from the nearest one that is recorded, the same cell's first."""
    of_cell = [each for each in recorded if is_of(each.request, scene)]
    nearest = _nearest(request, of_cell or recorded)
    if nearest is None:
        return "Nothing is recorded on it."
    where = "of this cell" if of_cell else "on the tape"
    said = listed(changes(canonical(nearest.request), canonical(request)))
    return f"Nearest {where}, request {nearest.request.i}: {said}."


def has_grown(request: RequestLine, recorded: Sequence[Interaction], scene: Scene) -> bool:
    """Return whether the cell asked the same before, and only the conversation before it is longer now.

    A notebook's thread goes on when its cells are run again, so that none of them asks what it asked before.
    """
    turns = _turns(request)
    older = [_turns(each.request) for each in recorded if is_of(each.request, scene)]
    return any(len(turns) > len(each) and each and turns[-1] == each[-1] for each in older)


def _turns(line: RequestLine) -> list[Any]:
    body = canonical(line).get("body")
    found = next((body[name] for name in _TURNS if body.get(name)), None) if isinstance(body, dict) else None
    return found if isinstance(found, list) else []


def asked_too_often(request: RequestLine, n_recorded: int) -> str:
    """Return in words that a request was made more often than it was recorded; empty: it was never recorded.

    Example:
        >>> asked_too_often(RequestLine(i=-1, method="GET", url="http://h/v1/models"), 2)
        'Recorded twice, asked for the 3rd time: a request: GET http://h/v1/models.'
    """
    if not n_recorded:
        return ""
    times = {1: "once", 2: "twice"}.get(n_recorded, f"{n_recorded} times")
    return f"Recorded {times}, asked for the {_nth(n_recorded + 1)} time: {described(request)}."


def _nth(n: int) -> str:
    """Return a number as it stands in a row.

    Example:
        >>> _nth(2), _nth(3), _nth(11), _nth(21)
        ('2nd', '3rd', '11th', '21st')
    """
    ending = "th" if n % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{ending}"


def listed(said: Iterable[str]) -> str:
    """Return the first of some sayings, and how many more there are.

    Example:
        >>> listed("abcdefgh")
        'a; b; c; d; e; f; and 2 more'
    """
    every = list(said)
    more = f"; and {len(every) - _MOST_CHANGES} more" if len(every) > _MOST_CHANGES else ""
    return "; ".join(every[:_MOST_CHANGES]) + more


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
        yield f"{path or 'the body'} changed: {_shown(old)} → {_shown(new)}"
    elif isinstance(old, dict):
        yield from _of_dicts(path, old, new)
    elif isinstance(old, list):
        yield from _of_lists(path, old, new)
    elif old != new:
        if isinstance(old, str):
            old, new = _apart(old, new)
        yield f"{path or 'the body'} changed: {_shown(old)} → {_shown(new)}"


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
    start = _n_same(old, new)
    end = _n_same(old[start:][::-1], new[start:][::-1]) if len(old) != len(new) else 0
    left, right = old[start : len(old) - end], new[start : len(new) - end]
    for n, (a, b) in enumerate(zip(left, right, strict=False), start=start):
        yield from _changed(f"{path}[{n}]", a, b)
    n = start + min(len(left), len(right))
    for k, entry in enumerate(left[len(right) :]):
        yield f"{path}[{n + k}] removed: {_shown(_words(entry))}"
    for k, entry in enumerate(right[len(left) :]):
        yield f"{path}[{n + k}] added: {_shown(_words(entry))}"


def _n_same(old: list[Any], new: list[Any]) -> int:
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
    start = max((old.rfind(" ", 0, start) + 1) if start else 0, start - _SHOWN // 2)
    before = "…" if start else ""
    return before + old[start:], before + new[start:]


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return repr(_shortened(text)) if isinstance(value, str) else _shortened(text)


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def asked(line: RequestLine) -> str:
    """Return how the last text of a recorded request begins."""
    return _shortened(last_text(_turns(line)))


def described(line: RequestLine) -> str:
    """Return a recorded request in a few words: its cell, its model, how its last message begins.

    Example:
        >>> import msgspec
        >>> body = msgspec.Raw(b'{"model": "m", "messages": [{"role": "user", "content": "Hello there"}]}')
        >>> described(RequestLine(i=3, cell="a1", url="http://h/v1/chat", body=body))
        "request 3 of cell 'a1' to m: 'Hello there'"
    """
    cell = f" of cell {line.cell!r}" if line.cell else ""
    who = (f"request {line.i}" if line.i >= 0 else "a request") + cell
    body = canonical(line).get("body")
    if not isinstance(body, dict):
        return f"{who}: {line.method} {line.url}"
    model = model_of(line, body)
    turns = next((body[name] for name in _TURNS if body.get(name)), "")
    said = last_text(turns)
    return who + (f" to {model}" if model else "") + (f": {_shown(said)}" if said else "")


def model_of(line: RequestLine, body: Any) -> str:
    """Return the model that a request asks, by its body or its address; empty where neither says it."""
    found = re.search(r"/models?/([^/?]+?)(?=:\w+(?:\?|$)|/)", line.url)
    return str((body.get("model") if isinstance(body, dict) else "") or (found[1] if found else ""))


def last_text(turns: Any) -> str:
    """Return the last text that stands in messages of any format."""
    if isinstance(turns, list):
        return next(filter(None, map(last_text, reversed(turns))), "")
    if isinstance(turns, dict):
        inner = (turns[name] for name in ("content", "parts", "text", "output") if turns.get(name))
        return next(filter(None, map(last_text, inner)), "")
    return turns if isinstance(turns, str) else ""


def _nearest(request: RequestLine, recorded: Sequence[Interaction]) -> Interaction | None:
    mine = dict(_leaves("", canonical(request)))

    def nearness(interaction: Interaction) -> float:
        other = dict(_leaves("", canonical(interaction.request)))
        both = mine.keys() & other.keys()
        return sum(_alike(mine[path], other[path]) for path in both) / max(1, len(mine.keys() | other.keys()))

    # The last ones: a conversation that grows is nearest to its latest turns.
    return max(recorded[-_MOST_COMPARED:], key=nearness, default=None)


def _alike(old: str, new: str) -> float:
    """Return 1 for the same text, less the earlier two begin to differ."""
    return 1.0 if old == new else len(commonprefix((old, new))) / max(len(old), len(new), 1) / 2  # noqa: RUF071


def _leaves(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _leaves(f"{path}.{name}", inner)
    elif isinstance(value, list) and value:
        for n, inner in enumerate(value):
            yield from _leaves(f"{path}[{n}]", inner)
    else:
        yield path, json.dumps(value, sort_keys=True)
