"""A proposal where no page can put it into the notebook.

One idea: show it so that one paste does it, and tell the model that it is not done. A new cell can be handed
to the front end with the reply of the cell that runs: Jupyter puts it below.
"""

from __future__ import annotations

from typing import Any

from lumos_nb.agent.home import HOME
from lumos_nb.errors import ToolError
from lumos_nb.notebook.cellbook import Book, diff_of
from lumos_nb.notebook.home import BackgroundHome
from lumos_nb.notebook.lab.cellasks import CellChange


def show_for_paste(book: Book, change: CellChange) -> str:
    """Show what is to be done by hand, and return what the model is told.

    Raises:
        ToolError: It cannot be done to the cell as it stands.
    """
    match change.kind:
        case "insert":
            return _insert(book, change)
        case "delete":
            cell = book.read(change.cell_id)
            _show(f"To delete: the cell `{cell.id}`", removed=cell.source)
        case _:
            cell = book.read(change.cell_id)
            text = replaced(cell.source, change)
            _show(f"The new text of the cell `{cell.id}`", text, diff_of(cell.source, text))
    return "The person was shown it and has to do it by hand: no page here can. It is not done yet."


def replaced(source: str, change: CellChange) -> str:
    """Return the text that a cell is to have.

    Raises:
        ToolError: It is not what it was taken for.
    """
    if change.old is None:
        if change.base is not None and change.base != source:
            raise ToolError("The cell has changed since you read it.", hint="Read it again.")
        return change.source
    n = source.count(change.old)
    if n != 1:
        raise ToolError(
            f"The cell {change.cell_id!r} has the text to replace {n} times.",
            hint="Read it again, and name more of it.",
        )
    return source.replace(change.old, change.source)


def _insert(book: Book, change: CellChange) -> str:
    _show("A new cell", change.source)
    payloads: Any = getattr(book.shell, "payload_manager", None)
    has_reply = payloads is not None and not isinstance(HOME.get(), BackgroundHome)
    if not has_reply or any(p.get("source") == "set_next_input" for p in payloads.read_payload()):
        return "The person was shown the cell and has to paste it: no page here can insert it. It is not done yet."
    payloads.write_payload({"source": "set_next_input", "text": change.source, "replace": False}, single=True)
    return "It comes below this cell when your run has ended, and has no id before. You cannot run it."


def _show(title: str, text: str = "", diff: str = "", removed: str = "") -> None:
    from IPython.display import display

    parts = [title]
    if removed or diff:
        parts.append(_block("diff", diff or "\n".join(f"-{line}" for line in removed.splitlines())))
    if text:
        parts.append(_block("python", text))
    shown = "\n\n".join(parts)
    display({"text/markdown": shown, "text/plain": shown}, raw=True)


def _block(language: str, text: str) -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text}\n{fence}"
