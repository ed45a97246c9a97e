"""How a batch of writes becomes statements, inside a transaction that somebody else opens and ends.

One idea: writes of one kind to the same columns are one `executemany`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from lumos_nb.stores import _sql
from lumos_nb.stores.base import Delete, Ensure, Insert, Update, Upsert, Write


def apply(connection: sqlite3.Connection, batch: Sequence[Write]) -> None:
    """Do a batch, in its order."""
    for (kind, *what), writes in groupby(batch, _kind):
        if kind is Insert:
            _insert(connection, _sql.insert(*what), [write.row for write in writes])  # type: ignore[union-attr]
        elif kind is Upsert:
            _upsert(connection, _sql.upsert(*what), [write.row for write in writes])  # type: ignore[union-attr]
        else:
            for write in writes:
                _apply(connection, write)


def _kind(write: Write) -> tuple[Any, ...]:
    """Return what writes have in common that one statement can do."""
    rows = isinstance(write, Insert | Upsert)
    return (type(write), write.table, tuple(write.row)) if rows else (None,)  # type: ignore[union-attr]


def _insert(connection: sqlite3.Connection, plan: _sql.Plan, rows: list[dict[str, Any]]) -> None:
    """Add rows that have the same columns."""
    if plan.is_numbered and len(rows) > 1:
        for row in rows:
            _insert(connection, plan, [row])
        return
    connection.executemany(plan.sql, ([row[name] for name in plan.narrow] for row in rows))
    if plan.lazy:
        # Nobody else writes during this transaction, and the numbers go up: the rows have the last ones.
        last = connection.execute("SELECT last_insert_rowid()").fetchone()[0]
        numbered = zip(range(last - len(rows) + 1, last + 1), rows, strict=True)
        connection.executemany(plan.lazy_sql, ([n, *(row[name] for name in plan.lazy)] for n, row in numbered))


def _upsert(connection: sqlite3.Connection, plan: _sql.Plan, rows: list[dict[str, Any]]) -> None:
    """Add or change rows that have the same columns."""
    connection.executemany(plan.sql, ([row[name] for name in plan.narrow] for row in rows))
    if plan.lazy:
        names = (*plan.lazy, *plan.key)
        connection.executemany(plan.lazy_sql, ([row[name] for name in names] for row in rows))


def _apply(connection: sqlite3.Connection, write: Write) -> None:
    """Do one write inside the open transaction."""
    match write:
        case Ensure(table, row):
            plan = _sql.ensure(table, tuple(row))
            connection.execute(plan.sql, [row[name] for name in plan.narrow])
        case Update(table, where, set_, add):
            plan = _sql.update(table, tuple(set_), tuple(add), tuple(where))
            if plan.lazy:  # first, for the other statement may change what `where` looks at
                connection.execute(plan.lazy_sql, [*(set_[name] for name in plan.lazy), *where.values()])
            if plan.sql:
                values = [*(set_[name] for name in plan.narrow), *add.values(), *where.values()]
                connection.execute(plan.sql, values)
        case Delete(table, where):
            described = _sql.table_named(table)
            _sql.check_columns(described, list(where))
            for sql in _sql.delete(described, tuple(where)):
                connection.execute(sql, list(where.values()))
