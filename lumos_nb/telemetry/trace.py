"""`ExecutionTrace`: one recorded run, step by step.

One idea: a trace is read from the tables, so it is the same an hour or a restart later.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec

from lumos_nb.events import TokenUsage
from lumos_nb.memory.runs import find_run
from lumos_nb.stores import Store, default_store
from lumos_nb.stores.schema import TABLES


class TraceTool(msgspec.Struct, frozen=True, kw_only=True):
    """One tool call of a step."""

    tool_call_id: str
    tool: str
    arguments: str
    status: str
    duration_s: float | None = None
    result_preview: str | None = None
    error_type: str | None = None
    error_message: str | None = None


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
    tool_calls: tuple[TraceTool, ...] = ()


class ExecutionTrace(msgspec.Struct, frozen=True, kw_only=True):
    """One run: who, what, how it ended, and its steps."""

    run_id: str
    thread_id: str | None
    agent: str | None
    model: str
    status: str
    prompt: str | None
    output: str | None
    usage: TokenUsage
    cost_usd: float | None = None
    duration_s: float | None = None
    ttft_s: float | None = None
    error: str | None = None
    steps: tuple[TraceStep, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the trace as plain data, for `%trace export`."""
        return msgspec.to_builtins(self)  # type: ignore[no-any-return]

    def to_text(self) -> str:
        """Return the trace as a tree of lines."""
        head = [self.run_id, self.agent or "", self.model, self.status, _seconds(self.duration_s), _tokens(self.usage)]
        lines = [" · ".join(p for p in head if p)]
        for i, step in enumerate(self.steps):
            last = i == len(self.steps) - 1 and not self.error
            lines.append(f"{'└' if last else '├'}─ {_step_line(step)}")
            lines += [f"{' ' if last else '│'}  · {_tool_line(t)}" for t in step.tool_calls]
        return "\n".join([*lines, f"└─ {self.error}"] if self.error else lines)

    def __repr__(self) -> str:
        return self.to_text()


def load_trace(run: str = "last", store: Store | None = None) -> ExecutionTrace:
    """Return the trace of a run.

    Args:
        run: A run id or its unique beginning or end, or `last`.
        store: Where to look; the default database if None.

    Raises:
        UsageError: There is no such run, or several.
    """
    store = store or default_store()
    where = [("run_id", "=", find_run(store, run))]
    row = _rows(store, "runs", where)[0]
    steps = _rows(store, "steps", where, "step")
    calls = _rows(store, "tool_calls", where, "started_at")
    return ExecutionTrace(
        run_id=row["run_id"], thread_id=row["thread_id"], agent=row["agent"],
        model=f"{row['provider']}/{row['model']}", status=row["status"], prompt=row["prompt_preview"],
        output=row["output_preview"], usage=_usage(row), cost_usd=row["cost_usd"], duration_s=row["duration_s"],
        ttft_s=row["ttft_s"], error=row["error_message"],
        steps=tuple(_step(s, [c for c in calls if c["step"] == s["step"]]) for s in steps),
    )  # fmt: skip


def _rows(store: Store, table: str, where: Sequence[Any], *order: str) -> list[dict[str, Any]]:
    names = [c.name for c in TABLES[table].columns if not c.lazy]
    rows = store.select(table, names, where=where, order=order)
    return [dict(zip(names, row, strict=True)) for row in rows]


def _usage(row: dict[str, Any]) -> TokenUsage:
    return TokenUsage(**{f: row[f] or 0 for f in TokenUsage.__struct_fields__})


def _step(row: dict[str, Any], calls: list[dict[str, Any]]) -> TraceStep:
    tools = tuple(
        TraceTool(
            tool_call_id=c["tool_call_id"], tool=c["tool"], arguments=c["args_json"] or "{}", status=c["status"],
            duration_s=c["duration_s"], result_preview=c["result_preview"], error_type=c["error_type"],
            error_message=c["error_message"],
        )
        for c in calls
    )  # fmt: skip
    names = ("step", "provider", "model", "status", "stop_reason", "cost_usd", "duration_s", "ttft_s")
    return TraceStep(**{n: row[n] for n in names}, usage=_usage(row), tool_calls=tools)


def _step_line(step: TraceStep) -> str:
    first = f"first token {_seconds(step.ttft_s)}" if step.ttft_s is not None else ""
    parts = [f"step {step.step}", step.model or "", _seconds(step.duration_s), first, _tokens(step.usage)]
    return " · ".join(p for p in [*parts, step.stop_reason or ""] if p)


def _tool_line(call: TraceTool) -> str:
    try:
        arguments = ", ".join(f"{k}={v!r}" for k, v in json.loads(call.arguments).items())
    except (ValueError, AttributeError):
        arguments = call.arguments
    outcome = call.error_message or call.result_preview or ""
    line = outcome.splitlines()[0][:80] if outcome else ""
    return f"{call.tool}({arguments:.80}) {call.status} {_seconds(call.duration_s)}" + (f" → {line}" if line else "")


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.2f} s"


def _tokens(usage: TokenUsage) -> str:
    return f"{usage.input_tokens:,} in, {usage.output_tokens:,} out"
