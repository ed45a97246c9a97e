"""The spans of one run, from its rows. Pure: rows in, spans out.

One idea: what has no end in the rows ended with its run; where the run itself has none, it is open.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lumos_nb.events import TokenUsage
from lumos_nb.stores.reading import Row
from lumos_nb.telemetry.spans.span import Span
from lumos_nb.traceparent import span_id, trace_id

EVENT_KINDS = ("step_start", "metadata")
"""The events that are looked at, beside the rows."""

_STATUS = {"completed": "ok", "failed": "error"}
_TOKENS = TokenUsage.__struct_fields__


@dataclass(slots=True)
class RunRows:
    """A run's row, and the rows of its steps, tool calls and events."""

    run: Row
    steps: list[Row] = field(default_factory=list)
    calls: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)


def spans_of_run(rows: RunRows) -> list[Span]:
    """Return the spans of a run: its own first, then its parts in the order in which they began."""
    return _RunSpans(rows).all()


class _RunSpans:
    def __init__(self, rows: RunRows) -> None:
        self._rows, run = rows, rows.run
        self._run: Row = run
        self._id = span_id(run["run_id"])
        self._status = _STATUS.get(run["status"], run["status"] or "running")
        self._start = run["started_at"] or 0
        self._end = _end_of_run(run, self._start)
        self._shared = {
            "trace_id": trace_id(run["trace_id"] or run["root_run_id"] or run["run_id"]),
            "run_id": run["run_id"], "thread_id": run["thread_id"], "agent": run["agent"],
        }  # fmt: skip

    def all(self) -> list[Span]:
        answered = {step["step"] for step in self._rows.steps}
        parts = [self._chat(step) for step in self._rows.steps]
        # Of several requests for one step the last counts: a run that was taken up again asks anew.
        asked = {e["step"]: e for e in self._rows.events if e["kind"] == "step_start"}
        parts += [self._unanswered(event) for step, event in asked.items() if step not in answered]
        for call in self._rows.calls:
            parts += self._tool(call)
        parts += self._waits()
        return [self._own(), *sorted(parts, key=lambda span: span.place)]

    def _own(self) -> Span:
        run = self._run
        parent = run["parent_span_id"] or (span_id(run["parent_run_id"]) if run["parent_run_id"] else None)
        return self._span(
            "invoke_agent", run["agent"] or "", self._id, parent, self._start, self._end, self._status,
            error_type=run["error_type"], error_message=run["error_message"],
            provider=run["provider"], model=run["model"],
            attributes=_known(run, "prompt_preview", "output_preview", "stop_reason", "notebook", "cell_id",
                              "execution_count", "tape", "n_retries", "cost_source", "config_hash"),
        )  # fmt: skip

    def _chat(self, step: Row) -> Span:
        start = step["started_at"] or self._start
        usage = TokenUsage(**{name: step[name] or 0 for name in _TOKENS})
        return self._span(
            "chat", step["model"] or "", self._of_step(step["step"]), self._id, start,
            _after(start, step["duration_s"]) or step["ended_at"],
            "ok",  # it has a row because it was answered; what became of its tools is their own
            step=step["step"], provider=step["provider"], model=step["model"], error_type=step["error_type"],
            usage=usage, cost_usd=step["cost_usd"], ttft_s=step["ttft_s"],
            attributes=_known(step, "stop_reason", "attempt", "n_chunks", "tokens_per_s", "n_tool_calls"),
        )  # fmt: skip

    def _unanswered(self, event: Row) -> Span:
        """Return the span of a model call that was asked and has no row: it failed, was stopped, or goes on."""
        run = self._run
        return self._span(
            "chat", run["model"] or "", self._of_step(event["step"]), self._id, event["ts"],
            self._end and max(self._end, event["ts"]), self._status,
            step=event["step"], provider=run["provider"], model=run["model"],
            error_type=run["error_type"], error_message=run["error_message"],
        )  # fmt: skip

    def _tool(self, call: Row) -> list[Span]:
        start, status = call["started_at"] or self._start, call["status"] or "running"
        end = _after(start, call["duration_s"]) or self._end
        span = self._span(
            "execute_tool", call["tool"] or "", span_id(self._run["run_id"], call["tool_call_id"]), self._id,
            start, end if status not in {"running", "waiting"} else self._end, status,
            step=call["step"], tool=call["tool"], tool_call_id=call["tool_call_id"],
            error_type=call["error_type"], error_message=call["error_message"],
            attributes=_known(call, "args_json", "asked_args_json", "result_preview", "result_bytes", "side_effect",
                              "decision", "decided_by", "decision_reason", "queue_s"),
        )  # fmt: skip
        return [self._approval(call), span] if call["asked_at"] is not None else [span]

    def _approval(self, call: Row) -> Span:
        return self._span(
            "approval", call["tool"] or "", span_id(self._run["run_id"], f"{call['tool_call_id']}/approval"),
            self._id, call["asked_at"], call["decided_at"] or self._end,
            "denied" if call["decision"] == "deny" else "ok" if call["decision"] else self._unended("waiting"),
            step=call["step"], tool=call["tool"], tool_call_id=call["tool_call_id"],
            attributes=_known(call, "decision", "decided_by", "decision_reason"),
        )  # fmt: skip

    def _waits(self) -> list[Span]:
        found: list[Span] = []
        paused: Row | None = None
        for n, event in enumerate(e for e in self._rows.events if e["kind"] == "metadata"):
            waited = event["dur_s"] or 0.0
            before = max(self._start, event["ts"] - round(waited * 1e9))
            match event["name"]:
                case "retry":
                    found.append(self._wait("retry", n, event, event["ts"], _after(event["ts"], waited)))
                case "queued":
                    found.append(self._wait("rate_limit", n, event, before, event["ts"]))
                case "resumed":
                    found.append(self._wait("away", n, event, before, event["ts"]))
                case "paused":
                    paused = event
                case "continued" if paused is not None:
                    found.append(self._wait("pause", n, paused, paused["ts"], event["ts"]))
                    paused = None
        if paused is not None:
            found.append(self._wait("pause", len(self._rows.events), paused, paused["ts"], self._end))
        return found

    def _wait(self, op: str, n: int, event: Row, start: int, end: int | None) -> Span:
        within_step = op in {"retry", "rate_limit"} and event["step"]
        parent = self._of_step(event["step"]) if within_step else self._id
        status = "ok" if end is not None else self._unended("running")
        id = span_id(self._run["run_id"], f"wait/{n}")
        return self._span(op, "", id, parent, start, end, status, step=event["step"])

    def _unended(self, status: str) -> str:
        """Return the status of what has not ended by itself: it has if its run has."""
        return status if self._end is None else "cancelled"

    def _of_step(self, step: int | None) -> str:
        return span_id(self._run["run_id"], step or 0)

    def _span(
        self, op: str, what: str, id: str, parent: str | None, start: int, end: int | None, status: str, **more: Any
    ) -> Span:
        return Span(
            **self._shared, **more, op=op, name=f"{op} {what}".rstrip(), span_id=id, parent_span_id=parent,
            start_ns=start, end_ns=None if end is None else max(start, end), status=status,
        )  # fmt: skip


def _end_of_run(run: Row, start: int) -> int | None:
    """Return when a run ended. A clock that was put back must not end it before it began."""
    if run["ended_at"] is not None and run["ended_at"] >= start:
        return int(run["ended_at"])
    return _after(start, run["duration_s"])


def _after(start: int, seconds: float | None) -> int | None:
    return None if seconds is None else start + round(max(0.0, seconds) * 1e9)


def _known(row: Row, *names: str) -> dict[str, Any]:
    return {name: row[name] for name in names if row[name] is not None}
