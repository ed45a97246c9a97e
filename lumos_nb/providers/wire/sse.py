"""Server-sent events out of bytes.

One idea: bytes stay bytes until an event is whole, so a character cut in two by the network
needs no care, and U+2028 in a JSON string does not end a line (as it does in httpx).
"""

from __future__ import annotations

from lumos_nb import settings
from lumos_nb.errors import StreamError

Event = tuple[str, bytes]
"""Name (empty if the server gave none) and data of an event."""


class SseParser:
    r"""Collects bytes and gives the events that are complete.

    Lines may end in LF, CRLF or CR; comments, ids and a byte order mark are skipped.

    Args:
        max_bytes: Longest event that is accepted; 0: the setting `max_event_bytes`.

    Example:
        >>> parser = SseParser()
        >>> parser.feed(b": hi\n\nda"), parser.feed(b"ta: 1\ndata: 2\n\nevent: x\r\ndata:3\r\n\r\n")
        ([], [('', b'1\n2'), ('x', b'3')])
    """

    __slots__ = ("_data", "_data_size", "_ends_in_cr", "_is_first", "_max_bytes", "_name", "_tail")

    def __init__(self, max_bytes: int = 0) -> None:
        self._max_bytes = max_bytes or settings.current().max_event_bytes
        #: The line that is not over; one buffer, as a list of tiny reads would hold many times their bytes.
        self._tail = bytearray()
        self._data: list[bytes] = []
        self._data_size = 0
        self._name = ""
        self._is_first = True
        self._ends_in_cr = False

    def feed(self, chunk: bytes) -> list[Event]:
        """Return the events that `chunk` completes.

        Raises:
            StreamError: An event is longer than `max_bytes`. Whole events before it were given.
        """
        if self._ends_in_cr or b"\r" in chunk:
            chunk = self._with_newlines(chunk)
        if b"\n" not in chunk:
            self._tail += chunk
            self._check()
            return []
        if self._tail:
            chunk = bytes(self._tail + chunk)
            self._tail.clear()
        events: list[Event] = []
        *blocks, rest = chunk.split(b"\n\n")
        for block in blocks:
            # Nearly every event is one line of data, whole in its read.
            if block[:6] == b"data: " and b"\n" not in block and not (self._data or self._name or self._is_first):
                events.append(("", block[6:]))
            else:
                events += self._events([*block.split(b"\n"), b""])
        *lines, tail = rest.split(b"\n")
        self._tail += tail
        events += self._events(lines)
        if not events:
            self._check()
        return events

    def close(self) -> list[Event]:
        """Return the last event if the server ended without the empty line after it."""
        lines = [bytes(self._tail), b""]
        self._tail.clear()
        return self._events(lines)

    def _with_newlines(self, chunk: bytes) -> bytes:
        # A CR at the end of one read and an LF at the start of the next are one line end.
        if self._ends_in_cr and chunk[:1] == b"\n":
            chunk = chunk[1:]
            self._ends_in_cr = False
        if chunk:
            self._ends_in_cr = chunk[-1:] == b"\r"
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _events(self, lines: list[bytes]) -> list[Event]:
        if self._is_first and lines:
            self._is_first = False
            lines[0] = lines[0].removeprefix(b"\xef\xbb\xbf")
        events: list[Event] = []
        for line in lines:
            if line.startswith(b"data: "):
                self._data.append(line[6:])
                self._data_size += len(line)
            elif not line:
                if self._data:
                    data = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
                    events.append((self._name, data))
                    self._data.clear()
                    self._data_size = 0
                self._name = ""
            else:
                self._field(line)
        return events

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
            self._data_size += len(line)
        elif name == b"event":
            self._name = value.decode(errors="replace")

    def _check(self) -> None:
        if len(self._tail) + self._data_size > self._max_bytes:
            raise too_long(self._max_bytes)


def too_long(max_bytes: int) -> StreamError:
    """Return the error of an event that is longer than what is accepted."""
    return StreamError(
        f"The server sent an event longer than {max_bytes:,} bytes.",
        hint="Check that base_url is the address of a model server, or set LUMOS_MAX_EVENT_BYTES to more.",
    )
