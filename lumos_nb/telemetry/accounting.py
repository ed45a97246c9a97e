"""Whether the sums agree: spans, steps, runs and threads say the same.

One idea: tokens are integers and must be equal; dollars may differ by a billionth. What is not
known in one place may not be known in the sum.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from lumos_nb.events import TokenUsage
from lumos_nb.stores import Store
from lumos_nb.stores.reading import read_rows
from lumos_nb.telemetry.spans import read_spans

_TOKENS = TokenUsage.__struct_fields__
_SUMMED = (*_TOKENS, "cost_usd")
_USD = 1e-9


class _Sum:
    """Tokens and dollars of several rows; dollars are None once one of them is."""

    def __init__(self) -> None:
        self.tokens = dict.fromkeys(_TOKENS, 0)
        self.cost_usd: float | None = 0.0
        self.n = 0

    def add(self, tokens: Mapping[str, int], cost_usd: float | None) -> None:
        for name in _TOKENS:
            self.tokens[name] += tokens[name] or 0
        self.cost_usd = None if self.cost_usd is None or cost_usd is None else self.cost_usd + cost_usd
        self.n += 1


def disagreements(store: Store) -> list[str]:
    """Return in words where the sums of a database do not agree; none where all do.

    Threads are compared with the runs that are still there: one whose runs were deleted agrees with nothing.

    Example:
        >>> import tempfile; from lumos_nb.stores import open_store
        >>> disagreements(open_store(tempfile.mkdtemp() + "/lumos.db"))
        []
    """
    spans: dict[str, _Sum] = defaultdict(_Sum)
    for span in read_spans(store):
        if span.usage is not None:
            spans[span.run_id].add({name: getattr(span.usage, name) for name in _TOKENS}, span.cost_usd)
    steps: dict[str, _Sum] = defaultdict(_Sum)
    for row in read_rows(store, "steps", ("run_id", *_SUMMED)):
        steps[row["run_id"]].add(row, row["cost_usd"])
    runs: dict[str, _Sum] = defaultdict(_Sum)
    found: list[str] = []
    for row in read_rows(store, "runs", ("run_id", "thread_id", "status", "n_steps", *_SUMMED)):
        of_run, name = steps[row["run_id"]], f"run {row['run_id']}"
        found += _differences(f"{name} and its spans", row, spans[row["run_id"]])
        found += _differences(f"{name} and its steps", row, of_run)
        if (row["n_steps"] or 0) != of_run.n:
            found.append(f"{name} says {row['n_steps']} steps and has {of_run.n}")
        runs[row["thread_id"]].add(row, row["cost_usd"])
    for row in read_rows(store, "threads", ("thread_id", "n_runs", *_SUMMED)):
        if row["n_runs"] == runs[row["thread_id"]].n:
            found += _differences(f"thread {row['thread_id']} and its runs", row, runs[row["thread_id"]])
    return found


def _differences(what: str, row: Mapping[str, Any], parts: _Sum) -> Iterable[str]:
    for name in _TOKENS:
        if (row[name] or 0) != parts.tokens[name]:
            yield f"{what}: {name} {row[name]} and {parts.tokens[name]}"
    # A run that broke off may not know its cost although all its steps do.
    if row["cost_usd"] is not None and parts.cost_usd is None:
        yield f"{what}: cost {row['cost_usd']} and one that is not known"
    elif row["cost_usd"] is not None and abs(row["cost_usd"] - (parts.cost_usd or 0.0)) > _USD:
        yield f"{what}: cost {row['cost_usd']} and {parts.cost_usd}"
