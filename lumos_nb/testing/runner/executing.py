"""Notebooks executed as tests: each in a thread and a kernel of its own, each cell with its outcome.

One idea: a notebook runs on by itself; who asks for the outcome of a cell waits for just that cell.
"""

from __future__ import annotations

import tempfile
import threading
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import msgspec

from lumos_nb.errors import LumosError
from lumos_nb.testing.runner.artifacts import Artifacts, Wishes
from lumos_nb.testing.runner.books import Book, CellPlan
from lumos_nb.testing.runner.comparing import difference, is_same
from lumos_nb.testing.runner.kernels import KernelFailed, NotebookKernel
from lumos_nb.testing.runner.reports import plain, problem_of, traceback_text
from lumos_nb.testing.runner.waiting import Ran

NEVER_EXPECTED = ("TapeMiss", "NetworkForbidden", "TapeError", "TapeUnused", "TapeDrift", "SecretOnTape")
"""Errors that a cell cannot expect: they are about the test, not about what it tests."""
LEAVES = "It ends the kernel, so nothing after it runs for sure. Leave out exit() and quit()."
AT_END_S = 0.5
"""How long what is left over at the end may take to be gone."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a cell, or of the end."""

    #: What is wrong; a cell that is well has nothing here.
    problems: list[str] = []
    #: Why it was not run, if it was not.
    not_run: str = ""
    #: Whether it is better not to go on after it.
    is_end: bool = False
    #: Number beside the cell.
    execution_count: int | None = None
    #: Its error output, if it has one.
    error: dict[str, Any] | None = None
    duration_s: float = 0.0


END = -1
"""Stands for the end of the notebook where a cell's place is asked for."""


class Execution:
    """One notebook, executed once.

    Args:
        book: The notebook.
        wishes: What is asked of it.
        last: Place of the last cell that is asked for, or END: all, and what only the end shows.
    """

    def __init__(self, book: Book, wishes: Wishes, last: int = END) -> None:
        self.book, self.wishes, self._last = book, wishes, last
        self._outcomes: dict[int, Future[Outcome]] = {cell.index: Future() for cell in book.cells}
        self._outcomes[END] = Future()
        self._artifacts = Artifacts(book, wishes)
        self._is_stopped = threading.Event()
        self._failed, self._is_well = "", True
        self._held: list[tuple[CellPlan, Outcome, list[Any]]] = []
        self._kernel: NotebookKernel | None = None
        #: The tape that is about to be recorded anew: half a recording must not take its place.
        self._before: bytes | None = None

    def outcome(self, index: int, timeout_s: float | None = None) -> Outcome:
        """Return what came of a cell, or of END; wait for it if need be."""
        return self._outcomes[index].result(timeout_s)

    def stop(self) -> None:
        """Run no more cells, and end the kernel; one that has run them all ends itself, and closes its files."""
        self._is_stopped.set()
        if self._kernel is not None and not all(outcome.done() for outcome in self._outcomes.values()):
            self._kernel.kill()

    def run(self) -> None:
        """Execute the cells; outcomes come as they are there."""
        with tempfile.TemporaryDirectory(prefix="lumos-", ignore_cleanup_errors=True) as folder:
            try:
                self._run(Path(folder))
            except Exception as error:
                self._break(str(error) if isinstance(error, LumosError) else f"{type(error).__name__}: {error}")
            finally:
                self._rest_not_run("not run: the test run was stopped")

    def _run(self, folder: Path) -> None:
        environment = self._artifacts.environment(folder)
        self._kernel = kernel = NotebookKernel(self.book, name=self.wishes.kernel, environment=environment)
        self._before = self._artifacts.tape_before()
        try:
            kernel.start()
            stored = {cell.index: self.book.stored(cell.index) for cell in self.book.cells}
            kernel.ask("start()")
            for cell in self.book.cells:
                if not self._is_stopped.is_set():
                    self._take(cell, self._of_cell(kernel, cell), stored[cell.index])
                if cell.index == self._last:
                    break
            self._finish(kernel, stored)
        finally:
            kernel.stop()
            end = self._outcomes[END]
            if self._before is not None and not (end.done() and end.result() == Outcome()):
                self._artifacts.put_back(self._before)

    def _take(self, cell: CellPlan, outcome: Outcome, stored: list[Any]) -> None:
        # What shows something else may show what is stored once a run in the background has ended.
        if not outcome.problems and not outcome.not_run and self._difference(cell, stored):
            self._held.append((cell, outcome, stored))
        else:
            self._settle(cell.index, outcome)

    def _settle(self, index: int, outcome: Outcome) -> None:
        self._is_well = self._is_well and not outcome.problems
        if outcome.is_end and not self._failed:
            name = next((cell.name for cell in self.book.cells if cell.index == index), "::end")
            self._failed = f"cell {name} failed"
        self._outcomes[index].set_result(outcome)

    def _of_cell(self, kernel: NotebookKernel, cell: CellPlan) -> Outcome:
        if self._failed:
            return Outcome(not_run=f"not run: {self._failed}")
        if cell.is_skipped:
            return Outcome(not_run="tagged lumos-skip")
        if cell.is_live and not self.wishes.with_live:
            return Outcome(not_run="tagged lumos-live: run it with --lumos-live")
        if cell.fault:
            return Outcome(problems=[cell.fault], is_end=True)
        if not cell.source.strip():
            return Outcome()
        if cell.is_live:
            kernel.ask("go_live(True)")
        timeout_s = cell.timeout_s or self.wishes.timeout_s
        ran = kernel.run(cell.index, cell.source, cell_id=cell.name, timeout_s=timeout_s)
        return self._judged(kernel, cell, ran)

    def _judged(self, kernel: NotebookKernel, cell: CellPlan, ran: Ran) -> Outcome:
        node = self.book.node.cells[cell.index]
        heard = self._heard(kernel, cell, ran)
        error, said = problem_of([*kernel.tracebacks(), *node.outputs], ran.reply)
        said = said or "\n".join(each for each in heard if each.startswith("UsageError:"))
        problems = [ran.fault] if ran.fault else []
        is_ours = error is not None and error["ename"] in NEVER_EXPECTED
        if cell.must_raise and not said and not ran.fault:
            problems.append("It raised nothing, and its tag raises-exception says that it does.")
        if said and (not cell.must_raise or is_ours):
            problems.append(said)
        if leaves := any(each.get("source") == "ask_exit" for each in ran.reply.get("payload", ())):
            problems.append(LEAVES)
        is_end = ran.is_gone or leaves or (bool(problems) and (bool(said) or bool(ran.fault)))
        problems += [each for each in heard if each not in plain(said)]
        return Outcome(
            problems=problems,
            is_end=is_end,
            execution_count=node.execution_count,
            error=error,
            duration_s=ran.duration_s,
        )

    def _heard(self, kernel: NotebookKernel, cell: CellPlan, ran: Ran) -> list[str]:
        """Return what went wrong in the kernel and is in no output."""
        if ran.is_gone:
            return []
        try:
            problems: list[str] = kernel.ask("after_cell()")["problems"]
            if cell.is_live:
                kernel.ask("go_live(False)")
            return problems
        except KernelFailed as failure:
            return [str(failure)]

    def _difference(self, cell: CellPlan, stored: list[Any]) -> str:
        if self.wishes.is_updating or self.wishes.compare == "none" or cell.is_ignored or cell.is_live:
            return ""
        everything = cell.is_compared or self.wishes.compare == "all"
        outputs = self.book.node.cells[cell.index].get("outputs", [])
        if not (diff := difference(stored, outputs, everything=everything, masks=self.book.masks)):
            return ""
        return (
            f"Its outputs are not those stored. If they should be: lumos test --update {self._artifacts.named}\n{diff}"
        )

    def _finish(self, kernel: NotebookKernel, stored: dict[int, list[Any]]) -> None:
        if self._is_stopped.is_set():
            return
        is_whole = self._last == END and not self._failed
        problems = self._at_end(kernel) if is_whole else []
        if is_whole and not problems:
            problems = kernel.ask("close_tape()")["problems"]
        for cell, outcome, before in self._held:
            changed = self._difference(cell, before)
            self._settle(cell.index, msgspec.structs.replace(outcome, problems=[changed] if changed else []))
        if self._failed:
            kept = "" if self._before is None else "; its tape is left as it was"
            self._settle(END, Outcome(not_run=f"not run: {self._failed}{kept}"))
        elif is_whole:
            self._settle(END, Outcome(problems=problems))
            if self.wishes.is_updating and self._is_well:
                self._update(stored)
        if self.wishes.output_dir is not None:
            kernel.put_widgets()
            self._artifacts.write()
        self._rest_not_run("not run: it was not asked for")

    def _at_end(self, kernel: NotebookKernel) -> list[str]:
        until, late = time.monotonic() + AT_END_S, list[str]()
        while True:
            try:
                problems: list[str] = [*kernel.ask("at_end()")["problems"], *late]
            except KernelFailed as failure:
                return [str(failure)]
            new = [traceback_text(each) for each in kernel.tracebacks()]
            late, problems = [*late, *new], [*problems, *new]
            # A process that was told to end, a task that was cancelled: they need a moment.
            if not any("left:" in each or "goes on" in each for each in problems) or time.monotonic() > until:
                return problems
            time.sleep(0.05)

    def _update(self, stored: dict[int, list[Any]]) -> None:
        skipped = {
            cell.index
            for cell in self.book.cells
            if cell.is_skipped or cell.is_live or (cell.is_ignored and stored[cell.index])
        }
        cells = {index: self.book.node.cells[index] for index in stored if index not in skipped}
        changed = {
            index: cell
            for index, cell in cells.items()
            if not is_same(stored[index], cell.outputs, self.book.masks) or self._is_counted_anew(index, cell)
        }
        self.book.write_outputs(changed)

    def _is_counted_anew(self, index: int, cell: Any) -> bool:
        return bool(self.book.raw["cells"][index]["execution_count"] != cell.execution_count)

    def _break(self, why: str) -> None:
        """Let the first cell that has no outcome yet fail with these words; the rest is not run."""
        for index in [*(cell.index for cell in self.book.cells), END]:
            if not self._outcomes[index].done():
                not_run = f"not run: {self._failed}" if self._failed else ""
                self._settle(index, Outcome(not_run=not_run, problems=[] if not_run else [why], is_end=True))

    def _rest_not_run(self, why: str) -> None:
        for future in self._outcomes.values():
            if not future.done():
                future.set_result(Outcome(not_run=why))
