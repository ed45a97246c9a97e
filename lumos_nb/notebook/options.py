"""The options of `%%agent`: read from its line, with errors that name the nearest option."""

from __future__ import annotations

import shlex
from keyword import iskeyword

import msgspec

from lumos_nb.errors import UsageError, nearest

USAGE = (
    "%%agent [AGENT] [-m MODEL] [-t THREAD] [--new] [--tools a,b] [-o NAME[:TYPE]] [--image X] [--max-steps N]"
    " [--approve a,b] [--background] [--record | --replay | --live]"
)

#: Option to field and whether it takes a value.
OPTIONS = {
    "-m": ("model", True), "--model": ("model", True), "-t": ("thread", True), "--thread": ("thread", True),
    "--new": ("new", False), "--tools": ("tools", True), "-o": ("output", True), "--output": ("output", True),
    "--image": ("images", True), "--max-steps": ("max_steps", True), "--background": ("background", False),
    "--approve": ("approve", True), "--record": ("record", False), "--replay": ("replay", False),
    "--live": ("live", False),
}  # fmt: skip


class CellOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a `%%agent` line says."""

    agent: str | None = None
    model: str | None = None
    thread: str | None = None
    new: bool = False
    tools: str | None = None
    output: str | None = None
    #: Expression of the type that the answer must have.
    output_type: str | None = None
    images: tuple[str, ...] = ()
    max_steps: int | None = None
    #: Names and patterns of tools that need no question.
    approve: str | None = None
    background: bool = False
    #: record, replay or live: how this cell uses the notebook's tape; empty: as the notebook does.
    tape: str = ""


def parse(line: str) -> CellOptions:
    """Return the options of a line.

    Raises:
        UsageError: An option is not known or its value cannot be used.

    Example:
        >>> parse("analyst -t sales --max-steps 3").thread
        'sales'
    """
    values: dict[str, object] = {}
    words = split(line, hint=f"Use: {USAGE}")
    while words:
        word = words.pop(0)
        name, separator, value = word.partition("=") if word.startswith("--") else (word, "", "")
        if not word.startswith("-"):
            if "agent" in values:
                raise UsageError(f"{word!r} is one name too many.", hint=f"Use: {USAGE}")
            values["agent"] = word
            continue
        if name not in OPTIONS:
            raise UsageError(f"%%agent has no option {name!r}.", hint=f"{nearest(name, OPTIONS)} Use: {USAGE}")
        field, takes_value = OPTIONS[name]
        if takes_value and not separator:
            value = words.pop(0) if words else ""
        if takes_value and not value:
            raise UsageError(f"{name} needs a value.", hint=f"Use: {USAGE}")
        if field == "images":
            values[field] = (*values.get(field, ()), value)  # type: ignore[misc]
        else:
            values[field] = value if takes_value else True
    return _checked(values)


def split(line: str, hint: str = "") -> list[str]:
    """Return the words of a magic's line, quoted ones whole.

    Raises:
        UsageError: A quotation does not end.
    """
    try:
        return shlex.split(line)
    except ValueError as error:
        raise UsageError(f"The line {line!r} cannot be read: {error}.", hint=hint) from None


def _checked(values: dict[str, object]) -> CellOptions:
    steps = values.get("max_steps")
    if steps is not None:
        if not str(steps).isdecimal() or int(str(steps)) < 1:
            raise UsageError(f"--max-steps takes a number from 1, not {steps!r}.")
        values["max_steps"] = int(str(steps))
    if "output" in values:
        output, colon, type_ = str(values["output"]).partition(":")
        if not output.isidentifier() or iskeyword(output):
            raise UsageError(
                f"-o takes the name of a variable, not {output!r}.", hint="Write -o NAME, or -o NAME:TYPE."
            )
        if colon and not type_:
            raise UsageError(
                f"-o {output}: names no type.", hint="Write it without spaces, or quoted: -o 'names:list[str]'."
            )
        values |= {"output": output, "output_type": type_ or None}
    return msgspec.convert({**values, "tape": _tape(values)}, CellOptions)


def _tape(values: dict[str, object]) -> str:
    """Return the one way to use the tape that a line names; empty: none."""
    named = [word for word in ("record", "replay", "live") if values.pop(word, False)]
    if len(named) > 1:
        raise UsageError(
            f"--{named[0]} and --{named[1]} cannot stand together.",
            hint="Record the cell, replay it or ask live: one of them.",
        )
    return named[0] if named else ""
