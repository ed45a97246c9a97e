"""Calls of tools that are on a tape: `@tool(tape=True)`.

One idea: a call is looked up by its name and by all of its arguments, as a request is by all that it says.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec

from lumos_nb.errors import TapeMiss, nearest
from lumos_nb.events import plain
from lumos_nb.messages import ToolCall, ToolResult, valid
from lumos_nb.tapes.format import Output, ToolLine
from lumos_nb.tapes.scenes import Scene
from lumos_nb.tapes.scrub import clean, scrubbed_tool, shown_text


class TapedCalls:
    """The tool calls of one tape: what is recorded, and what was played of it.

    Args:
        lines: What is on the tape.
        tape: Its name, for errors.
        repeats: Whether a cell that is run again may have its own once more.
    """

    def __init__(self, lines: Sequence[ToolLine], tape: str, *, repeats: bool = False) -> None:
        self._tape, self._repeats = tape, repeats
        #: Executions of cells, and what each was given.
        self._given: set[tuple[int, int]] = set()
        self._lock = threading.Lock()
        self._of_key: defaultdict[bytes, list[ToolLine]] = defaultdict(list)
        for line in lines:
            self._of_key[_key(line.name, msgspec.json.decode(line.arguments))].append(line)
        self._left = list(lines)

    def find(self, call: ToolCall, scene: Scene) -> ToolLine | None:
        """Return what is recorded for a call, the earliest that was not played yet; None if there is nothing."""
        with self._lock:
            same = self._of_key[_key(call.name, call.parsed())]
            left = [line for line in same if any(line is other for other in self._left)]
            again = [line for line in same if self._is_again(line, scene)]
            found = next(iter(left or again), None)
            if found is not None:
                self._left = [other for other in self._left if other is not found]
                self._given.add((scene.execution, id(found)))
            return found

    def _is_again(self, line: ToolLine, scene: Scene) -> bool:
        is_own = bool(scene.cell) and line.cell == scene.cell
        return self._repeats and is_own and (scene.execution, id(line)) not in self._given

    def follow(self, lines: Sequence[ToolLine], added: ToolLine) -> None:
        """Take what is on the tape once a call was recorded, which may have taken the place of others."""
        kept = {id(line) for line in lines}
        with self._lock:
            self._left = [line for line in self._left if id(line) in kept]
            for same in self._of_key.values():
                same[:] = [line for line in same if id(line) in kept]
            self._of_key[_key(added.name, msgspec.json.decode(added.arguments))].append(added)

    def unplayed(self) -> list[ToolLine]:
        """Return what is on the tape and was never called."""
        return list(self._left)

    def missing(self, call: ToolCall) -> TapeMiss:
        """Return the error for a call that is not on the tape: what is, and what to do."""
        known = [f"{n}({_shown(k)})" for line in self._left if (n := line.name) == call.name for k in [line.arguments]]
        asked = f"{call.name}({_shown(msgspec.json.encode(call.parsed()))})"
        left = f"What is left of {call.name!r} there: {', '.join(known[:3])}." if known else nearest(
            call.name, {line.name for line in self._left}
        )  # fmt: skip
        return TapeMiss(
            f"The call {asked} is not on the tape {self._tape!r}.",
            hint=f"{left} Record its cell anew: %%agent --record".strip(),
        )


def tool_line(
    call: ToolCall, result: ToolResult, output: Sequence[Output], *, i: int, t: float, scene: Scene
) -> ToolLine:
    """Return a call as a line of a tape, without what is secret; what JSON does not know is kept as its `repr`.

    Raises:
        SecretOnTape: Its arguments hold a secret of this machine.

    Example:
        >>> call = ToolCall(id="c1", name="now", arguments="{}")
        >>> line = tool_line(call, ToolResult("c1", "now", "noon"), [], i=0, t=0.1, scene=Scene(cell="a"))
        >>> result_of(line, ToolCall(id="c2", name="now", arguments="{}")).content
        'noon'
    """
    line = ToolLine(
        i=i, cell=scene.cell, source=scene.source, name=call.name, arguments=_raw(call.parsed()), t=round(t, 6),
        output=tuple(_joined(output)), result=_raw(msgspec.structs.replace(result, call_id="")),
    )  # fmt: skip
    return scrubbed_tool(line)


def result_of(line: ToolLine, call: ToolCall) -> ToolResult:
    """Return the recorded result, for this call."""
    return msgspec.structs.replace(msgspec.json.decode(line.result, type=ToolResult), call_id=call.id)


def _key(name: str, arguments: Any) -> bytes:
    # As they are on the tape, where no key and no home folder is.
    return clean(msgspec.json.encode([name, valid(arguments)], order="sorted"))


def _raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(valid(msgspec.to_builtins(value, enc_hook=plain))))


def _shown(arguments: bytes) -> str:
    text = shown_text(bytes(arguments).decode())
    return text if len(text) <= 120 else f"{text[:119]}…"


def _joined(output: Sequence[Output]) -> list[Output]:
    """Return pieces with those of one stream joined: how it was cut up is the machine's doing."""
    found: list[Output] = []
    for kind, text, data in output:
        if found and kind == found[-1][0] and kind in {"stdout", "stderr"}:
            found[-1] = (kind, found[-1][1] + text, {})
        else:
            found.append((kind, text, data))
    return found
