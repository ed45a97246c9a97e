"""Two frames of runs, figure by figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_FAILED = ("failed", "error")
_MIDDLES = ("duration_s", "working_s", "ttft_s")
_SUMS = ("n_steps", "n_tool_calls", "n_tool_errors", "input_tokens", "output_tokens")


def compared(this: Any, other: Any, by: Sequence[str]) -> Any:
    """Return the figures of both, within the values of `by` columns."""
    import pandas as pd

    rows = []
    these, others = _parts(this, by), _parts(other, by)
    for group in {**these, **others}:
        a, b = _figures(these.get(group, this.iloc[:0])), _figures(others.get(group, other.iloc[:0]))
        for figure in {**a, **b}:
            one, two = a.get(figure, float("nan")), b.get(figure, float("nan"))
            rows.append((*group, figure, one, two, two - one, (two - one) / one if one else float("nan")))
    names = [*by, "figure", "this", "other", "difference", "change"]
    return pd.DataFrame(rows, columns=names).astype(dict.fromkeys(names[-4:], "float64"))


def _parts(df: Any, by: Sequence[str]) -> dict[tuple[Any, ...], Any]:
    """Return the rows of each group, by the group's values; a missing value is None."""
    import pandas as pd

    if not by:
        return {(): df}
    groups = df.groupby(list(by), dropna=False, observed=True)
    return {tuple(None if pd.isna(value) else value for value in key): part for key, part in groups}


def _figures(df: Any) -> dict[str, float]:
    out: dict[str, float] = {"n": float(len(df))}
    if "status" in df and len(df):
        out["error_rate"] = float(df["status"].isin(_FAILED).mean())
    for name in (name for name in _MIDDLES if name in df):
        known = df[name].dropna()
        out[f"{name} median"] = float(known.median()) if len(known) else float("nan")
        out[f"{name} p95"] = float(known.quantile(0.95)) if len(known) else float("nan")
    for name in (name for name in _SUMS if name in df):
        out[name] = float(df[name].sum())
    if "cost_usd" in df:
        out["cost_usd"] = float(df["cost_usd"].sum(skipna=False))
        out["cost_usd mean"] = out["cost_usd"] / len(df) if len(df) else float("nan")
    return out
