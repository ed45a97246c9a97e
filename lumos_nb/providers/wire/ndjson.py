"""Lines of JSON out of bytes.

One idea: a line ends at LF and nowhere else, for JSON writes all other ends of lines as escapes or
as characters of a text.
"""

from __future__ import annotations

from lumos_nb import settings
from lumos_nb.providers.wire.sse import too_long

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class NdjsonParser:
    r"""Collects bytes and gives the lines that are complete, without the empty ones.

    Args:
        max_bytes: Longest line that is accepted; 0: the setting `max_event_bytes`.

    Example:
        >>> parser = NdjsonParser()
        >>> parser.feed(b'{"a":1}\r\n\n{"a"'), parser.feed(b":2}"), parser.close()
        ([b'{"a":1}'], [], [b'{"a":2}'])
    """

    __slots__ = ("_max_bytes", "_tail")

    def __init__(self, max_bytes: int = 0) -> None:
        self._max_bytes = max_bytes or settings.current().max_event_bytes
        self._tail = bytearray()

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the lines that `chunk` completes.

        Raises:
            StreamError: A line is longer than `max_bytes`. Whole lines before it were given.
        """
        if b"\n" not in chunk:
            self._tail += chunk
            if len(self._tail) > self._max_bytes:
                raise too_long(self._max_bytes)
            return []
        if self._tail:
            chunk = bytes(self._tail + chunk)
            self._tail.clear()
        lines = chunk.split(b"\n")
        self._tail += lines.pop()
        return _stripped(lines)

    def close(self) -> list[bytes]:
        """Return the last line if the server ended without a line end after it."""
        lines = [bytes(self._tail)]
        self._tail.clear()
        return _stripped(lines)


def _stripped(lines: list[bytes]) -> list[bytes]:
    return [line for raw in lines if (line := raw.removeprefix(_BYTE_ORDER_MARK).strip())]
