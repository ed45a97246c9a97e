"""What the page is told about cells: what can stand at a cursor, and which results are stale.

One idea: the page knows what cells say now, the kernel what they said when they ran.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from lumos_nb.notebook.candidates import Names
from lumos_nb.notebook.completion import Completed, complete
from lumos_nb.notebook.lab.protocol import asked
from lumos_nb.notebook.lab.room import Room

if TYPE_CHECKING:
    from lumos_nb.notebook.lab.server import LabServer


class AtCursor(msgspec.Struct, frozen=True, kw_only=True):
    """A cell's text, and where the cursor is in it, in characters."""

    source: str
    cursor: int


class ShownCells(msgspec.Struct, frozen=True, kw_only=True):
    """What the agents' cells of a notebook say now, by their ids."""

    cells: dict[str, str]


class StaleCell(msgspec.Struct, frozen=True, kw_only=True):
    """Why a cell's result is stale."""

    cell_id: str
    #: cell changed, input changed or defined anew.
    reason: str
    #: Names that were written since, with commas.
    names: str


class StaleCells(msgspec.Struct, frozen=True, kw_only=True):
    """The cells whose results are stale; all others are fresh, or have none."""

    cells: list[StaleCell]


class CellsRoom(Room):
    """Answers what a page asks about cells."""

    def __init__(self, server: LabServer) -> None:
        super().__init__(server)
        self._names = Names(self.runtime, self.shell)

    @asked("cells.complete")
    def complete(self, at: AtCursor) -> Completed:
        found = complete(at.source, at.cursor, self._names)
        return found or Completed(start=at.cursor, end=at.cursor, items=[])

    @asked("cells.stale")
    def stale(self, shown: ShownCells) -> StaleCells:
        from lumos_nb.frames._stale import stale_cells

        found = stale_cells(self.runtime.memory.store, self.runtime.notebook(), shown.cells, self._defined())
        return StaleCells(
            cells=[StaleCell(cell_id=id, reason=reason, names=names) for id, (reason, names) in found.items()]
        )

    def _defined(self) -> dict[str, set[str]]:
        """Return the names that each agent is made of, by its own name: its variables, and its tools."""
        found: dict[str, set[str]] = {}
        for variable, agent in self.runtime.agents().items():
            names = found.setdefault(agent.name, set())
            names.add(variable)
            try:
                names.update(tool.name for tool in agent.get_tools())
            except Exception:  # noqa: S112  tools may be computed, by anybody's code
                continue
        return found
