"""`%lumos tape`: which tape is in force, what is on it, and how to use it."""

from __future__ import annotations

import re
from typing import Any

from lumos_nb import settings, tapes
from lumos_nb.errors import LumosError, UsageError, nearest
from lumos_nb.notebook.shown import Shown
from lumos_nb.notebook.tapetime import follow_tape
from lumos_nb.phrases import count
from lumos_nb.runtime import Runtime
from lumos_nb.tapes import modes
from lumos_nb.tapes.asked import last_said
from lumos_nb.tapes.deck import Deck

_MODES = ("off", "record", "replay", "replay-strict", "refresh", "verify")
TAPE_WORDS = (*_MODES, "check", "rewind")
_SAYS = {
    "record": "asks, and records what is answered",
    "replay": "plays what is recorded, and asks nothing",
    "replay-strict": "plays what is recorded, and asks nothing; what is never asked for is an error",
    "refresh": "plays what is recorded, and asks for the rest",
    "verify": "asks again, and compares",
}


def lumos_tape(runtime: Runtime, action: str = "") -> Any:
    """The tape in force, by cell; with a mode this kernel's from now on; `check`: all played; `rewind`: from the start.

    The mode is one of off, record, replay, replay-strict, refresh and verify.
    """
    if not action:
        return _state()
    if action == "check":
        deck = _in_force()
        deck.check()
        return Shown(f"All of the tape {deck.name!r} was asked for: {_size(deck)}.")
    if action == "rewind":
        _in_force()
        modes.close(ran_all=False)
        follow_tape()
        return _state()
    if action not in _MODES:
        raise UsageError(
            f"%lumos tape cannot {action!r}.",
            hint=f"{nearest(action, TAPE_WORDS)} Use: %lumos tape [MODE | check | rewind]",
        )
    _switch(action)
    return _state()


def _switch(mode: str) -> None:
    """Put a mode in force, or leave the one that was if it cannot be."""
    before = settings.current().tape
    settings.configure(tape=mode)
    try:
        tapes.current()
    except LumosError:
        settings.configure(tape=before)
        raise
    finally:
        follow_tape()


def _in_force() -> Deck:
    deck = tapes.current()
    if deck is None:
        raise UsageError("No tape is in force.", hint="%lumos tape refresh begins one, %lumos tape replay plays it.")
    return deck


def _state() -> Shown:
    """Say what is on the tape and what was played of it, by cell; where there is none, how to begin one."""
    deck = tapes.current()
    if deck is None:
        path = modes.tape_path(settings.current())
        if path is not None and path.exists():
            todo = f"{path.name} is there: `%lumos tape replay` plays it, `%lumos tape refresh` asks what is not on it."
        else:
            todo = "`%lumos tape refresh` records what is asked, and plays it when it is asked again."
        return Shown(f"No tape is in force. {todo}")
    rows = _rows(deck)
    if not rows:
        return Shown(f"{_headline(deck)} Nothing is on it.")
    names = ("recorded",) if deck.mode == "record" else ("recorded", "played", "left")
    rows.append(("**all**", "", *(sum(column) for column in zip(*[row[2:] for row in rows], strict=True))))
    lines = ["| cell | asks | " + " | ".join(names) + " |", "|---|---|" + "--:|" * len(names)]
    lines += ["| " + " | ".join(map(str, row[: len(names) + 2])) + " |" for row in rows]
    return Shown("\n".join([_headline(deck), "", *lines]))


def _headline(deck: Deck) -> str:
    time = deck.player.playing.time
    shown = f" Time: {time}." if deck.is_replaying else ""
    return f"{deck.path.name}, {deck.mode}: {_SAYS.get(deck.mode, 'used where a cell says so')}.{shown}"


def _rows(deck: Deck) -> list[tuple[Any, ...]]:
    """Return for each cell, in the order of the tape, what it asks first, what is recorded, was played and is left."""
    left = [id(each) for each in (*deck.unplayed(), *deck.tools.unplayed())]
    cells: dict[str, list[int]] = {}
    asks: dict[str, str] = {}
    for each in deck.tape.interactions:  # nobody sees the ids of cells
        asks.setdefault(each.request.cell or "no cell", last_said(each.request))
    lines = [(each.request.cell, each.request.i, each) for each in deck.tape.interactions]
    lines += [(line.cell, line.i, line) for line in deck.tape.tools]  # type: ignore[misc]
    for cell, _, each in sorted(lines, key=lambda line: line[1]):
        of_cell = cells.setdefault(cell or "no cell", [0, 0])
        of_cell[0] += 1
        of_cell[1] += id(each) in left
    return [(f"`{cell}`", _in_table(asks.get(cell, "")), n, n - k, k) for cell, (n, k) in cells.items()]


def _in_table(text: str) -> str:
    """Return a text as it stands in a table of Markdown: in one line, and as it was written."""
    return re.sub(r"([\\|`*_<\[$])", r"\\\1", " ".join(text.split()))


def _size(deck: Deck) -> str:
    n_tools = len(deck.tape.tools)
    calls = f" and {count(n_tools, 'tool call')}" if n_tools else ""
    return f"{count(len(deck.tape.interactions), 'request')}{calls}"
