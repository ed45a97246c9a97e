"""What a page that shows a notebook is asked about its cells, and what it answers.

One idea: the kernel names a cell by its nbformat id and says what it took the text for; the page, which has
the unsaved text, does it in one step that can be undone, or says why not.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from lumos_nb.notebook.lab.protocol import Nothing, PageAsk

Kind = Literal["insert", "edit", "delete", "run"]
CellType = Literal["code", "markdown", "raw"]


class CellOutline(msgspec.Struct, frozen=True, kw_only=True):
    """A cell in a list: the beginning of its text, and how it stands."""

    id: str
    type: str
    source: str
    n_lines: int
    #: idle or running; empty where that is not known.
    state: str
    execution_count: int | None
    n_outputs: int


class CellText(msgspec.Struct, frozen=True, kw_only=True):
    """A cell in full, and its outputs as text."""

    id: str
    type: str
    source: str
    state: str
    execution_count: int | None
    outputs: list[str]


class CellNamed(msgspec.Struct, frozen=True):
    """A cell by its id."""

    cell_id: str


class CellChange(msgspec.Struct, frozen=True, kw_only=True):
    """What to do to the notebook, in one step that can be undone."""

    kind: Kind
    #: The cell; for `insert` the id that the new one gets.
    cell_id: str
    agent: str
    #: For `insert`: the cell that it comes after; "top" or an id.
    after: str = ""
    type: CellType = "code"
    #: The new text, or with `old` what takes that one's place.
    source: str = ""
    old: str | None = None
    #: What the text was when it was read; None: whatever it is.
    base: str | None = None
    #: Whether nobody was asked: the page marks it.
    is_marked: bool = False


class CellRan(msgspec.Struct, frozen=True, kw_only=True):
    """How a cell ended that the page ran, with its outputs as text."""

    is_ok: bool
    execution_count: int | None
    outputs: list[str]


class CellOutputs(msgspec.Struct, frozen=True, kw_only=True):
    """What the kernel ran in a cell's name while another one held it: the outputs belong there."""

    cell_id: str
    is_running: bool
    execution_count: int | None = None
    #: As nbformat writes them.
    outputs: list[Any] = []


LIST = PageAsk("cells.list", Nothing, list[CellOutline])
READ = PageAsk("cells.read", CellNamed, CellText)
CHANGE = PageAsk("cells.change", CellChange, Nothing)
RUN = PageAsk("cells.run", CellNamed, CellRan)
OUTPUTS = PageAsk("cells.outputs", CellOutputs, Nothing)
ASKS: tuple[PageAsk[Any, Any], ...] = (LIST, READ, CHANGE, RUN, OUTPUTS)
