"""Where a run was started, and what the notebook's cells are by now: the notebook says, the log keeps it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

import msgspec


class RanCell(msgspec.Struct, frozen=True, kw_only=True):
    """A cell as it was last run in this process."""

    cell_id: str
    source_hash: str
    #: When it had run, in nanoseconds since 1970, UTC.
    ran_at: int
    execution_count: int | None = None
    names_written: tuple[str, ...] = ()


_source: Callable[[], dict[str, Any]] | None = None
_cells: Callable[[], Iterable[RanCell]] | None = None


def provenance() -> dict[str, Any]:
    """Return `notebook`, `cell_id`, `execution_count`, and hash and names of the source, as far as somebody says."""
    return {k: v for k, v in _source().items() if v is not None} if _source is not None else {}


def ran_cells() -> list[RanCell]:
    """Return the cells that this process has run, each as it was the last time."""
    return list(_cells()) if _cells is not None else []


def set_provenance(
    source: Callable[[], dict[str, Any]] | None, cells: Callable[[], Iterable[RanCell]] | None = None
) -> None:
    """Name who says where runs are started and which cells were run; None for nobody."""
    global _source, _cells
    _source, _cells = source, cells


def source_hash(source: str) -> str:
    """Return what tells two sources apart that do not do the same for sure; space around them does not count.

    Example:
        >>> source_hash("a = 1\\n") == source_hash("a = 1"), source_hash("a = 1") == source_hash("a = 2")
        (True, False)
    """
    return hashlib.blake2b(source.strip().encode(errors="replace"), digest_size=8).hexdigest()
