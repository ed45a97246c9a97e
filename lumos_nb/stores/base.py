"""What a store can do, without saying which database it is.

One idea: a store keeps and finds rows of the tables in `schema`; it knows no threads, no
runs and no agents. A batch of writes is one transaction: all of it, or nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import msgspec


class Insert(msgspec.Struct, frozen=True):
    """Add a row. A second row with the same key is a `ConflictError`."""

    table: str
    row: dict[str, Any]


class Upsert(msgspec.Struct, frozen=True):
    """Add a row, or replace the given columns of the one with the same key."""

    table: str
    row: dict[str, Any]


class Ensure(msgspec.Struct, frozen=True):
    """Add a row of narrow columns, unless there is one with its key."""

    table: str
    row: dict[str, Any]


class Update(msgspec.Struct, frozen=True):
    """Set columns of all rows where the `where` columns are equal.

    `add` holds amounts that are added to a column. None is "not known": a None amount makes
    the sum None (an unknown price makes a total unknown), and None plus anything stays None.
    A sum therefore has to start at 0, not at None.
    """

    table: str
    where: dict[str, Any]
    set: dict[str, Any] = {}
    add: dict[str, float | int | None] = {}


class Delete(msgspec.Struct, frozen=True):
    """Remove all rows where the columns are equal."""

    table: str
    where: dict[str, Any]


Write = Insert | Upsert | Ensure | Update | Delete

Condition = tuple[str, str, Any]
"""Column, one of `= != < <= > >= in contains` (text, any case), and a value."""

Measure = tuple[str, str | None]
"""`count` of all rows (None), or `count sum mean min max` of a column; a sum with a value that is not known is None."""


class Found(msgspec.Struct, frozen=True):
    """What a text in a store's own language found."""

    names: list[str]
    #: Type of each result column, as in `schema`, where it is a column of ours; else None.
    types: list[str | None]
    rows: list[tuple[Any, ...]]
    #: Whether there were more rows than were wanted.
    is_cut: bool


class Store(Protocol):
    """Keeps rows of the tables in `schema.TABLES`. All methods may be called from any thread."""

    def write(self, batch: Sequence[Write]) -> None:
        """Write a batch in one transaction, or nothing of it.

        Raises:
            ConflictError: An `Insert` met a row with its key.
            StoreError: The database is locked, read-only, full or damaged; the hint says what to do.
        """

    def write_soon(self, batch: Sequence[Write]) -> None:
        """Write a batch before anything is read from this store, and within a quarter of a second; never waits.

        Many batches become one transaction: a thousand short runs cost little more than one.

        Raises:
            StoreError: Batches of before could not be written; this one was not taken.
        """

    def select(
        self,
        table: str,
        columns: Sequence[str],
        *,
        where: Sequence[Condition] = (),
        order: Sequence[str] = (),
        limit: int | None = None,
        offset: int = 0,
    ) -> Iterator[tuple[Any, ...]]:
        """Yield rows as tuples of `columns`; `order` names columns, `-name` for descending; `offset` rows are left out.

        None is a value like others: `=` and `!=` compare with it, `in` may list it. Reading
        never creates a database: one that does not exist yet has no rows.

        Raises:
            UsageError: There is no such table, column or comparison; raised at once.
            StoreError: The database cannot be read; raised while the rows are read.
        """

    def aggregate(
        self, table: str, by: Sequence[str], measures: Sequence[Measure], *, where: Sequence[Condition] = ()
    ) -> Iterator[tuple[Any, ...]]:
        """Yield a row for each group: its values of the columns `by`, then the measures. None is a group, too.

        Raises:
            UsageError: There is no such table, column, comparison or function; raised at once.
        """

    def worded(self, table: str, where: Sequence[Condition] = ()) -> str:
        """Return how this store is asked for such rows, in its own language, for people; or nothing."""

    def query(self, text: str, params: Any = (), *, timeout_s: float, limit: int) -> Found:
        """Return what a text in the store's own language finds; it can read, and nothing else.

        Raises:
            UsageError: The store has no such language, or the text is wrong, or would change something.
            StoreError: It took longer than `timeout_s`, or the database cannot be read.
        """

    def close(self) -> None:
        """Close the database. It is opened again when it is used again."""
