"""What a run adds up to, event by event: the rollup rows of run, steps, tool calls, thread.

One idea: pure state, no I/O. `fold` takes an event and returns the writes that it causes; the
run log puts them into the transaction of the event, so that sums are right at any moment.
"""

from __future__ import annotations

import hashlib
from typing import Any

from lumos_nb.events import (
    AgentEvent,
    AgentStep,
    ApprovalDecided,
    ApprovalRequested,
    Checkpoint,
    Error,
    GenerationComplete,
    Metadata,
    ReasoningDelta,
    StepComplete,
    StepStart,
    TextDelta,
    TokenUsage,
    ToolCallComplete,
    ToolCallStart,
)
from lumos_nb.memory._rows import preview, result_columns, step_row, tokens
from lumos_nb.messages import ToolCall, valid_text
from lumos_nb.stores import Update, Upsert
from lumos_nb.stores.base import Write
from lumos_nb.traceparent import span_id

_TURN_S = 0.002
"""A call that begins so much later than it was let go has waited for its turn."""


class Tally:
    """The sums of one run."""

    def __init__(self, run_id: str, thread_id: str | None, *, started_at: float, is_free: bool) -> None:
        self.step = 0
        self._run_id, self._thread_id = run_id, thread_id
        self._started_at, self._is_free = started_at, is_free
        self._usage = TokenUsage()
        self._cost_usd: float | None = 0.0
        self._run: dict[str, Any] = dict.fromkeys(
            ("n_steps", "n_model_calls", "n_tool_calls", "n_tool_errors", "n_retries"), 0
        )
        self._calls: set[tuple[int, str]] = set()
        #: Calls that wait for a person, and since when any does, in nanoseconds.
        self._asking: set[str] = set()
        self._asking_since = 0
        self._waited_s = 0.0
        self._paused_since: int | None = None
        #: When the answer was there whose calls are at work, and how long each of them waited for a person, in ns.
        self._answered_at = 0
        self._asked_for: dict[str, int] = {}
        #: When calls were let go; those that share a thread begin one after the other.
        self._let_go_at: dict[str, int] = {}
        #: Steps whose model call is in the sums, though their tools may still be at work.
        self._counted: set[int] = set()
        #: Text of the step that is going on: if it never ends, its cost is not known.
        self._text: list[str] = []
        #: Steps whose answer came from a tape.
        self._replayed: set[int] = set()

    def fold(self, event: AgentEvent, now: int) -> list[Write]:
        """Take an event and return the writes that it causes."""
        match event:
            case TextDelta() | ReasoningDelta():
                self._text.append(event.delta)
            case StepStart():
                self.step, self._text = event.index, []
                self._run["n_model_calls"] += 1
            case Metadata():
                self._held_up(event.data, now)
            case Checkpoint():
                self._answered_at = now
                return self._end_step(event.step, now, "running" if event.step.tool_calls else "completed")
            case ApprovalRequested():
                self._asked_for[event.call.id] = -now
                self._asking_since = self._asking_since if self._asking else now
                self._asking.add(event.call.id)
                return [self._begin_call(event.call, "waiting", now)]
            case ApprovalDecided():
                return [self._decide(event, now)]
            case ToolCallStart():
                return [self._begin_call(event.call, "running", now, event.side_effect)]
            case ToolCallComplete():
                return [self._end_call(event, now)]
            case StepComplete():
                return self._end_step(event.step, now, "completed")
            case GenerationComplete():
                return self._complete(event, now)
            case Error():
                return self._fail(event, now)
            case _:
                pass
        return []

    def _held_up(self, data: dict[str, Any], now: int) -> None:
        """Count what held the run up, such as a wait before a model is asked again.

        Where another model takes over, the run is from then on that model's, and so is the source of its price.
        """
        match data.get("kind"):
            case "replayed":
                self._say_source(str(data.get("tape") or ""))
            case "retry":
                self._run["n_retries"] += 1
                self._waited_s += float(data.get("wait_s") or 0.0)
            case "queued":
                self._waited_s += float(data.get("wait_s") or 0.0)
            case "paused":
                self._paused_since = now
            case "continued":
                self._go_on(now)
            case "fallback":
                vendor, _, model = data["model"].partition("/")
                self._run.update(provider=vendor, model=model, cost_source=data["cost_source"])
                self._is_free = data["cost_source"] == "local"
            case "resumed":
                stopped_at = now - int(data["away_s"] * 1e9)  # when it was last heard of: until then they waited
                self._answer_all(stopped_at)
                self._go_on(stopped_at)
                self._answered_at = now

    def _say_source(self, tape: str) -> None:
        """Note whether the answer of this step comes from a tape, and so do all of the run, some, or none."""
        (self._replayed.add if tape else self._replayed.discard)(self.step)
        if self._replayed or "tape" in self._run:
            self._run["tape"] = "replay" if self._counted <= self._replayed else "mixed" if self._replayed else "live"

    def _go_on(self, now: int) -> None:
        if self._paused_since is not None:
            self._waited_s += max(0, now - self._paused_since) / 1e9
            self._paused_since = None

    def _count_call(self, call_id: str, now: int) -> None:
        self._calls.add((self.step, call_id))
        self._run["n_tool_calls"] = len(self._calls)
        self._answered(call_id, now)

    def _answered(self, call_id: str, now: int) -> None:
        """Note that a call waits no more; several that wait at once wait only once."""
        if call_id in self._asking:
            self._asking.discard(call_id)
            if not self._asking:
                self._waited_s += (now - self._asking_since) / 1e9

    def _answer_all(self, now: int) -> None:
        for call_id in list(self._asking):
            self._answered(call_id, now)

    def _call_key(self, call_id: str) -> dict[str, Any]:
        return {"run_id": self._run_id, "step": self.step, "tool_call_id": call_id, "thread_id": self._thread_id}

    def _begin_call(self, call: ToolCall, status: str, now: int, side_effect: str = "") -> Write:
        row = {
            "started_at": now,
            "tool": call.name,
            "status": status,
            "args_json": valid_text(call.arguments),
            "args_hash": hashlib.sha256(valid_text(call.arguments).encode()).hexdigest()[:16],
            "source": "python",
            "span_id": span_id(self._run_id, call.id),
            **self._call_key(call.id),
        }
        if side_effect:
            row["side_effect"] = side_effect
        if status == "running":
            row["queue_s"] = self._queue_s(call.id, now)
            self._let_go_at[call.id] = now
            self._count_call(call.id, now)
        else:
            row["asked_args_json"], row["asked_at"] = row["args_json"], now
        return Upsert("tool_calls", row)

    def _queue_s(self, call_id: str, now: int) -> float:
        """Return how long a call waited for its turn: since the answer, but not for a person."""
        return max(0, now - (self._answered_at or now) - max(0, self._asked_for.get(call_id, 0))) / 1e9

    def _decide(self, event: ApprovalDecided, now: int) -> Write:
        self._answered(event.call_id, now)
        self._asked_for[event.call_id] = self._asked_for.get(event.call_id, -now) + now
        row = {"decision": event.decision, "decided_at": now, "decision_reason": event.reason or None,
               "decided_by": event.by, "approved_by": None if event.decision == "deny" else event.by}  # fmt: skip
        return Update("tool_calls", {"run_id": self._run_id, "step": self.step, "tool_call_id": event.call_id}, row)

    def _end_call(self, event: ToolCallComplete, now: int) -> Write:
        row = {"tool": event.result.name, **result_columns(event.result, event.status, event.duration_s)}
        if (self.step, event.call_id) not in self._calls:  # denied, or refused before it began
            row["started_at"] = now
        if event.queue_s > _TURN_S and event.call_id in self._let_go_at:
            row["started_at"] = self._let_go_at[event.call_id] + round(event.queue_s * 1e9)
            row["queue_s"] = self._queue_s(event.call_id, row["started_at"])
        self._count_call(event.call_id, now)
        self._run["n_tool_errors"] += event.status == "error"
        return Upsert("tool_calls", {**row, **self._call_key(event.call_id)})

    def _end_step(self, step: AgentStep, now: int, status: str) -> list[Write]:
        """Take a step's model call into the sums, once: when its tools begin, or when the step is over."""
        self.step = step.index
        if status == "completed":
            self._text = []
        row = Upsert("steps", step_row(step, status=status, run_id=self._run_id, ended_at=now))
        if step.index in self._counted:
            return [row]
        self._counted.add(step.index)
        self._say_source(step.tape)
        self._usage += step.usage
        self._cost_usd = None if self._cost_usd is None or step.cost_usd is None else self._cost_usd + step.cost_usd
        run = self._run
        run["n_steps"] += 1
        run["n_model_calls"] = max(run["n_model_calls"], run["n_steps"])
        if run["n_steps"] == 1:
            run["ttft_s"] = step.ttft_s
        if step.model:
            run["model"] = step.model
        if step.provider:
            run["provider"] = step.provider
        added = {"n_steps": 1, **tokens(step.usage), "cost_usd": step.cost_usd}
        return [row, self._run_update(cost_usd=self._cost_usd), *self._on_thread(now, {}, added)]

    def _complete(self, event: GenerationComplete, now: int) -> list[Write]:
        result = event.result
        update = self._run_update(
            **self._end("completed", result.duration_s, now),
            stop_reason=result.stop_reason or None,
            output_preview=preview(result.response),
            cost_usd=self._cost_usd,
        )
        return [update, *self._on_thread(now, {}, {})]

    def _fail(self, event: Error, now: int) -> list[Write]:
        is_paid = not self._is_free and self.step not in self._replayed
        unknown = bool(self._text) and self.step not in self._counted and is_paid
        if unknown:
            self._cost_usd = None
        message = valid_text(str(event.error))
        update = self._run_update(
            **self._end(event.status, max(0.0, now / 1e9 - self._started_at), now),
            stop_reason=event.status,
            output_preview=preview("".join(self._text)),
            cost_usd=self._cost_usd,
            error_type=event.error.type,
            error_message=message,
        )
        self._answer_all(now)
        open_calls: list[Write] = [
            Update("tool_calls", {"run_id": self._run_id, "status": status}, {"status": "cancelled"})
            for status in ("running", "waiting")
        ]
        open_calls.append(Update("steps", {"run_id": self._run_id, "status": "running"}, {"status": event.status}))
        last = {"last_error": message} if event.status == "failed" else {}
        return [update, *open_calls, *self._on_thread(now, last, {"cost_usd": None} if unknown else {})]

    def _end(self, status: str, duration_s: float, now: int) -> dict[str, Any]:
        working_s = max(0.0, duration_s - self._waited_s)
        return {"status": status, "duration_s": duration_s, "working_s": working_s, "ended_at": now}

    def _run_update(self, **more: Any) -> Write:
        return Update("runs", {"run_id": self._run_id}, {**self._run, **tokens(self._usage), **more})

    def _on_thread(self, now: int, set_: dict[str, Any], add: dict[str, Any]) -> list[Write]:
        if self._thread_id is None:
            return []
        return [Update("threads", {"thread_id": self._thread_id}, {"updated_at": now, **set_}, add)]
