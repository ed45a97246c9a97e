"""`MetricsCollector`: how agents and tools do, from what is recorded of every run.

One idea: nothing is counted while a run goes on. Each answer is computed from the rows, so it covers last year's
runs, those of other kernels, and is the same wherever it is asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from lumos_nb.errors import UsageError, nearest
from lumos_nb.events import TokenUsage
from lumos_nb.stores import Store, default_store
from lumos_nb.stores.base import Condition
from lumos_nb.stores.reading import read_rows
from lumos_nb.telemetry.metrics.figures import (
    AgentMetrics,
    MemoryMetrics,
    Spread,
    TimePoint,
    ToolMetrics,
    counted,
    rate,
    seconds_of,
    spread,
)
from lumos_nb.telemetry.metrics.points import MetricPoint, memory_points, metric_points
from lumos_nb.telemetry.semconv import METRICS

_TOKENS = TokenUsage.__struct_fields__
_OF_RUN = (
    "agent", "status", "started_at", "duration_s", "working_s", "ttft_s", "n_steps", "n_retries", "cost_usd",
    "error_type", *_TOKENS,
)  # fmt: skip


class MetricsCollector:
    """Figures of agents, tools and memory.

    Args:
        store: Where runs are recorded; the default database if None.
        since: Only runs that began at this time or later; one without a time zone is local time.
        where: Further conditions on the table `runs`.

    Example:
        >>> from lumos_nb import Agent; from lumos_nb.testing import ScriptedProvider
        >>> run = Agent(name="greeter", model=ScriptedProvider(["Hello."])).generate_sync("Hi")
        >>> greeter = MetricsCollector(where=[("run_id", "=", run.run_id)]).agent("greeter")
        >>> greeter.n_runs, greeter.success_rate, greeter.n_steps
        (1, 1.0, 1)
    """

    def __init__(
        self, store: Store | None = None, *, since: datetime | None = None, where: Sequence[Condition] = ()
    ) -> None:
        self.store = store or default_store()
        begun: list[Condition] = [] if since is None else [("started_at", ">=", int(since.timestamp() * 1e9))]
        self.where: list[Condition] = [*begun, *where]

    def __repr__(self) -> str:
        n = sum(1 for _ in self.store.select("runs", ["run_id"], where=self.where))
        return f"<MetricsCollector of {n:,} runs; .agents(), .tools(), .memory(), .time_series(…)>"

    def agents(self) -> list[AgentMetrics]:
        """Return the figures of every agent, the one with most runs first."""
        rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in self._runs():
            rows[row["agent"] or ""].append(row)
        tools: dict[str, list[ToolRow]] = defaultdict(list)
        for call in self._tool_rows():
            tools[call[0]].append(call)
        remembered = counted(p.labels.get("gen_ai.agent.name", "") for p in self._memory() if _is_operation(p))
        found = [_agent(name, runs, tools[name], remembered.get(name, 0)) for name, runs in rows.items()]
        return sorted(found, key=lambda each: -each.n_runs)

    def agent(self, name: str) -> AgentMetrics:
        """Return the figures of one agent.

        Raises:
            UsageError: It has no runs here; names the nearest that has.
        """
        agents = {each.agent: each for each in self.agents()}
        if name not in agents:
            raise UsageError(f"Agent {name!r} has no runs here.", hint=nearest(name, agents))
        return agents[name]

    def tools(self) -> list[ToolMetrics]:
        """Return the figures of every tool, the one with most calls first."""
        rows: dict[str, list[ToolRow]] = defaultdict(list)
        for call in self._tool_rows():
            rows[call[1]].append(call)
        found = [_tool(name, calls) for name, calls in rows.items()]
        return sorted(found, key=lambda each: -each.n_calls)

    def memory(self) -> MemoryMetrics:
        """Return how often threads were read and added to."""
        found: dict[str, list[float]] = defaultdict(lambda: [0, 0])
        threads = set()
        for point in self._memory():
            threads.add(point.thread_id)
            found[point.labels["lumos.memory.action"]][not _is_operation(point)] += point.value
        return MemoryMetrics(
            n_threads=len(threads - {None}),
            n_operations={action: int(n) for action, (n, _) in sorted(found.items())},
            n_messages={action: int(n) for action, (_, n) in sorted(found.items())},
        )

    def time_series(self, name: str, *, every: str = "1h", agent: str | None = None) -> list[TimePoint]:
        """Return a metric over time, oldest first; times at which nothing happened are left out.

        Args:
            name: One of `semconv.METRICS`, such as `lumos.cost` or `gen_ai.client.operation.duration`.
            every: Length of a piece of time: `30s`, `5m`, `1h`, `1d`, `1w`.
            agent: Only this agent's.

        Raises:
            UsageError: There is no such metric, or no such length.

        Example:
            >>> MetricsCollector(where=[("run_id", "=", "none")]).time_series("lumos.cost", every="1d")
            []
        """
        if name not in METRICS:
            raise UsageError(f"There is no metric {name!r}.", hint=nearest(name, METRICS))
        length_ns = int(seconds_of(every) * 1e9)
        where = self.where if agent is None else [*self.where, ("agent", "=", agent)]
        pieces: dict[int, list[float]] = defaultdict(list)
        for point in metric_points(self.store, where):
            if point.name == name:
                pieces[point.ts_ns // length_ns * length_ns].append(point.value)
        return [
            TimePoint(ts_ns=ts, n=len(values), total=sum(values), spread=spread(values))
            for ts, values in sorted(pieces.items())
        ]

    def get_performance_stats(self, agent: str | None = None) -> dict[str, Any]:
        """Return durations, time to first token, tokens a second, rates, tokens and cost of an agent, or of all.

        Example:
            >>> MetricsCollector(where=[("run_id", "=", "none")]).get_performance_stats()["n_runs"]
            0
        """
        rows = [row for row in self._runs() if agent is None or row["agent"] == agent]
        calls = [call for call in self._tool_rows() if agent is None or call[0] == agent]
        remembered = [p for p in self._memory() if agent in {None, p.labels.get("gen_ai.agent.name", "")}]
        return _agent(agent or "", rows, calls, sum(map(_is_operation, remembered))).to_dict()

    def _runs(self) -> Iterator[dict[str, Any]]:
        return read_rows(self.store, "runs", _OF_RUN, where=self.where, order=["started_at"])

    def _memory(self) -> Iterator[MetricPoint]:
        agents = {r[0]: r[1] for r in self.store.select("runs", ["run_id", "agent"], where=self.where)}
        return memory_points(self.store, agents)

    def _tool_rows(self) -> Iterator[ToolRow]:
        """Yield agent, tool, status, seconds and error of each tool call of the runs."""
        agents = {r[0]: r[1] or "" for r in self.store.select("runs", ["run_id", "agent"], where=self.where)}
        where: list[Condition] = [("run_id", "in", list(agents))] if self.where else []
        columns = ["run_id", "tool", "status", "duration_s", "error_type"]
        for run_id, tool, status, duration_s, error in self.store.select("tool_calls", columns, where=where):
            if run_id in agents:
                yield agents[run_id], tool or "", status or "", duration_s, error


ToolRow = tuple[str, str, str, float | None, str | None]


def _agent(name: str, runs: Sequence[dict[str, Any]], calls: Sequence[ToolRow], n_memory: int) -> AgentMetrics:
    statuses = counted(row["status"] or "unknown" for row in runs)
    ended = [row for row in runs if row["status"] != "running"]
    costs = [row["cost_usd"] for row in ended]
    return AgentMetrics(
        agent=name,
        n_runs=len(runs),
        statuses=statuses,
        success_rate=rate(statuses.get("completed", 0), len(ended)),
        error_rate=rate(statuses.get("failed", 0), len(ended)),
        duration_s=_spread_of(runs, "duration_s"),
        working_s=_spread_of(runs, "working_s"),
        ttft_s=_spread_of(runs, "ttft_s"),
        total_s=sum(row["duration_s"] or 0.0 for row in runs),
        usage=TokenUsage(**{field: sum(row[field] or 0 for row in runs) for field in _TOKENS}),
        cost_usd=None if None in costs else sum(costs),
        n_unpriced_runs=costs.count(None),
        n_steps=sum(row["n_steps"] or 0 for row in runs),
        n_retries=sum(row["n_retries"] or 0 for row in runs),
        n_tool_calls=len(calls),
        n_memory_operations=n_memory,
        n_tool_errors=sum(status == "error" for _, _, status, _, _ in calls),
        errors=counted(row["error_type"] for row in runs if row["error_type"]),
        first_ns=runs[0]["started_at"] if runs else None,
        last_ns=runs[-1]["started_at"] if runs else None,
    )


def _tool(name: str, calls: Sequence[ToolRow]) -> ToolMetrics:
    statuses = counted(status for _, _, status, _, _ in calls)
    tried = statuses.get("ok", 0) + statuses.get("error", 0)
    return ToolMetrics(
        tool=name,
        n_calls=len(calls),
        statuses=statuses,
        error_rate=rate(statuses.get("error", 0), tried),
        duration_s=spread(s for _, _, status, s, _ in calls if s is not None and status != "denied"),
        errors=counted(error for _, _, status, _, error in calls if status == "error" and error),
    )


def _is_operation(point: MetricPoint) -> bool:
    return point.name == "lumos.memory.operations"


def _spread_of(rows: Iterable[dict[str, Any]], name: str) -> Spread:
    return spread(row[name] for row in rows if row[name] is not None)
