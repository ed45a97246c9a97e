"""Which tape is in force: what the settings say, and what CI allows.

One idea: whoever sends asks `current()`; it follows the settings, and a test or a runner may put a deck of its own
in their place.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lumos_nb import settings
from lumos_nb.errors import TapeError
from lumos_nb.settings import LumosConfig
from lumos_nb.tapes.deck import Deck
from lumos_nb.tapes.playing import Playing
from lumos_nb.tapes.scenes import place

RECORDING = ("record", "refresh", "verify")

_deck: Deck | None = None
_followed: LumosConfig | None = None
_said: tuple[str, ...] = ()
_given: list[Deck | None] = []


def current() -> Deck | None:
    """Return the deck in force, or None: requests then go their usual way."""
    if _given:
        return _given[-1]
    config = settings.current()
    if config is not _followed:
        _follow(config)
    return _deck


@contextmanager
def using(deck: Deck | None) -> Iterator[Deck | None]:
    """Put a deck in force inside the block, whatever the settings say; None for no tape."""
    _given.append(deck)
    try:
        yield deck
    finally:
        _given.remove(deck)


def tape_path(config: LumosConfig) -> Path | None:
    """Return the file of this notebook's tape, or None where neither the settings nor the notebook name it."""
    here, given = place(), Path(config.tape_file).expanduser() if config.tape_file else None
    if given is not None and given.suffix:
        return given.absolute()
    return None if here.path is None else (given or here.folder).absolute() / f"{here.path.stem}.tape.jsonl"


def mode_of(config: LumosConfig) -> str:
    """Return the mode in force.

    Raises:
        TapeError: The settings ask to record, and this is CI.
    """
    is_ci, mode = bool(os.environ.get("CI")), config.tape
    if mode == "auto":
        path = tape_path(config) if is_ci else None
        return "replay-strict" if path is not None and path.exists() else "off"
    if is_ci and mode in RECORDING:
        raise TapeError(
            f"Nothing is recorded in CI (tape = {mode!r}).", hint="Record on your machine, and commit the tape."
        )
    return "replay-strict" if is_ci and mode == "replay" else mode


def time_of(config: LumosConfig, mode: str) -> str:
    """Return how long a replayed answer takes: as the settings say, and without a word virtual where CI plays."""
    if config.tape_time != "auto":
        return config.tape_time
    return "virtual" if mode == "replay-strict" else "instant"


def _follow(config: LumosConfig) -> None:
    global _deck, _followed, _said
    said = (config.tape, config.tape_file, config.tape_time, str(place().path), os.environ.get("CI", ""))
    if _followed is not None and said == _said:  # of another setting the tape knows nothing: it plays on
        _followed = config
        return
    mode, path = mode_of(config), None
    if mode != "off":
        path = tape_path(config)
        if path is None:
            raise TapeError("Which tape is meant is not known.", hint="Set LUMOS_TAPE_FILE to its path.")
    if _deck is not None:
        _deck.close()
    here = place().path
    name, playing = here.name if here else "", Playing(time=time_of(config, mode))
    _deck = None if path is None else Deck(path, mode, notebook=name, playing=playing)
    _followed, _said = config, said
