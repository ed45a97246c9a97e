"""Notebooks as pytest sees them: a file, its code cells as items, and an item for its end.

One idea: notebooks run in threads from the moment all is collected; an item does nothing but wait for its cell.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Generator, Iterator
from concurrent.futures import TimeoutError as NotYet
from pathlib import Path
from typing import Any

import pytest
from _pytest._code.code import ReprFileLocation, TerminalRepr
from _pytest._io import TerminalWriter

from lumos_nb.errors import LumosError
from lumos_nb.testing.runner.artifacts import Wishes
from lumos_nb.testing.runner.books import Book, CellPlan
from lumos_nb.testing.runner.executing import END, Execution, Outcome
from lumos_nb.testing.runner.reports import headline, plain, source_text

EXECUTED = "executed"
"""Folder of executed notebooks where none is named; they are no tests themselves."""


class NotebookFile(pytest.File):
    """A notebook."""

    execution: Execution
    book: Book

    def collect(self) -> Iterator[pytest.Item]:
        """Yield its code cells, and its end."""
        try:
            self.book = Book(self.path)
        except LumosError as error:
            raise self.CollectError(str(error)) from None
        for cell in self.book.cells:
            yield CellItem.from_parent(self, name=cell.name, cell=cell)
        yield CellItem.from_parent(self, name="end", cell=None)


class CellItem(pytest.Item):
    """A code cell; None: the end of the notebook, for what only the end shows."""

    parent: NotebookFile

    def __init__(self, *, cell: CellPlan | None, **options: Any) -> None:
        super().__init__(**options)
        self.cell = cell
        self.seconds: float | None = None
        if self.config.pluginmanager.hasplugin("xdist"):
            self.add_marker(pytest.mark.xdist_group(str(self.path)))

    @property
    def place(self) -> int:
        """Its place in the notebook."""
        return END if self.cell is None else self.cell.index

    def runtest(self) -> None:
        """Wait until the cell has run, and fail as it failed."""
        outcome = _waited(self.parent.execution, self.place)
        self.seconds = outcome.duration_s
        if outcome.not_run:
            raise pytest.skip.Exception(outcome.not_run, _use_item_location=True)
        if outcome.problems:
            raise CellFailed(outcome)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show the cell and what is wrong with it, not the machinery around."""
        if isinstance(excinfo.value, CellFailed):
            return CellReport(self, excinfo.value.outcome)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return where it is; skipped cells of one file are counted together, so all have the same line."""
        return self.path, 0, f"{self.path.name}::{self.name}"


class CellFailed(Exception):
    """A cell did not do as it should."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.problems[0])
        self.outcome = outcome


class CellReport(TerminalRepr):
    """What a failing cell shows; in colour where the terminal has colours."""

    def __init__(self, item: CellItem, outcome: Outcome) -> None:
        self._item, self._outcome = item, outcome
        self.reprcrash = ReprFileLocation(str(item.path), 0, headline(outcome.problems[0]))

    def toterminal(self, tw: TerminalWriter) -> None:
        """Write it."""
        if self._item.cell is not None:
            source = source_text(self._item.cell.source, self._outcome.error, self._outcome.execution_count)
            for line in source.splitlines():
                tw.line(line, red=line.startswith(">"))
        for problem in self._outcome.problems:
            tw.line()
            tw.line(problem if tw.hasmarkup else plain(problem))


class NotebookTests:
    """Finds notebooks, and runs them, several at a time.

    Args:
        config: What pytest was asked.
        mode: The mode of tapes.
    """

    def __init__(self, config: pytest.Config, mode: str) -> None:
        option = config.option
        folder = option.lumos_output_dir or (EXECUTED if option.lumos_html else None)
        self._wishes = Wishes(
            mode=mode, compare=option.lumos_compare or ("runs" if mode == "replay-strict" else "none"),
            is_updating=option.lumos_update, with_live=option.lumos_live, timeout_s=option.lumos_timeout,
            kernel=option.lumos_kernel, output_dir=Path(folder).absolute() if folder else None,
            with_html=option.lumos_html, root=config.invocation_params.dir,
        )  # fmt: skip
        self._jobs = option.lumos_jobs or _cores()
        self._has_modules = bool(config.getini("python_files"))
        self._is_worker = hasattr(config, "workerinput")
        self._waiting: queue.SimpleQueue[Execution] = queue.SimpleQueue()
        self._begun: list[Execution] = []
        self._threads: list[threading.Thread] = []

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> NotebookFile | None:
        """Take notebooks."""
        if file_path.suffix != ".ipynb" or ".ipynb_checkpoints" in file_path.parts:
            return None
        return NotebookFile.from_parent(parent, path=file_path)

    def pytest_collect_directory(self, path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """Take folders as mere folders where only notebooks are tests: no package is imported for them."""
        return None if self._has_modules else pytest.Dir.from_parent(parent, path=path)

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Leave out notebooks that were executed."""
        is_result = collection_path == self._wishes.output_dir or collection_path.name == EXECUTED
        return True if is_result and collection_path.is_dir() else None

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Begin to run what was selected, each notebook up to its last selected cell."""
        if session.config.option.collectonly:
            return
        last: dict[NotebookFile, int] = {}
        for item in session.items:
            if isinstance(item, CellItem):
                places = (last.get(item.parent, 0), item.place)
                last[item.parent] = END if END in places else max(places)
        if self._wishes.mode == "record" and any(place != END for place in last.values()):
            raise pytest.UsageError(
                "A tape is recorded of the whole notebook, and only some of its cells are selected. "
                "Record all of it, or only what is missing, by refresh in place of record."
            )
        for file, place in last.items():
            file.execution = Execution(file.book, self._wishes, place)
            self._waiting.put(file.execution)
        for _ in range(0 if self._is_worker else min(self._jobs, len(last))):
            self._start(self._run_all)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> None:
        """Run the notebook of an item now, where others may run the rest of them."""
        if self._is_worker and isinstance(item, CellItem) and item.parent.execution not in self._begun:
            self._begun.append(item.parent.execution)
            self._start(item.parent.execution.run)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
        """Say how long the cell took, not how long it was waited for."""
        report = yield
        if isinstance(item, CellItem) and call.when == "call" and item.seconds is not None:
            report.duration = item.seconds
        return report

    def pytest_unconfigure(self) -> None:
        """End the kernels that still run."""
        while not self._waiting.empty():
            self._waiting.get_nowait()
        for execution in self._begun:
            execution.stop()
        for thread in self._threads:
            thread.join()

    def _start(self, work: Any) -> None:
        thread = threading.Thread(target=work, name="lumos-notebook", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _run_all(self) -> None:
        while True:
            try:
                execution = self._waiting.get_nowait()
            except queue.Empty:
                return
            self._begun.append(execution)
            execution.run()


def _waited(execution: Execution, place: int) -> Outcome:
    while True:  # in short turns: a person's interrupt is heard between them on all systems
        try:
            return execution.outcome(place, timeout_s=0.5)
        except NotYet:
            continue


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
