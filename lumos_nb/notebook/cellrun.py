"""Running a cell in the midst of a run.

One idea: while an agent's own cell holds the kernel, a cell that the page executes would wait behind it for
ever. Its text is run where the agent's tools run, and what it puts out is handed to the page for the cell.
In the background nothing holds the kernel: there the page runs it as a click would.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from lumos_nb.agent.home import HOME, Job
from lumos_nb.agent.loops import CORE
from lumos_nb.errors import ToolError, UsageError
from lumos_nb.events import ToolOutput
from lumos_nb.notebook.capture import current
from lumos_nb.notebook.cellbook import CHARS, Book, clipped, described, waited
from lumos_nb.notebook.home import BackgroundHome, NotebookHome
from lumos_nb.notebook.lab.cellasks import OUTPUTS, RUN, CellNamed, CellOutputs
from lumos_nb.notebook.place import cell_number
from lumos_nb.outputs import Entry, add_output, shown_text, update_display


def run_here(book: Book, cell_id: str) -> str:
    """Run a cell, and return what the model is told of it.

    Raises:
        ToolError: It cannot be run.
    """
    if not isinstance(HOME.get(), NotebookHome):  # its outputs would be the calling cell's, and it could run that one
        raise ToolError(
            "No cell can be run here: the agent was called by Python.", hint="It can where an %%agent cell asks it."
        )
    cell = book.read(cell_id)
    if cell.type != "code":
        raise ToolError(f"The cell {cell_id!r} is a {cell.type} cell: nothing runs in it.")
    if book.pages and isinstance(HOME.get(), BackgroundHome):
        try:
            ran = book.ask(RUN, CellNamed(cell_id), None)
        except UsageError as error:
            raise ToolError(error.message, hint=error.hint) from None
        return _told(ran.is_ok, "\n".join(ran.outputs))
    number = cell_number(book.shell)
    _show(book, CellOutputs(cell_id=cell_id, is_running=True))
    run = _Execution(book.shell, cell.source)
    try:
        run.wait()
    finally:
        _show(book, CellOutputs(cell_id=cell_id, is_running=False, execution_count=number, outputs=run.outputs()))
    book.session.cells.note_ran(cell_id, cell.source)
    return _told(run.error is None, "\n".join(described(output) for output in run.outputs()))


def _told(is_ok: bool, outputs: str) -> str:
    head = "It ran." if is_ok else "It ran and failed."
    return f"{head} Its outputs:\n{clipped(outputs, CHARS)}" if outputs.strip() else f"{head} It put nothing out."


def _show(book: Book, outputs: CellOutputs) -> None:
    if book.pages:
        with contextlib.suppress(UsageError):  # a page is a subscriber: the cell ran all the same
            book.ask(OUTPUTS, outputs)


class _Execution:
    """A text that is run in the shell as a cell, beside the one that runs."""

    def __init__(self, shell: Any, source: str) -> None:
        self.error: BaseException | None = None
        self._shell, self._source = shell, source
        self._entries: list[Entry] = []
        sink = current()
        self._forward: Callable[[str, str, dict[str, Any]], None] = sink.emit if sink else lambda *_: None

    def wait(self) -> None:
        """Run it where plain tools run; what awaits, on the kernel's loop."""
        transformed = self._shell.transform_cell(self._source)
        is_async = self._shell.should_run_async(self._source, transformed_cell=transformed)
        fn = self._awaited if is_async else self._plain
        work = HOME.get().run(Job(fn, {}, is_async, False, self._take))
        future = asyncio.run_coroutine_threadsafe(work, CORE.loop())
        try:
            waited(future, None)
        except BaseException:
            future.cancel()
            raise

    def _plain(self) -> None:
        self._end(self._shell.run_cell(self._source))

    async def _awaited(self) -> None:
        transformed = self._shell.transform_cell(self._source)
        self._end(await self._shell.run_cell_async(self._source, transformed_cell=transformed))

    def _end(self, result: Any) -> None:
        self.error = result.error_before_exec or result.error_in_exec
        if isinstance(self.error, KeyboardInterrupt):
            raise self.error

    def _take(self, kind: str, text: str, data: dict[str, Any]) -> None:
        event = ToolOutput("", kind, text, data)
        (update_display if kind == "update" else add_output)(self._entries, event)
        self._forward(kind, text, data)

    def outputs(self) -> list[dict[str, Any]]:
        """Return what it put out, as nbformat writes it; the error stands last."""
        made = [_output(entry) for entry in self._entries if entry["kind"] != "clear"]
        if self.error is not None and made and made[-1].get("name") == "stderr":
            lines = made[-1]["text"].splitlines()
            error = {"ename": type(self.error).__name__, "evalue": str(self.error), "traceback": lines}
            made[-1] = {"output_type": "error", **error}
        return made


def _output(entry: Entry) -> dict[str, Any]:
    if entry["kind"] == "display":
        return {"output_type": "display_data", "data": entry["data"], "metadata": {}}
    return {"output_type": "stream", "name": entry["kind"], "text": shown_text(entry["text"])}
