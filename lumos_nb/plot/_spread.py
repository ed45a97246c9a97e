"""How times are spread: the share of runs, or of model calls, that took no longer than so many seconds.

One idea: a curve of shares needs no choice of bins, shows the long tail, and has p50 and p95 on it.
"""

from __future__ import annotations

from typing import Any

from lumos_nb import frames
from lumos_nb.plot import _figure
from lumos_nb.plot._chart import Chart
from lumos_nb.plot._source import floats, frame, named

_POINTS = 200
_LOG_FROM = 20.0
"""Times that differ by more than this factor are drawn on a scale of powers."""
_MOST_TICKS = 8


def latency(data: Any = None, *, by: str = "model", backend: str = "matplotlib", **filters: Any) -> Chart:
    """Return how long runs took that ended well, by model or another column, with p50 and p95.

    Args:
        data: A DataFrame of `lumos.runs()`; None: it is read with the filters.
        by: The column whose values are told apart: `model`, `agent`, `provider` …
        backend: `matplotlib` or `altair`.
        filters: Those of `lumos.runs()`.

    Example:
        >>> import tempfile; from lumos_nb.stores import open_store
        >>> latency(store=open_store(tempfile.mkdtemp() + "/lumos.db"))
        <Chart 'Time of a run': 0 rows in .data; There are no runs here that ended well.>
    """
    runs = frame(data, frames.runs, filters, ("duration_s", "status", by))
    runs = runs[(runs["status"] == "completed").fillna(False)]
    return _spread(runs, "duration_s", by, "Time of a run", "There are no runs here that ended well.", backend)


def ttft(data: Any = None, *, by: str = "model", backend: str = "matplotlib", **filters: Any) -> Chart:
    """Return how long model calls took to their first token, by model or another column, with p50 and p95.

    For the arguments see `latency`; the frame is `lumos.steps()`, one of `lumos.runs()` does, too.

    Example:
        >>> import tempfile; from lumos_nb.stores import open_store
        >>> ttft(store=open_store(tempfile.mkdtemp() + "/lumos.db"))
        <Chart 'Time to the first token': 0 rows in .data; There are no model calls here that gave a token.>
    """
    steps = frame(data, frames.steps, filters, ("ttft_s", by))
    empty = "There are no model calls here that gave a token."
    return _spread(steps, "ttft_s", by, "Time to the first token", empty, backend)


def _spread(rows: Any, column: str, by: str, title: str, empty: str, backend: str) -> Chart:
    import pandas as pd

    values = floats(rows[column])
    rows = rows[(values == values) & (values >= 0)]
    names, order = named(rows[by], _figure.MOST + 1)
    found = [_curve(floats(rows[column][names == name]), name, by) for name in order]
    columns = {
        by: "str",
        "seconds": "float64",
        "share": "float64",
        "n": "Int64",
        "p50_s": "float64",
        "p95_s": "float64",
    }
    data = pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=list(columns)).astype(columns)
    return Chart(
        data, title=title, empty=empty, backend=backend,
        draw=lambda figure, df: _draw(figure, df, by),
        altair=lambda df: _altair(df, by),
    )  # fmt: skip


def _curve(values: Any, name: str, by: str) -> Any:
    """Return the points of a curve, no more than are needed to see it."""
    import numpy as np
    import pandas as pd

    ordered = np.sort(values)
    n = len(ordered)
    at = np.unique(np.linspace(0, n - 1, min(n, _POINTS)).round().astype("int64"))
    p50, p95 = np.quantile(ordered, [0.5, 0.95], method="inverted_cdf")
    return pd.DataFrame({
        by: name, "seconds": ordered[at], "share": (at + 1) / n, "n": pd.array([n] * len(at), "Int64"),
        "p50_s": p50, "p95_s": p95,
    })  # fmt: skip


def _draw(figure: Any, df: Any, by: str) -> None:
    from matplotlib.ticker import NullLocator

    axes = _figure.axes(figure)
    names = list(dict.fromkeys(df[by]))
    for name, colour in _figure.colours(names).items():
        rows = df[df[by] == name]
        n, p50, p95 = int(rows["n"].iloc[0]), rows["p50_s"].iloc[0], rows["p95_s"].iloc[0]
        text = f"{name}\n   p50 {_s(p50)}, p95 {_s(p95)}, n {n:,}"
        seconds, share = rows["seconds"].to_numpy(), rows["share"].to_numpy()
        axes.step([seconds[0], *seconds], [0.0, *share], where="post", color=colour, linewidth=1.8, label=text)
        axes.plot([p50, p95], [0.5, 0.95], "o", color=colour, markersize=5)
    positive = df["seconds"][df["seconds"] > 0]
    if len(positive) and df["seconds"].max() > _LOG_FROM * positive.quantile(0.02):
        axes.set_xscale("log")
        axes.xaxis.set_minor_formatter("")
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xticks(_ticks(positive.min(), positive.max()))
    axes.xaxis.set_major_formatter(lambda value, position: _s(value))
    if df["seconds"].nunique() == 1:
        axes.set_xticks([df["seconds"].iloc[0]])
    axes.set_ylim(0, 1.03)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 0.95], ["0%", "25%", "p50", "75%", "p95"])
    axes.set_xlabel("took no longer than")
    axes.margins(x=0.03)
    _figure.legend(axes, len(names))


def _ticks(low: float, high: float) -> list[float]:
    """Return round times on a scale of powers: enough to read it, and no more than have room.

    Example:
        >>> _ticks(0.0012, 0.03), _ticks(0.001, 20_000)
        ([0.002, 0.005, 0.01, 0.02], [0.001, 0.01, 0.1, 1.0, 10.0, 60.0, 600.0, 3600.0])
    """
    powers = [10.0**n for n in range(-9, 1)]
    long = [60.0, 600.0, 3_600.0, 36_000.0, 360_000.0]
    coarse = [*powers, 10.0, *long]
    fine = [float(f"{n * power:.3g}") for power in powers for n in (1, 2, 5)]
    fine += [10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_200.0, 1_800.0, 3_600.0, 7_200.0, 18_000.0, 36_000.0]
    found = [[tick for tick in ticks if low <= tick <= high] for ticks in (fine, coarse)]
    return found[0] if len(found[0]) <= _MOST_TICKS else found[1][-_MOST_TICKS:]


def _s(value: float) -> str:
    """Write seconds in short.

    Example:
        >>> _s(0.00125), _s(0.25), _s(0.9996), _s(12.34), _s(180), _s(9000)
        ('1.2 ms', '250 ms', '1 s', '12 s', '3 min', '2.5 h')
    """
    if value < 0.9995:
        return f"{value * 1000:.2g} ms" if value < 0.1 else f"{value * 1000:.0f} ms"
    if value < 60:
        return f"{value:.2g} s"
    return f"{value / 60:.3g} min" if value < 3_600 else f"{value / 3600:.3g} h"


def _altair(df: Any, by: str) -> Any:
    import altair

    colour = altair.Color(f"{by}:N", scale=altair.Scale(range=list(_figure.COLOURS)))
    line = altair.Chart(df).mark_line(interpolate="step-after", point=len(df) < 3)
    return line.encode(
        x=altair.X("seconds:Q", title="took no longer than, s"),
        y=altair.Y("share:Q", title="share", axis=altair.Axis(format="%")),
        color=colour,
        tooltip=[f"{by}:N", "seconds:Q", "share:Q", "n:Q", "p50_s:Q", "p95_s:Q"],
    ).properties(width=520, height=240)
