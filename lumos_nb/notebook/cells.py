"""The cells that were run, as far as results may depend on them.

One idea: a result is stale when its cell, or one that wrote what it read, was run or changed since.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from lumos_nb.memory.provenance import RanCell, source_hash
from lumos_nb.notebook.names import cached_names
from lumos_nb.notebook.place import cell_id, cell_number

logger = logging.getLogger("lumos_nb")


class RanCells:
    """Notes each cell of a shell when it has run."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._cells: dict[str, RanCell] = {}

    def install(self) -> None:
        """Begin to note."""
        self._shell.events.register("post_run_cell", self._note)

    def remove(self) -> None:
        """Note no more."""
        self._shell.events.unregister("post_run_cell", self._note)

    def all(self) -> list[RanCell]:
        """Return each cell as it was the last time, in the order in which they were run."""
        return list(self._cells.values())

    def _note(self, result: Any) -> None:
        try:
            source, id = result.info.raw_cell, cell_id(self._shell)
            if not id or not result.info.store_history:
                return
            names = cached_names(source, self._shell.transform_cell)
        except Exception:  # a subscriber's fault is its own
            logger.exception("A cell could not be noted.")
            return
        self._cells.pop(id, None)  # to the end
        self._cells[id] = RanCell(
            cell_id=id, source_hash=source_hash(source), ran_at=time.time_ns(), names_written=names.written,
            execution_count=cell_number(self._shell),
        )  # fmt: skip
