"""Which tape is in force: what the settings say, what a cell says, and what CI allows.

One idea: whoever sends asks `current()`; it follows the settings, and a test or a runner may put a deck of its own
in their place.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from lumos_nb import settings
from lumos_nb.errors import LumosError, TapeError
from lumos_nb.settings import LumosConfig
from lumos_nb.tapes.scenes import SCENE, place

if TYPE_CHECKING:
    from lumos_nb.tapes.deck import Deck

SUFFIX = ".tape.jsonl"
RECORDING = ("record", "refresh", "verify")
"""Modes in which something may be sent."""

_deck: Deck | None = None
_followed: LumosConfig | None = None
_given: list[Deck | None] = []
_of_cells: Deck | None = None
_aside: list[Deck] = []
_lock = threading.RLock()


def current() -> Deck | None:
    """Return the deck in force, or None: requests then go their usual way.

    Raises:
        TapeError: The settings or the cell ask for what cannot be, or the tape cannot be used.

    Example:
        >>> current() is None
        True
    """
    config = settings.current()
    deck = _given[-1] if _given else _deck if config is _followed else _follow(config)
    here = SCENE.get()
    return deck if here is None or not here.mode else _as_cell_says(here.mode, deck, config)


@contextmanager
def using(deck: Deck | None) -> Iterator[Deck | None]:
    """Put a deck in force inside the block, whatever the settings say; None for no tape.

    A runner does so around a cell that its notebook marks as `lumos-live`.

    Example:
        >>> with using(None):
        ...     current() is None
        True
    """
    _given.append(deck)
    try:
        yield deck
    finally:
        del _given[max(n for n, each in enumerate(_given) if each is deck)]


def is_lifted() -> bool:
    """Return whether a test or a runner has put no tape in force for now, whatever the settings say.

    Example:
        >>> with using(None):
        ...     is_lifted()
        True
    """
    return bool(_given) and _given[-1] is None


def is_ci() -> bool:
    """Return whether this is a machine that tests: `CI` is set, and not to a no."""
    return os.environ.get("CI", "").strip().lower() not in {"", "0", "false", "no", "off"}


def tape_path(config: LumosConfig) -> Path | None:
    """Return the file of this notebook's tape, or None where neither the settings nor the notebook name it.

    Where the notebook is not known and a folder is named, or `tapes` is one, it is that folder.
    """
    here, given = place(), Path(config.tape_file).expanduser().absolute() if config.tape_file else None
    if given is not None and not given.is_dir() and given.suffix:
        return given
    if here.path is not None:
        return (given or here.folder).absolute() / f"{here.path.stem}{SUFFIX}"
    folder = given or here.folder.absolute()
    return folder if folder.is_dir() else None


def mode_of(config: LumosConfig) -> str:
    """Return the mode in force.

    Raises:
        TapeError: The settings ask to record, and this is CI.
    """
    mode = config.tape
    if mode == "auto":
        return "replay-strict" if is_ci() and _has_tape(tape_path(config)) else "off"
    if is_ci() and mode in RECORDING:
        raise TapeError(
            f"Nothing is recorded in CI (tape = {mode!r}, and the variable CI is set).",
            hint="Record on your machine and commit the tape; or unset CI, if this is your machine.",
        )
    return "replay-strict" if is_ci() and mode == "replay" else mode


def time_of(config: LumosConfig, mode: str) -> str:
    """Return how long a replayed answer takes: as the settings say, and without a word virtual where CI plays."""
    if config.tape_time != "auto":
        return config.tape_time
    return "virtual" if mode == "replay-strict" else "instant"


def put_aside() -> list[Deck]:
    """Return the tapes that are played strictly and that other settings have put aside: all of them is to be asked for.

    Example:
        >>> put_aside()
        []
    """
    return list(_aside)


def close(*, ran_all: bool = True) -> None:
    """End the use of the tapes that the settings and the cells named; the next request begins with them anew.

    Args:
        ran_all: Whether all of the notebook was run; see `Deck.close`.

    Raises:
        TapeError: A tape cannot be written.
    """
    global _deck, _followed, _of_cells
    with _lock:
        ended, _deck, _followed, _of_cells = [_deck, _of_cells, *_aside], None, None, None
        _aside.clear()
    for deck in ended:
        if deck is not None:
            deck.close(ran_all=ran_all)


def _follow(config: LumosConfig) -> Deck | None:
    """Return the deck that the settings name now; the one before is ended, unless it is the same."""
    global _deck, _followed
    with _lock:
        mode = mode_of(config)
        path = None if mode == "off" else _known(tape_path(config))
        if _deck is not None and (_deck.path, _deck.mode) != (path, mode):
            before, _deck = _deck, None
            if before.mode == "replay-strict":
                _aside.append(before)
            else:
                before.close(ran_all=False)
        time = time_of(config, mode)
        if path is not None and _deck is None:
            _deck = _taken_up(path, mode) or _opened(path, mode, time)
        if _deck is not None and _deck.player.playing.time != time:
            _deck.play(time=time)
        _followed = config
        return _deck


def _as_cell_says(mode: str, deck: Deck | None, config: LumosConfig) -> Deck | None:
    """Return the deck for a cell that was run with --live, --record or --replay."""
    is_strict = deck is not None and deck.mode == "replay-strict"
    if mode == "live":
        if is_strict:
            raise TapeError(
                "A cell wants a live answer, and tapes are only played here (replay-strict).",
                hint="Take --live from the cell, or tag it lumos-live and run it with: lumos test",
            )
        return None
    if mode == "record" and (is_ci() or is_strict):
        raise TapeError(
            "A cell wants to record, and tapes are only played here (CI, or replay-strict).",
            hint="Take --record from the cell, or record on your machine and commit the tape.",
        )
    return deck or _deck_of_cells(_known(tape_path(config)), mode)


def _deck_of_cells(path: Path, mode: str) -> Deck:
    """Return the deck of cells that use a tape where the settings do not."""
    global _of_cells
    with _lock:
        is_usable = _of_cells is not None and _of_cells.path == path
        if not is_usable or (_of_cells is not None and mode == "replay" and _of_cells.file.has_changed):
            _of_cells = _opened(path, "off", time_of(settings.current(), "off"))
        assert _of_cells is not None
        return _of_cells


def _known(path: Path | None) -> Path:
    if path is None:
        raise TapeError(
            "Which tape is meant is not known: the notebook's name is not, and no folder of tapes is here.",
            hint="Set LUMOS_TAPE_FILE to the tape's file.",
        )
    return path


def _has_tape(path: Path | None) -> bool:
    if path is None or not path.exists():
        return False
    return not path.is_dir() or any(path.glob(f"*{SUFFIX}"))


def _taken_up(path: Path, mode: str) -> Deck | None:
    """Return the deck that was put aside, and is in force again: what was played of it stays played."""
    found = next((deck for deck in _aside if (deck.path, deck.mode) == (path, mode)), None)
    if found is None:
        return None
    _aside.remove(found)
    return None if found.file.has_changed else found


def _opened(path: Path, mode: str, time: str) -> Deck:
    from lumos_nb.tapes.deck import Deck
    from lumos_nb.tapes.playing import Playing

    here = place()
    name = here.path.name if here.path is not None else ""
    return Deck(path, mode, notebook=name, playing=Playing(time=time), named=here.named)


@atexit.register
def _at_exit() -> None:
    with suppress(LumosError):  # nobody is there to read it, and the tape is as it was
        close(ran_all=False)
