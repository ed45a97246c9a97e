"""Rows of which a person sees a page at a time, found by words.

One idea: the store does it. Each word is looked up in the columns that a person knows; what is left is
ordered, counted and cut by the database, so that ten thousand rows cost what a page of them costs.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from lumos_nb.errors import UsageError
from lumos_nb.stores import Store
from lumos_nb.stores.base import Condition

MOST_ROWS = 200
"""More of them are not sent at once."""

Column = tuple[str, str]
"""A table and a column of it to look in."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which page of a list is wanted."""

    #: Each of them occurs somewhere.
    words: str = ""
    offset: int = 0
    limit: int = 100

    def cut(self) -> tuple[int, int]:
        """Return offset and limit.

        Raises:
            UsageError: There can be no such page.
        """
        if self.offset < 0 or not 0 < self.limit <= MOST_ROWS:
            raise UsageError(
                f"There is no page of {self.limit} rows from {self.offset} on.", hint=f"Ask for 1 to {MOST_ROWS}."
            )
        return self.offset, self.limit


def by_words(store: Store, key: str, words: str, columns: Sequence[Column]) -> list[Condition]:
    """Return the condition that each word occurs, in any case, in one of the columns; none without words.

    Args:
        store: Where to look.
        key: The column that names a row, in each of the tables.
        words: What to look for, with spaces between.
        columns: Where.

    Example:
        >>> import tempfile; from lumos_nb.stores import Insert, open_store
        >>> store = open_store(tempfile.mkdtemp() + "/lumos.db")
        >>> store.write([Insert("threads", {"thread_id": "t1", "title": "Sales of May"})])
        >>> by_words(store, "thread_id", "may SALES", [("threads", "title"), ("messages", "text")])
        [('thread_id', 'in', ['t1'])]
    """
    found: set[str] | None = None
    for word in words.split():
        ids = {
            str(row[0])
            for table, column in columns
            for row in store.aggregate(table, [key], [("count", None)], where=[(column, "contains", word)])
            if row[0] is not None
        }
        found = ids if found is None else found & ids
    return [] if found is None else [(key, "in", sorted(found))]


def n_found(store: Store, table: str, where: Sequence[Condition]) -> int:
    """Return how many rows there are."""
    return int(next(store.aggregate(table, [], [("count", None)], where=where))[0])
