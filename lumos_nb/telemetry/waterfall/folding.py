"""Which spans are rows of a page, and which are counted in a row of many.

One idea: a page has room for some dozens of rows. Errors and what took longest keep theirs, with
all that they are part of; the rest is folded where it belongs, by kind, and says how many it is.
Every span is in exactly one row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property

import msgspec

from lumos_nb.events import TokenUsage
from lumos_nb.telemetry.spans import Span

SHOWN_WHOLE = 120
"""Up to so many spans nothing is folded."""
_KEPT, _KEPT_ERRORS = 90, 60
_MOST_FOLDS = 30

NOT_WELL = frozenset({"error", "denied"})
"""What keeps a row before what only took long."""


class Row(msgspec.Struct, frozen=True):
    """One row: a span, or several of a kind that are folded into one."""

    depth: int
    spans: tuple[Span, ...]
    #: Of a run what all model calls in it used, those of runs within it too.
    usage: TokenUsage | None = None
    #: None where a price is not known.
    cost_usd: float | None = None

    @property
    def is_fold(self) -> bool:
        """Whether it stands for several."""
        return len(self.spans) > 1


def rows_of(spans: Sequence[Span], shown_whole: int = SHOWN_WHOLE) -> list[Row]:
    """Return the rows of spans: parents before their parts, those in the order in which they began.

    Example:
        >>> rows_of([])
        []
    """
    tree = _Tree(spans)
    if len(spans) <= shown_whole:
        return [tree.row(depth, n) for depth, n in tree.walk()]
    return tree.folded()


class _Tree:
    """Spans by their place in the list: ids may be missing, double, or go round in a circle."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self.spans = spans
        place = {span.span_id: n for n, span in reversed(list(enumerate(spans)))}
        self.parent = [place.get(span.parent_span_id or "") for span in spans]
        self.parent = [None if parent == n else parent for n, parent in enumerate(self.parent)]
        self._cut_circles()
        self.children: dict[int | None, list[int]] = defaultdict(list)
        for n in sorted(range(len(spans)), key=lambda n: (spans[n].start_ns, n)):
            self.children[self.parent[n]].append(n)

    def _cut_circles(self) -> None:
        sound: set[int] = set()
        for n in range(len(self.spans)):
            path: dict[int, None] = {}
            at: int | None = n
            while at is not None and at not in sound and at not in path:
                path[at] = None
                at = self.parent[at]
            if at is not None and at in path:
                self.parent[at] = None
            sound.update(path)

    def walk(self) -> list[tuple[int, int]]:
        """Return depth and place of all spans in their order."""
        found, waiting = [], [(0, n) for n in reversed(self.children[None])]
        while waiting:
            depth, n = waiting.pop()
            found.append((depth, n))
            waiting += [(depth + 1, child) for child in reversed(self.children.get(n, []))]
        return found

    def row(self, depth: int, n: int) -> Row:
        usage, cost = self._totals[n]
        return Row(depth, (self.spans[n],), usage, cost)

    @cached_property
    def _totals(self) -> list[tuple[TokenUsage | None, float | None]]:
        """Return what each span used with all that is part of it."""
        found: list[tuple[TokenUsage | None, float | None]] = [(s.usage, s.cost_usd) for s in self.spans]
        for _, n in reversed(self.walk()):
            parent = self.parent[n]
            usage, cost = found[n]
            if parent is None or usage is None:
                continue
            known, sum_ = found[parent]
            both = None if cost is None or (known is not None and sum_ is None) else (sum_ or 0.0) + cost
            found[parent] = (usage if known is None else known + usage, both)
        return found

    def folded(self) -> list[Row]:
        order = self.walk()
        kept = self._kept()
        nearest = self._nearest(order, kept)
        # The place of the first of a fold stands for all of it.
        folds = {members[0]: tuple(members) for members in self._groups(order, kept, nearest).values()}
        rows: list[Row] = []
        depths: dict[int, int] = {}
        for _, n in order:
            parent = nearest[n]
            depth = depths[n] = 0 if parent is None else depths[parent] + 1
            if n in kept:
                rows.append(self.row(depth, n))
            elif n in folds:
                rows.append(Row(depth, tuple(self.spans[m] for m in folds[n])))
        return rows

    def _kept(self) -> set[int]:
        """Return what keeps a row: first errors, then runs at the top, then what took longest; each with its path."""
        everything = sorted(range(len(self.spans)), key=lambda n: -_length(self.spans[n]))
        errors = [n for n in everything if self.spans[n].status in NOT_WELL]
        kept: set[int] = set()
        for candidates, room in ((self.children[None][:1], 1), (errors, _KEPT_ERRORS), (everything, _KEPT)):
            for n in candidates:
                path = self._path(n, kept, room)
                if len(kept) + len(path) <= room:
                    kept.update(path)
                if len(kept) >= room:
                    break
        return kept

    def _path(self, n: int, kept: set[int], room: int) -> list[int]:
        path: list[int] = []
        at: int | None = n
        while at is not None and at not in kept and len(path) <= room:
            path.append(at)
            at = self.parent[at]
        return path

    def _nearest(self, order: list[tuple[int, int]], kept: set[int]) -> dict[int, int | None]:
        """Return for each span the nearest kept one that it is part of."""
        nearest: dict[int, int | None] = {}
        for _, n in order:  # parents come first
            parent = self.parent[n]
            nearest[n] = parent if parent is None or parent in kept else nearest[parent]
        return nearest

    def _groups(
        self, order: list[tuple[int, int]], kept: set[int], nearest: dict[int, int | None]
    ) -> dict[tuple[object, ...], list[int]]:
        """Return what is folded, by where it belongs and what it is: finely, unless that were too many rows."""
        for names in (("op", "tool", "model", "agent", "status"), ("op", "status"), ("status",), ()):
            groups: dict[tuple[object, ...], list[int]] = defaultdict(list)
            for _, n in order:
                if n not in kept:
                    where = nearest[n] if names else None
                    groups[(where, *(getattr(self.spans[n], name) for name in names))].append(n)
            if len(groups) <= _MOST_FOLDS:
                return groups
        return groups


def _length(span: Span) -> float:
    """Return how long a span was; one without an end counts as longest."""
    length = span.duration_s
    return float("inf") if length is None else length
