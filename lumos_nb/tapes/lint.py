"""What is wrong with tapes, before they are committed: damage, secrets, paths of a machine, age, conversations.

One idea: a tape in a repository is read by everybody, so it is looked at as strictly as it was written, and by the
secrets of whoever looks as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from lumos_nb import clock
from lumos_nb.errors import TapeError, UsageError
from lumos_nb.hiding.known import named_secrets
from lumos_nb.hiding.live import find_secrets
from lumos_nb.tapes.canonical import MATCHED_HEADERS
from lumos_nb.tapes.edits import find_homes
from lumos_nb.tapes.format import Header, Interaction, Tape
from lumos_nb.tapes.modes import SUFFIX
from lumos_nb.tapes.prefixes import broken_prefixes
from lumos_nb.tapes.reading import read_tape
from lumos_nb.tapes.said import said
from lumos_nb.tapes.scrub import KEPT_ANSWERED

OLD_DAYS = 90
_RECORD = "Record it anew; keys and home folders are left out then."
_REQUEST = re.compile(rb'\s*\{\s*"k"\s*:\s*"request"\s*,\s*"i"\s*:\s*(\d+)')
_LINE = re.compile(r"^Line (\d+) of the tape '.*?' (.*)\.$", re.S)


class Problem(msgspec.Struct, frozen=True):
    """Something that is wrong with a tape.

    Example:
        >>> str(Problem(Path("a.tape.jsonl"), 3, "This line holds a secret.", "Record it anew."))
        'a.tape.jsonl:3: This line holds a secret. Record it anew.'
    """

    path: Path
    line: int
    what: str
    todo: str
    is_error: bool = True

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {'' if self.is_error else 'warning: '}{self.what} {self.todo}".rstrip()


def tapes_below(paths: Iterable[str]) -> list[Path]:
    """Return the tapes that paths name: files as they are, and all tapes below folders.

    Raises:
        UsageError: A path does not exist.

    Example:
        >>> tapes_below([])
        []
    """
    found: list[Path] = []
    for path in map(Path, paths):
        if not path.exists():
            raise UsageError(f"There is no {str(path)!r}.", hint="Name a tape, or a folder with tapes.")
        found += sorted(path.rglob(f"*{SUFFIX}")) if path.is_dir() else [path]
    return [path for path in dict.fromkeys(found) if ".ipynb_checkpoints" not in path.parts]


def lint(path: Path) -> list[Problem]:
    """Return what is wrong with a tape, in the order of its lines.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     tape = Path(folder) / "a.tape.jsonl"
        ...     _ = tape.write_text('{"k": "tape", "v": 99}')
        ...     [problem.is_error for problem in lint(tape)]
        [True]
    """
    problems = list(_secrets(path))
    try:
        tape = read_tape(path)
    except TapeError as error:
        found = _LINE.match(error.message)
        what = f"This line {found[2]}." if found else error.message
        return sorted([*problems, Problem(path, int(found[1]) if found else 1, what, error.hint)], key=_by_line)
    places = _places(path)
    for each in tape.interactions:
        problems += _of_interaction(path, places.get(each.request.i, 1), each)
    problems += [*_age(path, tape.header), *_cells(path, tape, places)]
    for request, what in broken_prefixes([each.request for each in tape.interactions]):
        todo = "A vendor's prompt cache is lost there; is what stands earlier in the prompt meant to change?"
        problems.append(Problem(path, places.get(request.i, 1), f"Request {request.i} {what}.", todo, is_error=False))
    return sorted(problems, key=_by_line)


def _by_line(problem: Problem) -> int:
    return problem.line


def _secrets(path: Path) -> Iterator[Problem]:
    """Yield the lines that hold something secret, whatever else is wrong with the file."""
    known = named_secrets()
    for n, line in enumerate(path.read_bytes().split(b"\n"), start=1):
        text = line.decode("latin-1")
        kinds = dict.fromkeys(each.what for each in find_secrets(text, known))
        if kinds:
            todo = f"Take the key back at its vendor if others could read this file. {_RECORD}"
            yield Problem(path, n, f"This line holds {' and '.join(kinds)}.", todo)
        if find_homes(text):
            yield Problem(path, n, "This line holds a path of somebody's home folder.", _RECORD)


def _of_interaction(path: Path, n: int, each: Interaction) -> Iterator[Problem]:
    kept = [("request", each.request.headers, MATCHED_HEADERS)]
    kept += [("answer", each.response.headers, KEPT_ANSWERED)] if each.response else []
    for what, headers, names in kept:
        if others := [name for name in headers if name.lower() not in names]:
            yield Problem(path, n, f"A header of this {what} does not belong on a tape: {', '.join(others)}.", _RECORD)
    known = named_secrets()
    for text in said(each.answer):
        plain = text.encode(errors="surrogatepass").decode("latin-1")
        if found := find_secrets(plain, known):
            todo = f"Take the key back at its vendor if others could read this file. {_RECORD}"
            yield Problem(path, n, f"The answer holds {found[0].what}, in pieces over several events.", todo)
        elif find_homes(plain):
            what = "The answer says a path of somebody's home folder, in pieces over several events."
            yield Problem(path, n, what, "Record it anew where the path says nothing.", is_error=False)


def _places(path: Path) -> dict[int, int]:
    """Return the line on which each request begins."""
    lines = enumerate(path.read_bytes().split(b"\n"), start=1)
    return {int(found[1]): n for n, line in lines if (found := _REQUEST.match(line))}


def _age(path: Path, header: Header) -> Iterator[Problem]:
    try:
        recorded = datetime.fromisoformat(header.recorded_at.replace("Z", "+00:00")).timestamp()
    except (ValueError, OverflowError):
        return
    days = int((clock.time() - recorded) / 86_400)
    if days > OLD_DAYS:
        todo = "Compare it with what is answered today: lumos test --verify"
        yield Problem(path, 1, f"This tape is {days} days old.", todo, is_error=False)


def _cells(path: Path, tape: Tape, places: dict[int, int]) -> Iterator[Problem]:
    """Yield the cells of a tape that are no longer in the notebook beside it."""
    name = tape.header.notebook
    beside = next(
        (folder / name for folder in (path.parent, path.parent.parent) if name and (folder / name).is_file()), None
    )
    cells = {
        each.request.cell: places.get(each.request.i, 1) for each in reversed(tape.interactions) if each.request.cell
    }
    if beside is None or not cells:
        return
    try:
        known = {cell.get("id") for cell in json.loads(beside.read_bytes())["cells"]}
    except (ValueError, KeyError, TypeError, AttributeError):
        return
    for cell, n in cells.items():
        if cell not in known:
            todo = f"Record the notebook anew: lumos test --record {beside}"
            yield Problem(path, n, f"The cell {cell!r} is no longer in {name!r}.", todo, is_error=False)
