"""Metrics as text that Prometheus reads.

One idea: the same points as everywhere, added up; whoever serves HTTP only has to hand the text out.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping

from lumos_nb.messages import valid_text
from lumos_nb.telemetry.metrics.points import MetricPoint
from lumos_nb.telemetry.semconv import BUCKETS, METRICS

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""What to serve the text as."""

_UNITS = {"s": "seconds", "USD": "usd", "{token}": ""}
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})

Labels = tuple[tuple[str, str], ...]


def exposition(points: Iterable[MetricPoint]) -> str:
    """Return points as Prometheus' text, each series the sum of its points.

    Args:
        points: As `metric_points` gives them.

    Example:
        >>> print(exposition([MetricPoint(ts_ns=0, name="lumos.cost", kind="counter", value=0.5, unit="USD",
        ...                               run_id="r", labels={"gen_ai.agent.name": "a"})]), end="")
        # HELP lumos_cost_usd_total Cost of model calls whose price is known.
        # TYPE lumos_cost_usd_total counter
        lumos_cost_usd_total{gen_ai_agent_name="a"} 0.5
    """
    series: dict[str, dict[Labels, _Sum]] = {}
    for point in points:
        labels = tuple(sorted((_name(name), valid_text(value)) for name, value in point.labels.items()))
        sums = series.setdefault(point.name, {})
        if labels not in sums:
            sums[labels] = _Sum(BUCKETS.get(point.name, ()))
        sums[labels].add(point.value)
    return "".join(line for name in sorted(series) for line in _family(name, series[name]))


class _Sum:
    """What the points of one series add up to."""

    __slots__ = ("bounds", "counts", "n", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds, self.counts = bounds, [0] * len(bounds)
        self.n, self.total = 0, 0.0

    def add(self, value: float) -> None:
        self.n += 1
        self.total += value
        at = bisect_left(self.bounds, value)  # a bucket holds what is at most its bound
        if at < len(self.counts):
            self.counts[at] += 1


def _family(name: str, series: Mapping[Labels, _Sum]) -> Iterable[str]:
    kind, unit, description = METRICS.get(name, ("counter", "", name))
    suffix = _UNITS.get(unit, "")
    shown = _name(f"{name}.{suffix}" if suffix else name)
    shown += "_total" if kind == "counter" else ""
    yield f"# HELP {shown} {description.replace(chr(92), chr(92) * 2)}\n# TYPE {shown} {kind}\n"
    for labels, found in sorted(series.items()):
        yield from _histogram(shown, labels, found) if kind == "histogram" else [_line(shown, labels, found.total)]


def _histogram(name: str, labels: Labels, found: _Sum) -> Iterable[str]:
    below = 0
    for bound, count in zip(found.bounds, found.counts, strict=True):
        below += count
        yield _line(f"{name}_bucket", (*labels, ("le", _number(bound))), below)
    yield _line(f"{name}_bucket", (*labels, ("le", "+Inf")), found.n)
    yield _line(f"{name}_sum", labels, found.total)
    yield _line(f"{name}_count", labels, found.n)


def _line(name: str, labels: Labels, value: float) -> str:
    inside = ",".join(f'{key}="{text.translate(_ESCAPES)}"' for key, text in labels)
    return f"{name}{{{inside}}} {_number(value)}\n" if inside else f"{name} {_number(value)}\n"


def _number(value: float) -> str:
    if math.isinf(value) or math.isnan(value):
        return {"inf": "+Inf", "-inf": "-Inf"}.get(str(value), "NaN")
    return repr(float(value))


def _name(name: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_]", "_", name)
