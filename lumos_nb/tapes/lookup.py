"""Which recorded interaction answers a request, and which were asked for already.

One idea: only the same request is ever answered. Among several of the same, the one of the asking cell comes first,
then the order in which they were recorded; each is given once, to one execution of a cell.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from lumos_nb.tapes.canonical import key, spelling
from lumos_nb.tapes.format import Interaction, RequestLine, ToolLine
from lumos_nb.tapes.scenes import Scene


def is_of(line: RequestLine | ToolLine, scene: Scene) -> bool:
    """Return whether a recorded request is of the cell that asks: by its id, else by its source.

    Example:
        >>> line = RequestLine(i=0, url="http://h/", cell="a1", source="s")
        >>> is_of(line, Scene(cell="a1")), is_of(line, Scene(source="s")), is_of(line, Scene(cell="b2", source="s"))
        (True, True, False)
    """
    if line.cell and scene.cell:
        return line.cell == scene.cell
    return bool(line.source) and line.source == scene.source


class Lookup:
    """The interactions of a tape, by what was asked. Whoever uses it holds a lock.

    Args:
        interactions: In the order of recording; their numbers differ.
        repeats: Whether a cell that is run again may have its own once more.
    """

    def __init__(self, interactions: Iterable[Interaction], *, repeats: bool) -> None:
        self._repeats = repeats
        self._of_key: defaultdict[bytes, list[Interaction]] = defaultdict(list)
        #: Keys by how the requests are spelled, which is sooner known.
        self._keys: dict[bytes, bytes] = {}
        #: Number of an interaction, and the cell that was given it last.
        self._taken: dict[int, str] = {}
        #: Executions of cells, and numbers of what each was given.
        self._given: set[tuple[int, int]] = set()
        #: What was asked for; a fault may have come between.
        self.asked: set[int] = set()
        for interaction in interactions:
            self.add(interaction)

    def add(self, interaction: Interaction) -> None:
        """Add an interaction."""
        asked = key(interaction.request)
        self._keys[spelling(interaction.request)] = asked
        self._of_key[asked].append(interaction)

    def take(self, request: RequestLine, scene: Scene) -> Interaction | None:
        """Return what answers a request, and remember that it was given; None: nothing does."""
        same = self._of_key.get(self._key_of(request), ())
        left = [each for each in same if self._is_left(each.request, scene)]
        if not left:
            return None
        found = min(left, key=lambda each: self._rank(each.request, request, scene))
        i = found.request.i
        self._taken[i] = scene.cell or scene.source
        self._given.add((scene.execution, i))
        self.asked.add(i)
        return found

    def give_back(self, i: int) -> None:
        """Let an interaction be given once more."""
        self._taken.pop(i, None)
        self._given = {each for each in self._given if each[1] != i}

    def given_in(self, execution: int) -> set[int]:
        """Return the numbers of what was given to an execution."""
        return {i for each, i in self._given if each == execution}

    def same_as(self, request: RequestLine) -> list[Interaction]:
        """Return all that is recorded for a request, given or not."""
        return list(self._of_key.get(self._key_of(request), ()))

    def knows(self, request: RequestLine) -> bool:
        """Return whether a request is recorded in just these letters."""
        return spelling(request) in self._keys

    def remove(self, numbers: set[int]) -> None:
        """Forget interactions that are no longer on the tape."""
        for same in self._of_key.values():
            same[:] = [each for each in same if each.request.i not in numbers]

    def _key_of(self, request: RequestLine) -> bytes:
        return self._keys.get(spelling(request)) or key(request)

    def _is_left(self, line: RequestLine, scene: Scene) -> bool:
        if line.i not in self._taken:
            return True
        if not self._repeats or (scene.execution, line.i) in self._given:
            return False
        mine = scene.cell or scene.source
        return bool(mine) and (is_of(line, scene) or self._taken[line.i] == mine)

    def _rank(self, line: RequestLine, request: RequestLine, scene: Scene) -> tuple[bool, bool, bool]:
        is_same_cell = bool(scene.cell) and line.cell == scene.cell
        # Two cells with the same source and no ids are told apart only by what was given already.
        return not is_of(line, scene), not is_same_cell and line.i in self._taken, line.attempt != request.attempt
