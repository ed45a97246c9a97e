"""The options of `%%agent`: read from its line, with errors that name the nearest option."""

from __future__ import annotations

import shlex
from keyword import iskeyword

import msgspec

from lumos_nb.errors import UsageError, nearest


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """One option of a `%%agent` line."""

    #: How it is written, the short form first.
    names: tuple[str, ...]
    field: str
    #: What stands for its value; empty: it takes none.
    takes: str = ""
    help: str
    #: What its value names, for completion: model, thread, tools, approve, type, image or nothing known.
    kind: str = ""


AGENT_HELP = "a variable that holds an Agent, or its name; else the current one (%agent use)"

TABLE = (
    Option(names=("-m", "--model"), field="model", takes="MODEL", kind="model",
           help="vendor/model, or a variable that holds one; several with commas are asked in turn"),
    Option(names=("-t", "--thread"), field="thread", takes="THREAD", kind="thread",
           help="continue this thread; without it the notebook's own goes on"),
    Option(names=("--new",), field="new", help="begin a thread, with -t one of that name"),
    Option(names=("--tools",), field="tools", takes="a,b", kind="tools",
           help="functions of the notebook, by name, in place of the agent's"),
    Option(names=("-o", "--output"), field="output", takes="NAME[:TYPE]", kind="type",
           help="a variable for the result, beside _; with :TYPE for the answer as a value of that type"),
    Option(names=("--image",), field="images", takes="X", kind="image",
           help="a picture, PDF or sound to send: a file, or a variable with a figure, an image, bytes"),
    Option(names=("--max-steps",), field="max_steps", takes="N", help="model calls before the run is stopped"),
    Option(names=("--max-cost",), field="max_cost_usd", takes="USD",
           help="no model call once what is known to be spent has reached this, in US dollars"),
    Option(names=("--approve",), field="approve", takes="a,b", kind="approve",
           help="tools that need no question: names, patterns such as read_*, or all"),
    Option(names=("--background",), field="background",
           help="return at once; the run goes on, and `await _` gives its result"),
    Option(names=("--dry-run",), field="dry_run", help="show what would be sent and what it may cost; send nothing"),
    Option(names=("--record",), field="record",
           help="put this cell's requests on the notebook's tape, in place of what the cell had there"),
    Option(names=("--replay",), field="replay", help="play them from there: nothing is sent"),
    Option(names=("--live",), field="live", help="send them, whatever tape is in force"),
)  # fmt: skip

USAGE = (
    "%%agent [AGENT] [-m MODEL] [-t THREAD] [--new] [--tools a,b] [-o NAME[:TYPE]] [--image X] [--max-steps N]"
    " [--max-cost USD] [--approve a,b] [--background] [--dry-run] [--record | --replay | --live]"
)

#: Option to field and whether it takes a value.
OPTIONS = {name: (option.field, bool(option.takes)) for option in TABLE for name in option.names}


def described() -> str:
    """Return the help of `%%agent`, a line an option.

    Example:
        >>> print(described().splitlines()[5])
        -m MODEL          vendor/model, or a variable that holds one; several with commas are asked in turn
    """
    head, _, rest = USAGE.partition(" [--max-steps N]")
    lines = [f"{option.names[0]} {option.takes}".ljust(18) + option.help for option in TABLE]
    return "\n".join([
        "Run an agent with the cell's text as its prompt.", "",
        head, f"        [--max-steps N]{rest}", f"{'AGENT':18}{AGENT_HELP}", *lines, "",
        "{{ expression }} in the prompt is a value of the notebook; single braces are plain text.",
    ])  # fmt: skip


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
    #: In US dollars.
    max_cost_usd: float | None = None
    #: Names and patterns of tools that need no question.
    approve: str | None = None
    background: bool = False
    #: Show what would be sent, and send nothing.
    dry_run: bool = False
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
    if "max_cost_usd" in values:
        values["max_cost_usd"] = _dollars(str(values["max_cost_usd"]))
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


def _dollars(word: str) -> float:
    try:
        usd = float(word.removeprefix("$"))
    except ValueError:
        usd = 0.0
    if not 0 < usd < float("inf"):
        raise UsageError(
            f"--max-cost takes US dollars above 0, not {word!r}.", hint="Write for example --max-cost 0.50."
        )
    return usd


def _tape(values: dict[str, object]) -> str:
    """Return the one way to use the tape that a line names; empty: none."""
    named = [word for word in ("record", "replay", "live") if values.pop(word, False)]
    if len(named) > 1:
        raise UsageError(
            f"--{named[0]} and --{named[1]} cannot stand together.",
            hint="Record the cell, replay it or ask live: one of them.",
        )
    return named[0] if named else ""
