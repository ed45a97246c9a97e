"""The steps of a run with their tool calls, from the tables. Values only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import msgspec

from lumos_nb.events import TokenUsage
from lumos_nb.stores import Store
from lumos_nb.stores.base import Condition
from lumos_nb.stores.reading import Row, read_rows


class TraceTool(msgspec.Struct, frozen=True, kw_only=True):
    """One tool call of a step."""

    tool_call_id: str
    tool: str
    #: JSON text, as it ran.
    arguments: str
    status: str
    duration_s: float | None = None
    result_preview: str | None = None
    error_type: str | None = None
    error_message: str | None = None
    #: allow, allow_thread, edit or deny, where a person or a policy was asked.
    decision: str | None = None
    decided_by: str | None = None


class TraceStep(msgspec.Struct, frozen=True, kw_only=True):
    """One model call of a run and the tools that it asked for."""

    step: int
    provider: str | None
    model: str | None
    status: str | None
    stop_reason: str | None
    usage: TokenUsage
    cost_usd: float | None = None
    duration_s: float | None = None
    ttft_s: float | None = None
    #: Which try of the model call this was, from 1.
    attempt: int | None = None
    error_type: str | None = None
    error_message: str | None = None
    tool_calls: tuple[TraceTool, ...] = ()

    @property
    def errors(self) -> tuple[str, ...]:
        """Every error of the step: of the model call, then of its tools."""
        own = [told("model", self.error_type, self.error_message)] if self.error_type or self.error_message else []
        return (*own, *(told(c.tool, c.error_type, c.error_message) for c in self.tool_calls if c.status == "error"))


def told(what: str, kind: str | None, message: str | None) -> str:
    """Return an error as a line.

    Example:
        >>> told("rows", "ValueError", "no such table"), told("rows", None, None)
        ('rows: ValueError: no such table', 'rows: failed')
    """
    if message and kind and message.startswith(kind):
        kind = None
    return ": ".join([what, *([part for part in (kind, message) if part] or ["failed"])])


def read(store: Store, run_id: str) -> tuple[Row, tuple[TraceStep, ...]]:
    """Return the row of a run, and its steps; a model call that failed is a step too."""
    where: list[Condition] = [("run_id", "=", run_id)]
    (run,) = read_rows(store, "runs", where=where)
    calls: dict[int, list[Row]] = defaultdict(list)
    for call in read_rows(store, "tool_calls", where=where, order=["started_at", "tool_call_id"]):
        calls[call["step"]].append(call)
    steps = {
        row["step"]: _step(row, calls[row["step"]]) for row in read_rows(store, "steps", where=where, order=["step"])
    }
    for step in _asked(store, where):
        if step not in steps:
            steps[step] = _unanswered(run, step, calls[step])
    return run, tuple(steps[step] for step in sorted(steps))


def usage(row: Row) -> TokenUsage:
    """Return the token columns of a row.

    Example:
        >>> usage(dict.fromkeys(TokenUsage.__struct_fields__)).total_tokens
        0
    """
    return TokenUsage(**{f: row[f] or 0 for f in TokenUsage.__struct_fields__})


def _asked(store: Store, where: Sequence[Condition]) -> list[int]:
    started = store.select("events", ["step"], where=[*where, ("kind", "=", "step_start")], order=["run_seq"])
    return [step for (step,) in started if step is not None]


def _step(row: Row, calls: list[Row]) -> TraceStep:
    names = (
        "step", "provider", "model", "status", "stop_reason", "cost_usd", "duration_s", "ttft_s", "attempt",
        "error_type",
    )  # fmt: skip
    return TraceStep(**{n: row[n] for n in names}, usage=usage(row), tool_calls=tuple(map(_tool, calls)))


def _unanswered(run: Row, step: int, calls: list[Row]) -> TraceStep:
    """Return the step of a model call that brought no answer: it failed, was stopped, or goes on."""
    return TraceStep(
        step=step, provider=run["provider"], model=run["model"], status=run["status"], stop_reason=None,
        usage=TokenUsage(), error_type=run["error_type"], error_message=run["error_message"],
        tool_calls=tuple(map(_tool, calls)),
    )  # fmt: skip


def _tool(call: Row) -> TraceTool:
    names = (
        "tool_call_id", "duration_s", "result_preview", "error_type", "error_message", "decision", "decided_by",
    )  # fmt: skip
    return TraceTool(
        **{n: call[n] for n in names}, tool=call["tool"] or "", arguments=call["args_json"] or "{}",
        status=call["status"] or "running",
    )  # fmt: skip
