"""Cost and tokens over time, by model.

One idea: above what each stretch of time took, below what it came to by then.
"""

from __future__ import annotations

from typing import Any

from lumos_nb import frames
from lumos_nb.frames import _filters
from lumos_nb.plot import _figure
from lumos_nb.plot._chart import Chart
from lumos_nb.plot._source import frame, named

_BINS = ("1min", "5min", "15min", "1h", "6h", "1D", "7D", "28D")
_MOST_BINS = 60
_FEW_BINS = 6


def cost(data: Any = None, *, every: str | None = None, backend: str = "matplotlib", **filters: Any) -> Chart:
    """Return what runs cost over time, by model, and what it came to. Runs without a known price are counted in words.

    Args:
        data: A DataFrame of `lumos.runs()`; None: it is read with the filters.
        every: Length of a bar, such as `1h` or `1d`; None: as fits.
        backend: `matplotlib` or `altair`.
        filters: Those of `lumos.runs()`: `last="7d"`, `agent="analyst"` …

    Example:
        >>> import tempfile; from lumos_nb.stores import open_store
        >>> cost(last="7d", store=open_store(tempfile.mkdtemp() + "/lumos.db"))
        <Chart 'Cost, US dollars': 0 rows in .data; There are no runs with a known price here.>
    """
    runs = frame(data, frames.runs, filters, ("started_at", "model", "cost_usd"))
    unknown = int(runs["cost_usd"].isna().sum())
    note = f"{unknown:,} of {len(runs):,} runs have no known price and are not drawn." if unknown else ""
    empty = "There are no runs with a known price here."
    return _over_time(runs, runs["cost_usd"], "cost_usd", "Cost, US dollars", note, empty, every, backend)


def tokens(data: Any = None, *, every: str | None = None, backend: str = "matplotlib", **filters: Any) -> Chart:
    """Return the tokens of runs over time, input and output together, by model, and what they came to.

    For the arguments see `cost`.

    Example:
        >>> import tempfile; from lumos_nb.stores import open_store
        >>> tokens(store=open_store(tempfile.mkdtemp() + "/lumos.db"))
        <Chart 'Tokens': 0 rows in .data; There are no runs here.>
    """
    runs = frame(data, frames.runs, filters, ("started_at", "model", "input_tokens", "output_tokens"))
    amount = runs["input_tokens"].fillna(0).astype("int64") + runs["output_tokens"].fillna(0).astype("int64")
    return _over_time(runs, amount, "tokens", "Tokens", "", "There are no runs here.", every, backend)


def _over_time(
    runs: Any, amount: Any, column: str, title: str, note: str, empty: str, every: str | None, backend: str
) -> Chart:
    """Return a chart of an amount of each run."""
    data, bin_s = _binned(runs, amount, column, every)
    return Chart(
        data, title=title, note=note, empty=empty, backend=backend,
        draw=lambda figure, df: _draw(figure, df, column, bin_s),
        altair=lambda df: _altair(df, column, title),
    )  # fmt: skip


def _binned(runs: Any, amount: Any, column: str, every: str | None) -> tuple[Any, float]:
    """Return the amount by stretch of time and model with what it came to, and the length of a stretch in seconds."""
    import pandas as pd

    known = amount.notna() & runs["started_at"].notna()
    models, order = named(runs["model"][known], _figure.MOST + 1)
    times = runs["started_at"][known]
    bin_ = pd.Timedelta(_filters.duration_ns(every), "ns") if every else _bin(times)
    df = pd.DataFrame({"time": times.dt.floor(bin_), "model": models, column: amount[known], "n_runs": 1})
    df = df.groupby(["time", "model"], as_index=False, observed=True)[[column, "n_runs"]].sum()
    df["model"] = pd.Categorical(df["model"].astype("object"), categories=order)
    df = df.sort_values(["time", "model"], ignore_index=True)
    df["cumulative"] = df.groupby("model", observed=True)[column].cumsum()
    return df, bin_.total_seconds()


def _bin(times: Any) -> Any:
    import pandas as pd

    span = times.max() - times.min() if len(times) else pd.Timedelta(0)
    return next((b for b in map(pd.Timedelta, _BINS) if span / b <= _MOST_BINS), pd.Timedelta(_BINS[-1]))


def _draw(figure: Any, df: Any, column: str, bin_s: float) -> None:
    import numpy as np

    names = list(df["model"].cat.categories)
    colours = _figure.colours(names)
    wide = df.pivot_table(index="time", columns="model", values=column, aggfunc="sum", observed=False).fillna(0.0)
    above = _figure.axes(figure, 2, 1, 1)
    below = _figure.axes(figure, 2, 1, 2, sharex=above)
    figure.set_figheight(_figure.HEIGHT * 1.25)
    times, base = wide.index.tz_localize(None).to_numpy(), 0.0
    edges: Any = np.append(times, times[-1] + np.timedelta64(int(bin_s), "s"))
    risen, sum_ = wide.cumsum(), 0.0
    for name in names:
        values = wide[name].to_numpy(dtype="float64")
        above.bar(times, values, bottom=base, width=_days(bin_s), align="edge", color=colours[name], label=name)
        total: Any = np.append(risen[name].to_numpy(dtype="float64"), risen[name].iloc[-1])
        below.fill_between(edges, sum_, sum_ + total, color=colours[name], step="post", linewidth=0, alpha=0.85)
        base, sum_ = base + values, sum_ + total
    above.tick_params(labelbottom=False)
    above.set_ylabel("each " + _said(bin_s))
    below.set_ylabel("in all")
    if len(times) < _FEW_BINS:  # one bar would fill the page
        bin_ = np.timedelta64(int(bin_s), "s")
        below.set_xlim(times[0] - bin_, max(edges[-1], times[0] + _FEW_BINS * bin_))
    for each in (above, below):
        each.set_ylim(bottom=0)
        each.yaxis.set_major_formatter(_amount)
    _figure.time_axis(below)
    _figure.legend(above, len(names))


def _days(s: float) -> float:
    return 0.92 * s / 86_400


def _said(bin_s: float) -> str:
    for unit_s, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if bin_s >= unit_s:
            n = bin_s / unit_s
            return name if n == 1 else f"{n:g} {name}s"
    return f"{bin_s:g} s"


def _amount(value: float, position: Any = None) -> str:
    """Write an amount in short.

    Example:
        >>> _amount(1_500_000), _amount(2500), _amount(0.02)
        ('1.5M', '2.5k', '0.02')
    """
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"


def _altair(df: Any, column: str, title: str) -> Any:
    import altair

    colour = altair.Color("model:N", sort=list(df["model"].cat.categories),
                          scale=altair.Scale(range=list(_figure.COLOURS)))  # fmt: skip
    rows = df.assign(model=df["model"].astype(str))
    base = altair.Chart(rows).encode(x=altair.X("time:T", title="UTC"), color=colour)
    shown = ["time:T", "model:N", f"{column}:Q", "n_runs:Q"]
    above = base.mark_bar().encode(y=altair.Y(f"sum({column}):Q", title=title), tooltip=shown)
    return above.properties(width=520, height=240)
