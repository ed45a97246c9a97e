"""What went wrong with the database file, in two sentences that name the file and the next step."""

from __future__ import annotations

import errno
from pathlib import Path

from lumos_nb.errors import ConflictError, StoreError

_ELSEWHERE = "or set LUMOS_DB to another file"


def store_error(error: Exception, path: Path) -> StoreError:
    """Return the `StoreError` that says what an error of SQLite or of the file system means."""
    if isinstance(error, OSError):
        return _os_error(error, path)
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith("SQLITE_CONSTRAINT"):
        return ConflictError(
            f"A row with this key is already in database {str(path)!r}: {error}.",
            hint="Another writer was first; read it again, or use another id.",
        )
    for prefixes, what, hint in _MEANINGS:
        if name.startswith(prefixes):
            return StoreError(what.format(path=str(path)), hint=hint.format(path=path))
    return StoreError(
        f"Database {str(path)!r} could not be used: {error} ({name or type(error).__name__}).",
        hint=f"Try again, {_ELSEWHERE}.",
    )


_MEANINGS: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (
        ("SQLITE_BUSY", "SQLITE_LOCKED"),
        "Database {path!r} is locked by another process.",
        f"Try again when the other notebook or program has finished writing, {_ELSEWHERE}.",
    ),
    (
        ("SQLITE_READONLY", "SQLITE_PERM", "SQLITE_AUTH"),
        "Database {path!r} is read-only.",
        f"Allow writing to the file and its folder (chmod u+w), {_ELSEWHERE}.",
    ),
    (
        ("SQLITE_NOTADB",),
        "File {path!r} is not a Lumos database; it was left as it is.",
        f"Move it aside (mv '{{path}}' '{{path}}.old'), {_ELSEWHERE}.",
    ),
    (
        ("SQLITE_CORRUPT",),
        "Database {path!r} is damaged; it was left as it is.",
        "Move it aside (mv '{path}' '{path}.damaged') and a new one is made, or restore a copy; "
        "`sqlite3 '{path}.damaged' .recover` saves what can be saved. LUMOS_DB names another file.",
    ),
    (("SQLITE_FULL",), "The disk of database {path!r} is full.", f"Free some space, {_ELSEWHERE}."),
    (
        ("SQLITE_IOERR",),
        "Database {path!r} could not be read or written: the disk or network folder gave an error.",
        "Check that the disk has space and is no network folder, or set LUMOS_DB to a file on a local disk.",
    ),
    (
        ("SQLITE_CANTOPEN",),
        "Database {path!r} cannot be opened.",
        f"Check that it is a file and that its folder can be written, {_ELSEWHERE}.",
    ),
)


def _os_error(error: OSError, path: Path) -> StoreError:
    what = {
        errno.ENOSPC: "the disk is full",
        errno.EDQUOT: "the disk quota is used up",
        errno.ENOTDIR: "a part of its path is a file, not a folder",
        errno.EEXIST: "its folder is a file",
        errno.EROFS: "the disk is read-only",
        errno.EACCES: "permission was denied",
        errno.EPERM: "permission was denied",
    }.get(error.errno or 0, error.strerror or str(error))
    return StoreError(
        f"The folder {str(path.parent)!r} for database {path.name!r} cannot be used: {what}.",
        hint="Set LUMOS_DB to a file in a folder that you can write.",
    )


def foreign_error(path: Path) -> StoreError:
    """Return the error for a SQLite file that some other program made."""
    return StoreError(
        f"File {str(path)!r} is a database of another program; it was left as it is.",
        hint="Set LUMOS_DB to another file.",
    )


def newer_error(path: Path) -> StoreError:
    """Return the error for a file of a later format."""
    return StoreError(
        f"Database {str(path)!r} was made by a newer Lumos, in a format that this one cannot read.",
        hint=f"Upgrade with `pip install -U lumos-nb`, {_ELSEWHERE}.",
    )
