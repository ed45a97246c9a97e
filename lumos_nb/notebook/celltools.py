"""Tools with which an agent works on the notebook's cells: list, read, insert, edit, delete, run.

One idea: reading is free, writing is a proposal. What writes is a tool that asks first, so a call of it waits
for a person as any other; the page shows it as a diff in its place, and does it in one step that can be
undone. Where no page does it, the tool shows what the person has to paste.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from lumos_nb.context import RuntimeContext
from lumos_nb.errors import ToolError, UsageError
from lumos_nb.messages import ToolCall
from lumos_nb.notebook.cellbook import CHARS, Book, clipped
from lumos_nb.notebook.cellplaces import in_turn, last_before, note_call, note_cell
from lumos_nb.notebook.lab.cellasks import CellChange, Kind
from lumos_nb.tools import Tool

if TYPE_CHECKING:
    from lumos_nb.runtime import LiveRun

KEPT = 500
"""Calls, and texts that were read, which are remembered: the last ones."""

_ours: dict[tuple[str, str], None] = {}
_read: dict[tuple[str, str], str] = {}


def cell_tools() -> list[Tool]:
    """Return tools with which an agent reads, writes and runs the cells of the notebook that it runs in.

    What writes waits for you: JupyterLab shows it as a diff in its place, to accept, change or reject. To have
    it done at once, name it in `--approve` or in the setting `approve`; it can be undone all the same.

    Example:
        >>> [(tool.name, tool.permission) for tool in cell_tools()]  # doctest: +NORMALIZE_WHITESPACE
        [('list_cells', 'allow'), ('read_cell', 'allow'), ('insert_cell', 'ask'), ('edit_cell', 'ask'),
         ('delete_cell', 'ask'), ('run_cell', 'ask')]
    """
    readers: list[Tool] = [CellTool(fn, thread=True, side_effect="none") for fn in (list_cells, read_cell)]
    writers = (insert_cell, edit_cell, delete_cell, run_cell)
    return readers + [CellTool(fn, thread=True, permission="ask", side_effect="unsafe") for fn in writers]


class CellTool(Tool):
    """One of these tools; a call that cannot be meant is refused before anybody is asked."""

    def arguments(self, call: ToolCall, context: RuntimeContext) -> dict[str, Any]:
        given = super().arguments(call, context)
        if context.run_id:
            _keep(_ours, (context.run_id, call.id), None)
            if self.name == "insert_cell" and not given.get("after"):
                note_call(context.run_id, call.id)
            own = _own_cell(context)
            if self.name in {"edit_cell", "delete_cell", "run_cell"} and own and own == given["cell_id"]:
                raise ToolError(
                    f"The cell {given['cell_id']!r} is the one that you run in.", hint="Insert another cell instead."
                )
        return given


def is_ours(run_id: str, call_id: str) -> bool:
    """Return whether a call is of one of these tools, and not of another one of the same name."""
    return (run_id, call_id) in _ours


def read_text(run_id: str, cell_id: str) -> str | None:
    """Return what a run knows a cell to say; None if it has not read it."""
    return _read.get((run_id, cell_id))


def place_of(run_id: str, call_id: str, after: str, own: str | None) -> str:
    """Return the cell that a new one comes after: below the running one and what was inserted there before."""
    return after or last_before(run_id, call_id) or own or ""


# ---- the tools ------------------------------------------------------------------------


def list_cells(context: RuntimeContext) -> str:
    """List the notebook's cells in their order: id, type, how it stands, and the first line of its text."""
    lines = []
    for n, cell in enumerate(cells := Book.here().cells()):
        first = next(iter(cell.source.strip().splitlines()), "")
        ran = f"[{cell.execution_count}]" if cell.execution_count else "not run" if cell.type == "code" else ""
        state = cell.state if cell.state != "idle" else ran
        yours = "the cell that you run in" if cell.id == _own_cell(context) else ""
        facts = ", ".join(part for part in (cell.type, state, f"{cell.n_lines} lines", yours) if part)
        lines.append(f"{n + 1}. {cell.id} ({facts}): {first[:120]}")
    return clipped("\n".join(lines), CHARS * 4) if cells else "The notebook has no cells."


def read_cell(cell_id: str, context: RuntimeContext) -> str:
    """Read a cell: its text as it stands, saved or not, and its outputs as text.

    Args:
        cell_id: Its id, from list_cells.
    """
    cell = Book.here().read(cell_id)
    _keep(_read, (context.run_id, cell.id), cell.source)
    outputs = "\n".join(cell.outputs)
    shown = f"\n\nOutputs:\n{clipped(outputs, CHARS)}" if outputs else "\n\nIt has no outputs."
    number = f", executed as [{cell.execution_count}]" if cell.execution_count else ""
    return f"The {cell.type} cell {cell.id}{number}, {cell.state}:\n{cell.source}{shown if cell.type == 'code' else ''}"


def insert_cell(
    source: str, context: RuntimeContext, after: str = "", type: Literal["code", "markdown", "raw"] = "code"
) -> str:
    """Propose a new cell. It is not run: call run_cell with the id that you are told.

    Args:
        source: Its text.
        after: Id of the cell that it comes after, or "top". Empty: below the cell that you run in.
        type: What kind of cell it is.
    """
    import uuid

    call_id, cell_id = _call_id(context), str(uuid.uuid4())
    with in_turn():
        after = place_of(context.run_id, call_id, after, _own_cell(context))
        told = _change(context, "insert", cell_id, after=after, type=type, source=source)
        if told:
            return told
        note_cell(context.run_id, call_id, cell_id)
    _keep(_read, (context.run_id, cell_id), source)
    return f"It is inserted as the cell {cell_id}."


def edit_cell(cell_id: str, source: str, context: RuntimeContext, old: str = "") -> str:
    """Propose another text for a cell. Read it first: the call fails if it has changed since.

    Args:
        cell_id: Its id.
        source: The new text: all of it, or with `old` what takes the place of that part.
        old: The part to replace, word for word; it must occur once. Empty: the whole text.
    """
    base = None if old else read_text(context.run_id, cell_id)
    told = _change(context, "edit", cell_id, source=source, old=old or None, base=base)
    if not told and not old:
        _keep(_read, (context.run_id, cell_id), source)
    return told or "It is changed. It was not run."


def delete_cell(cell_id: str, context: RuntimeContext) -> str:
    """Propose to delete a cell.

    Args:
        cell_id: Its id.
    """
    return _change(context, "delete", cell_id, base=read_text(context.run_id, cell_id)) or "It is deleted."


def run_cell(cell_id: str, context: RuntimeContext) -> str:
    """Propose to run a code cell, and read what it puts out. Errors are part of that.

    Args:
        cell_id: Its id.
    """
    from lumos_nb.notebook.cellrun import run_here

    verdict = _verdict(context)
    return run_here(Book.here(verdict.page if verdict else ""), cell_id)


# ---- what they have in common ---------------------------------------------------------


def _change(context: RuntimeContext, kind: Kind, cell_id: str, **more: Any) -> str:
    """Let a page do it; return what the model is told where there is none, or nothing if it is done."""
    verdict = _verdict(context)
    book = Book.here(verdict.page if verdict else "")
    if kind == "edit" and not more["old"]:
        more["base"] = verdict.base if verdict and verdict.base is not None else more["base"]
        if more["base"] is None:
            raise ToolError(f"The cell {cell_id!r} has not been read.", hint="Call read_cell first, or name `old`.")
    elif verdict is not None:
        more["base"] = verdict.base
    was_asked = verdict is not None or _was_asked(context)  # the run's document may say so a moment later
    change = CellChange(kind=kind, cell_id=cell_id, agent=context.agent, is_marked=not was_asked, **more)
    try:
        return book.change(change)
    except UsageError as error:
        raise ToolError(f"Nothing was changed. {error.message}", hint=error.hint) from None


def _verdict(context: RuntimeContext) -> Any:
    from lumos_nb.notebook.lab.proposals import ProposalsRoom

    server = Book.here().server
    if server is None:
        return None
    return server.rooms[ProposalsRoom].verdict(context.run_id, _call_id(context))


def _call_id(context: RuntimeContext) -> str:
    return context.call_key.removeprefix(f"{context.run_id}/")


def _was_asked(context: RuntimeContext) -> bool:
    run = _live(context.run_id)
    return run is not None and run.has_asked(context.call_key.removeprefix(f"{context.run_id}/"))


def _live(run_id: str) -> LiveRun | None:
    from lumos_nb.notebook import here

    session = here()
    return next((run for run in session.runtime.live() if run.run_id == run_id), None) if session else None


def _own_cell(context: RuntimeContext) -> str | None:
    """Return the cell that holds the run: of an agent that works in another one's tool, that one's."""
    run = _live(context.root_run_id) or _live(context.run_id)
    return run.cell_id if run else None


def _keep(where: dict[Any, Any], key: Any, value: Any) -> None:
    where.pop(key, None)
    where[key] = value
    while len(where) > KEPT:
        del where[next(iter(where))]
