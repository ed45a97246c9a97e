"""Groups of a query: counted, added and averaged by the store, not in the notebook.

One idea: a sum with an amount that is not known is not known. Means, least and greatest are of what is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lumos_nb.errors import UsageError, nearest
from lumos_nb.frames import _typed
from lumos_nb.stores.schema import Column

if TYPE_CHECKING:
    from lumos_nb.frames._query import Query

FUNCTIONS = ("count", "sum", "mean", "min", "max")
_NUMBERS = {"int", "float", "bool"}
_Measure = tuple[str, str | None]


class Groups:
    """Groups by the values of columns; made by `Query.group_by`."""

    def __init__(self, columns: Sequence[Column], query: Query) -> None:
        self._columns = tuple(columns)
        self._query = query

    def __repr__(self) -> str:
        return f"q.{self._query._source.name} by {', '.join(c.name for c in self._columns)}: .count() or .agg(…)"

    def count(self) -> Any:
        """Return how many rows each group has, as a DataFrame with the column `n`, largest first."""
        return self.agg()

    def agg(self, **measures: tuple[str, str]) -> Any:
        """Return figures of each group, largest group first: `agg(seconds=("duration_s", "mean"))`.

        The column `n` counts rows. Functions: count (of known values), sum, mean, min, max.
        """
        made = [Column("n", "int"), *(self._measured(name, *_pair(name, given)) for name, given in measures.items())]
        asked: list[_Measure] = [("count", None), *((how, column) for column, how in measures.values())]
        columns = [*self._columns, *made]
        key = [c.name for c in self._columns]
        if len({c.name for c in columns}) < len(columns):
            raise UsageError("Two columns of the result have the same name.", hint="Name the measures otherwise.")
        rows = self._rows(asked)
        rows.sort(key=lambda row: (-row[len(key)], *(str(v) for v in row[: len(key)])))
        return _typed.frame(rows, columns, schema=f"{self._query._source.name}_by/1", key=key, newest_first=False)

    def _measured(self, name: str, column: str, how: str) -> Column:
        """Return the column that a measure makes."""
        if how not in FUNCTIONS:
            raise UsageError(f"There is no function {how!r}.", hint=nearest(how, FUNCTIONS))
        by_name = {c.name: c for c in self._query._source.columns}
        if column not in by_name:
            raise UsageError(f"{self._query._source.name!r} has no column {column!r}.", hint=nearest(column, by_name))
        kind = by_name[column].type
        if how in {"sum", "mean"} and kind not in _NUMBERS:
            raise UsageError(
                f"{column!r} is no number that has a {how}.", hint="count, min and max work on all columns."
            )
        return Column(
            name, {"count": "int", "mean": "float", "sum": "float" if kind == "float" else "int"}.get(how, kind)
        )

    def _rows(self, asked: list[_Measure]) -> list[tuple[Any, ...]]:
        query, names = self._query, [c.name for c in self._columns]
        if query._source.table is not None and query._limit is None:
            return list(query.store.aggregate(query._source.name, names, asked, where=query.conditions))
        wanted = [*names, *(column or query._source.columns[0].name for _, column in asked)]
        groups: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {} if names else {(): []}
        for row in query._rows(wanted, newest_first=True):
            groups.setdefault(row[: len(names)], []).append(row[len(names) :])
        return [(*group, *_figures(asked, rows)) for group, rows in groups.items()]


def _pair(name: str, given: Any) -> tuple[str, str]:
    if not (isinstance(given, tuple) and len(given) == 2 and all(isinstance(g, str) for g in given)):
        raise UsageError(f"{name}={given!r} is no measure.", hint=f'Write {name}=("duration_s", "mean").')
    return given


def _figures(asked: list[_Measure], rows: list[tuple[Any, ...]]) -> list[Any]:
    """Return the measures of rows that no store could add up; `tests/frames` compares them with a store's."""
    return [_figure(how, column, [row[i] for row in rows]) for i, (how, column) in enumerate(asked)]


def _figure(how: str, column: str | None, values: list[Any]) -> Any:
    known = [v for v in values if v is not None]
    if how == "count":
        return len(values) if column is None else len(known)
    if how == "sum":
        return sum(known) if known and len(known) == len(values) else None
    if not known:
        return None
    return sum(known) / len(known) if how == "mean" else (min if how == "min" else max)(known)
