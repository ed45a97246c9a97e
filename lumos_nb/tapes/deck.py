"""A tape in use: what was played of it, what is recorded on it.

One idea: a recorded request is looked up by all that it says, and by nothing else. There is no "next one".
"""

from __future__ import annotations

import threading
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from lumos_nb._version import __version__
from lumos_nb.errors import TapeMiss, TapeUnused
from lumos_nb.tapes.canonical import key
from lumos_nb.tapes.format import Header, Interaction, RequestLine, Tape, ToolLine
from lumos_nb.tapes.playing import Player, Playing
from lumos_nb.tapes.reading import read_tape, write_tape
from lumos_nb.tapes.scenes import Scene
from lumos_nb.tapes.tools import TapedCalls
from lumos_nb.transport.base import Transport


class Deck:
    """One tape, and how it is used.

    Args:
        path: The tape's file.
        mode: record, replay, replay-strict, verify or refresh.
        notebook: Name of the notebook's file, if there is one.
        playing: How fast it is played, in which pieces, with which faults.
    """

    def __init__(self, path: Path, mode: str, *, notebook: str = "", playing: Playing | None = None) -> None:
        self.path, self.mode, self.notebook = path, mode, notebook
        self.player = Player(playing or Playing())
        self._lock = threading.Lock()
        has_tape = mode != "record" and path.exists()
        self.tape = read_tape(path) if has_tape else Tape(header=_header(notebook))
        self._of_key: defaultdict[bytes, list[Interaction]] = defaultdict(list)
        for interaction in self.tape.interactions:
            self._of_key[key(interaction.request)].append(interaction)
        #: The calls of tools that are on tape.
        self.tools = TapedCalls(self.tape.tools, self.name)
        #: Numbers of what cannot be played any more, and of what was asked for: a fault tells the two apart.
        self._played: set[int] = set()
        self._asked: set[int] = set()

    @property
    def name(self) -> str:
        """What a view calls it."""
        return self.path.name.removesuffix(".tape.jsonl")

    @property
    def is_replaying(self) -> bool:
        """Whether nothing is ever sent."""
        return self.mode in {"replay", "replay-strict"}

    def way_of(self, scene: Scene) -> str:
        """Return how this cell uses the tape: as its line says, or as the deck does; off: not at all."""
        return {"live": "off"}.get(scene.mode, scene.mode) or self.mode

    def play(self, **how: Any) -> None:
        """Play from now on in another way; takes what `Playing` takes.

        Example:
            >>> Deck(Path("any.tape.jsonl"), "record").play(rechunk="bytes")
        """
        self.player = Player(msgspec.structs.replace(self.player.playing, **how))

    def over(self, transport: Transport) -> Transport:
        """Return a transport that plays from this tape, or records on it what the given one carries."""
        from lumos_nb.tapes.transport import TapeTransport

        return TapeTransport(self, transport)

    def find(self, request: RequestLine, scene: Scene) -> Interaction:
        """Return what is recorded for a request, the earliest that was not played yet.

        Raises:
            TapeMiss: There is nothing.
        """
        with self._lock:
            for interaction in self._of_key[key(request)]:
                if interaction.request.i not in self._played:
                    self._played.add(interaction.request.i)
                    self._asked.add(interaction.request.i)
                    return interaction
        raise TapeMiss(
            f"This request is not on the tape {self.name!r}.", hint=f"Record it: lumos test --record {self.notebook}"
        )

    def again(self, interaction: Interaction) -> None:
        """Let an interaction be played once more: something went wrong on the way, and the request is made again."""
        with self._lock:
            self._played.discard(interaction.request.i)

    def next_number(self) -> int:
        """Return the number of an interaction that begins now."""
        with self._lock:
            self._n = getattr(self, "_n", len(self.tape.interactions)) + 1
            return self._n - 1

    def add(self, interaction: Interaction) -> None:
        """Keep an interaction that was recorded."""
        with self._lock:
            self.tape.interactions.append(interaction)
            write_tape(self.path, self.tape)

    def add_tool(self, line: ToolLine) -> None:
        """Keep a call of a tool that was recorded."""
        with self._lock:
            self.tape.tools.append(line)
            write_tape(self.path, self.tape)

    def unplayed(self) -> list[Interaction]:
        """Return what is on the tape and was never asked for."""
        return [each for each in self.tape.interactions if each.request.i not in self._asked]

    def check(self) -> None:
        """Be sure that all of the tape was played.

        Raises:
            TapeUnused: Something was not.
        """
        if self.mode != "record" and (left := self.unplayed()):
            raise TapeUnused(f"{len(left)} requests on the tape {self.name!r} were never made.")

    def close(self) -> None:
        """End the use of this tape."""

    def __repr__(self) -> str:
        return f"<Deck {self.name} {self.mode}>"


def _header(notebook: str) -> Header:
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return Header(lumos=__version__, notebook=notebook, recorded_at=now)


def counts(deck: Deck) -> dict[str, Any]:
    """Return how much of a tape was played, for who shows it."""
    return {
        "tape": deck.name,
        "mode": deck.mode,
        "recorded": len(deck.tape.interactions),
        "unplayed": len(deck.unplayed()),
    }
