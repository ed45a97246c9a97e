"""From a tape's file to a `Tape`, and back."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from lumos_nb.errors import TapeError
from lumos_nb.tapes.format import (
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


def read_tape(path: Path) -> Tape:
    """Return a tape.

    Raises:
        TapeError: It cannot be read, is of a newer version, or was cut.
    """
    tape: Tape | None = None
    request: RequestLine | None = None
    response: ResponseLine | None = None
    chunks: list[ChunkLine] = []
    for n, text in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            line = _DECODER.decode(text)
        except msgspec.MsgspecError as error:
            raise TapeError(f"Line {n} of the tape {str(path)!r} cannot be read: {error}.") from None
        match line:
            case Header():
                tape = Tape(header=line)
            case _ if tape is None:
                raise TapeError(f"{str(path)!r} is no tape: its first line is not that of one.")
            case RequestLine():
                request, response, chunks = line, None, []
            case ResponseLine():
                response = line
            case ChunkLine():
                chunks.append(line)
            case EndLine() if request is not None:
                tape.interactions.append(Interaction(request=request, response=response, chunks=chunks, end=line))
                request = None
            case ToolLine():
                tape.tools.append(line)
    if tape is None or request is not None:
        raise TapeError(f"The tape {str(path)!r} was cut: its last interaction does not end.")
    return tape


def lines_of(interaction: Interaction) -> list[Line]:
    """Return an interaction as the lines of its file."""
    begun = [interaction.request] + ([interaction.response] if interaction.response else [])
    return [*begun, *interaction.chunks, interaction.end]


def write_tape(path: Path, tape: Tape) -> None:
    """Write a tape whole, or not at all."""
    lines: list[Line] = [tape.header]
    for interaction in tape.interactions:
        lines += lines_of(interaction)
    write_lines(path, [*lines, *tape.tools])


def write_lines(path: Path, lines: Iterable[Line]) -> None:
    """Write lines in place of a file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    unfinished.replace(path)
