"""The servers' side of the wire formats: one module each, which writes an `Answer` as that format's stream.

A module has `PATH` (which requests are its), `CONTENT_TYPE`, `events(answer, body)`, `error(message,
code)` for an error in the middle, and `GARBAGE`, an event that cannot be read.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from re import Pattern
from typing import Any, Protocol, cast

from lumos_nb.providers.wire import FORMATS
from lumos_nb.testing.answers import Answer


class ServedFormat(Protocol):
    """What a module of this package offers."""

    PATH: Pattern[str]
    CONTENT_TYPE: str
    GARBAGE: bytes

    def events(self, answer: Answer, body: dict[str, Any]) -> Iterator[bytes]:
        """Yield the answer piece by piece, as bytes of the body."""
        ...

    def error(self, message: str, code: str) -> bytes:
        """Return an error in the middle of a stream."""
        ...


def served_format(name: str) -> ServedFormat:
    """Return the module that writes a format's streams.

    Example:
        >>> served_format("openai-chat").CONTENT_TYPE
        'text/event-stream'
    """
    return cast(ServedFormat, import_module(f"{__name__}.{name.replace('-', '_')}"))


def format_at(path: str) -> ServedFormat | None:
    """Return the format that is served at a path, or None if it is no model's.

    Example:
        >>> format_at("/v1/models") is None
        True
    """
    path = path.partition("?")[0]
    return next((served for served in map(served_format, FORMATS) if served.PATH.search(path)), None)
