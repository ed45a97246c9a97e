"""The default store: one SQLite file.

One idea: one connection writes, behind a lock; readers take one from a pool, so that a frame
can be read while a run is recorded. The file is in WAL mode, which lets another process (a
second kernel) read and write too. Large columns live in side tables (`_sql`).
"""

from __future__ import annotations

import atexit
import logging
import os
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from lumos_nb.errors import ConflictError, StoreError
from lumos_nb.stores import _sql, _sqlite_file, _sqlite_query, _sqlite_writes
from lumos_nb.stores._sqlite_errors import store_error
from lumos_nb.stores.base import Condition, Found, Measure, Write
from lumos_nb.stores.schema import Table

_ROWS_AT_ONCE = 2_000
_FOREIGN = (sqlite3.Error, OSError, OverflowError, UnicodeEncodeError)

_SOON_S = 0.25
_log = logging.getLogger("lumos_nb")
_stores: weakref.WeakSet[SqliteStore] = weakref.WeakSet()

_FileId = tuple[int, int] | None
"""Device and inode, so that a file which was replaced is noticed."""


class SqliteStore:
    """Keeps rows in a SQLite file, which is created by the first write.

    Args:
        path: The file. A folder that does not exist is created.
        busy_timeout_s: How long to wait for another process that is writing.

    Example:
        >>> import tempfile; from pathlib import Path; from lumos_nb.stores import Insert
        >>> store = SqliteStore(Path(tempfile.mkdtemp()) / "lumos.db")
        >>> store.write([Insert("threads", {"thread_id": "t1", "title": "sales"})])
        >>> list(store.select("threads", ["title"]))
        [('sales',)]
        >>> store.close()
    """

    def __init__(self, path: str | os.PathLike[str], *, busy_timeout_s: float = 5.0) -> None:
        self.path = Path(path).expanduser().absolute()
        self._busy_timeout_s = busy_timeout_s
        self._forget()
        _stores.add(self)

    def _forget(self) -> None:
        """Start without connections; after a fork the parent's must not even be closed."""
        self._pid = os.getpid()
        self._write_lock = threading.Lock()
        self._pool_lock = threading.Lock()  # its own: a reader does not wait for a slow writer
        self._writer: tuple[_FileId, sqlite3.Connection] | None = None
        self._readers: list[tuple[_FileId, sqlite3.Connection]] = []
        self._layout: tuple[_FileId, int, _sqlite_file.Layout] | None = None
        self._soon: list[Sequence[Write]] = []
        self._soon_lock = threading.Lock()
        self._n_on_their_way = 0  # of what was to be written soon: taken, and not yet in the file
        self._soon_error: StoreError | None = None
        self._timer: threading.Timer | None = None

    def __repr__(self) -> str:
        return f"SqliteStore({str(self.path)!r})"

    def close(self) -> None:
        """Close the file. It is opened again when it is used again."""
        self._check_process()
        self._write_what_waits()
        with self._pool_lock:
            for _, connection in self._readers:
                connection.close()
            self._readers = []
        with self._write_lock:
            if self._writer is not None:
                self._writer[1].close()
                self._writer = None

    def write(self, batch: Sequence[Write]) -> None:
        """Write a batch in one transaction, or nothing of it; what was to be written soon goes first."""
        self._check_process()
        # What waits is taken under the lock of the writer: else a later batch could overtake it.
        with self._write_lock:
            self._write_behind(self._take_soon(), batch)

    def _write_behind(self, waiting: list[Sequence[Write]], batch: Sequence[Write]) -> None:
        try:
            self._commit([write for each in (*waiting, batch) for write in each])
        except ConflictError:
            if not waiting:
                raise
            self._commit_each(waiting)
            self._commit(batch)
        except StoreError:
            self._give_back(waiting)
            raise
        finally:
            self._n_on_their_way = 0

    def _commit(self, batch: Sequence[Write]) -> None:
        try:
            self._transaction(batch)
        except _FOREIGN as error:
            raise store_error(error, self.path) from error

    def _commit_each(self, batches: Sequence[Sequence[Write]]) -> None:
        """Write batches one by one: one that is wrong must not cost those of others."""
        for batch in batches:
            try:
                self._commit(batch)
            except StoreError as error:
                _log.warning("Something could not be recorded: %s", error)

    def _take_soon(self) -> list[Sequence[Write]]:
        with self._soon_lock:
            waiting, self._soon = self._soon, []
            self._n_on_their_way = len(waiting)
        return waiting

    def _give_back(self, waiting: list[Sequence[Write]]) -> None:
        with self._soon_lock:
            self._soon[:0] = waiting

    def write_soon(self, batch: Sequence[Write]) -> None:
        """Write a batch before the next read, and within a quarter of a second; see `Store.write_soon`."""
        self._check_process()
        with self._soon_lock:
            error, self._soon_error = self._soon_error, None
            if error is None:
                self._soon.append(batch)
                if self._timer is None:
                    self._timer = threading.Timer(_SOON_S, self._tick)
                    self._timer.daemon = True
                    self._timer.start()
        if error is not None:
            raise error

    def _tick(self) -> None:
        with self._soon_lock:
            self._timer = None
        self._write_what_waits()

    def _write_what_waits(self) -> None:
        """Write what was to be written soon. Should that fail, the next `write_soon` says so, and it is tried again."""
        with self._soon_lock:
            if not self._soon and not self._n_on_their_way:
                return
        try:
            with self._write_lock:  # another thread may be at it: what it writes is to be read too
                if waiting := self._take_soon():
                    self._write_behind(waiting, ())
        except StoreError as error:
            with self._soon_lock:
                self._soon_error = error

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
        """Yield rows; a file that does not exist has none, and is not created."""
        described = _sql.table_named(table)
        _sql.check_columns(described, [*columns, *(o.lstrip("-") for o in order)])
        _sql.check_conditions(described, where)
        return self._rows(
            described, lambda stored: _sql.select(described, columns, where, order, limit, stored, offset)
        )

    def aggregate(
        self, table: str, by: Sequence[str], measures: Sequence[Measure], *, where: Sequence[Condition] = ()
    ) -> Iterator[tuple[Any, ...]]:
        """Yield a row of figures for each group; see `Store.aggregate`."""
        described = _sql.table_named(table)
        _sql.check_columns(described, by)
        _sql.check_measures(described, measures)
        _sql.check_conditions(described, where)
        rows = self._rows(described, lambda stored: _sql.aggregate(described, by, measures, where, stored))
        return rows if by else _or_none(rows, measures)

    def worded(self, table: str, where: Sequence[Condition] = ()) -> str:
        """Return the SQL of a selection, its values in place; for people, not to be sent."""
        described = _sql.table_named(table)
        _sql.check_conditions(described, where)
        names = [c.name for c in described.columns if not c.lazy]
        stored = frozenset(c.name for c in described.columns)
        sql, values = _sql.select(described, names, where, [], None, stored)
        return _sql.worded(sql.replace(", ".join(f"{table}.{name}" for name in names), "*", 1), values)

    def query(self, text: str, params: Any = (), *, timeout_s: float, limit: int) -> Found:
        """Return what a SELECT finds, on a connection of its own that can only read; see `Store.query`."""
        self._check_process()
        self._write_what_waits()
        return _sqlite_query.query(self.path, text, params, self._busy_timeout_s, timeout_s, limit)

    # ---- reading -------------------------------------------------------------------------

    def _rows(
        self, table: Table, build: Callable[[frozenset[str]], tuple[str, list[Any]]]
    ) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query, which is built of the columns that the file has."""
        self._check_process()
        self._write_what_waits()
        try:
            taken = self._take_reader()
            if taken is None:
                return
            try:
                stored = self._stored_columns(*taken, table)
                if not stored:
                    return
                cursor = taken[1].execute(*build(stored))
                try:
                    while rows := cursor.fetchmany(_ROWS_AT_ONCE):
                        yield from rows
                finally:
                    cursor.close()
            finally:
                with self._pool_lock:
                    self._readers.append(taken)
        except _FOREIGN as error:
            raise store_error(error, self.path) from error

    def _take_reader(self) -> tuple[_FileId, sqlite3.Connection] | None:
        """Return an idle connection for reading, or a new one, or None without a file."""
        file = self._file_id()
        with self._pool_lock:
            while self._readers:
                taken = self._readers.pop()
                if taken[0] == file:
                    return taken
                taken[1].close()  # of a file that was deleted or replaced
        if file is None or self.path.stat().st_size == 0:
            return None
        connection = _sqlite_file.connect(self.path, write=False, busy_timeout_s=self._busy_timeout_s)
        try:
            _sqlite_file.recognise(connection, self.path)
        except BaseException:
            connection.close()
            raise
        return file, connection

    def _stored_columns(self, file: _FileId, connection: sqlite3.Connection, table: Table) -> frozenset[str]:
        """Return the columns that the file has; an older file may lack some."""
        version = connection.execute("PRAGMA schema_version").fetchone()[0]
        known = self._layout
        if known is None or known[:2] != (file, version):
            known = self._layout = (file, version, _sqlite_file.layout(connection))
        return known[2][table.name]

    # ---- writing -------------------------------------------------------------------------

    def _transaction(self, batch: Sequence[Write]) -> None:
        connection = self._open_writer()
        connection.execute("BEGIN IMMEDIATE")
        try:
            _sqlite_writes.apply(connection, batch)
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def _open_writer(self) -> sqlite3.Connection:
        if self._writer is not None and self._writer[0] != self._file_id():
            self._writer[1].close()  # the file was deleted or moved: what is written there would be lost
            self._writer = None
        if self._writer is None:
            _sqlite_file.make_folder(self.path)
            connection = _sqlite_file.connect(self.path, write=True, busy_timeout_s=self._busy_timeout_s)
            try:
                _sqlite_file.prepare(connection, self.path, self._busy_timeout_s)
            except BaseException:
                connection.close()
                raise
            self._writer = (self._file_id(), connection)
        return self._writer[1]

    # ---- whose connections these are -----------------------------------------------------

    def _check_process(self) -> None:
        if self._pid != os.getpid():
            self._forget()

    def _file_id(self) -> _FileId:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino


@atexit.register
def _write_all() -> None:
    for store in list(_stores):
        store.close()


def _or_none(rows: Iterator[tuple[Any, ...]], measures: Sequence[Measure]) -> Iterator[tuple[Any, ...]]:
    """Yield the figures of all rows, also where there is no file."""
    yield next(rows, tuple(0 if how == "count" else None for how, _ in measures))
