"""Where letters of one kind stand in a row, found quickly.

One idea: every key is long and has no gap, and most of a text is short words: only the rest has to be searched.
"""

from __future__ import annotations

from collections.abc import Iterator


def table_of(letters: str) -> bytes:
    """Return the table by which `runs` tells letters of this kind from others."""
    return bytes(ord("a") if chr(byte) in letters else 0 for byte in range(256))


def runs(text: str, table: bytes, least: int) -> Iterator[tuple[int, int]]:
    """Yield where at least so many letters of a kind stand in a row.

    Example:
        >>> list(runs("a word and 0123456789abcdef", table_of("0123456789abcdef"), 8))
        [(11, 27)]
    """
    kinds, run = text.encode("latin-1", "replace").translate(table), b"a" * least
    start = kinds.find(run)
    while start >= 0:
        end = kinds.find(b"\0", start)
        end = len(kinds) if end < 0 else end
        yield start, end
        start = kinds.find(run, end)
