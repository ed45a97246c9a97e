"""Where the new cells of a run come that were given no place.

One idea: below the cell that the run is in, in the order of their calls, in whatever order they are accepted.
A model that writes three cells at once knows no ids yet; all three mean the same place.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from lumos_nb.notebook.cellbook import LOOK_S

KEPT = 100
"""Runs whose new cells are remembered: the last ones."""

_turn = threading.Lock()
#: By run the calls that insert, in their order, and the cell that came of each that is done.
_cells: dict[str, dict[str, str]] = {}


def note_call(run_id: str, call_id: str) -> None:
    """Take note of a call that inserts below the others; those of one step are noted before any is done."""
    calls = _cells.setdefault(run_id, {})
    calls.setdefault(call_id, "")
    while len(_cells) > KEPT:
        del _cells[next(iter(_cells))]


def note_cell(run_id: str, call_id: str, cell_id: str) -> None:
    """Take note of the cell that came of a call."""
    if call_id in _cells.get(run_id, {}):
        _cells[run_id][call_id] = cell_id


def last_before(run_id: str, call_id: str) -> str:
    """Return the cell of the nearest call before this one that is done; empty if there is none.

    Example:
        >>> for call in ("c1", "c2", "c3"):
        ...     note_call("r", call)
        >>> note_cell("r", "c3", "third")
        >>> last_before("r", "c2"), last_before("r", "c4")
        ('', 'third')
        >>> note_cell("r", "c1", "first")
        >>> last_before("r", "c2")
        'first'
    """
    found = ""
    for call, cell in list(_cells.get(run_id, {}).items()):
        if call == call_id:
            break
        found = cell or found
    return found


@contextmanager
def in_turn() -> Iterator[None]:
    """Let one cell be inserted at a time: the next one's place may be below it. An interrupt ends the wait."""
    while not _turn.acquire(timeout=LOOK_S):
        pass
    try:
        yield
    finally:
        _turn.release()
