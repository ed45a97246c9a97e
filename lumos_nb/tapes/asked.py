"""What a recorded request asks, in short, whatever the vendor's format.

One idea: this is to be looked at. Members are known by the names that all formats give them; nothing is matched here.
"""

from __future__ import annotations

import json
import re
from typing import Any

from lumos_nb.tapes.canonical import canonical
from lumos_nb.tapes.format import RequestLine
from lumos_nb.tapes.scrub import shown_text

_TURNS = ("messages", "contents", "input")
_SHOWN = 36


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
    said = last_text(turns_of(body))
    return who + (f" to {model}" if model else "") + (f": {shortened(said)}" if said else "")


def turns_of(body: Any) -> Any:
    """Return the messages of a request's body; None: there are none."""
    return next((body[name] for name in _TURNS if body.get(name)), None) if isinstance(body, dict) else None


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


def shortened(value: Any) -> str:
    """Return a JSON value as it stands in a sentence.

    Example:
        >>> shortened("Go south now"), shortened([1, None])
        ("'Go south now'", '[1, null]')
    """
    text = shown_text(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    text = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return repr(text) if isinstance(value, str) else text
