"""Putting request bodies together, in whichever format.

One idea: what a caller adds is merged with what the format wrote, and never replaces an object whole.
"""

from __future__ import annotations

from typing import Any

import msgspec


def merged(body: dict[str, Any], *more: dict[str, Any]) -> dict[str, Any]:
    """Return a body with further keys; where both have an object, the keys of the two are put together.

    Example:
        >>> merged({"text": {"format": "f"}, "a": 1}, {"text": {"verbosity": "low"}, "a": 2})
        {'text': {'format': 'f', 'verbosity': 'low'}, 'a': 2}
    """
    out = dict(body)
    for keys in more:
        for key, value in keys.items():
            old = out.get(key)
            out[key] = {**old, **value} if isinstance(old, dict) and isinstance(value, dict) else value
    return out


def object_of(text: str | None) -> dict[str, Any] | None:
    """Return the JSON object that a text holds, or None if it holds none.

    Example:
        >>> object_of('{"a": 1}'), object_of("[1]"), object_of('{"a": '), object_of(None)
        ({'a': 1}, None, None, None)
    """
    try:
        value = msgspec.json.decode(text or "null")
    except (msgspec.DecodeError, UnicodeEncodeError):
        return None
    return value if isinstance(value, dict) else None
