"""Two tapes beside each other: what is the same, what changed and in which members, what is only on one.

One idea: a request is found on the other tape as it would be played, by all that it says; the rest is paired by cell.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from lumos_nb.phrases import count
from lumos_nb.tapes.asked import described
from lumos_nb.tapes.canonical import canonical, key
from lumos_nb.tapes.changes import changes
from lumos_nb.tapes.format import Interaction, Tape, ToolLine
from lumos_nb.tapes.scrub import shown_text

Pair = tuple[Interaction | None, Interaction | None]


def compared(a: Tape, b: Tape) -> list[str]:
    """Return in words how a tape differs from another, a line an interaction; nothing if they play alike.

    `~` is another request of the same cell, `=` the same request with another answer, `-` and `+` are only on the
    first and only on the second.

    Example:
        >>> from lumos_nb.tapes.format import Header
        >>> compared(Tape(header=Header()), Tape(header=Header(lumos="other")))
        []
    """
    lines: list[str] = []
    for old, new in _pairs(a.interactions, b.interactions):
        if old is None or new is None:
            one = old or new
            assert one is not None
            lines.append(f"{'-' if new is None else '+'} {described(one.request)}")
        elif said := changes(canonical(old.request), canonical(new.request)):
            lines.append(f"~ {described(old.request)}: {'; '.join(said)}")
        elif said := _answers(old, new):
            lines.append(f"= {described(old.request)}: {'; '.join(said)}")
    return lines + _tools(a.tools, b.tools)


def summary(a: Tape, lines: list[str]) -> str:
    """Return how many interactions of a tape are the same on another, after `compared`."""
    n_other = sum(line[0] in "~=-" and " tool " not in line[:7] for line in lines)
    return f"{count(len(a.interactions) - n_other, 'request')} the same, {count(len(lines), 'difference')}"


def _pairs(a: list[Interaction], b: list[Interaction]) -> Iterable[Pair]:
    left = defaultdict(list)
    for each in b:
        left[key(each.request)].append(each)
    same = {each.request.i: left[k].pop(0) for each in a if left[k := key(each.request)]}
    taken = {id(each) for each in same.values()}
    of_cell = defaultdict(list)
    for each in b:
        if id(each) not in taken:
            of_cell[each.request.cell or each.request.source].append(each)
    for each in a:
        others = of_cell[each.request.cell or each.request.source]
        yield each, same.get(each.request.i) or (others.pop(0) if others else None)
    yield from ((None, each) for others in of_cell.values() for each in others)


def _answers(old: Interaction, new: Interaction) -> list[str]:
    was, now = old.response and old.response.status, new.response and new.response.status
    said = [] if was == now else [f"status {was} → {now}"]
    said += [] if old.end.how == new.end.how else [f"ended {old.end.how} → {new.end.how}"]
    return said + ([] if old.answer == new.answer else ["answered otherwise"])


def _tools(a: list[ToolLine], b: list[ToolLine]) -> list[str]:
    old, new = ([f"tool {e.name}({shown_text(bytes(e.arguments).decode())})" for e in lines] for lines in (a, b))
    return [f"- {each}" for each in old if each not in new] + [f"+ {each}" for each in new if each not in old]
