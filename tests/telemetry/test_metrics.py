"""Figures of many runs: exact, from the rows alone, and honest about what is not known."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

import lumos_nb as lumos
from lumos_nb import Agent, settings
from lumos_nb.errors import UsageError
from lumos_nb.events import TokenUsage
from lumos_nb.stores import Insert, default_store
from lumos_nb.telemetry import MetricsCollector
from lumos_nb.telemetry.metrics.figures import spread
from lumos_nb.telemetry.metrics.points import metric_points
from lumos_nb.telemetry.semconv import METRICS
from lumos_nb.testing import Answer, ScriptedProvider
from tests.telemetry import golden


@pytest.fixture(autouse=True)
def database(tmp_path, monkeypatch):
    monkeypatch.setenv("LUMOS_DB", str(tmp_path / "lumos.db"))
    settings.reset()
    yield
    settings.reset()


@pytest.fixture
def recorded(monkeypatch):
    with golden.served() as server:
        monkeypatch.setenv("LUMOS_VENDORS", json.dumps({"mine": {"base_url": server.base_url}}))
        monkeypatch.setenv("LUMOS_PRICES", '{"mine/m": {"input": 1, "output": 2}}')
        settings.reset()

        async def record():
            from lumos_nb.transport import default_transport

            await golden.record(server.base_url)
            await default_transport().aclose()

        asyncio.run(record())
    return list(metric_points(default_store()))


def of(points, name, **labels):
    return [p for p in points if p.name == name and all(p.labels.get(k) == v for k, v in labels.items())]


def test_points_add_up_to_the_rows(recorded):
    runs, steps, calls = lumos.runs(), lumos.steps(), lumos.tool_calls()
    tokens = "gen_ai.client.token.usage"
    assert sum(p.value for p in of(recorded, tokens, **{"gen_ai.token.type": "input"})) == steps.input_tokens.sum()
    assert sum(p.value for p in of(recorded, tokens, **{"gen_ai.token.type": "output"})) == runs.output_tokens.sum()
    assert sum(p.value for p in of(recorded, "lumos.cost")) == pytest.approx(steps.cost_usd.sum(), abs=1e-12)
    assert len(of(recorded, "lumos.unpriced_calls")) == steps.cost_usd.isna().sum()
    assert len(of(recorded, "gen_ai.invoke_agent.duration")) == len(of(recorded, "lumos.runs")) == len(runs)
    assert len(of(recorded, "gen_ai.execute_tool.duration")) == (calls.status != "denied").sum()
    assert sum(p.value for p in of(recorded, "lumos.retries")) == runs.n_retries.sum() == 1
    saved = of(recorded, "lumos.memory.messages", **{"lumos.memory.action": "saved"})
    assert sum(p.value for p in saved) == len(lumos.messages(parts=False))


def test_points_say_what_failed_and_why(recorded):
    errors = {(p.labels["gen_ai.operation.name"], p.labels["error.type"]) for p in of(recorded, "lumos.errors")}
    assert errors == {("execute_tool", "ValueError"), ("invoke_agent", "LumosError")}
    cancelled = of(recorded, "gen_ai.invoke_agent.duration", **{"error.type": "cancelled"})
    assert [p.labels["gen_ai.agent.name"] for p in cancelled] == ["stopped"]


def test_points_have_a_known_name_and_unit_and_no_ids_among_their_labels(recorded):
    ids = {*lumos.runs().run_id, *lumos.runs().trace_id, *lumos.threads().thread_id, "t1"}
    for point in recorded:
        assert (point.kind, point.unit) == METRICS[point.name][:2]
        assert not ids & set(point.labels.values()) and all(isinstance(v, str) for v in point.labels.values())


def test_an_agents_figures(recorded):
    collector = MetricsCollector()
    tools = collector.agent("tools")
    assert (tools.n_runs, tools.success_rate, tools.error_rate) == (1, 1.0, 0.0)
    assert (tools.n_tool_calls, tools.n_tool_errors, tools.n_steps) == (2, 1, 2)
    assert tools.usage.cache_read_tokens == 40 and tools.cost_usd is None and tools.n_unpriced_runs == 1
    assert tools.n_memory_operations == 2
    assert collector.agent("failing").errors == {"LumosError": 1} and collector.agent("failing").error_rate == 1.0
    assert collector.agent("stopped").success_rate == 0.0 and collector.agent("stopped").error_rate == 0.0
    retried = collector.agent("retried")
    assert retried.n_retries == 1 and retried.cost_usd == pytest.approx(lumos.steps().cost_usd.sum(), abs=1e-12)
    everything = collector.get_performance_stats()
    assert everything["n_runs"] == len(lumos.runs()) and everything["statuses"]["completed"] == 6
    assert everything["duration_s"]["p95"] == pytest.approx(lumos.runs().duration_s.quantile(0.95))


def test_a_collector_says_what_it_looks_at_and_what_to_ask_it(recorded):
    assert repr(MetricsCollector(where=[("run_id", "=", "none")])) == (
        "<MetricsCollector of 0 runs; .agents(), .tools(), .memory(), .time_series(…)>"
    )


def test_tools_and_memory(recorded):
    tools = {t.tool: t for t in MetricsCollector().tools()}
    assert tools["broken"].error_rate == 1.0 and tools["broken"].errors == {"ValueError": 1}
    assert tools["send_mail"].statuses == {"ok": 1, "denied": 1} and tools["send_mail"].error_rate == 0.0
    assert tools["send_mail"].duration_s.n == 1
    memory = MetricsCollector().memory()
    assert memory.n_threads == 1 and memory.n_operations == {"loaded": 2, "saved": 2}


def test_a_time_series_adds_up_in_pieces_of_time(recorded):
    points = MetricsCollector().time_series("gen_ai.client.token.usage", every="1d")
    assert sum(p.total for p in points) == lumos.runs().input_tokens.sum() + lumos.runs().output_tokens.sum()
    assert all(p.ts_ns % 86_400_000_000_000 == 0 for p in points)
    one = MetricsCollector().time_series("lumos.runs", every="1w", agent="mailer")
    assert [p.total for p in one] == [2]


def test_only_what_was_asked_for_is_counted(recorded):
    assert MetricsCollector(since=datetime.now(UTC) + timedelta(hours=1)).agents() == []
    assert MetricsCollector(since=datetime.now(UTC) - timedelta(hours=1)).agent("mailer").n_runs == 2
    only = MetricsCollector(where=[("status", "=", "failed")])
    assert [a.agent for a in only.agents()] == ["failing"] and only.memory().n_threads == 0


@pytest.mark.parametrize(
    "wrong, hint",
    [
        (lambda c: c.agent("tolls"), "Did you mean 'tools'?"),
        (lambda c: c.time_series("lumos.costs"), "Did you mean 'lumos.cost'?"),
        (lambda c: c.time_series("lumos.cost", every="often"), "30s, 5m, 1h"),
        (lambda c: c.time_series("lumos.cost", every="0s"), "30s, 5m, 1h"),
    ],
)
def test_a_wrong_name_is_answered_with_the_right_one(recorded, wrong, hint):
    with pytest.raises(UsageError, match=".*") as caught:
        wrong(MetricsCollector())
    assert hint in caught.value.hint


def test_percentiles_are_numpys():
    values = list(np.random.default_rng(7).lognormal(size=1_001))
    found = spread(values)
    assert [found.p50, found.p95, found.p99] == pytest.approx(list(np.percentile(values, [50, 95, 99])))
    assert spread([]).p50 is None and spread([3.0]).p99 == 3.0


def test_a_run_that_was_killed_and_rows_without_values_do_no_harm():
    store = default_store()
    store.write([
        Insert("runs", {"run_id": "killed", "status": "running", "started_at": 5, "agent": "a"}),
        Insert("runs", {"run_id": "bare", "status": "completed", "started_at": None}),
        Insert("runs", {"run_id": "clock", "status": "completed", "started_at": 10**18, "ended_at": 5, "agent": "a"}),
        Insert("steps", {"run_id": "bare", "step": 1}),
        Insert("tool_calls", {"run_id": "bare", "step": 1, "tool_call_id": "c", "status": "ok"}),
        Insert("events", {"run_id": "bare", "event_id": "e", "ts": 1, "kind": "memory_update", "run_seq": 1,
                          "payload_json": "not json"}),
    ])  # fmt: skip
    names = [p.name for p in metric_points(store) if p.run_id == "killed"]
    assert names == []
    a = MetricsCollector().agent("a")
    assert a.n_runs == 2 and a.success_rate == 1.0 and a.duration_s.p50 is None
    assert MetricsCollector().memory().n_operations == {"unknown": 1}
    assert MetricsCollector().get_performance_stats()["n_runs"] == 3


def test_a_database_that_is_not_there_has_no_figures():
    assert MetricsCollector().agents() == [] == MetricsCollector().tools()
    assert MetricsCollector().get_performance_stats()["success_rate"] is None


def test_an_unknown_price_is_not_zero(monkeypatch):
    model = ScriptedProvider([Answer(text="x", usage=TokenUsage(input_tokens=5))])
    Agent("a", model=model).generate_sync("Hi")
    assert MetricsCollector().agent("a").cost_usd is None
    assert MetricsCollector().time_series("lumos.cost") == []
    assert MetricsCollector().time_series("lumos.unpriced_calls")[0].total == 1
