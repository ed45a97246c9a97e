"""The clock, the ids and the database of a notebook that is played from a tape.

One idea: they change together or not at all. Under virtual time every clock shows when the tape was recorded, ids
are counted, and rows go to a database that is deleted at the end: what the notebook shows is the same each time.
"""

from __future__ import annotations

import atexit
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lumos_nb import clock, ids, settings, tapes
from lumos_nb.clock import VirtualClock
from lumos_nb.errors import LumosError
from lumos_nb.notebook.place import tape_scene
from lumos_nb.stores import open_store
from lumos_nb.tapes import modes
from lumos_nb.tapes.deck import Deck

CELL_S = 1.0
"""Seconds by which each cell moves the virtual clock on, so that runs have an order."""


_followers: list[TapeTime] = []


def follow_tape() -> None:
    """Let each session do at once what the tape in force asks for, after it was changed within a cell."""
    for session in list(_followers):
        session.follow()


def is_temporary() -> bool:
    """Return whether rows go to a database that is deleted at the end."""
    return any(session.is_temporary for session in _followers)


class TapeTime:
    """Keeps clock, ids and database in step with the tape in force.

    Args:
        shell: Whose cells they are.
        has_own_db: Whether the database is the notebook's own; else a person named it, and it stays.
    """

    def __init__(self, shell: Any, *, has_own_db: bool) -> None:
        self._shell = shell
        self._has_own_db = has_own_db
        self._virtual: VirtualClock | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._db = ""

    def install(self) -> None:
        """Begin to follow the tape."""
        self.follow()
        self._shell.events.register("pre_run_cell", self._next_cell)
        self._shell.events.register("post_run_cell", self._note_end)
        atexit.register(self.close)
        _followers.append(self)

    def close(self) -> None:
        """Put all back, and delete the database of the tape."""
        atexit.unregister(self.close)
        if self in _followers:
            _followers.remove(self)
        if self._next_cell in self._shell.events.callbacks["pre_run_cell"]:
            self._shell.events.unregister("pre_run_cell", self._next_cell)
            self._shell.events.unregister("post_run_cell", self._note_end)
        self._end()
        clock.use(None)

    @property
    def is_temporary(self) -> bool:
        """Whether rows go to a database that is deleted at the end."""
        return self._folder is not None

    def follow(self) -> None:
        """Do what the tape in force asks for; a mode that was changed takes all of it along."""
        deck = _deck()
        time = deck.player.playing.time if deck is not None and deck.is_replaying else ""
        if deck is not None and time == "virtual":
            if self._virtual is None:
                self._begin(deck)
            clock.use(self._virtual)
        elif modes.is_lifted():  # a live cell between two that are played: ids and database stay as they are
            clock.use(None)
        else:
            self._end()
            clock.use(None, waits=time != "instant")

    def _next_cell(self, info: Any) -> None:
        self.follow()
        if self._virtual is not None:
            self._virtual.advance(CELL_S)

    def _note_end(self, result: Any) -> None:
        deck = None if result.success else _deck()
        if deck is not None:
            deck.keep_all_of(tape_scene(self._shell))

    def _begin(self, deck: Deck) -> None:
        self._virtual = VirtualClock(_recorded_at(deck))
        if self._has_own_db:
            self._folder = tempfile.TemporaryDirectory(prefix="lumos-tape-", ignore_cleanup_errors=True)
            self._db = settings.current().db
            settings.configure(db=str(Path(self._folder.name) / "lumos.db"))
        ids.count_ids(self._folder is not None or _is_empty(settings.current().database()))

    def _end(self) -> None:
        if self._virtual is None:
            return
        self._virtual = None
        clock.use(None)
        ids.count_ids(False)
        if self._folder is not None:
            settings.configure(db=self._db)
            self._folder.cleanup()
            self._folder = None


def _deck() -> Deck | None:
    try:
        return tapes.current()
    except LumosError:  # whoever asks a model hears of it
        return None


def _recorded_at(deck: Deck) -> float:
    """Return when the tape was recorded, as Unix time in seconds."""
    try:
        return datetime.fromisoformat(deck.tape.header.recorded_at).timestamp()
    except ValueError:
        return datetime(2025, 1, 1, tzinfo=UTC).timestamp()


def _is_empty(path: Path) -> bool:
    """Return whether a database has nothing yet that counted ids could meet."""
    if not path.exists():
        return True
    store = open_store(path)
    return not any(list(store.select(table, [f"{table[:-1]}_id"], limit=1)) for table in ("runs", "threads"))
