"""Recorded answers of models, played in their place: free, offline and exact.

One idea: a tape is a transport. Nothing above can tell what it plays from what a server says; nothing is
played that was not asked for in just the same words.
"""

from __future__ import annotations

from lumos_nb.tapes.deck import Deck
from lumos_nb.tapes.format import TAPE_VERSION, Tape
from lumos_nb.tapes.modes import current, using
from lumos_nb.tapes.playing import Fault, Playing
from lumos_nb.tapes.reading import read_tape, write_tape

__all__ = ["TAPE_VERSION", "Deck", "Fault", "Playing", "Tape", "current", "read_tape", "using", "write_tape"]
