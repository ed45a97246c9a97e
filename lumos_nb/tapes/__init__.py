"""Recorded answers of models, played in their place: free, offline and exact.

One idea: a tape is a transport. Nothing above can tell what it plays from what a server says; nothing is
played that was not asked for in just the same words.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lumos_nb.tapes.modes import current, using

if TYPE_CHECKING:
    from lumos_nb.tapes.deck import Deck
    from lumos_nb.tapes.format import TAPE_VERSION, Tape
    from lumos_nb.tapes.playing import Fault, Playing
    from lumos_nb.tapes.reading import read_tape
    from lumos_nb.tapes.writing import write_tape

_HOMES = {
    "Deck": "lumos_nb.tapes.deck",
    "Fault": "lumos_nb.tapes.playing",
    "Playing": "lumos_nb.tapes.playing",
    "TAPE_VERSION": "lumos_nb.tapes.format",
    "Tape": "lumos_nb.tapes.format",
    "read_tape": "lumos_nb.tapes.reading",
    "write_tape": "lumos_nb.tapes.writing",
}
"""What is loaded once it is used: whoever asks a model without a tape needs none of it."""

__all__ = ["TAPE_VERSION", "Deck", "Fault", "Playing", "Tape", "current", "read_tape", "using", "write_tape"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
