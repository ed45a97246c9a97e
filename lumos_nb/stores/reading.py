"""Rows as dicts, for whoever asks for many columns of a row.

One idea: a store yields tuples, which is quick; a name for each value is given where it is wanted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from lumos_nb.stores.base import Condition, Store
from lumos_nb.stores.schema import TABLES

Row = dict[str, Any]


def read_rows(
    store: Store,
    table: str,
    columns: Sequence[str] = (),
    *,
    where: Sequence[Condition] = (),
    order: Sequence[str] = (),
    limit: int | None = None,
    offset: int = 0,
) -> Iterator[Row]:
    """Yield rows by the names of their columns; without names, all but the large ones. See `Store.select`.

    Example:
        >>> import tempfile; from lumos_nb.stores import open_store
        >>> list(read_rows(open_store(tempfile.mkdtemp() + "/lumos.db"), "runs", ["run_id"]))
        []
    """
    names = columns or [column.name for column in TABLES[table].columns if not column.lazy]
    for values in store.select(table, names, where=where, order=order, limit=limit, offset=offset):
        yield dict(zip(names, values, strict=True))
