"""`df.lumos`: cost, comparison and waterfall of the rows that are in a frame."""

import math

import pytest

import lumos_nb as lumos
from lumos_nb import frames
from lumos_nb.errors import UsageError
from lumos_nb.stores import Insert, SqliteStore


@pytest.fixture
def runs(tmp_path):
    store = SqliteStore(tmp_path / "lumos.db")
    rows = [
        {"run_id": f"r{i:02}", "started_at": i, "model": f"m{i % 2}", "agent": "a" if i else None,
         "duration_s": float(i),
         "status": "failed" if i % 5 == 0 else "completed", "input_tokens": 10 + i, "output_tokens": 1,
         "cost_usd": None if i == 3 else 0.5}
        for i in range(20)
    ]  # fmt: skip
    store.write([Insert("runs", row) for row in rows])
    yield frames.runs(store=store)
    store.close()


def test_cost_of_a_group_with_an_unknown_price_is_unknown(runs):
    cost = runs.lumos.cost()
    assert cost.model.tolist() == ["m0", "m1"] and cost.n.tolist() == [10, 10]
    assert cost.cost_usd[0] == 5.0 and math.isnan(cost.cost_usd[1]) and cost.n_unpriced.tolist() == [0, 1]
    assert cost.input_tokens.sum() == runs.input_tokens.sum()
    assert runs.lumos.cost(by=["agent", "model"]).n.sum() == 20
    assert runs[runs.model == "nobody"].lumos.cost().empty


def test_cost_of_spans_is_of_what_they_used_themselves(recorded):
    spans = lumos.spans()
    assert spans.lumos.cost(by="agent").input_tokens.sum() == lumos.runs().input_tokens.sum()
    assert spans.lumos.cost().n.sum() == len(lumos.steps())


def test_two_frames_are_compared_figure_by_figure(runs):
    found = runs[runs.model == "m0"].lumos.compare(runs[runs.model == "m1"]).set_index("figure")
    assert found.loc["n"].tolist() == [10, 10, 0, 0]
    assert found.loc["error_rate", "this"] == 0.2
    assert found.loc["duration_s median"].tolist() == pytest.approx([9, 10, 1, 1 / 9])
    assert found.loc["input_tokens", "difference"] == 10
    assert found.loc["cost_usd", "this"] == 5.0 and math.isnan(found.loc["cost_usd", "other"])


def test_what_only_one_frame_has_is_compared_with_nothing(runs):
    found = runs.lumos.compare(runs.iloc[:0], by="model").set_index(["model", "figure"])
    assert found.loc[("m0", "n"), "other"] == 0 and math.isnan(found.loc[("m0", "duration_s p95"), "other"])
    assert set(runs.lumos.compare(runs, by="agent").agent.dropna()) == {"a"}


def test_the_waterfall_of_a_frame_has_the_traces_of_its_runs(recorded):
    top = lumos.runs(agent="outer").tail(1)
    shown = str(top.lumos.waterfall())
    assert shown.count("broken") == 1 and shown.count("inner") == 1  # with what ran within
    assert str(lumos.spans(run_id=top.run_id.iloc[0]).lumos.waterfall()) == shown
    assert str(top.iloc[:0].lumos.waterfall())


def test_a_waterfall_of_more_runs_than_a_page_shows_is_refused(runs):
    with pytest.raises(UsageError, match=r"Take some: df.tail\(20\)"):
        __import__("pandas").concat([runs.assign(run_id=runs.run_id + str(i)) for i in range(11)]).lumos.waterfall()


def test_a_frame_without_the_columns_says_so(runs):
    with pytest.raises(UsageError, match="Did you mean 'model'"):
        runs.lumos.cost(by="modl")
    with pytest.raises(UsageError, match="cannot be compared with 'int'"):
        runs.lumos.compare(3)
    with pytest.raises(UsageError, match="no column 'run_id'"):
        runs[["model"]].lumos.waterfall()
    with pytest.raises(UsageError, match="no column 'cost_usd'"):
        runs.drop(columns="cost_usd").lumos.cost()
    assert "waterfall" in repr(runs.lumos)
