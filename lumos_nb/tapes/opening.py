"""The tape that a deck begins with: what its file holds, all tapes of a folder, or nothing yet.

One idea: whether a file may be played here, or written over, is known before anything is asked.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec

from lumos_nb._version import __version__
from lumos_nb.errors import TapeError
from lumos_nb.tapes.format import Header, Tape
from lumos_nb.tapes.modes import SUFFIX
from lumos_nb.tapes.reading import read_header, read_tape


def open_tape(path: Path, mode: str, notebook: str) -> Tape:
    """Return the tape of a file, or of all files of a folder; an empty one to record on.

    Raises:
        TapeError: The file is no tape that can be read, or is one of another notebook.

    Example:
        >>> open_tape(Path("no-such.tape.jsonl"), "record", "a.ipynb").header.notebook
        'a.ipynb'
    """
    if path.is_dir():
        return _all_of(path)
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    new = Tape(header=Header(lumos=__version__, notebook=notebook, recorded_at=now))
    if not path.exists():
        return new
    if mode != "record":
        tape = read_tape(path)
        _check_notebook(path, tape.header, notebook)
        return tape
    if path.stat().st_size:
        _check_notebook(path, _header_there(path), notebook)
    return new


def _header_there(path: Path) -> Header:
    """Return the header of a tape that is about to be recorded anew."""
    try:
        return read_header(path)
    except TapeError as error:
        failure = error.message
    raise TapeError(
        f"{failure} It is not written over.", hint="Name another file with LUMOS_TAPE_FILE, or delete this one."
    )


def _check_notebook(path: Path, header: Header, notebook: str) -> None:
    if header.notebook and notebook and header.notebook != notebook:
        raise TapeError(
            f"The tape {str(path)!r} is of the notebook {header.notebook!r}, not of {notebook!r}.",
            hint=f'If the notebook was renamed, write "notebook":"{notebook}" into the first line of the tape. '
            "Else name the notebook's own with LUMOS_TAPE_FILE.",
        )


def _all_of(folder: Path) -> Tape:
    """Return all tapes of a folder as one, their requests numbered anew."""
    whole = Tape(header=Header(lumos=__version__))
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        tape = read_tape(path)
        whole.tools += tape.tools
        for each in tape.interactions:
            each.request = msgspec.structs.replace(each.request, i=len(whole.interactions))
            whole.interactions.append(each)
    return whole
