"""Figures of runs over time.

One idea: a figure is derived from the rows of runs, model calls and tools, never counted beside them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from lumos_nb.stores import Store
from lumos_nb.stores.base import Condition


class MetricPoint(msgspec.Struct, frozen=True, kw_only=True):
    """One measured value."""

    #: Nanoseconds since 1970, UTC.
    ts_ns: int
    #: Such as `gen_ai.client.operation.duration`.
    name: str
    #: counter, gauge or histogram.
    kind: str
    value: float
    #: `s`, `{token}`, `{call}`, `USD`.
    unit: str
    run_id: str
    thread_id: str | None = None
    #: Of few distinct values: agent, provider, model, tool, token type, status, error type.
    labels: dict[str, str] = {}


def metric_points(store: Store, where: Sequence[Condition] = ()) -> Iterator[MetricPoint]:
    """Yield the points of the runs that `where` (conditions on the table `runs`) selects, oldest run first."""
    raise NotImplementedError
