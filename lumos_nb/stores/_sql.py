"""SQL text of a table's statements, for SQLite. Pure: names in, text out.

One idea: a narrow table `t` holds what is read often, a side table `t_lazy` with the same
row numbers holds the columns that may be large, so that scanning a million rows stays quick.
Every name comes from `schema`, every value goes through a parameter.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from lumos_nb.errors import UsageError, nearest
from lumos_nb.stores.base import Condition, Measure
from lumos_nb.stores.schema import TABLES, Table

ROW = "row_"
"""Name of the row number in tables whose rows are not numbered in public."""

_TYPES = {"int": "INTEGER", "bool": "INTEGER", "time": "INTEGER", "float": "REAL", "blob": "BLOB"}
_COMPARE = {"=", "!=", "<", "<=", ">", ">=", "in", "contains"}


def table_named(name: str) -> Table:
    """Return the table of that name, or raise a `UsageError` with the nearest one."""
    if name not in TABLES:
        raise UsageError(f"There is no table {name!r}.", hint=nearest(name, TABLES))
    return TABLES[name]


def check_columns(table: Table, names: Sequence[str]) -> None:
    """Raise a `UsageError` if a column is not one of the table's."""
    for name in names:
        if table.column(name) is None:
            hint = nearest(name, [c.name for c in table.columns])
            raise UsageError(f"Table {table.name!r} has no column {name!r}.", hint=hint)


def row_number(table: Table) -> str:
    """Return the column that numbers the rows of the narrow and the side table alike."""
    return table.serial or ROW


def lazy_names(table: Table) -> frozenset[str]:
    """Return the names of the columns that live in the side table."""
    return frozenset(c.name for c in table.columns if c.lazy)


def create_table(table: Table) -> list[str]:
    """Return the statements that create a table, its side table and its indexes."""
    number = f"{row_number(table)} INTEGER PRIMARY KEY AUTOINCREMENT"
    narrow = [column_definition(table, c.name) for c in table.columns if not c.lazy and c.name != table.serial]
    out = [f"CREATE TABLE IF NOT EXISTS {table.name} ({', '.join([number, *narrow])})"]
    lazy = [column_definition(table, c.name) for c in table.columns if c.lazy]
    if lazy:
        out.append(f"CREATE TABLE IF NOT EXISTS {table.name}_lazy ({', '.join([f'{ROW} INTEGER PRIMARY KEY', *lazy])})")
    for kind, columns in [("UNIQUE ", table.key), ("UNIQUE ", table.unique), *(("", c) for c in table.index)]:
        if columns:
            name = f"{table.name}_by_{'_'.join(columns)}"
            out.append(f"CREATE {kind}INDEX IF NOT EXISTS {name} ON {table.name} ({', '.join(columns)})")
    return out


def column_definition(table: Table, name: str) -> str:
    """Return `name TYPE` of a column."""
    column = table.column(name)
    return f"{name} {_TYPES.get(column.type, 'TEXT') if column else 'TEXT'}"


class Plan(NamedTuple):
    """How to write one kind of row: a statement for the narrow table, one for the side table, and their columns."""

    sql: str
    narrow: tuple[str, ...]
    lazy_sql: str
    lazy: tuple[str, ...]
    #: Columns by which the side table's statement finds its row.
    key: tuple[str, ...] = ()
    #: Whether the rows bring their numbers along.
    is_numbered: bool = False


@lru_cache(512)
def insert(table_name: str, names: tuple[str, ...]) -> Plan:
    """Return how to add a row; the side table's first parameter is the row's number.

    Raises:
        UsageError: There is no such table or column.
    """
    table, narrow, lazy = _split(table_name, names)
    columns = (ROW, *lazy)
    lazy_sql = f"INSERT INTO {table.name}_lazy ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608
    return Plan(_insert(table, narrow), narrow, lazy_sql, lazy, is_numbered=table.serial in narrow)


@lru_cache(512)
def upsert(table_name: str, names: tuple[str, ...]) -> Plan:
    """Return how to add a row, or set its columns where the key exists; the side table's last are the key's."""
    table, narrow, lazy = _split(table_name, names)
    changed = ", ".join(f"{n} = excluded.{n}" for n in narrow if n not in table.key)
    on_conflict = f"ON CONFLICT ({', '.join(table.key)}) DO {f'UPDATE SET {changed}' if changed else 'NOTHING'}"
    return Plan(f"{_insert(table, narrow)} {on_conflict}", narrow, _set_lazy(table, lazy, table.key), lazy, table.key)


@lru_cache(512)
def ensure(table_name: str, names: tuple[str, ...]) -> Plan:
    """Return how to add a row of narrow columns where its key does not exist."""
    table, narrow, lazy = _split(table_name, names)
    return Plan(f"{_insert(table, narrow)} ON CONFLICT ({', '.join(table.key)}) DO NOTHING", narrow, "", lazy)


@lru_cache(512)
def update(table_name: str, set_: tuple[str, ...], add: tuple[str, ...], where: tuple[str, ...]) -> Plan:
    """Return how to set and add; NULL plus anything is NULL, which is what is wanted."""
    table, narrow, lazy = _split(table_name, set_)
    check_columns(table, [*where, *add])
    changes = [f"{n} = ?" for n in narrow] + [f"{n} = {n} + ?" for n in add]
    sql = f"UPDATE {table.name} SET {', '.join(changes)} WHERE {equal(where)}" if changes else ""  # noqa: S608
    return Plan(sql, narrow, _set_lazy(table, lazy, where), lazy)


def _split(table_name: str, names: tuple[str, ...]) -> tuple[Table, tuple[str, ...], tuple[str, ...]]:
    """Return a table, and which of the columns are in it and which in its side table."""
    table = table_named(table_name)
    check_columns(table, names)
    lazy = lazy_names(table)
    return table, tuple(n for n in names if n not in lazy), tuple(n for n in names if n in lazy)


def _insert(table: Table, names: tuple[str, ...]) -> str:
    return f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608


def _set_lazy(table: Table, names: tuple[str, ...], where: tuple[str, ...]) -> str:
    """Return the text that sets side-table columns of the rows where `where` columns are equal."""
    if not names:
        return ""
    return (
        f"INSERT INTO {table.name}_lazy ({ROW}, {', '.join(names)}) "  # noqa: S608
        f"SELECT {row_number(table)}, {', '.join('?' * len(names))} FROM {table.name} WHERE {equal(where)} "
        f"ON CONFLICT ({ROW}) DO UPDATE SET {', '.join(f'{n} = excluded.{n}' for n in names)}"
    )


def delete(table: Table, where: tuple[str, ...]) -> list[str]:
    """Return the statements that remove rows; each takes the `where` values once."""
    rows = f"SELECT {row_number(table)} FROM {table.name} WHERE {equal(where)}"  # noqa: S608
    side = [f"DELETE FROM {table.name}_lazy WHERE {ROW} IN ({rows})"] if lazy_names(table) else []  # noqa: S608
    return [*side, f"DELETE FROM {table.name} WHERE {equal(where)}"]  # noqa: S608


def equal(names: tuple[str, ...]) -> str:
    """Return a condition that the columns equal parameters, None included."""
    return " AND ".join(f"{n} IS ?" for n in names) or "1"


def select(
    table: Table,
    columns: Sequence[str],
    where: Sequence[Condition],
    order: Sequence[str],
    limit: int | None,
    stored: frozenset[str],
    offset: int = 0,
) -> tuple[str, list[Any]]:
    """Return a query's text and parameters; columns that the file does not have yet read as NULL."""
    scope = _Scope(table, stored, {*columns, *(c for c, _, _ in where), *(o.lstrip("-") for o in order)})
    values: list[Any] = []
    sql = f"SELECT {', '.join(map(scope.name, columns))} FROM {scope.source}{scope.where(where, values)}"  # noqa: S608
    if order:
        names = [scope.name(o.lstrip("-")) + (" DESC" if o[0] == "-" else "") for o in order]
        sql += f" ORDER BY {', '.join(names)}"
    if limit is not None or offset:
        sql += " LIMIT ? OFFSET ?"
        values += [-1 if limit is None else limit, offset]
    return sql, values


_FIGURES = {
    "count": "count({0})",
    "sum": "CASE WHEN count({0}) = count(*) THEN sum({0}) END",  # one that is not known makes the sum so
    "mean": "avg({0})",
    "min": "min({0})",
    "max": "max({0})",
}


def aggregate(
    table: Table,
    by: Sequence[str],
    measures: Sequence[Measure],
    where: Sequence[Condition],
    stored: frozenset[str],
) -> tuple[str, list[Any]]:
    """Return the text and parameters of figures by group; without groups one row of figures."""
    scope = _Scope(table, stored, {*by, *(c for _, c in measures if c), *(c for c, _, _ in where)})
    values: list[Any] = []
    figures = [_FIGURES[how].format(scope.name(column) if column else "*") for how, column in measures]
    groups = [scope.name(name) for name in by]
    if not any(scope.used <= set(index) for index in table.index):  # to go by an index would look up row after row
        groups = [f"+{name}" if name != "NULL" else name for name in groups]
    sql = f"SELECT {', '.join([*groups, *figures])} FROM {scope.source}{scope.where(where, values)}"  # noqa: S608
    real = [name for name in groups if name != "NULL"]  # a literal there would be taken as a column's number
    return sql + (f" GROUP BY {', '.join(real)}" if real else " HAVING count(*) > 0" if groups else ""), values


class _Scope:
    """How the columns of a table are called in a query that uses some of them."""

    def __init__(self, table: Table, stored: frozenset[str], used: set[str]) -> None:
        self.used = used
        self._table, self._stored, self._lazy = table, stored, lazy_names(table)
        self.source = table.name
        if used & self._lazy:
            self.source += f" LEFT JOIN {table.name}_lazy ON {table.name}_lazy.{ROW} = {table.name}.{row_number(table)}"

    def name(self, column: str) -> str:
        owner = f"{self._table.name}_lazy" if column in self._lazy else self._table.name
        return f"{owner}.{column}" if column in self._stored else "NULL"

    def where(self, conditions: Sequence[Condition], values: list[Any]) -> str:
        tests = [_condition(self.name(c), op, value, values) for c, op, value in conditions]
        return f" WHERE {' AND '.join(tests)}" if tests else ""


def _condition(name: str, op: str, value: Any, values: list[Any]) -> str:
    """Return one comparison and append its parameters."""
    if op == "in":
        listed = list(value)
        odd = [v for v in listed if isinstance(v, str) and "\0" in v]  # where JSON's text would end
        # One parameter whatever the length: SQLite takes only so many of them.
        values.append(msgspec.json.encode([v for v in listed if v is not None]).decode())
        known = f"{name} IN (SELECT value FROM json_each(?))"  # noqa: S608
        values.extend(odd)
        either = [known, *[f"{name} = ?"] * len(odd), *[f"{name} IS NULL"] * (None in listed)]
        return f"({' OR '.join(either)})"
    if value is None and op in {"=", "!="}:
        return f"{name} IS {'NOT ' if op == '!=' else ''}NULL"
    values.append(value)
    if op == "contains":
        return f"lumos_contains({name}, ?)"
    return f"{name} IS NOT ?" if op == "!=" else f"{name} {op} ?"


def check_conditions(table: Table, where: Sequence[Condition]) -> None:
    """Raise a `UsageError` if a column or a comparison is not known."""
    check_columns(table, [name for name, _, _ in where])
    for _, op, _ in where:
        if op not in _COMPARE:
            raise UsageError(f"There is no comparison {op!r}.", hint=nearest(op, _COMPARE))


def check_measures(table: Table, measures: Sequence[Measure]) -> None:
    """Raise a `UsageError` if a function or a column is not known."""
    check_columns(table, [column for _, column in measures if column])
    for how, _ in measures:
        if how not in _FIGURES:
            raise UsageError(f"There is no function {how!r}.", hint=nearest(how, _FIGURES))


def worded(sql: str, values: Sequence[Any]) -> str:
    """Return a query's text with its parameters in place, for people; long ones are cut."""
    parts = sql.split("?")
    shown = [_literal(value) for value in values]
    return "".join(part + value for part, value in zip(parts, [*shown, ""], strict=True))


def _literal(value: Any) -> str:
    if not isinstance(value, str):
        return "NULL" if value is None else str(value)
    text = value if len(value) <= _LITERAL_CHARS else f"{value[:_LITERAL_CHARS]}…"
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return "'" + text.replace("'", "''") + "'"


_LITERAL_CHARS = 80
