"""How the prompt of a run, or of a thread's runs, grows step by step.

One idea: what is sent again is told apart by whether a cache had it.
"""

from __future__ import annotations

from typing import Any

from lumos_nb import frames
from lumos_nb.errors import UsageError
from lumos_nb.memory.runs import find_run
from lumos_nb.plot import _figure
from lumos_nb.plot._chart import Chart
from lumos_nb.plot._source import frame
from lumos_nb.plot._time import _amount
from lumos_nb.stores import default_store
from lumos_nb.telemetry.diagnosis.savings import window_of

_DTYPES = {
    "call": "Int64", "run_id": "str", "step": "Int64", "cached_tokens": "Int64", "fresh_tokens": "Int64",
    "context_tokens": "Int64", "context_window": "Int64", "filled": "float64",
}  # fmt: skip
SHOWN = 200


def context(
    run: str | None = None, *, thread: str | None = None, data: Any = None, backend: str = "matplotlib", **filters: Any
) -> Chart:
    """Return the size of the prompt at each model call: of a run, or of all runs of a thread one after another.

    Args:
        run: Its id, a beginning or end of it, or `last`, which it is if nothing else is given.
        thread: The id of a thread, in place of a run.
        data: A DataFrame of `lumos.steps()`, in place of both.
        backend: `matplotlib` or `altair`.
        filters: Those of `lumos.steps()`.

    Raises:
        UsageError: There is no such run, or a run and a thread are given.

    Example:
        >>> from lumos_nb import Agent; from lumos_nb.testing import ScriptedProvider
        >>> result = Agent(model=ScriptedProvider(["Noon."])).generate_sync("What time is it?")
        >>> context(result.run_id).data[["step", "context_tokens"]].values.tolist()
        [[1, 4]]
    """
    if hasattr(run, "columns"):  # a DataFrame stands first in the other charts
        run, data = None, run
    if run is not None and thread is not None:
        raise UsageError("context() takes a run or a thread, not both.", hint="Leave out one of the two.")
    if data is None:
        filters = {**filters, **_of(run, thread, filters)}
    elif run is not None or thread is not None:
        raise UsageError("context() takes a DataFrame, or a run or thread.", hint="Leave out one of the two.")
    steps = frame(data, frames.steps, filters, ("run_id", "step", "input_tokens", "cache_read_tokens"))
    found = _sizes(steps)
    known = found["context_window"].notna().any()
    note = "" if known or not len(found) else "How large the model's window is, is not known."
    return Chart(
        found, title="Tokens of the prompt", note=note, empty="There are no model calls here.", backend=backend,
        draw=_draw, altair=_altair,
    )  # fmt: skip


def _of(run: str | None, thread: str | None, filters: dict[str, Any]) -> dict[str, Any]:
    """Return the filter that selects a run's steps, or those of a thread."""
    store = filters.get("store") or default_store()
    if thread is not None:
        return {"run_id": [r for (r,) in store.select("runs", ["run_id"], where=[("thread_id", "=", thread)])]}
    has_other = any(name not in {"store", "limit", "payload"} for name in filters)
    return {} if run is None and has_other else {"run_id": find_run(store, run or "last")}


def _sizes(steps: Any) -> Any:
    import pandas as pd

    rows = steps.sort_values([c for c in ("started_at", "run_id", "step") if c in steps.columns], kind="stable")
    total = rows["input_tokens"].fillna(0).astype("Int64")
    cached = rows["cache_read_tokens"].fillna(0).astype("Int64").clip(upper=total)
    found = pd.DataFrame({
        "call": range(1, len(rows) + 1), "run_id": rows["run_id"].astype("object"), "step": rows["step"],
        "cached_tokens": cached, "fresh_tokens": total - cached, "context_tokens": total,
        "context_window": _windows(rows),
    })  # fmt: skip
    found["filled"] = found["context_tokens"].astype("Float64") / found["context_window"].astype("Float64")
    return found.astype(_DTYPES).reset_index(drop=True)


def _windows(rows: Any) -> Any:
    """Return the model's window at each call: as recorded, else as it is known of the model."""
    import pandas as pd

    nothing = [None] * len(rows)
    columns = (rows.get(c, nothing) for c in ("context_window", "provider", "model"))
    cells = ([None if pd.isna(value) else value for value in column] for column in columns)
    return pd.array([window_of(*each) for each in zip(*cells, strict=True)], "Int64")


def _draw(figure: Any, df: Any) -> None:
    axes = _figure.axes(figure)
    calls = df["call"].to_numpy(dtype="float64")
    cached, fresh = (df[name].to_numpy(dtype="float64") for name in ("cached_tokens", "fresh_tokens"))
    width = 0.8 if len(df) <= SHOWN else 1.0
    axes.bar(calls, cached, width=width, color=_figure.COLOURS[2], label="read from a cache")
    axes.bar(calls, fresh, width=width, bottom=cached, color=_figure.COLOURS[0], label="read anew")
    window = df["context_window"].dropna()
    if len(window) and float(df["filled"].max()) > 0.1:  # else the line is far above all that is drawn
        size = float(window.max())
        axes.axhline(size, color=_figure.COLOURS[1], linewidth=1.4, label=f"window, {_amount(size)}")
    begins = df.index[df["run_id"] != df["run_id"].shift()][1:]
    for n in begins if len(begins) <= SHOWN else ():
        axes.axvline(calls[n] - 0.5, color=_figure.INK, linewidth=0.7, linestyle=":")
    axes.grid(False, axis="x")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.yaxis.set_major_formatter(_amount)
    axes.set_xlim(0.4, len(df) + 0.6)
    axes.set_xlabel("model call" + (", dotted: the next run begins" if len(begins) else ""))
    _figure.legend(axes, 2)


def _altair(df: Any) -> Any:
    import altair

    long = df.head(5_000 // 2).melt(["call", "run_id", "step"], ["cached_tokens", "fresh_tokens"], "part", "tokens")
    colour = altair.Color("part:N", scale=altair.Scale(range=[_figure.COLOURS[2], _figure.COLOURS[0]]))
    return altair.Chart(long.astype({"call": "int64", "step": "int64", "tokens": "int64"})).mark_bar().encode(
        x=altair.X("call:O", title="model call"), y=altair.Y("tokens:Q", title="tokens"), color=colour,
        tooltip=["run_id:N", "step:Q", "part:N", "tokens:Q"],
    ).properties(width=520, height=240)  # fmt: skip
