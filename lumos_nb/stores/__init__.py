"""Stores keep and find rows of the tables in `schema`; they know no agents.

One idea: everything above names a `Store` and a table, never a database. `default_store()` is
the file that the settings name; it is opened when it is used.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lumos_nb import settings
from lumos_nb.stores.base import Delete, Ensure, Insert, Store, Update, Upsert

__all__ = [
    "Delete",
    "Ensure",
    "Insert",
    "SqliteStore",
    "Store",
    "Update",
    "Upsert",
    "close_stores",
    "default_store",
    "open_store",
]

if TYPE_CHECKING:
    from lumos_nb.stores.sqlite import SqliteStore

_lock = threading.Lock()
_open: dict[Path, Store] = {}


def __getattr__(name: str) -> Any:
    if name != "SqliteStore":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from lumos_nb.stores.sqlite import SqliteStore

    return SqliteStore


def open_store(path: str | os.PathLike[str]) -> Store:
    """Return the store of a file, the same one for the same file.

    Example:
        >>> import tempfile
        >>> path = tempfile.mkdtemp() + "/lumos.db"
        >>> open_store(path) is open_store(path)
        True
    """
    absolute = Path(path).expanduser().absolute()
    with _lock:
        if absolute not in _open:
            from lumos_nb.stores.sqlite import SqliteStore

            _open[absolute] = SqliteStore(absolute)
        return _open[absolute]


def close_stores() -> None:
    """Close the files of this process's stores, with what waits to be written; each is opened again when it is used.

    Example:
        >>> close_stores()
    """
    with _lock:
        stores = list(_open.values())
    for store in stores:
        store.close()


def default_store() -> Store:
    """Return the store that the settings name (`LUMOS_DB`, or `.lumos/lumos.db` here)."""
    return open_store(settings.current().database())


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()  # another thread of the parent may have held it


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
