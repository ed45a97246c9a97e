"""The cells of the notebook, read and changed where they are.

One idea: the page that shows the notebook has the truth, with what is not saved. Without one, the file on disk
is read, or what this kernel has run; what would change it is shown, for the person to paste.
"""

from __future__ import annotations

import difflib
import json
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from lumos_nb.errors import ToolError, UsageError, nearest
from lumos_nb.memory.provenance import RanCell
from lumos_nb.notebook.lab.cellasks import CHANGE, LIST, READ, CellChange, CellNamed, CellOutline, CellText
from lumos_nb.notebook.lab.protocol import Nothing, PageAsk
from lumos_nb.notebook.place import notebook_path

CHARS = 4000
"""How much of a cell's outputs the model is told."""

ANSWERS_WITHIN_S = 10.0
"""How long a page may take; a browser lets pages in the background sleep."""

LOOK_S = 0.1

T = TypeVar("T")
A = TypeVar("A")


class Book:
    """The notebook of this kernel.

    Args:
        session: The extension in the kernel's shell.
        page: The page to ask before others; empty: the newest.
    """

    def __init__(self, session: Any, page: str = "") -> None:
        self.session, self.shell, self.server = session, session.shell, session.lab
        self._first = page

    @classmethod
    def here(cls, page: str = "") -> Book:
        """Return the notebook that this runs in.

        Raises:
            ToolError: The extension is not loaded.
        """
        from lumos_nb.notebook import here

        session = here()
        if session is None:
            raise ToolError("There is no notebook here.", hint="Run %load_ext lumos_nb in one.")
        return cls(session, page)

    @property
    def pages(self) -> list[str]:
        """The pages that can be asked, in the order in which to do so."""
        known = list(reversed(self.server.pages)) if self.server else []
        silent = self.server.silent if self.server else set()
        return sorted(known, key=lambda page: (page in silent, page != self._first))

    def ask(self, what: PageAsk[T, A], given: T, within_s: float | None = ANSWERS_WITHIN_S) -> A:
        """Return what the first page says that answers; one that sleeps is passed over.

        Raises:
            UsageError: It could not do it, or none answered.
        """
        for page in self.pages:
            try:
                answer: A = waited(self.server.ask(page, what, given), within_s)
                return answer
            except TimeoutError:
                self.server.silent.add(page)
                continue
        raise UsageError("No page that shows the notebook answers.", hint="It may have done it all the same: look.")

    def cells(self) -> list[CellOutline]:
        """Return all cells, in their order."""
        if self.pages:
            found: list[CellOutline] = self.ask(LIST, Nothing())
            return found
        return [
            CellOutline(
                id=cell.id, type=cell.type, source=cell.source[:500], n_lines=len(cell.source.splitlines()),
                state=cell.state, execution_count=cell.execution_count, n_outputs=len(cell.outputs),
            )
            for cell in self._saved()
        ]  # fmt: skip

    def read(self, cell_id: str) -> CellText:
        """Return a cell in full.

        Raises:
            ToolError: There is no such cell.
        """
        if self.pages:
            try:
                found: CellText = self.ask(READ, CellNamed(cell_id))
                return found
            except UsageError as error:
                raise ToolError(error.message, hint=error.hint) from None
        cells = {cell.id: cell for cell in self._saved()}
        if cell_id not in cells:
            raise ToolError(f"There is no cell {cell_id!r}.", hint=nearest(cell_id, cells) or "See list_cells.")
        return cells[cell_id]

    def change(self, change: CellChange) -> str:
        """Do it in a page; without one show it, and return what the model is told."""
        if self.pages:
            self.ask(CHANGE, change)
            return ""
        from lumos_nb.notebook.cellpaste import show_for_paste

        return show_for_paste(self, change)

    def _saved(self) -> list[CellText]:
        """Return the cells of the file, with those of this kernel's memory that are newer or not in it."""
        return _of_file(self.shell) or [self._noted(cell) for cell in self.session.cells.all()]

    def _noted(self, cell: RanCell) -> CellText:
        source = self.session.cells.source(cell.cell_id)
        return CellText(
            id=cell.cell_id, type="code", source=source, state="idle", execution_count=cell.execution_count, outputs=[]
        )


def _of_file(shell: Any) -> list[CellText]:
    path = Path(notebook_path(shell) or "")
    try:
        book = json.loads(path.read_text("utf-8"))
        return [_of_json(n, cell) for n, cell in enumerate(book["cells"])]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # not saved yet, or not a notebook
        return []


def _of_json(n: int, cell: dict[str, Any]) -> CellText:
    return CellText(
        id=cell.get("id") or str(n), type=cell["cell_type"], source="".join(cell["source"]), state="idle",
        execution_count=cell.get("execution_count"), outputs=[described(o) for o in cell.get("outputs", [])],
    )  # fmt: skip


def described(output: dict[str, Any]) -> str:
    r"""Return an output of nbformat as text.

    Example:
        >>> described({"output_type": "stream", "text": ["a\n", "b"]})
        'a\nb'
        >>> described({"output_type": "error", "ename": "KeyError", "evalue": "'x'"})
        "KeyError: 'x'"
        >>> described({"output_type": "display_data", "data": {"image/png": "…"}})
        '[image/png]'
    """
    match output.get("output_type"):
        case "stream":
            return "".join(output.get("text", ""))
        case "error":
            return f"{output.get('ename')}: {output.get('evalue')}"
    data = output.get("data") or {}
    text = data.get("text/markdown") or data.get("text/plain")
    return "".join(text) if text else f"[{', '.join(data)}]"


def clipped(text: str, n: int) -> str:
    """Return a text that is too long with its middle left out, and how much that was.

    Example:
        >>> clipped("a" * 30, 10)
        'aaaaaaaa\\n… 20 characters left out …\\naa'
    """
    if len(text) <= n:
        return text
    tail = n // 4
    return f"{text[: n - tail]}\n… {len(text) - n} characters left out …\n{text[-tail:]}"


def waited(future: Future[T], within_s: float | None) -> T:
    """Return what a future brings, on a thread that an interrupt must be able to end.

    Raises:
        TimeoutError: It did not within this time; None: it has all the time.
    """
    ends = None if within_s is None else time.monotonic() + within_s
    while True:
        try:
            return future.result(LOOK_S)
        except TimeoutError:
            if future.done() or (ends is not None and time.monotonic() > ends):
                raise


def diff_of(before: str, after: str) -> str:
    """Return the lines that differ, marked by - and +.

    Example:
        >>> print(diff_of("a\\nb", "a\\nc"))
         a
        -b
        +c
    """
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=3)
    return "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))
