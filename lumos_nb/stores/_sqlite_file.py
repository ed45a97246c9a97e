"""Opening a SQLite file of Lumos: connect, recognise, create, bring up to date.

One idea: a file says what it is in two header numbers. `application_id` says that it is ours;
`user_version` is `FORMAT * 1000 + SCHEMA_VERSION`. A newer schema in the same format only has
more columns and is used as it is; a newer format is refused.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from lumos_nb.stores import _sql
from lumos_nb.stores._sqlite_errors import foreign_error, newer_error
from lumos_nb.stores.schema import SCHEMA_VERSION, TABLES

APPLICATION_ID = 0x4C554D4F  # "LUMO"
FORMAT = 1
"""Raised only by a change that an older Lumos could not read."""

Layout = dict[str, frozenset[str]]
"""The columns that a file has, by table."""


def make_folder(path: Path) -> None:
    """Create the folder of a database, and keep it out of version control if it is new."""
    if path.parent.is_dir():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.parent.name == ".lumos":
        (path.parent / ".gitignore").write_text("*\n", encoding="utf-8")


def connect(path: Path, *, write: bool, busy_timeout_s: float) -> sqlite3.Connection:
    """Return a connection in autocommit mode; only one for writing may create the file."""
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode={'rwc' if write else 'ro'}",
        uri=True,
        timeout=busy_timeout_s,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.create_function("lumos_contains", 2, _contains, deterministic=True)
    return connection


def _contains(value: object, part: str | None) -> bool:
    return value is not None and part is not None and part.casefold() in str(value).casefold()


def recognise(connection: sqlite3.Connection, path: Path) -> bool:
    """Return whether the file has our tables; raise a `StoreError` if it is not ours to use."""
    if connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID:
        if connection.execute("PRAGMA user_version").fetchone()[0] // 1000 > FORMAT:
            raise newer_error(path)
        return True
    if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise foreign_error(path)
    return False


def prepare(connection: sqlite3.Connection, path: Path, busy_timeout_s: float) -> None:
    """Make a connection ready for writing: WAL, all tables, all columns."""
    recognise(connection, path)
    _use_wal(connection, busy_timeout_s)
    connection.execute("PRAGMA synchronous = NORMAL")
    if connection.execute("PRAGMA user_version").fetchone()[0] >= FORMAT * 1000 + SCHEMA_VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        recognise(connection, path)  # again: another process may have been at it
        _bring_up_to_date(connection)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _use_wal(connection: sqlite3.Connection, busy_timeout_s: float) -> None:
    """Switch to WAL. SQLite does not wait for locks in this statement, so this does."""
    give_up = time.monotonic() + busy_timeout_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() > give_up:
                raise
            time.sleep(0.01)


def _bring_up_to_date(connection: sqlite3.Connection) -> None:
    """Add tables, then columns, then indexes that are missing."""
    statements = [s for table in TABLES.values() for s in _sql.create_table(table)]
    for statement in statements:
        if statement.startswith("CREATE TABLE"):
            connection.execute(statement)
    have = layout(connection)
    for table in TABLES.values():
        for column in table.columns:
            if column.name not in have[table.name]:
                target = f"{table.name}_lazy" if column.lazy else table.name
                connection.execute(f"ALTER TABLE {target} ADD COLUMN {_sql.column_definition(table, column.name)}")
    for statement in statements:
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {FORMAT * 1000 + SCHEMA_VERSION}")


def layout(connection: sqlite3.Connection) -> Layout:
    """Return the columns that the file has, side tables included."""
    out: Layout = {}
    for name in TABLES:
        both = [connection.execute(f"PRAGMA table_info({t})").fetchall() for t in (name, f"{name}_lazy")]
        out[name] = frozenset(row[1] for rows in both for row in rows)
    return out
