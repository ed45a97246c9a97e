"""Results that may no longer be what their notebook would give."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lumos_nb.frames import _typed
from lumos_nb.memory.provenance import RanCell, provenance, ran_cells, source_hash
from lumos_nb.stores import Store, default_store
from lumos_nb.stores.base import Condition
from lumos_nb.stores.reading import read_rows
from lumos_nb.stores.schema import Column

COLUMNS = (
    Column("started_at", "time", "when the result was made"),
    Column("execution_count", "int", "number of its cell then"),
    Column("agent", "cat"),
    Column("reason", "cat", "cell changed, cell deleted or input changed"),
    Column("changed", "text", "names that were written again since, with commas"),
    Column("prompt_preview", "text"),
    Column("notebook", "text"),
    Column("cell_id", "id"),
    Column("thread_id", "id"),
    Column("run_id", "id"),
)
_READ = ("started_at", "execution_count", "agent", "prompt_preview", "notebook", "cell_id", "thread_id", "run_id",
         "source_hash", "names_read_json")  # fmt: skip


def stale(notebook: str | None = None, *, store: Store | None = None) -> Any:
    """Return the results whose cell has changed since, as a DataFrame, newest last; an empty one if all are fresh.

    For each cell its last run counts. It is stale if the cell now says something else (in the kernel, or in
    the saved file) or is gone, or if a name that it read was written again by another cell.

    Args:
        notebook: Path of the notebook; this kernel's own if None, and where there is none, every one that is known.
        store: Where to look; the default database if None.

    Example:
        >>> import tempfile; from lumos_nb.stores import open_store
        >>> len(stale(store=open_store(tempfile.mkdtemp() + "/lumos.db")))
        0
    """
    notebook = notebook or provenance().get("notebook")
    rows = list(_stale(store or default_store(), notebook, ran_cells()))
    values = (tuple(row[c.name] for c in COLUMNS) for row in reversed(rows))
    return _typed.frame(values, COLUMNS, schema="stale/1", key=("run_id",))


def stale_cells(
    store: Store,
    notebook: str | None,
    shown: Mapping[str, str],
    defined: Mapping[str, Iterable[str]] = MappingProxyType({}),
) -> dict[str, tuple[str, str]]:
    """Return why results are stale, by the id of their cell: reason, and names with commas.

    Args:
        store: Where the runs are.
        notebook: Path of the notebook.
        shown: What each cell says now, by its id.
        defined: Names that a run of an agent depends on, by the agent's name, beside those that its cell reads.
    """
    where: list[Condition] = [("cell_id", "in", list(shown)), ("source_hash", "!=", None), ("notebook", "=", notebook)]
    last = {row["cell_id"]: row for row in read_rows(store, "runs", _READ, where=where, order=["started_at", "run_id"])}
    hashes, ran = {id: source_hash(source) for id, source in shown.items()}, ran_cells()
    found = {}
    for id, row in last.items():
        if hashes[id] != row["source_hash"]:
            found[id] = ("cell changed", "")
        elif names := _written_since(row, ran):
            found[id] = ("input changed", ", ".join(names))
        elif names := _written_since(row, ran, set(defined.get(row["agent"] or "", ()))):
            found[id] = ("defined anew", ", ".join(names))
    return found


def _stale(store: Store, notebook: str | None, ran: list[RanCell]) -> Iterator[dict[str, Any]]:
    where: list[Condition] = [("cell_id", "!=", None), ("source_hash", "!=", None)]
    if notebook is not None:
        where.append(("notebook", "=", notebook))
    last: dict[tuple[str | None, str], dict[str, Any]] = {}
    for row in read_rows(store, "runs", _READ, where=where, order=["started_at", "run_id"]):
        last.pop((row["notebook"], row["cell_id"]), None)
        last[row["notebook"], row["cell_id"]] = row
    files = {path: _cells_in(path) for path in {row["notebook"] for row in last.values()}}
    for row in last.values():
        reason, changed = _reason(row, ran, files[row["notebook"]])
        if reason:
            yield {**row, "reason": reason, "changed": changed}


def _reason(row: dict[str, Any], ran: list[RanCell], saved: dict[str, str] | None) -> tuple[str, str | None]:
    cell = next((cell for cell in ran if cell.cell_id == row["cell_id"]), None)
    if cell is not None and cell.ran_at > row["started_at"] and cell.source_hash != row["source_hash"]:
        return "cell changed", None
    # What the kernel ran last may not be saved yet: then the file says nothing.
    if saved is not None and (cell is None or cell.source_hash == row["source_hash"]):
        if row["cell_id"] not in saved:
            return ("", None) if cell is not None else ("cell deleted", None)
        if saved[row["cell_id"]] != row["source_hash"]:
            return "cell changed", None
    names = _written_since(row, ran)
    return ("input changed", ", ".join(names)) if names else ("", None)


def _written_since(row: dict[str, Any], ran: Iterable[RanCell], read: set[str] | None = None) -> list[str]:
    """Return what a run read, or depends on, and other cells wrote again after it."""
    read = set(json.loads(row["names_read_json"] or "[]")) if read is None else read
    later = (c for c in ran if c.ran_at > row["started_at"] and c.cell_id != row["cell_id"])
    return sorted({name for cell in later for name in cell.names_written if name in read})


def _cells_in(notebook: str | None) -> dict[str, str] | None:
    """Return the hashes of a saved notebook's cells by their ids; None where it cannot be read."""
    try:
        cells = json.loads(Path(notebook or "").read_text(encoding="utf-8"))["cells"]
        return {c["id"]: source_hash("".join(c["source"])) for c in cells if c.get("id")}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
