"""A tape in use: what was played of it, what is recorded on it.

One idea: a recorded request is looked up by all that it says, and by nothing else. There is no "next one".
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec

from lumos_nb.errors import TapeError
from lumos_nb.events import ModelEvent
from lumos_nb.tapes import network
from lumos_nb.tapes.format import Interaction, RequestLine, ToolLine
from lumos_nb.tapes.lookup import Lookup, is_of
from lumos_nb.tapes.modes import RECORDING, SUFFIX
from lumos_nb.tapes.opening import open_tape
from lumos_nb.tapes.playing import Player, Playing
from lumos_nb.tapes.recording import Recorder
from lumos_nb.tapes.scenes import Scene, scene
from lumos_nb.tapes.tools import TapedCalls
from lumos_nb.tapes.verdict import miss_of, verdict
from lumos_nb.tapes.writing import TapeFile
from lumos_nb.transport.base import Response, Transport

Reads = Callable[[Response], AsyncIterator[list[ModelEvent]]]
"""What makes events of an answer: the decoder of the provider that asked."""


class Deck:
    """One tape, and how it is used; several, for replay alone, where the path is a folder.

    Args:
        path: The tape's file.
        mode: record, replay, replay-strict, verify, refresh; or off: only where a cell says so itself.
        notebook: Name of the notebook's file, if there is one.
        playing: How fast it is played, in which pieces, with which faults.
        remedy: Command that records the tape anew, for errors; empty: worked out.
        named: How commands name the notebook; empty: by its name.

    Raises:
        TapeError: The file is no tape that can be read, or is one of another notebook.
    """

    def __init__(
        self, path: Path, mode: str, *, notebook: str = "", playing: Playing | None = None, remedy: str = "",
        named: str = "",
    ) -> None:  # fmt: skip
        self.path, self.mode, self.notebook, self.remedy = path, mode, notebook, remedy
        self.named = named or notebook
        self.player = Player(playing or Playing())
        self.is_folder = path.is_dir()
        #: What is otherwise now than on the tape, in words.
        self.drifts: list[str] = []
        #: What was asked for and is not on it, in words; whoever asked may have gone on.
        self.missed: list[str] = []
        self._lock = threading.RLock()
        self._failure: TapeError | None = None
        self._is_closed = False
        if self.is_replaying:  # first of all: a tape that cannot be read is no way out
            network.watch()
        self.file = TapeFile(path)
        self.tape = open_tape(path, mode, notebook)
        found = self.tape.interactions
        if mode == "refresh":  # what did not come to its end is asked again
            found = [each for each in found if each.end.how in {"complete", "closed"}]
        self._lookup = Lookup(found, repeats=mode != "replay-strict")
        #: The calls of tools that are on tape.
        self.tools = TapedCalls(self.tape.tools, self.name, repeats=mode != "replay-strict")
        self._recorder = Recorder(self.file, self.tape, is_new=mode == "record" or not path.exists())
        self._cells_asked: list[Scene] = []
        #: Other machines that were to be reached while it is played, and were not; filled by `network`.
        self.tried: list[str] = []

    @property
    def name(self) -> str:
        """What a view calls it."""
        return self.path.name.removesuffix(SUFFIX)

    @property
    def is_replaying(self) -> bool:
        """Whether nothing is ever sent."""
        return self.mode in {"replay", "replay-strict"}

    @property
    def default_model(self) -> str:
        """The model that was asked where a cell named none; empty: it is not known, or is to be found anew."""
        return "" if self.mode == "record" else self.tape.header.default_model

    @default_model.setter
    def default_model(self, model: str) -> None:
        with self._lock:
            if not self.tape.header.default_model and not self.is_replaying:
                self._recorder.name_default(model)

    def play(self, **how: Any) -> None:
        """Play from now on in another way; takes what `Playing` takes.

        Example:
            >>> Deck(Path("any.tape.jsonl"), "record").play(rechunk="bytes")
        """
        self.player = Player(msgspec.structs.replace(self.player.playing, **how))

    def over(self, transport: Transport, reads: Reads | None = None) -> Transport:
        """Return a transport that plays from this tape, or records on it what the given one carries.

        Args:
            transport: Carries what is sent.
            reads: Makes events of an answer, to compare two; None: answers are compared as JSON.
        """
        from lumos_nb.tapes.transport import TapeTransport

        return TapeTransport(self, transport, reads)

    def mode_in(self, scene: Scene) -> str:
        """Return the mode for this cell, as its line or the deck says: record, replay, refresh, verify or off.

        Raises:
            TapeError: The cell wants to record, and may not; or something went wrong on this tape before.
        """
        if self._failure is not None:
            raise type(self._failure)(self._failure.message, hint=self._failure.hint)
        mode = {"live": "off"}.get(scene.mode, scene.mode) or self.mode
        if mode not in RECORDING:
            return "off" if mode == "off" else "replay"
        if self.mode == "replay-strict":
            raise TapeError(
                f"A cell wants to record, and the tape {self.name!r} is only played here (replay-strict).",
                hint="Take --record from the cell, or record on your machine and commit the tape.",
            )
        if self.is_folder:
            raise TapeError(
                f"Which tape in {str(self.path)!r} to record on is not known: the notebook has no name here.",
                hint="Set LUMOS_TAPE_FILE to the tape's file.",
            )
        return mode

    def knows(self, request: RequestLine) -> bool:
        """Return whether a request is recorded in just these letters, played or not."""
        return self._lookup.knows(request)

    def find(self, request: RequestLine, scene: Scene) -> Interaction:
        """Return what is recorded for a request, the earliest that was not played yet.

        Raises:
            TapeMiss: There is nothing; says what is nearest, and how it differs.
        """
        found = self.find_any(request, scene)
        if found is not None:
            return found
        with self._lock:
            miss = miss_of(self, request, scene, len(self._lookup.same_as(request)))
            self.missed.append(miss.message)
            raise miss

    def find_any(self, request: RequestLine, scene: Scene) -> Interaction | None:
        """Return what is recorded for a request, or None."""
        with self._lock:
            self._cells_asked.append(scene)
            found = self._lookup.take(request, scene)
            if found is not None:
                self._recorder.note_played(found.request.i)
            return found

    def again(self, interaction: Interaction) -> None:
        """Let an interaction be played once more: something went wrong on the way, and the request is made again."""
        with self._lock:
            self._lookup.give_back(interaction.request.i)

    def next_number(self) -> int:
        """Return the number of an interaction that begins now."""
        with self._lock:
            return self._recorder.begin()

    def add(self, interaction: Interaction, scene: Scene | None = None) -> None:
        """Keep an interaction that was recorded.

        Raises:
            TapeError: It cannot be written. Nothing more is recorded then.
        """
        scene = scene or Scene()
        with self._lock:
            gone: set[int] = set()
            if scene.cell or scene.mode == "record":  # by its source alone a cell is not told for sure
                is_all = self.mode != "refresh" or scene.mode == "record"
                gone = self._recorder.older(scene, is_all=is_all) - self._lookup.given_in(scene.execution)
            try:
                self._recorder.add(interaction, scene, gone)
            except TapeError as error:
                self._failure = error
                raise
            self._lookup.remove(gone)
            if self.mode != "record":
                self._lookup.add(interaction)
                self._lookup.take(interaction.request, scene)

    def add_tool(self, line: ToolLine) -> None:
        """Keep a call of a tool that was recorded.

        Raises:
            TapeError: It cannot be written. Nothing more is recorded then.
        """
        with self._lock:
            try:
                self._recorder.add_tool(line, scene())
                self.tools.follow(self.tape.tools, line)
            except TapeError as error:
                self._failure = error
                raise

    def unplayed(self) -> list[Interaction]:
        """Return what is on the tape and was never asked for."""
        with self._lock:
            asked = self._lookup.asked
            return [] if self.mode == "record" else [e for e in self.tape.interactions if e.request.i not in asked]

    def keep_all_of(self, scene: Scene) -> None:
        """Drop nothing that a cell has on the tape: it failed, and may not have come to ask for all."""
        with self._lock:
            self._cells_asked = [each for each in self._cells_asked if each.execution != scene.execution]

    def check(self) -> None:
        """Be sure that all of the tape was played, and that what is sent is answered as it was.

        Raises:
            TapeUnused: Something was never asked for.
            NetworkForbidden: Another machine was to be reached, whoever took the error for something else.
            TapeDrift: An answer has another shape now.
            TapeError: The tape could not be written.
        """
        if self._failure is not None:
            raise self._failure
        if (problem := verdict(self)) is not None:
            raise problem

    def close(self, *, ran_all: bool = True) -> None:
        """End the use of this tape; refresh then drops what was not asked for.

        Args:
            ran_all: Whether all of the notebook, or the test, was run. Else only what the cells that did run
                no longer ask for is dropped.

        Raises:
            TapeError: The tape cannot be written.
        """
        with self._lock:
            if self._is_closed or self._failure is not None:
                return
            self._is_closed = True
            if self.mode == "record":
                self._recorder.put_in_order()
            elif self.mode == "refresh" and self._recorder.is_whole and self._cells_asked:
                unplayed = self.tools.unplayed()
                self._recorder.keep(
                    lambda line: line.i in self._lookup.asked or not self._is_over(line, ran_all),
                    lambda line: all(line is not each for each in unplayed) or not self._is_over(line, ran_all),
                )

    def _is_over(self, line: RequestLine | ToolLine, ran_all: bool) -> bool:
        return ran_all or any(is_of(line, scene) for scene in self._cells_asked)

    def __repr__(self) -> str:
        return f"<Deck {self.name} {self.mode}>"
