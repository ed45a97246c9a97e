"""From a `Tape` to its file: whole interactions, and never over what somebody else wrote.

One idea: a writer knows how the file looked when it last read or wrote it. If it looks otherwise now, another one
writes it too; then nothing is written, and both are told apart by the error.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from stat import S_IMODE

import msgspec

from lumos_nb.errors import TapeError
from lumos_nb.tapes.format import NO_BODY, Interaction, Line, RequestLine, Tape

try:
    import fcntl
except ImportError:  # Windows: two writers are then told apart a moment less surely
    fcntl = None  # type: ignore[assignment]

Stamp = tuple[int, int, int]


def write_tape(path: Path, tape: Tape) -> None:
    """Write a tape whole, or not at all, whatever is there.

    Raises:
        TapeError: It cannot be written.
    """
    TapeFile(path).replace(lines_of_tape(tape))


def lines_of(interaction: Interaction) -> list[Line]:
    """Return an interaction as the lines of its file."""
    begun = [interaction.request] + ([interaction.response] if interaction.response else [])
    return [*begun, *interaction.chunks, interaction.end]


def lines_of_tape(tape: Tape) -> list[Line]:
    """Return a tape as the lines of its file."""
    lines: list[Line] = [tape.header]
    for interaction in tape.interactions:
        lines += lines_of(interaction)
    return [*lines, *tape.tools]


def encoded(lines: Iterable[Line]) -> bytes:
    """Return lines as they stand in a file."""
    return b"".join(_encoded(line) + b"\n" for line in lines)


def _encoded(line: Line) -> bytes:
    if isinstance(line, RequestLine) and not bytes(line.body):
        line = msgspec.structs.replace(line, body=NO_BODY)
    text = msgspec.json.encode(line)
    # A body is kept as it was sent; only where it has line breaks of its own is it put on one line.
    return msgspec.json.format(text, indent=-1) if b"\n" in text or b"\r" in text else text


def stamp(path: Path) -> Stamp | None:
    """Return what tells whether a file is still the same; None: there is none.

    Example:
        >>> stamp(Path("no-such-file")) is None
        True
    """
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


class TapeFile:
    """A tape's file, as one deck reads and writes it.

    Args:
        path: Where it is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen = stamp(path)

    @property
    def has_changed(self) -> bool:
        """Whether something else wrote it since it was last read or written here."""
        return stamp(self.path) != self._seen

    def replace(self, lines: Iterable[Line]) -> None:
        """Write lines in place of all of the file, whole or not at all.

        Raises:
            TapeError: Something else wrote it meanwhile, or it cannot be written.
        """
        data = encoded(lines)
        target = self.path.resolve()  # a link stays one
        unfinished = target.with_name(f".{target.name}.{os.getpid()}")
        with self._written():
            try:
                unfinished.write_bytes(data)
                with suppress(FileNotFoundError):
                    unfinished.chmod(S_IMODE(target.stat().st_mode))
                unfinished.replace(target)
            finally:
                unfinished.unlink(missing_ok=True)

    def append(self, lines: Iterable[Line]) -> None:
        """Write lines behind all others, whole or not at all.

        Raises:
            TapeError: Something else wrote it meanwhile, or it cannot be written.
        """
        data = encoded(lines)
        with self._written(), self.path.open("r+b", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 1))
            if file.read() not in {b"", b"\n"}:  # an editor took the last line's end
                data = b"\n" + data
            try:
                if file.write(data) != len(data):
                    raise OSError("the disk is full")
            except OSError:
                with suppress(OSError):
                    file.truncate(size)
                raise

    @contextmanager
    def _written(self) -> Iterator[None]:
        failure = None
        try:
            folder = self.path.resolve().parent
            folder.mkdir(parents=True, exist_ok=True)
            with _held(folder):
                if self.has_changed:
                    raise _changed(self.path)
                yield
                self._seen = stamp(self.path)
        except OSError as error:
            failure = TapeError(
                f"The tape {str(self.path)!r} cannot be written: {error.strerror or error}.",
                hint="Look at the folder's rights and at the space that is left.",
            )
        if failure is not None:
            raise failure


def _changed(path: Path) -> TapeError:
    return TapeError(
        f"The tape {str(path)!r} was written by something else meanwhile: another kernel, or a command. "
        "Nothing was written over it.",
        hint="Let one notebook at a time record it, or give each a tape of its own with LUMOS_TAPE_FILE; "
        "then restart the kernel.",
    )


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Keep other processes from writing tapes in a folder; no file is left behind."""
    if fcntl is None:
        yield
        return
    held = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system that has no locks
            fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)
