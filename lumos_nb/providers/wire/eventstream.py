"""AWS event streams out of bytes: framed binary messages with headers and checksums.

One idea: a message says how long it is, so bytes are kept until it is whole; one that is damaged ends
the stream, after the messages before it.
"""

from __future__ import annotations

import struct
from zlib import crc32

from lumos_nb import settings
from lumos_nb.errors import StreamError
from lumos_nb.providers.wire.sse import too_long

Frame = tuple[dict[str, str], bytes]
"""The headers of a message that are texts, and its payload."""

_PRELUDE = struct.Struct(">III")  # length of all, length of the headers, checksum of these two
_LEAST = _PRELUDE.size + 4
_TEXT = 7
#: Bytes of the values of each header type; texts and bytes (6) say their own length.
_SIZES = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}


class EventStreamParser:
    r"""Collects bytes and gives the messages that are complete.

    A message that cannot be read is given as the error that says so; nothing comes after it.

    Args:
        max_bytes: Longest message that is accepted; 0: the setting `max_event_bytes`.

    Example:
        >>> parser = EventStreamParser()
        >>> data = bytes.fromhex("00000012000000007f021b8b7b7d2f9261fa")
        >>> parser.feed(data[:5]), parser.feed(data[5:])
        ([], [({}, b'{}')])
    """

    __slots__ = ("_data", "_failure", "_max_bytes", "_needed")

    def __init__(self, max_bytes: int = 0) -> None:
        self._max_bytes = max_bytes or settings.current().max_event_bytes
        self._data = bytearray()
        self._needed = _PRELUDE.size
        self._failure: StreamError | None = None

    def feed(self, chunk: bytes) -> list[Frame | StreamError]:
        """Return the messages that `chunk` completes."""
        out: list[Frame | StreamError] = []
        if self._failure is None:
            self._data += chunk
            try:
                while len(self._data) >= self._needed:
                    self._step(out)
            except StreamError as error:
                self._failure = error
                out.append(error)
        return out

    def close(self) -> list[Frame | StreamError]:
        """Return nothing: a message that is not whole at the end is none."""
        return []

    def _step(self, out: list[Frame | StreamError]) -> None:
        total, n_headers, checksum = _PRELUDE.unpack_from(self._data)
        if self._needed == _PRELUDE.size:
            if checksum != crc32(self._data[:8]) or total < _LEAST or n_headers > total - _LEAST:
                raise _damaged()
            if total > self._max_bytes:
                raise too_long(self._max_bytes)
            self._needed = total
            return
        message = bytes(self._data[:total])
        del self._data[:total]
        self._needed = _PRELUDE.size
        if int.from_bytes(message[-4:], "big") != crc32(message[:-4]):
            raise _damaged()
        start = _PRELUDE.size + n_headers
        out.append((_headers(message[_PRELUDE.size : start]), message[start:-4]))


def _headers(data: bytes) -> dict[str, str]:
    headers: dict[str, str] = {}
    at = 0
    try:
        while at < len(data):
            end = at + 1 + data[at]
            name, kind = data[at + 1 : end].decode(errors="replace"), data[end]
            at = end + 1
            if kind in _SIZES:
                at += _SIZES[kind]
                continue
            (size,) = struct.unpack_from(">H", data, at)
            value = data[at + 2 : at + 2 + size]
            at += 2 + size
            if kind == _TEXT:
                headers[name] = value.decode(errors="replace")
    except (IndexError, struct.error):
        raise _damaged() from None
    return headers


def _damaged() -> StreamError:
    return StreamError(
        "The server sent something that is not an AWS event stream, or it was damaged on its way.",
        hint="Check that base_url is the address of such a server; if it is, run it again.",
        is_temporary=True,
    )
