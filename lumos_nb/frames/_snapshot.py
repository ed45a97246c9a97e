"""`lumos.snapshot`: a frame as Parquet files, brought up to date by each call.

One idea: a snapshot is a folder of parts, and a part never changes. Events only ever grow, so a call adds
one part with what came since the last one; other rows change after they were written, so that a call puts a
new part in the place of the old one. A part is complete before it has its name.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from lumos_nb.errors import StoreError, UsageError, nearest
from lumos_nb.frames import _arrow
from lumos_nb.frames._query import Query
from lumos_nb.frames._tables import SOURCES
from lumos_nb.stores import Store

_ROWS_AT_ONCE = 100_000


class Snapshot(msgspec.Struct, frozen=True):
    """What a call of `snapshot` did."""

    path: Path
    #: Rows that this call wrote.
    n_new: int
    #: Rows in all parts.
    n_rows: int
    n_parts: int

    def __repr__(self) -> str:
        s = "" if self.n_parts == 1 else "s"
        return f"{self.path}: {self.n_rows:,} rows in {self.n_parts:,} part{s}, {self.n_new:,} of them new"


def snapshot(
    path: str | os.PathLike[str], table: str = "events", *, payload: bool = False, store: Store | None = None
) -> Snapshot:
    """Write a frame to a folder of Parquet files, or bring the folder up to date, and return what was done.

    Of events a second call adds only what is new; the other frames are written anew. pandas and polars read the
    folder (`pd.read_parquet("events.parquet")`, with the dtypes of the frame), DuckDB its files
    (`'events.parquet/*.parquet'`).

    Args:
        path: The folder, usually called `something.parquet`.
        table: Which frame: events, runs, spans …
        payload: Large columns too. The same for all calls of one snapshot.
        store: Another store than the default one.

    Example:
        >>> import tempfile; from lumos_nb.stores import open_store
        >>> folder = tempfile.mkdtemp()
        >>> snapshot(folder + "/runs.parquet", "runs", store=open_store(folder + "/lumos.db")).n_rows
        0
    """
    _arrow.needs("pyarrow", "snapshot()")
    if not isinstance(table, str) or table not in SOURCES:
        raise UsageError(f"There is no frame {table!r}.", hint=nearest(str(table), SOURCES))
    if not isinstance(path, str | os.PathLike) or "\0" in str(path):
        raise UsageError(f"{path!r} is no path.", hint='Give a folder: snapshot("events.parquet").')
    folder = Path(path).expanduser()
    query = Query(SOURCES[table], store)
    query = query.payload() if payload else query
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _check_frame(folder, table)
        return _grown(folder, query) if table == "events" else _renewed(folder, query)
    except OSError as error:
        raise StoreError(
            f"Snapshot {str(folder)!r} cannot be written: {error.strerror or error}.",
            hint="Give a folder that can be made; a file of that name is in the way of one.",
        ) from error


def _check_frame(folder: Path, table: str) -> None:
    """Raise a `UsageError` if a snapshot is of another frame, a `StoreError` if it cannot be read."""
    from pyarrow import ArrowException, parquet

    for part in sorted(folder.glob("part-*.parquet")):
        try:
            there = set(parquet.read_schema(part).names)
        except (ArrowException, ValueError) as error:
            raise StoreError(
                f"{part.name!r} of snapshot {str(folder)!r} cannot be read: {str(error).splitlines()[0]}.",
                hint="Delete the folder and call snapshot() again: it is made anew from the database.",
            ) from None
        # A later version may have more columns, never others.
        frame = max(SOURCES, key=lambda name: len(there & _names(name)) / len(there | _names(name)))
        if frame != table:
            raise UsageError(
                f"Snapshot {str(folder)!r} was made of {frame!r}, not of {table!r}.",
                hint="Give another folder to begin a new one.",
            )


def _names(table: str) -> set[str]:
    return {column.name for column in SOURCES[table].columns}


def _renewed(folder: Path, query: Query) -> Snapshot:
    n = _write(folder / _part(1), query, Path.replace)
    return Snapshot(folder, n, n, 1)


def _grown(folder: Path, query: Query) -> Snapshot:
    """Add a part with the events behind the last part's, if there are any."""
    from pyarrow import parquet

    parts = sorted(folder.glob("part-*.parquet"))
    n_before, last = 0, 0
    for part in parts:
        about = parquet.read_metadata(part)
        n_before += about.num_rows
        if about.num_rows:
            last = max(last, about.row_group(about.num_row_groups - 1).column(0).statistics.max)
    if parts:
        _check_same(parts[0], query)
        if not query.where("seq", ">", last).count():
            return Snapshot(folder, 0, n_before, len(parts))
    try:  # a part without rows has the name that the first with some will have
        naming = Path.replace if parts and not n_before else _name_first
        n = _write(folder / _part(last + 1), query.where("seq", ">", last), naming)
    except FileExistsError:  # another process was quicker: the part has what this one would have had
        return _grown(folder, query)
    return Snapshot(folder, n, n_before + n, len(list(folder.glob("part-*.parquet"))))


def _check_same(part: Path, query: Query) -> None:
    """Raise a `UsageError` if a snapshot has other columns, or events of another database."""
    from pyarrow import parquet

    other = f"Snapshot {str(part.parent)!r} was made of"
    hint = "Give another folder to begin a new one."
    file = parquet.ParquetFile(part)
    if file.schema_arrow.names != [c.name for c in query._columns]:
        raise UsageError(f"{other} other columns than these.", hint=f"payload= has to be as it was. {hint}")
    first = next(file.iter_batches(1, columns=["seq", "event_id"]), None)
    for seq, event in [] if first is None else zip(*first.to_pydict().values(), strict=True):
        now = query.where(seq=seq).columns("event_id").df()
        if len(now) and now["event_id"].iloc[0] != event:
            raise UsageError(f"{other} another database than this one.", hint=hint)


def _part(first: int) -> str:
    return f"part-{first:020d}.parquet"


def _name_first(unfinished: Path, target: Path) -> None:
    """Give a file its name unless there is one: what others have counted on must not be written over."""
    try:
        os.link(unfinished, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if target.exists():
            raise FileExistsError(str(target)) from None
        unfinished.replace(target)


def _write(target: Path, query: Query, name: Callable[[Path, Path], object]) -> int:
    """Write rows to a file that gets its name when it is complete, and return how many they were."""
    from pyarrow import parquet

    schema = _arrow.schema_of(query.limit(0).df())
    unfinished = target.with_name(f".{target.name}.{os.getpid()}-{threading.get_ident()}")
    n = 0
    try:
        with parquet.ParquetWriter(unfinished, schema, compression="zstd") as writer:
            for df in query.batches(_ROWS_AT_ONCE):
                writer.write_table(_arrow.table(df, schema))
                n += len(df)
        name(unfinished, target)
    finally:
        unfinished.unlink(missing_ok=True)
    return n
