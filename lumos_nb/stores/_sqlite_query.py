"""SQL that people write, on a SQLite file: it reads, within a time, and can do nothing else.

One idea: SQLite itself says no. The connection is opened read-only, an authorizer lets through
nothing but reading, and a handler that it calls while it works stops it when its time is over.

What can be named are views, `runs`, `events` …: the columns of a table in their public order, then
the large ones, which are looked up only if a text names them.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from lumos_nb.errors import LumosError, StoreError, UsageError, nearest
from lumos_nb.stores import _sql, _sqlite_file
from lumos_nb.stores._sqlite_errors import store_error
from lumos_nb.stores.base import Found
from lumos_nb.stores.schema import TABLES, Table

_OPS_BETWEEN_LOOKS = 20_000
_MOST_ROWS = 2**31 - 2  # what sqlite3 can count
_MAY = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}
_LEAST_OR_GREATEST = re.compile(r"(?:min|max)\s*\(\s*(?:\w+\.)?(\w+)\s*\)", re.I)


def query(path: Path, text: str, params: Any, busy_timeout_s: float, timeout_s: float, limit: int) -> Found:
    """Return what a text finds; see `Store.query`. A file that does not exist has the tables, and no rows."""
    there = path.exists() and path.stat().st_size > 0
    try:
        connection = (
            _sqlite_file.connect(path, write=False, busy_timeout_s=busy_timeout_s)
            if there
            else sqlite3.connect(":memory:", isolation_level=None)
        )
    except sqlite3.Error as error:
        raise store_error(error, path) from error
    try:
        if there:
            _sqlite_file.recognise(connection, path)
        else:
            for statement in (s for table in TABLES.values() for s in _sql.create_table(table)):
                connection.execute(statement)
        return _Asked(connection, path, text, timeout_s).find(params, limit)
    finally:
        connection.close()


class _Asked:
    """One text, asked once."""

    def __init__(self, connection: sqlite3.Connection, path: Path, text: str, timeout_s: float) -> None:
        self._connection, self._path, self._text, self._timeout_s = connection, path, text, timeout_s
        self._reads: dict[str, set[str]] = {}
        self._is_late = False
        self._was_refused = False

    def find(self, params: Any, limit: int) -> Found:
        try:
            self._make_views(is_whole=False)
            self._guard()
            cursor = self._execute(params)
            rows = cursor.fetchmany(min(limit, _MOST_ROWS) + 1)
        except (sqlite3.Error, sqlite3.Warning, OverflowError, UnicodeError, TypeError) as error:
            failed = error
        else:
            if cursor.description is None:
                raise UsageError("There is no query in this text.", hint='Write it as sql("select … from runs").')
            names = [column[0] for column in cursor.description]
            return Found(names, [self._type_of(name) for name in names], rows[:limit], len(rows) > limit)
        self._explain(failed)

    def _execute(self, params: Any) -> sqlite3.Cursor:
        try:
            return self._connection.execute(self._text, params)
        except sqlite3.OperationalError as error:
            if not str(error).startswith("no such column"):
                raise
        # Perhaps a large one: those are not in the views at first, for a join of them costs even where it is not used.
        self._connection.set_authorizer(None)
        self._connection.execute("PRAGMA query_only = OFF")
        self._make_views(is_whole=True)
        self._guard()
        return self._connection.execute(self._text, params)

    def _make_views(self, *, is_whole: bool) -> None:
        """Name the tables as the frames do; a view stands before the table of its name."""
        have = _sqlite_file.layout(self._connection)
        for table in TABLES.values():
            self._connection.execute(f"DROP VIEW IF EXISTS temp.{table.name}")
            self._connection.execute(f"CREATE TEMP VIEW {table.name} AS {_view(table, have[table.name], is_whole)}")

    def _guard(self) -> None:
        for function in ("json_each", "json_tree"):  # their tables are made at their first use, which is no reading
            self._connection.execute(f"SELECT 1 FROM {function}('[]')")  # noqa: S608
        self._connection.execute("PRAGMA query_only = ON")
        self._connection.set_authorizer(self._may)
        self._connection.set_progress_handler(self._look(time.monotonic() + self._timeout_s), _OPS_BETWEEN_LOOKS)

    def _may(self, action: int, first: str | None, second: str | None, *_: Any) -> int:
        if action not in _MAY or (action == sqlite3.SQLITE_FUNCTION and second == "load_extension"):
            self._was_refused = True
            return sqlite3.SQLITE_DENY
        if action == sqlite3.SQLITE_READ and first and second:
            self._reads.setdefault(first.removesuffix("_lazy"), set()).add(second)
        return sqlite3.SQLITE_OK

    def _look(self, deadline: float) -> Callable[[], bool]:
        def look() -> bool:
            self._is_late = time.monotonic() > deadline
            return self._is_late

        return look

    def _type_of(self, name: str) -> str | None:
        """Return the declared type of a result column that has the name of a column that was read."""
        inner = _LEAST_OR_GREATEST.fullmatch(name.strip())
        wanted = inner[1] if inner else name
        found = (TABLES[t].column(wanted) for t, columns in self._reads.items() if t in TABLES and wanted in columns)
        types = {column.type for column in found if column}
        return types.pop() if len(types) == 1 else None

    def _explain(self, error: Exception) -> NoReturn:
        """Raise what an error of SQLite means for who wrote the text."""
        if self._is_late:
            raise StoreError(
                f"The query was stopped: it took longer than {self._timeout_s:g} s.",
                hint="Narrow it with where or limit, or give it more time with timeout_s=.",
            ) from None
        name = getattr(error, "sqlite_errorname", "")
        if name == "SQLITE_INTERRUPT":  # Stop was pressed, and sqlite3 swallowed what the handler raised
            raise KeyboardInterrupt
        if name.startswith(("SQLITE_BUSY", "SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_IOERR", "SQLITE_CANTOPEN")):
            raise store_error(error, self._path) from error
        raise self._usage_error(str(error)) from None

    def _usage_error(self, said: str) -> LumosError:
        if self._was_refused or said.startswith("cannot modify"):
            return UsageError("This text would do more than read, so it was not run.", hint="sql() takes one SELECT.")
        if "one statement" in said:
            return UsageError("The text has several statements.", hint="sql() takes one SELECT; call it for each.")
        what, _, name = said.partition(": ")
        name = name.rpartition(".")[2]
        if what == "no such table":
            hint = f"lumos.{name}() has them." if name in {"spans", "metrics"} else nearest(name, TABLES)
            return UsageError(f"There is no table {name!r}.", hint=hint)
        if what == "no such column":
            tables = [t for t in TABLES.values() if re.search(rf"\b{t.name}\b", self._text)]
            return UsageError(
                f"There is no column {name!r} in what is read.",
                hint=nearest(name, {c.name for t in tables for c in t.columns}),
            )
        return UsageError(f"The query cannot be run: {said.rstrip('.')}.", hint="It is SQL as SQLite has it.")


def _view(table: Table, stored: frozenset[str], is_whole: bool) -> str:
    """Return the SELECT of a table's public columns; those that the file does not have yet are NULL."""
    lazy = _sql.lazy_names(table)

    def column(name: str) -> str:
        if name not in stored:
            return f"NULL AS {name}"
        return f"l.{name}" if name in lazy else f"t.{name}"

    columns = ", ".join(column(c.name) for c in table.columns if is_whole or not c.lazy)
    if not stored:  # an older file has no such table
        return f"SELECT {columns} WHERE 0"
    side = f" LEFT JOIN main.{table.name}_lazy l ON l.{_sql.ROW} = t.{_sql.row_number(table)}"
    return f"SELECT {columns} FROM main.{table.name} t{side if is_whole and lazy else ''}"  # noqa: S608
