"""Lazy queries: `lumos.q.tool_calls.where(tool="bash").since("1d")`, asked when something is wanted of them.

One idea: a query is a value. Each method returns a narrower one; `count`, `head`, `df`, `arrow`,
`polars`, `batches` and `group_by` ask the store. The frames (`runs()` …) are queries that are asked at once.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from lumos_nb.errors import LumosError, UsageError, nearest
from lumos_nb.frames import _arrow, _filters, _typed
from lumos_nb.frames._arrow import needs
from lumos_nb.frames._groups import Groups
from lumos_nb.frames._sources import Row, Source
from lumos_nb.stores import Store, default_store
from lumos_nb.stores.base import Condition
from lumos_nb.stores.schema import Column


class Query:
    """Rows that are asked for, not yet read. Immutable; it shows its count and what it asks in words."""

    def __init__(self, source: Source, store: Store | None = None, conditions: tuple[Condition, ...] = ()) -> None:
        if store is not None and not hasattr(store, "select"):
            hint = 'Write store=lumos_nb.stores.open_store("other.db").'
            raise UsageError(f"store={_filters.shown(store)} is no store.", hint=hint)
        self._source = source
        self._store = store
        self._conditions = conditions
        self._limit: int | None = None
        self._columns: tuple[Column, ...] = tuple(c for c in source.columns if not c.lazy)

    def _with(self, **changes: Any) -> Query:
        other = Query(self._source, self._store)
        other.__dict__.update(self.__dict__, **changes)
        return other

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """What is asked of the rows, as a store takes it."""
        return self._conditions

    @property
    def store(self) -> Store:
        """Who is asked."""
        return default_store() if self._store is None else self._store

    # ---- narrower ------------------------------------------------------------------------

    def where(self, *condition: Any, **equal: Any) -> Query:
        """Keep rows where a column is a value or one of a list (`tool="bash"`), or compares: `"duration_s", ">", 1`.

        Comparisons: `= != < <= > >= in contains` (text, any case). None stands for a missing value.
        """
        more = _filters.equal(self._source.columns, equal)
        if condition:
            more += _filters.listed(self._source.columns, condition if isinstance(condition[0], str) else [*condition])
        return self._with(_conditions=(*self._conditions, *more))

    def since(self, moment: Any) -> Query:
        """Keep rows from a moment on: a datetime, text of one (without a zone UTC), or a duration such as `1d`."""
        return self._timed(None, moment, None)

    def until(self, moment: Any) -> Query:
        """Keep rows from before a moment."""
        return self._timed(None, None, moment)

    def _timed(self, last: str | None, since: Any, until: Any) -> Query:
        more = _filters.time_conditions(self._source.time, last, since, until)
        return self._with(_conditions=(*self._conditions, *more))

    def limit(self, n: int | None) -> Query:
        """Keep the newest `n` rows, of messages the newest `n` messages."""
        _filters.check_limit(n)
        n = n and min(n, sys.maxsize)
        return self._with(_limit=n if self._limit is None or n is None else min(n, self._limit))

    def columns(self, *names: str) -> Query:
        """Read these columns alone; large ones too, which are left out otherwise."""
        by_name = {c.name: c for c in self._source.columns}
        for name in names:
            if not isinstance(name, str) or name not in by_name:
                hint = nearest(name, by_name) if isinstance(name, str) else 'Write names: columns("a", "b").'
                raise UsageError(f"{self._source.name!r} has no column {name!r}.", hint=hint)
        return self._with(_columns=tuple(by_name[name] for name in names))

    def payload(self) -> Query:
        """Read all columns, the large ones too."""
        return self._with(_columns=self._source.columns)

    # ---- asked ---------------------------------------------------------------------------

    def count(self) -> int:
        """Return how many rows there are."""
        table = self._source.table
        if table is None or self._limit is not None:
            return sum(1 for _ in self._rows([self._source.columns[0].name], newest_first=True))
        ((n,),) = self.store.aggregate(table.name, [], [("count", None)], where=self._conditions)
        return int(n)

    def head(self, n: int = 5) -> Any:
        """Return the oldest `n` rows as a DataFrame."""
        _filters.check_limit(n, "n")
        if self._limit is not None:
            return self.df().head(n)
        names = [c.name for c in self._columns]
        rows = self._source.rows(self.store, names, self._conditions, n, newest_first=False)
        return self._frame(rows, newest_first=False)

    def tail(self, n: int = 5) -> Any:
        """Return the newest `n` rows as a DataFrame, newest last."""
        return self.limit(n).df()

    def df(self) -> Any:
        """Return the rows as a DataFrame, newest last."""
        newest_first = self._limit is not None
        return self._frame(self._rows([c.name for c in self._columns], newest_first), newest_first=newest_first)

    def batches(self, rows: int = 50_000) -> Iterator[Any]:
        """Yield DataFrames of so many rows, oldest first, and hold one of them at a time."""
        if isinstance(rows, bool) or not isinstance(rows, int) or rows < 1:
            raise UsageError(f"batches({rows!r}) is not a whole number from 1.", hint="50_000 is what it is by itself.")
        return self._batches(rows)

    def _batches(self, rows: int) -> Iterator[Any]:
        if self._limit is not None:  # the newest are known only when all of them were seen
            whole = self.df()
            yield from (whole.iloc[at : at + rows].reset_index(drop=True) for at in range(0, len(whole), rows))
            return
        found = self._rows([c.name for c in self._columns], newest_first=False)
        while portion := _portion(found, rows):
            yield self._frame(portion, newest_first=False)

    def arrow(self) -> Any:
        """Return the rows as a table of pyarrow; times are UTC nanoseconds, few distinct texts dictionaries."""
        needs("pyarrow", "arrow()")
        df = self.df()
        return _arrow.table(df, _arrow.schema_of(df))

    def polars(self) -> Any:
        """Return the rows as a DataFrame of polars."""
        return needs("polars", "polars()").from_arrow(self.arrow())

    def group_by(self, *names: str) -> Groups:
        """Return groups by columns, of which the store counts, adds and averages: `.count()`, `.agg(…)`.

        Without a column all rows are one group.
        """
        return Groups(self.columns(*names)._columns, self)

    # ---- how it is asked -----------------------------------------------------------------

    def _rows(self, names: Sequence[str], newest_first: bool) -> Iterator[Row]:
        return self._source.rows(self.store, names, self._conditions, self._limit, newest_first=newest_first)

    def _frame(self, rows: Any, *, newest_first: bool) -> Any:
        schema = f"{self._source.name}/{self._source.version}"
        has_key = {c.name for c in self._columns}.issuperset(self._source.key)
        return _typed.frame(
            rows, self._columns, schema=schema, key=self._source.key if has_key else (), newest_first=newest_first
        )

    # ---- shown ---------------------------------------------------------------------------

    def __repr__(self) -> str:
        try:
            return "\n".join(self._said())
        except LumosError as error:
            return f"q.{self._source.name}: {error}"

    def _said(self) -> Iterator[str]:
        table = self._source.table
        yield f"q.{self._source.name}: {'rows, counted when they are read' if table is None else _n_rows(self.count())}"
        if self._conditions:
            yield "  where " + " and ".join(_filters.in_words(self._source.columns, c) for c in self._conditions)
        if self._limit is not None:
            yield f"  the newest {self._limit:,}"
        names = [c.name for c in self._columns]
        if table is not None and len(names) < len([c for c in self._source.columns if not c.lazy]):
            yield "  columns " + ", ".join(names)
        if table is not None and (asked := self.store.worded(table.name, self._conditions)):
            yield f"  {asked}"


def _portion(found: Iterator[Row], n: int) -> list[Row]:
    return list(islice(found, n))


def _n_rows(n: int) -> str:
    return f"{n:,} row{'' if n == 1 else 's'}"
