"""Charts: what they count, how they show themselves, and what no chart may do to the page."""

from __future__ import annotations

import io
import subprocess
import sys
import time

import pandas as pd
import pytest

from lumos_nb import frames, plot, settings
from lumos_nb.errors import MissingDependencyError, UsageError
from lumos_nb.stores import Insert, open_store
from tests.telemetry.recorded_runs import call, mean, scripted

NAMES = ["gpt-5", "模型-" * 20, "a $x^2$ b", "\x00\n\t", "𝔘𝔫𝔦 \U0010ffff ‮rtl", "é" * 200, "🎉", "h", "i", "j"]
NOW = time.time_ns()


@pytest.fixture(autouse=True)
def database(tmp_path, monkeypatch):
    monkeypatch.setenv("LUMOS_DB", str(tmp_path / "lumos.db"))
    settings.reset()
    yield
    settings.reset()


def run_row(n, **more):
    return Insert("runs", {
        "run_id": f"r{n:06d}", "started_at": NOW - n * 60 * 10**9, "model": NAMES[n % len(NAMES)], "agent": "a",
        "status": "completed", "duration_s": 1.0 + n % 7, "ttft_s": 0.1, "input_tokens": 100, "output_tokens": 10,
        "cost_usd": None if n % 5 == 0 else 0.01, "n_steps": 1, "provider": "p", **more,
    })  # fmt: skip


@pytest.fixture
def store(tmp_path):
    store = open_store(str(tmp_path / "many.db"))
    store.write([run_row(n) for n in range(100)])
    return store


def pixels(chart):
    from PIL import Image

    return Image.open(io.BytesIO(chart.png())).convert("RGBA")


CHARTS = {
    "cost": lambda **o: plot.cost(**o),
    "tokens": lambda **o: plot.tokens(**o),
    "latency": lambda **o: plot.latency(**o),
    "ttft": lambda **o: plot.ttft(frames.runs(store=o.pop("store")), **o),
    "tools": lambda **o: plot.tools(**o),
    "context": lambda **o: plot.context(data=frames.steps(store=o.pop("store")), **o),
    "compare": lambda **o: plot.compare({"model": "gpt-5"}, {"model": "h"}, **o),
}


@pytest.fixture
def full(store):
    """A store with names of every kind, also for tools and steps."""
    for n in range(60):
        of_run = {"run_id": f"r{n:06d}", "step": 1, "started_at": NOW}
        status = "error" if n % 6 == 0 else "ok"
        store.write([
            Insert("tool_calls", {**of_run, "tool_call_id": "c", "tool": NAMES[n % 10], "status": status}),
            Insert("steps", {**of_run, "input_tokens": 100 * n, "cache_read_tokens": 50 * n, "context_window": 8_000}),
        ])  # fmt: skip
    return store


@pytest.mark.parametrize("name", CHARTS)
@pytest.mark.parametrize("backend", plot._chart.BACKENDS)
def test_each_chart_shows_itself_and_gives_its_data(full, name, backend):
    chart = CHARTS[name](store=full, backend=backend)
    bundle, _ = chart._repr_mimebundle_()
    assert bundle["text/plain"].startswith("<Chart ")
    assert len(bundle) >= 2 and len(chart.data) >= 1
    assert 0 < len(chart.data) <= 5_000


@pytest.mark.parametrize("name", CHARTS)
@pytest.mark.parametrize("backend", plot._chart.BACKENDS)
def test_where_there_is_nothing_a_chart_says_so_in_words(tmp_path, name, backend):
    chart = CHARTS[name](store=open_store(str(tmp_path / "empty.db")), backend=backend)
    assert len(chart.data) == 0
    assert "no" in chart.note and chart.note in repr(chart)
    assert len(chart._repr_mimebundle_()[0]) >= 2


def test_empty_data_has_the_same_columns_and_kinds_of_values(full, tmp_path):
    empty = open_store(str(tmp_path / "empty.db"))
    for name, chart in CHARTS.items():
        full_, none = chart(store=full).data.dtypes, chart(store=empty).data.dtypes
        assert list(full_.index) == list(none.index), name
        pairs = zip(full_, none, strict=True)
        assert all(a.kind == b.kind for a, b in pairs if not isinstance(a, pd.CategoricalDtype)), name


def test_a_cost_that_is_not_known_is_told_and_not_drawn_as_nothing(store):
    chart = plot.cost(store=store)
    assert chart.data["n_runs"].sum() == 80
    assert chart.data["cost_usd"].sum() == pytest.approx(0.8)
    assert chart.note == "20 of 100 runs have no known price and are not drawn."
    assert plot.cost(frames.runs(store=store).query("cost_usd.isna()")).note.startswith(
        "There are no runs with a known"
    )


def test_what_it_came_to_by_then_ends_with_the_sum(store):
    data = plot.tokens(store=store).data
    ends = data.groupby("model", observed=True)["cumulative"].last()
    assert ends.sum() == data["tokens"].sum() == 11_000


def test_bars_without_number_are_refused_before_they_are_drawn(tmp_path):
    store = open_store(str(tmp_path / "long.db"))
    store.write([run_row(n) for n in range(1_200)])
    with pytest.raises(UsageError, match="gives 1,200 bars"):
        plot.tokens(store=store, every="1m")
    assert len(plot.tokens(store=store).data["time"].unique()) <= 61


def test_more_models_than_colours_are_drawn_as_others(store):
    models = plot.tokens(store=store).data["model"].unique().tolist()
    assert len(models) == 7 and models.count("other (4)") == 1


def test_p50_and_p95_are_values_that_were_measured(store):
    data = plot.latency(store=store, by="agent").data
    assert (data["p50_s"].iloc[0], data["p95_s"].iloc[0], data["n"].iloc[0]) == (4.0, 7.0, 100)
    assert data["share"].iloc[-1] == 1.0


def test_a_rare_tool_that_failed_once_does_not_stand_before_one_that_often_fails(tmp_path):
    store = open_store(str(tmp_path / "tools.db"))
    rows = [("rare", "error")] + [("often", "error")] * 60 + [("often", "ok")] * 40
    rows += [("often", "denied"), ("never", "running")]
    store.write([
        Insert("tool_calls", {"run_id": str(n), "step": 1, "tool_call_id": "c", "tool": tool, "status": status,
                              "started_at": NOW})
        for n, (tool, status) in enumerate(rows)
    ])  # fmt: skip
    data = plot.tools(store=store).data
    assert data["tool"].tolist() == ["often", "rare"]
    often = data.iloc[0]
    assert (often.n_calls, often.n_errors, often.error_rate) == (100, 60, 0.6)
    assert 0.5 < often.low < 0.6 < often.high < 0.7


async def test_the_context_of_a_real_run_grows_step_by_step():
    await scripted([call("mean", "c1", values=[1]), call("mean", "c2", values=[2]), "Done."], [mean])
    data = plot.context().data
    assert data["step"].tolist() == [1, 2, 3]
    assert data["context_tokens"].is_monotonic_increasing
    assert (data["cached_tokens"] + data["fresh_tokens"] == data["context_tokens"]).all()


def test_a_comparison_tells_a_difference_from_chance(tmp_path):
    store = open_store(str(tmp_path / "two.db"))
    store.write([run_row(n, model="ab"[n % 2], duration_s=(5.0 if n % 2 else 1.0) + n / 1000) for n in range(80)])
    data = plot.compare({"model": "a"}, {"model": "b"}, store=store).data
    slow = data[data["measure"] == "duration_s"].set_index("set")
    assert slow.loc["a", "high"] < slow.loc["b", "low"]
    tokens = data[data["measure"] == "tokens"].set_index("set")
    assert tokens.loc["a", "high"] >= tokens.loc["b", "low"]


def test_a_chart_takes_a_frame_or_filters_and_says_so(store):
    df = frames.runs(store=store)
    assert len(plot.cost(df).data) == len(plot.cost(store=store).data)
    with pytest.raises(UsageError, match="last="):
        plot.cost(df, last="1d")
    with pytest.raises(UsageError, match="'cost_usd'"):
        plot.cost(df[["started_at", "model"]])
    with pytest.raises(UsageError, match="'list'"):
        plot.cost([1, 2])
    with pytest.raises(UsageError, match="Did you mean 'altair'"):
        plot.cost(df, backend="altiar")
    with pytest.raises(UsageError, match="no column 'modle'. Did you mean 'model'"):
        plot.latency(store=store, by="modle")
    for every in ("week", "0m", "1s"):
        with pytest.raises(UsageError, match=f"every='{every}'"):
            plot.cost(df, every=every)
    with pytest.raises(UsageError, match="a run or a thread"):
        plot.context("last", thread="t")
    with pytest.raises(UsageError, match="no column 'step'"):
        plot.context(df)
    assert plot.context(frames.steps(store=store)).note == plot.context(data=frames.steps(store=store)).note


def test_the_axis_of_times_can_be_read_whatever_they_are(tmp_path):
    for n, times in enumerate([(0.0013, 0.012, 0.03), (0.3, 1.0, 7_000.0), (1.0, 2.0, 3.0), (0.9996, 0.9996, 0.9996)]):
        store = open_store(str(tmp_path / f"{n}.db"))
        store.write([run_row(i, duration_s=s) for i, s in enumerate(times)])
        figure = plot.latency(store=store).figure
        figure.canvas.draw()
        axes = figure.axes[0]
        low, high = axes.get_xlim()
        seen = [t.get_text() for t in axes.get_xticklabels() if low <= t.get_position()[0] <= high and t.get_text()]
        assert len(seen) >= (3 if n < 3 else 1), (times, seen)
        assert "1000 ms" not in seen


@pytest.mark.parametrize("module", ["matplotlib", "altair"])
def test_a_missing_package_names_its_extra(module, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"lumos-nb\[(plot|altair)\]"):
        plot.tools(backend=module)


def test_the_page_behind_a_chart_shows_through_and_its_words_can_be_read_on_both(store):
    picture = pixels(plot.latency(store=store, by="agent"))
    assert picture.getpixel((2, 60))[3] == 0

    def light(colour):
        parts = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
        return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), parts, strict=True))

    from matplotlib.colors import to_rgb

    for colour, least in [(plot._figure.INK, 4.1), *((c, 2.9) for c in plot._figure.COLOURS)]:
        own = light(to_rgb(colour))
        assert 1.05 / (own + 0.05) >= least and (own + 0.05) / (light(to_rgb("#111111")) + 0.05) >= least, colour


def test_drawing_leaves_pyplot_and_the_styles_of_the_notebook_alone(store):
    code = (
        "import matplotlib; before = dict(dict.items(matplotlib.rcParams))\n"
        "import sys; from lumos_nb import plot\n"
        "plot.cost().png(); plot.tools().png()\n"
        "print('matplotlib.pyplot' in sys.modules)\n"
        "assert dict(dict.items(matplotlib.rcParams)) == before"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert out.stdout == "False\n"


def test_importing_the_charts_loads_neither_matplotlib_nor_pandas():
    code = "import sys, lumos_nb.plot; print({'matplotlib', 'pandas', 'altair', 'numpy'} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert out.stdout == "set()\n"


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_a_chart_is_saved_as_what_the_name_says(store, tmp_path, suffix):
    saved = plot.cost(store=store).save(tmp_path / f"cost.{suffix}")
    assert saved.stat().st_size > 1_000


def test_one_run_is_drawn(store):
    one = frames.runs(store=store).tail(2).head(1)
    for chart in (plot.cost(one), plot.tokens(one), plot.latency(one), plot.ttft(one), plot.compare(one, one)):
        assert chart.png().startswith(b"\x89PNG")


def test_clocks_that_jump_and_rows_without_values_are_drawn_as_far_as_they_can_be(tmp_path):
    store = open_store(str(tmp_path / "odd.db"))
    nothing = dict.fromkeys(("model", "agent", "duration_s", "ttft_s", "input_tokens", "output_tokens", "cost_usd",
                             "n_steps", "status"))  # fmt: skip
    store.write([run_row(1, **nothing), run_row(2, duration_s=-5.0), run_row(3, started_at=0), run_row(4)])
    assert plot.tokens(store=store).png() and plot.latency(store=store).png() and plot.cost(store=store).png()
    assert plot.latency(store=store).data["seconds"].min() >= 0
