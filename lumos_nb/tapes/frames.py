"""AWS event streams in which something is replaced: a message says how long it is, and has a checksum of all it holds.

One idea: only the messages in which something was replaced get other figures, so that they are read as before.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from zlib import crc32

from lumos_nb.hiding.shapes import Found
from lumos_nb.tapes.edits import edited

KIND = "application/vnd.amazon.eventstream"
_PRELUDE, _CHECKSUM = struct.Struct(">III"), struct.Struct(">I")


def edited_frames(parts: Sequence[bytes], places: Sequence[Found], by: bytes) -> list[bytes]:
    """Return pieces of an event stream with other bytes in some places; see `edited`.

    Example:
        >>> data = bytes.fromhex("00000012000000007f021b8b7b7d2f9261fa")  # a message that says {}
        >>> edited_frames([data], [Found(12, 14)], b"{ }").pop()[:4].hex()
        '00000013'
    """
    if not places:
        return list(parts)
    data = b"".join(parts)
    edits: dict[Found, bytes] = dict.fromkeys(places, by)
    for start, end in _messages(data):
        inside = [each for each in places if start + _PRELUDE.size <= each.start and each.end <= end - _CHECKSUM.size]
        if inside:
            edits |= _figures(data, start, end, inside, by)
    ordered = sorted(edits)
    return edited(parts, ordered, [edits[each] for each in ordered])


def _messages(data: bytes) -> Iterator[tuple[int, int]]:
    start = 0
    while start + _PRELUDE.size <= len(data):
        total, _, checksum = _PRELUDE.unpack_from(data, start)
        if checksum != crc32(data[start : start + 8]) or not _PRELUDE.size < total <= len(data) - start:
            return  # it was cut here, or is damaged: who reads it stops here, too
        yield start, start + total
        start += total


def _figures(data: bytes, start: int, end: int, inside: Sequence[Found], by: bytes) -> dict[Found, bytes]:
    """Return what takes the place of a message's lengths and of its checksum."""
    body_at, body_end = start + _PRELUDE.size, end - _CHECKSUM.size
    moved = [Found(each.start - body_at, each.end - body_at) for each in inside]
    (body,) = edited([data[body_at:body_end]], moved, by)
    n_headers = _PRELUDE.unpack_from(data, start)[1]
    lengths = struct.pack(">II", _PRELUDE.size + len(body) + _CHECKSUM.size, n_headers)
    prelude = lengths + _CHECKSUM.pack(crc32(lengths))
    return {Found(start, body_at): prelude, Found(body_end, end): _CHECKSUM.pack(crc32(prelude + body))}
