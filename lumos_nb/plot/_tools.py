"""How often tools fail, and how sure that is.

One idea: a share without its interval says that one failure of one call is as bad as it gets.
"""

from __future__ import annotations

from typing import Any

from lumos_nb import frames
from lumos_nb.plot import _figure
from lumos_nb.plot._chart import Chart
from lumos_nb.plot._source import floats, frame
from lumos_nb.telemetry.shares import wilson

SHOWN = 25
_DTYPES = {
    "tool": "str", "n_calls": "Int64", "n_errors": "Int64", "error_rate": "float64", "low": "float64",
    "high": "float64", "p50_s": "float64",
}  # fmt: skip


def tools(data: Any = None, *, backend: str = "matplotlib", **filters: Any) -> Chart:
    """Return which share of each tool's calls failed, with the interval that holds the true share 19 times of 20.

    Calls that were denied or stopped do not count: they never came to an end of their own.

    Args:
        data: A DataFrame of `lumos.tool_calls()`; None: it is read with the filters.
        backend: `matplotlib` or `altair`.
        filters: Those of `lumos.tool_calls()`.

    Example:
        >>> import tempfile; from lumos_nb.stores import open_store
        >>> tools(store=open_store(tempfile.mkdtemp() + "/lumos.db"))
        <Chart 'Tool calls that failed': 0 rows in .data; There are no tool calls here that came to an end.>
    """
    calls = frame(data, frames.tool_calls, filters, ("tool", "status", "duration_s"))
    found = _rates(calls)
    note = f"{len(found) - SHOWN} more tools are in .data." if len(found) > SHOWN else ""
    return Chart(
        found, title="Tool calls that failed", note=note, backend=backend,
        empty="There are no tool calls here that came to an end.", draw=_draw, altair=_altair,
    )  # fmt: skip


def _rates(calls: Any) -> Any:
    """Return one row for each tool, the surest failures first."""
    import pandas as pd

    ended = calls[calls["status"].isin(["ok", "error"])]
    rows = []
    for tool, own in ended.groupby(ended["tool"].astype("object").map(_name), sort=True):
        n, k = len(own), int((own["status"] == "error").sum())
        low, high = wilson(k, n)
        p50 = pd.Series(floats(own["duration_s"])).median()
        rows.append((tool, n, k, k / n, low, high, p50))
    found = pd.DataFrame(rows, columns=list(_DTYPES)).astype(_DTYPES)
    return found.sort_values(["low", "error_rate", "n_calls"], ascending=False, ignore_index=True)


def _name(tool: Any) -> str:
    return "unknown" if tool is None or tool != tool else str(tool)


def _draw(figure: Any, df: Any) -> None:
    shown = df.head(SHOWN).iloc[::-1]
    figure.set_figheight(1.3 + 0.24 * len(shown))
    axes = _figure.axes(figure)
    places = range(len(shown))
    colours = [_figure.COLOURS[1] if k else _figure.COLOURS[2] for k in shown["n_errors"]]
    axes.hlines(places, shown["low"], shown["high"], color=colours, linewidth=2.2, alpha=0.6)
    axes.scatter(shown["error_rate"], places, color=colours, s=26, zorder=3)
    names = [f"{_figure.label(tool)}  {k:,} of {n:,}" for tool, k, n in
             zip(shown["tool"], shown["n_errors"], shown["n_calls"], strict=True)]  # fmt: skip
    axes.set_yticks(list(places), names)
    axes.grid(False, axis="y")
    axes.set_ylim(-0.6, len(shown) - 0.4)
    axes.set_xlim(-0.02, min(1.02, float(shown["high"].max()) + 0.04))
    axes.xaxis.set_major_formatter(lambda value, position: f"{value:.0%}")
    axes.set_xlabel("share that failed, with the interval that holds it 19 times of 20")


def _altair(df: Any) -> Any:
    import altair

    rows = df.head(SHOWN)
    base = altair.Chart(rows).encode(y=altair.Y("tool:N", sort=list(rows["tool"]), title=None))
    lines = base.mark_rule(strokeWidth=2, color=_figure.COLOURS[1]).encode(
        x=altair.X("low:Q", title="share that failed", axis=altair.Axis(format="%")), x2="high:Q"
    )
    columns = ["tool:N", "n_calls:Q", "n_errors:Q", "error_rate:Q", "low:Q", "high:Q", "p50_s:Q"]
    points = base.mark_point(filled=True, color=_figure.COLOURS[1]).encode(x="error_rate:Q", tooltip=columns)
    return (lines + points).properties(width=420)
