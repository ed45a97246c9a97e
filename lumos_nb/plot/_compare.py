"""Two sets of runs beside each other: time, cost, tokens, steps, and how many failed.

One idea: each figure has its interval; where the two do not overlap, the difference is no chance.
"""

from __future__ import annotations

from math import sqrt
from typing import Any

from lumos_nb import frames
from lumos_nb.errors import UsageError
from lumos_nb.phrases import price
from lumos_nb.plot import _figure
from lumos_nb.plot._chart import Chart
from lumos_nb.plot._source import floats, frame
from lumos_nb.plot._spread import _s
from lumos_nb.plot._time import _amount
from lumos_nb.telemetry.diagnosis.shares import wilson

_MEASURES = {
    "duration_s": ("Time of a run", _s),
    "ttft_s": ("Time to the first token", _s),
    "cost_usd": ("Cost of a run", price),
    "tokens": ("Tokens of a run", _amount),
    "n_steps": ("Steps", lambda value: f"{value:g}"),
    "failed": ("Failed", lambda value: f"{value:.1%}"),
}
"""What is compared: its name, and how its values are written. Medians, and of failures the share."""
_NEEDS = ("status", "duration_s", "ttft_s", "cost_usd", "input_tokens", "output_tokens", "n_steps")
_DTYPES = {"measure": "str", "set": "str", "n": "Int64", "value": "float64", "low": "float64", "high": "float64"}


def compare(
    a: Any, b: Any, *, labels: tuple[str, str] = ("a", "b"), backend: str = "matplotlib", **filters: Any
) -> Chart:
    """Return two sets of runs beside each other, each figure with the interval that holds it 19 times of 20.

    Args:
        a: A DataFrame of `lumos.runs()`, or filters as a dict: `{"model": "gpt-5"}`.
        b: The other one.
        labels: What they are called.
        backend: `matplotlib` or `altair`.
        filters: Those of `lumos.runs()` that hold for both dicts: `last="7d"`.

    Example:
        >>> import tempfile; from lumos_nb.stores import open_store
        >>> store = open_store(tempfile.mkdtemp() + "/lumos.db")
        >>> compare({"model": "x"}, {"model": "y"}, store=store)
        <Chart 'a and b': 0 rows in .data; There are no runs in one of the two sets, or in both.>
    """
    import pandas as pd

    if len(labels) != 2 or labels[0] == labels[1]:
        raise UsageError(f"labels={labels!r} are not two different names.", hint="Write labels=('before', 'after').")
    sets = {_figure.label(label): _runs(given, filters) for label, given in zip(labels, (a, b), strict=True)}
    has_both = all(len(runs) for runs in sets.values())
    rows = [row for name, runs in sets.items() for row in _figures(name, runs)] if has_both else []
    data = pd.DataFrame(rows, columns=list(_DTYPES)).astype(_DTYPES)
    both = data.groupby("measure")["value"].transform("count") == len(sets)
    left = [_MEASURES[m][0].lower() for m in dict.fromkeys(data["measure"][~both])]
    note = f"Not known for both: {', '.join(left)}." if left else ""
    return Chart(
        data, title=" and ".join(sets), note=note, backend=backend,
        empty="There are no runs in one of the two sets, or in both.",
        draw=lambda figure, df: _draw(figure, df[both]), altair=lambda df: _altair(df[both]),
    )  # fmt: skip


def _runs(given: Any, filters: dict[str, Any]) -> Any:
    if isinstance(given, dict):
        return frames.runs(**{**filters, **given})
    return frame(given, frames.runs, {}, _NEEDS)


def _figures(name: str, runs: Any) -> list[tuple[Any, ...]]:
    done = runs[(runs["status"] == "completed").fillna(False)]
    over = runs[runs["status"].isin(["completed", "failed"])]
    tokens = done["input_tokens"].fillna(0) + done["output_tokens"].fillna(0)
    columns = {"duration_s": done["duration_s"], "ttft_s": done["ttft_s"], "cost_usd": done["cost_usd"],
               "tokens": tokens, "n_steps": done["n_steps"]}  # fmt: skip
    rows = [(measure, name, *_median(floats(column))) for measure, column in columns.items()]
    n, k = len(over), int((over["status"] == "failed").sum())
    return [*rows, ("failed", name, n, k / n if n else float("nan"), *wilson(k, n))]


def _median(values: Any) -> tuple[int, float, float, float]:
    """Return how many values there are, their median, and the interval that holds the true one, by their ranks."""
    import numpy as np

    known = np.sort(values[values == values])
    n = len(known)
    if not n:
        return 0, float("nan"), float("nan"), float("nan")
    half = 0.98 * sqrt(n)  # 1.96 standard deviations of the rank of the middle
    low, high = max(0, int(n / 2 - half)), min(n - 1, int(np.ceil(n / 2 + half)))
    return n, float(np.median(known)), float(known[low]), float(known[high])


def _draw(figure: Any, df: Any) -> None:
    measures = list(dict.fromkeys(df["measure"]))
    names = list(dict.fromkeys(df["set"]))
    colours = _figure.colours(names)
    n_rows = -(-len(measures) // 3)
    figure.set_figheight(0.9 + 1.25 * n_rows)
    for place, measure in enumerate(measures):
        axes = _figure.axes(figure, n_rows, min(3, len(measures)), place + 1)
        title, written = _MEASURES[measure]
        for at, name in enumerate(reversed(names)):
            row = df[(df["measure"] == measure) & (df["set"] == name)].iloc[0]
            axes.hlines(at, row["low"], row["high"], color=colours[name], linewidth=2.2, alpha=0.6)
            axes.plot(row["value"], at, "o", color=colours[name], markersize=5.5)
            axes.annotate(written(row["value"]), (row["value"], at), (0, 6), textcoords="offset points", ha="center",
                          fontsize=8.5, color=_figure.INK)  # fmt: skip
        axes.set_title(title, fontsize=9, color=_figure.INK, loc="left")
        axes.set_yticks(range(len(names)), [_n(df, measure, name) for name in reversed(names)])
        axes.set_ylim(-0.5, len(names) - 0.3)
        axes.grid(False, axis="y")
        axes.locator_params(axis="x", nbins=3)
        axes.xaxis.set_major_formatter(lambda value, position, written=written: written(value) if value >= 0 else "")
        axes.margins(x=0.18)


def _n(df: Any, measure: str, name: str) -> str:
    n = int(df[(df["measure"] == measure) & (df["set"] == name)]["n"].iloc[0])
    return f"{_figure.label(name, 16)} ({n:,})"


def _altair(df: Any) -> Any:
    import altair

    colour = altair.Color("set:N", scale=altair.Scale(range=list(_figure.COLOURS)), legend=None)
    base = altair.Chart(df).encode(y=altair.Y("set:N", title=None), color=colour)
    lines = base.mark_rule(strokeWidth=2).encode(x=altair.X("low:Q", title=None), x2="high:Q")
    points = base.mark_point(filled=True).encode(x="value:Q", tooltip=["set:N", "n:Q", "value:Q", "low:Q", "high:Q"])
    layered = altair.layer(lines, points).properties(width=220, height=60)
    return layered.facet("measure:N", columns=2).resolve_scale(x="independent")
