"""Where a moment stands on the axis of a waterfall.

One idea: a person's lunch must not make the seconds of the models invisible. A long stretch in
which nothing worked is drawn short, and its true length is written on the axis.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from lumos_nb.telemetry.span import Span

WORK = ("chat", "execute_tool")
"""What counts as work. Runs are as long as what is in them, and waits are waits."""

_BREAK_SHARE = 0.25
_BREAK_WIDTH, _BREAKS_WIDTH = 0.06, 0.4
_SHORTEST_BREAK_S = 2.0
_MOST_BREAKS = 20
_SHORTEST_NS = 1_000_000
"""An axis is never shorter: one of nanoseconds tells nobody anything."""
_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)


class Tick(msgspec.Struct, frozen=True):
    """A moment with its name; `is_break`: a stretch that is drawn short begins here."""

    place: float
    label: str
    is_break: bool = False


class Scale:
    """Time to place: 0.0 at the left, 1.0 at the right.

    Example:
        >>> scale = Scale(0, 4_000_000_000)
        >>> scale.place(1_000_000_000), [tick.label for tick in scale.ticks()]
        (0.25, ['0 s', '1 s', '2 s', '3 s', '4 s'])
    """

    def __init__(self, start_ns: int, end_ns: int, breaks: Sequence[tuple[int, int]] = ()) -> None:
        self.start_ns, self.end_ns = start_ns, max(end_ns, start_ns + 1)
        self._breaks = breaks
        idle = sum(b - a for a, b in breaks)
        self._break_width = min(_BREAK_WIDTH, _BREAKS_WIDTH / max(1, len(breaks)))
        self._work_width = 1 - self._break_width * len(breaks)
        self._work_ns = max(1, self.end_ns - start_ns - idle)

    def place(self, ns: int) -> float:
        """Return where a moment stands; one outside stands at the edge."""
        ns = min(max(ns, self.start_ns), self.end_ns)
        idle, width = 0, 0.0
        for a, b in self._breaks:
            if ns >= a:
                within = min(ns, b) - a  # a whole number: where work took nanoseconds, rounding would be seen
                idle, width = idle + within, width + within / (b - a) * self._break_width
        return width + (ns - self.start_ns - idle) / self._work_ns * self._work_width

    def ticks(self, about: int = 5) -> list[Tick]:
        """Return moments a round number of seconds after the start, and the breaks with their true length."""
        step = _round_step(self._work_ns / 1e9 / about)
        found = [Tick(self.place(a), f"+{clock(_three_digits((b - a) / 1e9))}", True) for a, b in self._breaks]
        edges = [self.start_ns, *(moment for pair in self._breaks for moment in pair), self.end_ns]
        for a, b in zip(edges[::2], edges[1::2], strict=True):
            first = -(-(a - self.start_ns) // round(step * 1e9))
            last = (b - self.start_ns) // round(step * 1e9)
            found += [Tick(self.place(self.start_ns + round(n * step * 1e9)), clock(n * step))
                      for n in range(first, min(last, first + 4 * about) + 1)]  # fmt: skip
        return sorted(found, key=lambda tick: tick.place)


def _three_digits(value_s: float) -> float:
    return float(f"{value_s:.3g}") if value_s < 60 else value_s


def clock(value_s: float) -> str:
    """Return seconds as a mark of an axis: as short as it can be said.

    Example:
        >>> clock(0), clock(0.25), clock(90), clock(3600), clock(200_000)
        ('0 s', '0.25 s', '1:30', '1:00:00', '2 d 7 h')
    """
    if value_s < 60:
        return f"{value_s:.6g} s" if value_s < 10 else f"{value_s:.4g} s"
    whole = round(value_s)
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d}"
    if whole < 2 * 86400:
        return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"


def scale_of(spans: Sequence[Span]) -> Scale:
    """Return the axis for spans: from the first to the last moment of any, long idle stretches drawn short."""
    if not spans:
        return Scale(0, 1)
    start = min(span.start_ns for span in spans)
    end = max(*(max(span.start_ns, span.end_ns or 0) for span in spans), start + _SHORTEST_NS)
    if any(span.end_ns is None for span in spans):  # room to see that it goes on
        end += (end - start) // 20
    return Scale(start, end, _breaks(_idle(spans, start, end), end - start))


def _idle(spans: Sequence[Span], start: int, end: int) -> list[tuple[int, int]]:
    """Return the stretches in which nothing worked, the longest first."""
    busy = sorted((s.start_ns, max(s.start_ns, s.end_ns or s.start_ns)) for s in spans if s.op in WORK)
    idle, reached = [], start
    for a, b in [*busy, (end, end)]:
        if a > reached:
            idle.append((reached, a))
        reached = max(reached, b)
    return sorted(idle, key=lambda gap: gap[0] - gap[1])


def _breaks(idle: list[tuple[int, int]], total: int) -> list[tuple[int, int]]:
    """Return those idle stretches that would take too much of the axis, in order of time."""
    chosen: list[tuple[int, int]] = []
    for a, b in idle[:_MOST_BREAKS]:
        rest = total - sum(y - x for x, y in chosen)
        if b - a < _SHORTEST_BREAK_S * 1e9 or b - a < _BREAK_SHARE * rest or b - a >= rest:
            break
        chosen.append((a, b))
    return sorted(chosen)


def _round_step(least_s: float) -> float:
    if least_s < 1:
        power = 1e-9
        while power * 10 <= least_s:
            power *= 10
        return next(power * n for n in (1, 2, 5, 10) if power * n >= least_s or n == 10)
    return next((float(s) for s in _STEPS_S if s >= least_s), 86400.0 * -(-least_s // 86400))
