"""What can be asked as rows: a table of the store, or rows worked out from several.

One idea: every frame and every query reads one of these, so that filters, order and limits mean the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import msgspec

from lumos_nb.stores import Store
from lumos_nb.stores.base import Condition
from lumos_nb.stores.schema import EVENTS, RUNS, STEPS, THREADS, TOOL_CALLS, Column, Table

Row = tuple[Any, ...]


class Source(Protocol):
    """Rows of one kind, in the order of time."""

    @property
    def name(self) -> str:
        """Name of the function that gives them as a frame."""

    @property
    def version(self) -> int:
        """Raised by a change that whoever reads the frame would notice."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """Columns in their public order."""

    @property
    def key(self) -> tuple[str, ...]:
        """Columns that tell two rows apart."""

    @property
    def time(self) -> str:
        """Column that `last`, `since` and `until` look at."""

    @property
    def table(self) -> Table | None:
        """The table that it is as it stands, or None where rows are worked out."""

    def rows(
        self, store: Store, names: Sequence[str], where: Sequence[Condition], limit: int | None, *, newest_first: bool
    ) -> Iterator[Row]:
        """Yield rows as tuples of the named columns; `limit` is of the first that come."""


class TableSource(msgspec.Struct, frozen=True):
    """A table of the store as it stands."""

    table: Table
    time: str
    order: tuple[str, ...]
    version: int = 1

    @property
    def name(self) -> str:
        """Return the table's name."""
        return self.table.name

    @property
    def columns(self) -> tuple[Column, ...]:
        """Return the table's columns."""
        return self.table.columns

    @property
    def key(self) -> tuple[str, ...]:
        """Return the table's key."""
        return self.table.key

    def rows(
        self, store: Store, names: Sequence[str], where: Sequence[Condition], limit: int | None, *, newest_first: bool
    ) -> Iterator[Row]:
        """Yield rows of the store."""
        order = self.ordered(newest_first=newest_first)
        return store.select(self.name, names, where=where, order=order, limit=limit)

    def ordered(self, *, newest_first: bool) -> list[str]:
        """Return the order as a store takes it."""
        return [f"-{name}" if newest_first else name for name in self.order]


THREAD_ROWS = TableSource(THREADS, "updated_at", ("updated_at", "thread_id"))
RUN_ROWS = TableSource(RUNS, "started_at", ("started_at", "run_id"))
STEP_ROWS = TableSource(STEPS, "started_at", ("started_at", "run_id", "step"))
TOOL_CALL_ROWS = TableSource(TOOL_CALLS, "started_at", ("started_at", "run_id", "step", "tool_call_id"))
EVENT_ROWS = TableSource(EVENTS, "ts", ("seq",))
