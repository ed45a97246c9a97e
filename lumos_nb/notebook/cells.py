"""The cells that were run, as far as results may depend on them.

One idea: a result is stale when its cell, or one that wrote what it read, was run or changed since.
"""

from __future__ import annotations

import logging
from typing import Any

from lumos_nb import clock
from lumos_nb.memory.provenance import RanCell, source_hash
from lumos_nb.notebook.names import cached_names
from lumos_nb.notebook.place import cell_id, cell_number

logger = logging.getLogger("lumos_nb")


class RanCells:
    """Notes each cell of a shell when it begins, for what it asks itself, and when it has run."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._cells: dict[str, RanCell] = {}
        self._sources: dict[str, str] = {}

    def install(self) -> None:
        """Begin to note."""
        self._shell.events.register("pre_run_cell", self._note)
        self._shell.events.register("post_run_cell", self._note_end)

    def remove(self) -> None:
        """Note no more."""
        self._shell.events.unregister("pre_run_cell", self._note)
        self._shell.events.unregister("post_run_cell", self._note_end)

    def all(self) -> list[RanCell]:
        """Return each cell as it was the last time, in the order in which they were run."""
        return list(self._cells.values())

    def _note_end(self, result: Any) -> None:
        self._note(result.info)

    def _note(self, info: Any) -> None:
        try:
            source, id = info.raw_cell, cell_id(self._shell)
            if not id or not info.store_history:
                return
            names = cached_names(source, self._shell.transform_cell)
        except Exception:  # a subscriber's fault is its own
            logger.exception("A cell could not be noted.")
            return
        self._keep(id, source, names.written)

    def note_ran(self, id: str, source: str) -> None:
        """Note a cell that an agent ran, while its own one held the kernel."""
        self._keep(id, source, cached_names(source, self._shell.transform_cell).written)

    def source(self, id: str) -> str:
        """Return what a cell said when it was run last; empty if it was not."""
        return self._sources.get(id, "")

    def _keep(self, id: str, source: str, written: Any) -> None:
        self._sources[id] = source
        self._cells.pop(id, None)  # to the end
        self._cells[id] = RanCell(
            cell_id=id, source_hash=source_hash(source), ran_at=clock.time_ns(), names_written=written,
            execution_count=cell_number(self._shell),
        )  # fmt: skip
