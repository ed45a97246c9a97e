"""Figures of many runs as values: `AgentMetrics`, `ToolMetrics`, `MemoryMetrics`, and how they are computed.

One idea: plain data. What is not known is None, never 0, and a rate of nothing is not known.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec

from lumos_nb.errors import UsageError
from lumos_nb.events import TokenUsage

_UNITS_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_EVERY = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([smhdw])\s*")


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """How values spread; all None where there are none."""

    n: int = 0
    mean: float | None = None
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    max: float | None = None


class AgentMetrics(msgspec.Struct, frozen=True, kw_only=True):
    """How an agent does."""

    agent: str
    n_runs: int
    #: Number of runs by status: completed, failed, cancelled, running.
    statuses: dict[str, int]
    #: Part of the runs which have ended that ended well; None where none has.
    success_rate: float | None
    #: Part that failed. Those that were stopped are neither.
    error_rate: float | None
    duration_s: Spread
    #: Duration less waiting for people, rate limits and retries.
    working_s: Spread
    #: Request to first token, of each run's first step.
    ttft_s: Spread
    #: All durations together.
    total_s: float
    usage: TokenUsage
    #: US dollars; None where the price of any run is not known.
    cost_usd: float | None
    n_unpriced_runs: int
    n_steps: int
    n_retries: int
    n_tool_calls: int
    n_tool_errors: int
    #: Times that a thread was read or added to.
    n_memory_operations: int
    #: Number of failed runs by type of error, most frequent first.
    errors: dict[str, int]
    #: When the first and the last of them began, in nanoseconds since 1970.
    first_ns: int | None = None
    last_ns: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return msgspec.to_builtins(self)  # type: ignore[no-any-return]


class ToolMetrics(msgspec.Struct, frozen=True, kw_only=True):
    """How a tool does."""

    tool: str
    n_calls: int
    #: Number of calls by status: ok, error, denied, cancelled …
    statuses: dict[str, int]
    #: Part of the calls that ended, well or not, which failed.
    error_rate: float | None
    #: Without calls that were denied.
    duration_s: Spread
    #: Number of failed calls by type of error, most frequent first.
    errors: dict[str, int]


class MemoryMetrics(msgspec.Struct, frozen=True, kw_only=True):
    """How threads were used."""

    n_threads: int
    #: By what was done: loaded, saved.
    n_operations: dict[str, int]
    #: Messages, in the same way.
    n_messages: dict[str, int]


class TimePoint(msgspec.Struct, frozen=True, kw_only=True):
    """A metric in one piece of time."""

    #: Its beginning, in nanoseconds since 1970, UTC.
    ts_ns: int
    n: int
    total: float
    spread: Spread


def spread(values: Iterable[float]) -> Spread:
    """Return how values spread; percentiles lie between two values as numpy's do.

    Example:
        >>> spread([1, 2, 3, 4])
        Spread(n=4, mean=2.5, p50=2.5, p95=3.8499999999999996, p99=3.9699999999999998, max=4)
    """
    ordered = sorted(v for v in values if math.isfinite(v))
    if not ordered:
        return Spread()
    return Spread(
        n=len(ordered), mean=math.fsum(ordered) / len(ordered), p50=percentile(ordered, 0.5),
        p95=percentile(ordered, 0.95), p99=percentile(ordered, 0.99), max=ordered[-1],
    )  # fmt: skip


def percentile(ordered: list[float], part: float) -> float:
    """Return the value below which this part of them lies.

    Example:
        >>> percentile([1.0, 2.0, 4.0], 0.75)
        3.0
    """
    at = (len(ordered) - 1) * part
    below = math.floor(at)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (at - below)


def rate(part: int, whole: int) -> float | None:
    """Return a part of a whole, or None of nothing.

    Example:
        >>> rate(1, 4), rate(0, 0)
        (0.25, None)
    """
    return part / whole if whole else None


def counted(values: Iterable[str]) -> dict[str, int]:
    """Return how often each comes, most frequent first.

    Example:
        >>> counted(["b", "a", "b"])
        {'b': 2, 'a': 1}
    """
    return dict(Counter(values).most_common())


def seconds_of(every: str) -> float:
    """Return a length of time in seconds.

    Raises:
        UsageError: It cannot be read.

    Example:
        >>> seconds_of("5m"), seconds_of("1d")
        (300.0, 86400.0)
    """
    found = _EVERY.fullmatch(every)
    if found is None or not float(found[1]):
        raise UsageError(f"{every!r} is no length of time.", hint="Write 30s, 5m, 1h, 1d or 1w.")
    return float(found[1]) * _UNITS_S[found[2]]
