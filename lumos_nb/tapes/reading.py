"""From a tape's file to a `Tape`.

One idea: a tape that is not whole is not played. What is wrong is named with its file and its line, and with what
mends it.
"""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import Any

import msgspec

from lumos_nb._version import __version__
from lumos_nb.errors import TapeError
from lumos_nb.tapes.format import (
    HOWS,
    TAPE_VERSION,
    ChunkLine,
    EndLine,
    Header,
    Interaction,
    Line,
    RequestLine,
    ResponseLine,
    Tape,
    ToolLine,
)

_DECODER = msgspec.json.Decoder(Line)
_MEND = "Take it from git again (git checkout -- FILE), or record it anew."
_CONFLICT = (b"<<<<<<<", b"=======", b">>>>>>>", b"|||||||")


def read_tape(path: Path) -> Tape:
    """Return a tape.

    Raises:
        TapeError: It cannot be read, is of a newer version, was cut, or is no tape; names the line.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from lumos_nb.tapes import write_tape
        >>> with TemporaryDirectory() as folder:
        ...     write_tape(Path(folder) / "a.tape.jsonl", Tape(header=Header(notebook="a.ipynb")))
        ...     read_tape(Path(folder) / "a.tape.jsonl").header.notebook
        'a.ipynb'
    """
    data = _bytes_of(path)
    lines = data.split(b"\n")
    reader = _Reader(path, header_of(path, lines[0]))
    for n, line in enumerate(lines[1:], start=2):
        if line.strip():
            reader.take(n, line, is_cut=n == len(lines))
    return reader.whole()


def read_header(path: Path) -> Header:
    """Return the first line of a tape, whatever comes behind it.

    Raises:
        TapeError: It is no tape, or of a newer version.
    """
    with path.open("rb") as file:
        return header_of(path, file.readline(1_000_000))


def header_of(path: Path, line: bytes) -> Header:
    """Return the header that the first line of a file is.

    Raises:
        TapeError: It is none, or of a newer version.
    """
    version = _version_in(line)
    if version is None:
        raise TapeError(f"{str(path)!r} is no tape: line 1 is not the first line of one.", hint=_MEND)
    if version > TAPE_VERSION:
        raise TapeError(
            f"The tape {str(path)!r} is of version {version}; this lumos_nb reads up to {TAPE_VERSION}.",
            hint=f"Upgrade it (it is {__version__}): pip install --upgrade lumos-nb. Or record the tape anew.",
        )
    try:
        return msgspec.json.decode(line, type=Header)
    except msgspec.MsgspecError as error:
        failure = f"Line 1 of the tape {str(path)!r} cannot be read: {error}."
    raise TapeError(failure, hint=_MEND)


def _version_in(line: bytes) -> int | None:
    """Return the version that a tape's first line names; None: it is not one."""
    try:
        first: Any = msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    is_header = isinstance(first, dict) and first.get("k") == "tape"
    return first["v"] if is_header and type(first.get("v")) is int else None


def _bytes_of(path: Path) -> bytes:
    try:
        data = path.read_bytes()
        data.decode()
    except FileNotFoundError:
        failure, hint = f"There is no tape {str(path)!r}.", "Record it: LUMOS_TAPE=record lumos run NOTEBOOK"
    except OSError as error:
        failure, hint = f"The tape {str(path)!r} cannot be read: {error.strerror}.", "Look at the file and its rights."
    except UnicodeDecodeError as error:
        n = data.count(b"\n", 0, error.start) + 1
        failure, hint = f"Line {n} of {str(path)!r} is not UTF-8: that is no tape, or a damaged one.", _MEND
    else:
        if data.strip():
            return data.removeprefix(b"\xef\xbb\xbf")
        failure, hint = f"The tape {str(path)!r} is empty.", _MEND
    raise TapeError(failure, hint=hint)


class _Reader:
    """Puts lines together, and says which one is out of place."""

    def __init__(self, path: Path, header: Header) -> None:
        self._path, self._tape = path, Tape(header=header)
        self._begun: Interaction | None = None
        self._seen: set[int] = set()
        self._n = 1

    def take(self, n: int, text: bytes, *, is_cut: bool) -> None:
        """Take the next line; a last one without its end may be half a line."""
        self._n = n
        line = self._decoded(text, is_cut)
        match line:
            case Header():
                raise self._wrong("is a second first line: two tapes were put together")
            case RequestLine():
                self._begin(line)
            case ToolLine():
                self._outside("a tool's call")
                self._tape.tools.append(line)
            case _:
                self._add(line)

    def whole(self) -> Tape:
        """Return the tape; all that was begun on it has to have ended."""
        if self._begun is not None:
            raise TapeError(
                f"The tape {str(self._path)!r} was cut: request {self._begun.request.i} does not end before its last "
                f"line, {self._n}.",
                hint=_MEND,
            )
        return self._tape

    def _decoded(self, text: bytes, is_cut: bool) -> Line:
        try:
            line: Line = _DECODER.decode(text)
            return line
        except msgspec.ValidationError as error:
            failure = f"does not say what it must: {error}"
        except msgspec.DecodeError as error:
            failure = f"is no JSON: {error}"
            if text.startswith(_CONFLICT):
                failure = "is a conflict that git left"
            elif is_cut:
                failure = "was cut in the middle"
        raise self._wrong(failure)

    def _begin(self, line: RequestLine) -> None:
        self._outside("a request")
        if line.i in self._seen:
            raise self._wrong(f"begins request {line.i} a second time")
        self._check_base64(line.body64)
        self._seen.add(line.i)
        # Until it ends, it counts as cut.
        self._begun = Interaction(request=line, end=EndLine(i=line.i, t=0.0, how="cancelled"))

    def _outside(self, what: str) -> None:
        if self._begun is not None:
            raise self._wrong(f"is {what}, and request {self._begun.request.i} before it has not ended")

    def _add(self, line: ResponseLine | ChunkLine | EndLine) -> None:
        begun = self._begun
        if begun is None or line.i != begun.request.i:
            raise self._wrong(f"belongs to request {line.i}, which is not begun before it")
        match line:
            case ResponseLine():
                if begun.response is not None:
                    raise self._wrong(f"answers request {line.i} a second time")
                begun.response = line
            case ChunkLine():
                if begun.response is None:
                    raise self._wrong(f"is a piece of an answer to request {line.i} that is not begun before it")
                self._check_base64(line.base64)
                begun.chunks.append(line)
            case EndLine():
                if line.how not in HOWS:
                    raise self._wrong(f"ends in a way that is not known: {line.how!r}")
                begun.end, self._begun = line, None
                self._tape.interactions.append(begun)

    def _check_base64(self, text: str) -> None:
        try:
            base64.b64decode(text, validate=True)
        except binascii.Error as error:
            failure = f"holds no Base64: {error}"
        else:
            return
        raise self._wrong(failure)

    def _wrong(self, what: str) -> TapeError:
        return TapeError(f"Line {self._n} of the tape {str(self._path)!r} {what}.", hint=_MEND)
