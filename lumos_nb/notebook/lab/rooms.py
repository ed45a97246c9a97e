"""All rooms, in the order in which the page's types list them. A new one is one line here."""

from __future__ import annotations

from lumos_nb.notebook.lab.cells import CellsRoom
from lumos_nb.notebook.lab.room import Room
from lumos_nb.notebook.lab.status import StatusRoom

ROOMS: tuple[type[Room], ...] = (
    StatusRoom,
    CellsRoom,
)
