"""Spans as a frame: own and total amounts, the tree, and what is left of it when runs go wrong."""

import asyncio

import pandas as pd
import pytest

import lumos_nb as lumos
from lumos_nb import frames
from lumos_nb.memory import Memory, RunInfo
from lumos_nb.stores import SqliteStore, Update


@pytest.fixture
def store(tmp_path):
    store = SqliteStore(tmp_path / "lumos.db")
    yield store
    store.close()


def test_spans_stand_trace_by_trace_with_parents_before_children(recorded):
    spans = lumos.spans()
    assert spans.depth.tolist()[:7] == [0, 1, 1, 2, 3, 1, 1] and spans.trace_id.nunique() == 3
    assert spans.path[4] == "invoke_agent outer > execute_tool ask > invoke_agent inner > chat script"
    first = spans[spans.trace_id == spans.trace_id[0]]
    assert all(siblings.start_at.is_monotonic_increasing for _, siblings in first.groupby("parent_span_id"))
    assert set(first.parent_span_id.dropna()) <= set(first.span_id)


def test_own_amounts_add_up_to_the_total_of_the_top(recorded):
    spans, steps, runs = lumos.spans(), lumos.steps(), lumos.runs()
    tops = spans[spans.depth == 0]
    for name in ("input_tokens", "output_tokens"):
        assert spans[name].sum() == steps[name].sum() == runs[name].sum() == tops[f"total_{name}"].sum() > 0
    assert spans.loc[spans.op != "chat", "input_tokens"].isna().all()
    assert spans.loc[spans.tool == "broken", "total_input_tokens"].isna().all()


def test_an_unknown_price_makes_every_total_above_it_unknown(recorded):
    inner, outer = lumos.runs(agent="inner").run_id, lumos.runs(agent="outer").run_id
    for run in outer:
        recorded.write([Update("steps", {"run_id": run}, {"cost_usd": 0.25})])
    recorded.write([Update("steps", {"run_id": inner[0]}, {"cost_usd": 0.5})])
    spans = lumos.spans()
    assert spans[spans.depth == 0].total_cost_usd.tolist() == pytest.approx(
        [1.0, float("nan"), float("nan")], nan_ok=True
    )
    ask = spans[spans.tool == "ask"].total_cost_usd.tolist()
    assert ask == pytest.approx([0.5, float("nan"), float("nan")], nan_ok=True)


def test_self_time_is_what_no_child_took(recorded):
    spans = lumos.spans()
    assert (spans.self_s <= spans.duration_s).all() and (spans.self_s >= 0).all()
    leaves = spans[spans.op == "chat"]
    assert leaves.self_s.tolist() == leaves.duration_s.tolist()
    top = spans.iloc[0]
    assert top.self_s < top.duration_s


def test_depths_and_totals_are_of_the_whole_trace_whatever_is_asked_for(recorded):
    inner = lumos.runs(agent="inner").run_id[0]
    found, every = lumos.spans(run_id=inner), lumos.spans()
    assert found.depth.tolist() == [2, 3]
    same = every[every.run_id == inner].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, same, check_categorical=False)
    assert lumos.spans(op="execute_tool", where=("depth", ">", 0)).tool.tolist() == ["ask", "broken"] * 3
    assert len(lumos.spans(since="1h")) == len(every) and lumos.spans(until="1h").empty


def test_the_newest_spans_are_those_of_the_newest_trace(recorded):
    every = lumos.spans()
    assert lumos.spans(limit=3).span_id.tolist() == every.span_id.tolist()[-3:]
    assert lumos.q.spans.head(3).span_id.tolist() == every.span_id.tolist()[:3]


def test_what_began_long_ago_and_goes_on_is_found_by_what_is_in_it(recorded):
    """A run of last week that was resumed just now has spans of just now."""
    run = lumos.runs(agent="outer").run_id[0]
    recorded.write([Update("runs", {"run_id": run}, {"started_at": 10**9})])
    assert len(lumos.spans(last="1h", run_id=run, op="chat")) == 2


def test_runs_that_were_killed_and_clocks_that_jump_are_shown_as_they_are(store):
    async def main():
        await Memory(store).run_log(RunInfo(run_id="killed", thread_id="t", prompt="hi")).start()

    asyncio.run(main())
    killed = frames.spans(store=store).iloc[0]
    assert killed.status == "running" and killed[["duration_s", "self_s", "end_at"]].isna().all()
    store.write([Update("runs", {"run_id": "killed"}, {"ended_at": 1, "status": "completed"})])
    shown = frames.spans(store=store)
    assert len(shown) == 1 and not (shown.duration_s < 0).any() and not (shown.self_s < 0).any()


def test_runs_that_are_each_others_parents_are_shown_too(recorded):
    """No run of ours is; a damaged or forged database may say so."""
    outer, inner = lumos.runs().run_id[:2]
    spans = lumos.spans(run_id=[outer, inner])
    ask = spans[spans.tool == "ask"].span_id.iloc[0]
    recorded.write([Update("runs", {"run_id": outer}, {"parent_run_id": inner, "parent_span_id": ask})])
    assert set(lumos.spans(run_id=[outer, inner]).span_id) == set(spans.span_id)
