"""What is put on a tape: at its end, in the place of what a cell had, or among what is kept.

One idea: the file is at each moment a whole tape. A new interaction is on it as soon as it is whole; what it takes the
place of goes in the same moment, and not before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

import msgspec

from lumos_nb.tapes.format import Interaction, RequestLine, Tape, ToolLine
from lumos_nb.tapes.lookup import is_of
from lumos_nb.tapes.scenes import Scene
from lumos_nb.tapes.writing import TapeFile, lines_of, lines_of_tape


class Recorder:
    """Keeps a tape and its file alike. Whoever uses it holds a lock.

    Args:
        file: The tape's file.
        tape: What is on it.
        is_new: Whether the tape is to take the place of the file, with the first interaction.
    """

    def __init__(self, file: TapeFile, tape: Tape, *, is_new: bool) -> None:
        self._file, self._tape, self._is_new = file, tape, is_new
        self._n = 1 + max([each.request.i for each in tape.interactions] + [each.i for each in tape.tools], default=-1)
        self._order = {each.request.i: n for n, each in enumerate(tape.interactions)}
        #: Number of what was recorded here, and the execution that it belongs to.
        self._executions: dict[int, int] = {}
        #: A cell and its execution that took the place of an older one, and number of the last interaction put there.
        self._places: dict[tuple[str, int], int] = {}
        #: Number of what was recorded here, and of what was played last when it began.
        self._behind: dict[int, int] = {}
        self._latest = -1
        #: Whether all that was recorded here came to its end.
        self.is_whole = True

    def begin(self) -> int:
        """Return the number of an interaction that begins now."""
        self._n += 1
        self._behind[self._n - 1] = self._latest
        return self._n - 1

    def note_played(self, i: int) -> None:
        """Note that a recorded interaction was played: what is recorded next stands behind it."""
        if self._order.get(i, -1) > self._order.get(self._latest, -1):
            self._latest = i

    def name_default(self, model: str) -> None:
        """Name the model that cells get that name none; it is written with the next interaction."""
        self._tape.header = msgspec.structs.replace(self._tape.header, default_model=model)
        self._is_new = True

    def older(self, scene: Scene, *, is_all: bool) -> set[int]:
        """Return numbers of what a cell has on the tape from executions before this one.

        Args:
            scene: The cell.
            is_all: Whether what was there before counts, too; else only what was recorded here.
        """
        of_cell = [each.request.i for each in self._tape.interactions if is_of(each.request, scene)]
        executions = ((i, self._executions.get(i, -1 if is_all else scene.execution)) for i in of_cell)
        return {i for i, execution in executions if execution < scene.execution}

    def add(self, interaction: Interaction, scene: Scene, gone: set[int]) -> None:
        """Put an interaction on the tape and into its file.

        Args:
            interaction: Whole.
            scene: The cell that asked.
            gone: Numbers of what it takes the place of.

        Raises:
            TapeError: It cannot be written; the tape is then as it was before.
        """
        before, place = list(self._tape.interactions), (scene.cell or scene.source, scene.execution)
        at = self._position(gone, place)
        self._tape.interactions = [each for each in before if each.request.i not in gone]
        self._tape.interactions.insert(at, interaction)
        is_last = at == len(self._tape.interactions) - 1
        try:
            if self._is_new or gone or not is_last:
                self._file.replace(lines_of_tape(self._tape))
            else:
                self._file.append(lines_of(interaction))
        except BaseException:
            self._tape.interactions = before
            raise
        self._is_new = False
        self._executions[interaction.request.i] = scene.execution
        self.is_whole = self.is_whole and interaction.end.how in {"complete", "closed"}
        if gone or place in self._places:
            self._places[place] = interaction.request.i

    def add_tool(self, line: ToolLine, scene: Scene) -> None:
        """Put a tool's call on the tape and into its file; those of the cell's older executions go.

        Raises:
            TapeError: It cannot be written; the tape is then as it was before.
        """
        before, is_told = list(self._tape.tools), bool(scene.cell) or scene.mode == "record"
        gone = [
            each
            for each in before
            if is_told and is_of(each, scene) and self._executions.get(each.i, -1) < scene.execution
        ]
        # In place: who plays them has the same list.
        self._tape.tools[:] = [each for each in before if each not in gone] + [line]
        try:
            if self._is_new or gone:
                self._file.replace(lines_of_tape(self._tape))
            else:
                self._file.append([line])
        except BaseException:
            self._tape.tools[:] = before
            raise
        self._is_new = False
        self._executions[line.i] = scene.execution

    def put_in_order(self) -> None:
        """Put a tape that was recorded from its beginning in the order in which its requests were made."""
        made = sorted(self._tape.interactions, key=lambda each: each.request.i)
        if not self._places and made != self._tape.interactions:
            self._tape.interactions = made
            self._file.replace(lines_of_tape(self._tape))

    def keep(self, is_kept: Callable[[RequestLine], bool], is_tool_kept: Callable[[ToolLine], bool]) -> None:
        """Drop what is not kept, and put what was recorded here behind what was played before it."""
        tools = [each for each in self._tape.tools if each.i in self._executions or is_tool_kept(each)]
        new: defaultdict[int, list[Interaction]] = defaultdict(list)
        for each in sorted(self._tape.interactions, key=lambda each: each.request.i):
            if each.request.i in self._executions:
                new[self._behind[each.request.i]].append(each)
        kept = new.pop(-1, [])
        for each in self._tape.interactions:
            if each.request.i not in self._executions and is_kept(each.request):
                kept += [each, *new[each.request.i]]
        if kept != self._tape.interactions or tools != self._tape.tools:
            self._tape.interactions, self._tape.tools[:] = kept, tools
            self._file.replace(lines_of_tape(self._tape))

    def _position(self, gone: set[int], place: tuple[str, int]) -> int:
        """Return where an interaction is put, among those that are not gone."""
        numbers = [each.request.i for each in self._tape.interactions]
        if gone:
            first = next(n for n, i in enumerate(numbers) if i in gone)
            return sum(i not in gone for i in numbers[:first])
        return numbers.index(self._places[place]) + 1 if place in self._places else len(numbers)
