"""What is said where a request is not on the tape.

One idea: the nearest one that is recorded says most: the same cell's, and among those the one that it is most alike.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from os.path import commonprefix
from typing import Any

from lumos_nb.tapes.asked import described
from lumos_nb.tapes.canonical import canonical
from lumos_nb.tapes.changes import changes
from lumos_nb.tapes.format import Interaction, RequestLine
from lumos_nb.tapes.lookup import is_of
from lumos_nb.tapes.scenes import Scene

_MOST_CHANGES = 6
_MOST_COMPARED = 100


def difference(request: RequestLine, recorded: Sequence[Interaction], scene: Scene) -> str:
    """Return in words how a request differs from the nearest one that is recorded, the same cell's first."""
    of_cell = [each for each in recorded if is_of(each.request, scene)]
    nearest = _nearest(request, of_cell or recorded)
    if nearest is None:
        return "Nothing is recorded on it."
    where = "of this cell" if of_cell else "on the tape"
    said = listed(changes(canonical(nearest.request), canonical(request)))
    return f"Nearest {where}, request {nearest.request.i}: {said}."


def asked_too_often(request: RequestLine, n_recorded: int) -> str:
    """Return in words that a request was made more often than it was recorded; empty: it was never recorded.

    Example:
        >>> asked_too_often(RequestLine(i=-1, method="GET", url="http://h/v1/models"), 2)
        'Recorded twice, asked for the 3rd time: a request: GET http://h/v1/models.'
    """
    if not n_recorded:
        return ""
    times = {1: "once", 2: "twice"}.get(n_recorded, f"{n_recorded} times")
    return f"Recorded {times}, asked for the {_nth(n_recorded + 1)} time: {described(request)}."


def listed(said: Iterable[str]) -> str:
    """Return the first of some sayings, and how many more there are.

    Example:
        >>> listed("abcdefgh")
        'a; b; c; d; e; f; and 2 more'
    """
    every = list(said)
    more = f"; and {len(every) - _MOST_CHANGES} more" if len(every) > _MOST_CHANGES else ""
    return "; ".join(every[:_MOST_CHANGES]) + more


def _nth(n: int) -> str:
    """Return a number as it stands in a row.

    Example:
        >>> _nth(2), _nth(3), _nth(11), _nth(21)
        ('2nd', '3rd', '11th', '21st')
    """
    ending = "th" if n % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{ending}"


def _nearest(request: RequestLine, recorded: Sequence[Interaction]) -> Interaction | None:
    mine = dict(_leaves("", canonical(request)))

    def nearness(interaction: Interaction) -> float:
        other = dict(_leaves("", canonical(interaction.request)))
        both = mine.keys() & other.keys()
        return sum(_alike(mine[path], other[path]) for path in both) / max(1, len(mine.keys() | other.keys()))

    # The last ones: a conversation that grows is nearest to its latest turns.
    return max(recorded[-_MOST_COMPARED:], key=nearness, default=None)


def _alike(old: str, new: str) -> float:
    """Return 1 for the same text, less the earlier two begin to differ."""
    return 1.0 if old == new else len(commonprefix((old, new))) / max(len(old), len(new), 1) / 2  # noqa: RUF071


def _leaves(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _leaves(f"{path}.{name}", inner)
    elif isinstance(value, list) and value:
        for n, inner in enumerate(value):
            yield from _leaves(f"{path}[{n}]", inner)
    else:
        yield path, json.dumps(value, sort_keys=True)
