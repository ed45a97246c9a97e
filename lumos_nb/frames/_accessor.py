"""`df.lumos`: what a frame of runs, steps or spans can do besides being a DataFrame.

One idea: it looks at the columns that are there, so it works on any frame that kept them, however it was cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from lumos_nb.errors import UsageError, nearest
from lumos_nb.frames import _compare
from lumos_nb.stores import Store, default_store

_TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
_MOST_RUNS = 200


@cache
def register() -> None:
    """Give DataFrames their `lumos`; called with the first frame."""
    import pandas as pd

    pd.api.extensions.register_dataframe_accessor("lumos")(FrameAccessor)


class FrameAccessor:
    """Waterfall, cost and comparison of the rows of a frame."""

    def __init__(self, df: Any) -> None:
        self._df = df

    def __repr__(self) -> str:
        return "df.lumos: .waterfall(), .cost(by=…), .compare(other, by=…)"

    def waterfall(self, *, store: Store | None = None) -> Any:
        """Return the traces of the frame's runs as a picture: what each did, when, and what it waited for.

        Args:
            store: Where the runs are kept, if not in the default store.
        """
        _need(self._df, ["run_id"])
        from lumos_nb.telemetry.spans import trace_spans
        from lumos_nb.telemetry.waterfall.waterfall import waterfall

        runs = [str(run) for run in self._df["run_id"].dropna().unique()]
        if len(runs) > _MOST_RUNS:
            raise UsageError(
                f"These are {len(runs):,} runs, more than a page can show.",
                hint="Take some: df.tail(20).lumos.waterfall().",
            )
        asked = store or default_store()
        spans = {span.span_id: span for run in runs for span in trace_spans(asked, run)}
        return waterfall(list(spans.values()), asked)

    def cost(self, by: str | Sequence[str] = "model") -> Any:
        """Return tokens and US dollars by the values of columns, dearest first, as a DataFrame.

        Where the price of one row is not known, the cost of its group is not known; `n_unpriced` says of how many.
        """
        names = [by] if isinstance(by, str) else list(by)
        df = self._df
        _need(df, [*names, "cost_usd"])
        if {"op", "span_id"} <= set(df):
            df = df[df["op"] == "chat"]  # the others used nothing themselves
        groups = df.assign(n_unpriced=df["cost_usd"].isna()).groupby(names, dropna=False, observed=True)
        tokens = [name for name in _TOKENS if name in df]
        n_unpriced = groups["n_unpriced"].sum().astype("Int64")
        out = (
            groups[tokens]
            .sum()
            .assign(
                cost_usd=groups["cost_usd"].sum().where(n_unpriced == 0),
                n=groups.size().astype("Int64"),
                n_unpriced=n_unpriced,
            )
        )
        out = out.sort_values(["cost_usd", *tokens[:1]], ascending=False, kind="stable").reset_index()
        return out[[*names, "n", *tokens, "cost_usd", "n_unpriced"]]

    def compare(self, other: Any, by: str | Sequence[str] = ()) -> Any:
        """Return how two frames of runs (or steps, tool calls) differ, one figure a row, as a DataFrame.

        Columns: `this`, `other`, `difference` (other less this) and `change` (1.0: twice as much). Figures: how many,
        the share that failed, median and 95th percentile of seconds, tokens, and US dollars (NaN where a
        price is not known).

        Args:
            other: The frame to compare with.
            by: Columns to compare within, such as `model`.
        """
        names = [by] if isinstance(by, str) else list(by)
        if not hasattr(other, "columns"):
            raise UsageError(
                f"A frame cannot be compared with {type(other).__name__!r}.", hint="Give a DataFrame of the same kind."
            )
        for df in (self._df, other):
            _need(df, names)
        return _compare.compared(self._df, other, names)


def _need(df: Any, names: Sequence[str]) -> None:
    """Raise a `UsageError` if the frame has not these columns."""
    for name in names:
        if name not in df:
            raise UsageError(f"This frame has no column {name!r}.", hint=nearest(name, map(str, df.columns)))
