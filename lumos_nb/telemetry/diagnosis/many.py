"""Many recorded runs, read once for the rules of `advice`.

One idea: only the narrow columns that a rule looks at are read, so that a hundred thousand runs fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from lumos_nb.memory.configs import read_config
from lumos_nb.stores import Store
from lumos_nb.stores.base import Condition

_IDS_AT_ONCE = 500


class RunRow(msgspec.Struct, frozen=True):
    """What of a run counts."""

    run_id: str
    agent: str | None
    provider: str | None
    model: str | None
    status: str | None
    error_type: str | None
    stop_reason: str | None
    duration_s: float | None
    cost_usd: float | None
    n_retries: int | None
    n_model_calls: int | None
    config_hash: str | None
    started_at: int | None


class StepRow(msgspec.Struct, frozen=True):
    """What of a model call counts."""

    run_id: str
    step: int
    provider: str | None
    model: str | None
    input_tokens: int | None
    cache_read_tokens: int | None
    context_tokens: int | None
    context_window: int | None


class CallRow(msgspec.Struct, frozen=True):
    """What of a tool call counts."""

    run_id: str
    tool: str | None
    status: str | None
    error_type: str | None


class ManyRuns(msgspec.Struct, frozen=True, kw_only=True):
    """The runs to look at, and their parts."""

    runs: tuple[RunRow, ...]
    steps: tuple[StepRow, ...]
    calls: tuple[CallRow, ...]
    #: Tools by hash of the configuration: name, and bytes of what each request says of it.
    tools: dict[str, dict[str, int]]
    #: Retries: run, and nanoseconds since 1970.
    retries: tuple[tuple[str, int], ...]


def read_many(store: Store, where: Sequence[Condition] = ()) -> ManyRuns:
    """Return the runs that `where` (conditions on the table `runs`) selects, with their parts."""
    runs = tuple(RunRow(*row) for row in store.select("runs", RunRow.__struct_fields__, where=where))
    known = {run.run_id for run in runs}
    first = min((run.started_at or 0 for run in runs), default=0)
    steps = (StepRow(*row) for row in _of_runs(store, "steps", StepRow.__struct_fields__, known, "started_at", first))
    calls = (
        CallRow(*row) for row in _of_runs(store, "tool_calls", CallRow.__struct_fields__, known, "started_at", first)
    )
    retried = {run.run_id for run in runs if run.n_retries}
    of_kind: list[Condition] = [("kind", "=", "metadata"), ("name", "=", "retry")]
    return ManyRuns(
        runs=runs,
        steps=tuple(sorted(steps, key=lambda step: (step.run_id, step.step))),
        calls=tuple(calls),
        tools={name: _tools(store, name) for name in {run.config_hash for run in runs} if name},
        retries=tuple(_of_runs(store, "events", ("run_id", "ts"), retried, "ts", first, of_kind)),
    )


def _of_runs(
    store: Store, table: str, columns: Sequence[str], known: set[str], time: str, first: int,
    more: Sequence[Condition] = (),
) -> list[tuple[Any, ...]]:  # fmt: skip
    """Return rows of these runs: by their ids if they are few, else by the time of the first."""
    if not known:
        return []
    if len(known) <= _IDS_AT_ONCE:
        return list(store.select(table, columns, where=[*more, ("run_id", "in", sorted(known))]))
    found = store.select(table, columns, where=[*more, (time, ">=", first)])
    return [row for row in found if row[0] in known]


def _tools(store: Store, config_hash: str) -> dict[str, int]:
    config = read_config(store, config_hash) or {}
    return {str(tool.get("name")): len(msgspec.json.encode(tool)) for tool in config.get("tools") or ()}
