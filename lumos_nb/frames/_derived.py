"""Spans and metrics as rows: worked out from the tables, family by family.

One idea: a family is a run with all runs that it began. Families are read in portions, in the order
in which they began, so that memory is bounded and a limit stops early; within one family
everything is known that depths and totals need.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec

from lumos_nb.frames import _filters, _spans
from lumos_nb.frames._sources import Row
from lumos_nb.stores import Store
from lumos_nb.stores.base import Condition
from lumos_nb.stores.schema import Column
from lumos_nb.telemetry.metrics.points import MetricPoint, metric_points

_FAMILIES_AT_ONCE = 500
_OF_RUN = {"run_id", "thread_id"}
_LABELS = {
    "agent": "gen_ai.agent.name",
    "provider": "gen_ai.provider.name",
    "model": "gen_ai.request.model",
    "tool": "gen_ai.tool.name",
    "token_type": "gen_ai.token.type",
    "status": "lumos.status",
    "error_type": "error.type",
}


class DerivedSource(msgspec.Struct, frozen=True):
    """Rows worked out from runs and what belongs to them."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    time: str
    #: From the store and the runs of some families to their rows, oldest first.
    work_out: Callable[[Store, list[str]], list[dict[str, Any]]]
    version: int = 1
    table: None = None

    def rows(
        self, store: Store, names: Sequence[str], where: Sequence[Condition], limit: int | None, *, newest_first: bool
    ) -> Iterator[Row]:
        """Yield rows; the store finds the runs that may have some, the rest is tried here."""
        return islice(self._rows(store, names, where, newest_first), limit)

    def _rows(
        self, store: Store, names: Sequence[str], where: Sequence[Condition], newest_first: bool
    ) -> Iterator[Row]:
        families = iter(_families(store, _of_runs(where, self.time), newest_first))
        while portion := list(islice(families, _FAMILIES_AT_ONCE)):
            rows = self.work_out(store, [run for family in portion for run in family])
            for row in reversed(rows) if newest_first else rows:
                if all(_filters.holds(row, condition) for condition in where):
                    yield tuple(row[name] for name in names)


def _of_runs(where: Sequence[Condition], time: str) -> list[list[Condition]]:
    """Return what is asked of runs, as alternatives: what began before a moment may go on after it."""
    shared = [c for c in where if c[0] in _OF_RUN]
    moments = [value for name, op, value in where if name == time and op in {">", ">="}]
    if not moments:
        return [shared]
    since = max(moments)
    # By either clock: one that was set back lets a run end before it began.
    return [[*shared, (name, op, value)] for name, op, value in (
        ("started_at", ">=", since), ("ended_at", ">=", since), ("ended_at", "=", None),
    )]  # fmt: skip


def _families(store: Store, asked: list[list[Condition]], newest_first: bool) -> list[list[str]]:
    """Return the runs of each family that has a run asked for, in the order in which the families began."""
    within: list[list[Condition]] = [[]]
    if asked != [[]]:
        rows = (row for where in asked for row in store.select("runs", ["run_id", "root_run_id"], where=where))
        roots = list({root or run for run, root in rows})
        # The second is for the roots of older databases, which do not name themselves.
        within = [[("root_run_id", "in", roots)], [("run_id", "in", roots)]]
    members: dict[str, set[tuple[int, str]]] = {}
    for where in within:
        for run, root, started in store.select("runs", ["run_id", "root_run_id", "started_at"], where=where):
            members.setdefault(root or run, set()).add((started or 0, run))
    families = sorted((sorted(runs) for runs in members.values()), reverse=newest_first)
    return [[run for _, run in runs] for runs in families]


def _metric_rows(store: Store, runs: list[str]) -> list[dict[str, Any]]:
    points = sorted(metric_points(store, [("run_id", "in", runs)]), key=lambda point: point.ts_ns)
    return [_metric_row(point) for point in points]


def _metric_row(point: MetricPoint) -> dict[str, Any]:
    return {
        "ts": point.ts_ns,
        "name": point.name,
        "kind": point.kind,
        "value": point.value,
        "unit": point.unit,
        **{name: point.labels.get(label) for name, label in _LABELS.items()},
        "labels_json": msgspec.json.encode(point.labels).decode(),
        "thread_id": point.thread_id,
        "run_id": point.run_id,
    }


METRIC_COLUMNS = (
    Column("ts", "time", "when what was measured ended"),
    Column("name", "cat", "such as gen_ai.client.operation.duration, as OpenTelemetry calls it"),
    Column("kind", "cat", "counter, gauge or histogram"),
    Column("value", "float", "in the unit of the row; NaN where it is not known"),
    Column("unit", "cat", "s, {token}, {call}, USD"),
    Column("agent", "cat", "agent of the run"),
    Column("provider", "cat", "vendor of the model, as OpenTelemetry calls it"),
    Column("model", "cat", "model that was called"),
    Column("tool", "cat", "tool that was called"),
    Column("token_type", "cat", "input or output, of tokens"),
    Column("status", "cat", "how the run ended, of lumos.runs"),
    Column("error_type", "cat", "class of the error, of what failed"),
    Column("labels_json", "json", "all labels of the figure"),
    Column("thread_id", "id", "thread of the run"),
    Column("run_id", "id", "run that was measured"),
)
METRIC_ROWS = DerivedSource("metrics", METRIC_COLUMNS, (), "ts", _metric_rows)
SPAN_ROWS = DerivedSource("spans", _spans.COLUMNS, ("trace_id", "span_id"), "start_at", _spans.rows)
