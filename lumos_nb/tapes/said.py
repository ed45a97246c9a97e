"""What a stream of events says once its pieces are joined: a key that comes token by token stands in no event.

One idea: the same member of one event after the other is one text. Nothing of a vendor's format has to be known.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

_DECODER = json.JSONDecoder(strict=False)
Path = tuple[str | int, ...]
"""Names and numbers of the members that lead to a text."""


def said(body: str) -> list[str]:
    """Return the texts of the events in a body, those of the same member joined.

    Example:
        >>> said('data: {"id": "a", "text": "one, "}\\n\\ndata: {"id": "a", "text": "two"}\\n\\n')
        ['a', 'one, two']
    """
    return list(said_at(body).values())


def said_at(body: str) -> dict[Path, str]:
    """Return the texts of the events in a body by the path of their member.

    Example:
        >>> said_at('{"delta": {"text": "one, "}}\\n{"delta": {"text": "two"}}')
        {('delta', 'text'): 'one, two'}
    """
    texts: defaultdict[Path, list[str]] = defaultdict(list)
    for value in _values(body):
        _take(value, (), texts)
    # What each event repeats, as an id, is no text in pieces.
    return {path: "".join(parts) if len(set(parts)) > 1 else parts[0] for path, parts in texts.items()}


def _values(body: str) -> Iterator[Any]:
    """Yield the JSON objects of a body, whatever stands between them."""
    at = body.find("{")
    while at >= 0:
        try:
            value, at = _DECODER.raw_decode(body, at)
            yield value
        except (ValueError, RecursionError):
            at += 1
        at = body.find("{", at)


def _take(value: Any, path: Path, texts: defaultdict[Path, list[str]]) -> None:
    if isinstance(value, str):
        texts[path].append(value)
    elif isinstance(value, list):
        for n, item in enumerate(value):
            _take(item, (*path, n), texts)
    elif isinstance(value, dict):
        # Calls of tools come in turns, and say which of them a piece belongs to.
        path = (*path, value["index"]) if isinstance(value.get("index"), int) else path
        for name, item in value.items():
            _take(item, (*path, name), texts)
