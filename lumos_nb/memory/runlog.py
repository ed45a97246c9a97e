"""The log of one run: its events, and what tables say of it, written in the same transactions.

One idea: what must not be lost is committed before the caller goes on (a tool is in the log before
it runs, the end before anyone hears of it); deltas of text are gathered, at most a quarter second.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import msgspec

from lumos_nb._version import __version__
from lumos_nb.errors import ConflictError
from lumos_nb.events import (
    AgentEvent,
    AgentStep,
    ApprovalRequested,
    Error,
    GenerationComplete,
    ReasoningDelta,
    StepComplete,
    StepStart,
    TextDelta,
    TokenUsage,
    ToolCallComplete,
    ToolCallStart,
)
from lumos_nb.memory._rows import event_row, message_row, nanoseconds, preview, result_columns, step_row, tokens
from lumos_nb.memory._worker import in_worker
from lumos_nb.memory.ids import new_id
from lumos_nb.messages import Message, ToolCall
from lumos_nb.stores import Insert, Store, Update, Upsert
from lumos_nb.stores.base import Write

FLUSH_S = 0.25
"""Longest time that text waits to be written, in seconds."""

_COMMITS = (ToolCallStart, ApprovalRequested, ToolCallComplete, StepComplete, GenerationComplete, Error)


class RunInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Who runs what, where, and since when."""

    run_id: str
    thread_id: str | None = None
    #: Title of the thread if it is made; empty: its id.
    thread_title: str = ""
    agent: str = ""
    provider: str = ""
    model: str = ""
    prompt: str = ""
    #: Unix time in seconds.
    started_at: float = 0.0
    notebook: str | None = None
    cell_id: str | None = None
    execution_count: int | None = None
    parent_run_id: str | None = None
    #: live or replay.
    tape: str = "live"


class RunLog:
    """Writes one run. Get one from `Memory.run_log`."""

    def __init__(self, store: Store, info: RunInfo) -> None:
        self.store = store
        self.info = info
        self._waiting: list[tuple[AgentEvent, int]] = []
        self._flushed = time.monotonic()
        self._run_seq = 0
        self._step: int | None = None
        self._steps: list[AgentStep] = []
        self._text = ""
        self._n_tool_calls = 0
        self._n_tool_errors = 0
        self._open_calls: dict[str, int | None] = {}

    async def start(self) -> None:
        """Add the run, and its thread if that is new.

        Raises:
            StoreError: The database cannot be used; nothing has been sent to a model yet.
        """
        await in_worker(self.store, self._start)

    async def append(self, events: Sequence[AgentEvent], messages: Sequence[Message] = ()) -> None:
        """Add events, and messages to the thread; return when they are safe, as far as they have to be."""
        now = time.time_ns()
        commits = bool(messages)
        for event in events:
            self._gather(event, now)
            commits = commits or isinstance(event, _COMMITS)
        if commits or time.monotonic() - self._flushed >= FLUSH_S:
            waiting, self._waiting = self._waiting, []
            self._flushed = time.monotonic()
            await in_worker(self.store, self._write, waiting, messages)

    def _gather(self, event: AgentEvent, now: int) -> None:
        """Join deltas of one kind: a row for each token would be all index and no text."""
        if self._waiting and isinstance(event, TextDelta | ReasoningDelta):
            last, since = self._waiting[-1]
            if type(last) is type(event):
                self._waiting[-1] = (type(event)(last.delta + event.delta), since)
                return
        self._waiting.append((event, now))

    # ---- in the store's thread --------------------------------------------------------

    def _start(self) -> None:
        info = self.info
        row = {name: getattr(info, name) for name in _RUN_COLUMNS}
        row |= {
            "started_at": nanoseconds(info.started_at), "status": "running", "prompt_preview": preview(info.prompt),
            "lumos_version": __version__, "trace_id": info.run_id, "root_run_id": info.parent_run_id or info.run_id,
        }  # fmt: skip
        row |= dict.fromkeys(("n_steps", "n_model_calls", "n_tool_calls", "n_tool_errors", "n_retries"), 0)
        self.store.write([Insert("runs", row), *self._thread()])

    def _thread(self) -> list[Write]:
        info = self.info
        if info.thread_id is None:
            return []
        where = {"thread_id": info.thread_id}
        touch = Update("threads", where, {"updated_at": time.time_ns(), "agent": info.agent}, {"n_runs": 1})
        if list(self.store.select("threads", ["thread_id"], where=[("thread_id", "=", info.thread_id)])):
            return [touch]
        row = thread_row(info.thread_id, info.thread_title or info.thread_id, agent=info.agent, notebook=info.notebook)
        # An upsert: another process may make the same thread just now.
        return [Upsert("threads", row), touch]

    def _write(self, waiting: Sequence[tuple[AgentEvent, int]], messages: Sequence[Message]) -> None:
        batch: list[Write] = []
        for event, ts in waiting:
            batch += self._rollups(event, ts)
            self._run_seq += 1
            row = event_row(event, ts=ts, step=self._step, run_seq=self._run_seq, run_id=self.info.run_id)
            batch.append(Insert("events", {**row, "thread_id": self.info.thread_id}))
        stored = [msgspec.structs.replace(m, id=new_id()) for m in messages] if self.info.thread_id else []
        while True:
            try:
                self.store.write([*batch, *self._messages(stored)])
            except ConflictError:
                if not stored:
                    raise
                continue  # another process added to the thread: place ours behind its messages
            return

    def _messages(self, stored: Sequence[Message]) -> list[Write]:
        thread_id = self.info.thread_id
        if not stored or thread_id is None:
            return []
        first, now = next_idx(self.store, thread_id), time.time_ns()
        more = {"run_id": self.info.run_id, "agent": self.info.agent, "step": self._step}
        rows = [message_row(m, thread_id=thread_id, idx=first + i, created_at=now) for i, m in enumerate(stored)]
        inserts: list[Write] = [Insert("messages", {**row, **more}) for row in rows]
        return [*inserts, Update("threads", {"thread_id": thread_id}, {}, {"n_messages": len(rows)})]

    def _rollups(self, event: AgentEvent, ts: int) -> list[Write]:
        """Return what an event changes in the tables of runs, steps, tool calls and threads."""
        match event:
            case StepStart():
                self._step, self._text = event.index, ""
            case TextDelta():
                self._text += event.delta
            case ToolCallStart() | ApprovalRequested():
                return self._call_begins(event.call, ts, "running" if isinstance(event, ToolCallStart) else "waiting")
            case ToolCallComplete():
                return self._call_ends(event)
            case StepComplete():
                self._steps.append(event.step)
                return [Upsert("steps", step_row(event.step, run_id=self.info.run_id, ended_at=ts))]
            case GenerationComplete():
                result = event.result
                done = {"stop_reason": result.stop_reason, "output_preview": preview(result.response)}
                return self._run_ends("completed", ts, done)
            case Error():
                failed = {
                    "error_type": event.error.type, "error_message": str(event.error),
                    "output_preview": preview(self._text), "stop_reason": event.status,
                }  # fmt: skip
                return [*self._cancel_calls(), *self._run_ends(event.status, ts, failed)]
            case _:
                pass
        return []

    def _call_begins(self, call: ToolCall, ts: int, status: str) -> list[Write]:
        if call.id not in self._open_calls:
            self._n_tool_calls += 1
        self._open_calls[call.id] = self._step
        row = {
            "tool_call_id": call.id, "run_id": self.info.run_id, "thread_id": self.info.thread_id, "step": self._step,
            "tool": call.name, "args_json": call.arguments, "source": "python", "started_at": ts, "status": status,
        }  # fmt: skip
        return [Upsert("tool_calls", row)]

    def _call_ends(self, event: ToolCallComplete) -> list[Write]:
        step = self._open_calls.pop(event.call_id, self._step)
        self._n_tool_errors += event.status == "error"
        where = {"run_id": self.info.run_id, "step": step, "tool_call_id": event.call_id}
        return [Update("tool_calls", where, result_columns(event.result, event.status, event.duration_s))]

    def _cancel_calls(self) -> list[Write]:
        calls, self._open_calls = self._open_calls, {}
        run_id = self.info.run_id
        return [
            Update("tool_calls", {"run_id": run_id, "step": step, "tool_call_id": id}, {"status": "cancelled"})
            for id, step in calls.items()
        ]

    def _run_ends(self, status: str, ts: int, more: dict[str, Any]) -> list[Write]:
        usage = sum((s.usage for s in self._steps), TokenUsage())
        costs = [s.cost_usd for s in self._steps]
        cost = None if None in costs else sum(c for c in costs if c is not None)
        seconds = (ts - nanoseconds(self.info.started_at)) / 1e9
        source = "unknown" if cost is None else "local" if self.info.provider == "local" else "table"
        row = {
            "status": status, "ended_at": ts, "duration_s": seconds, "working_s": seconds, "cost_usd": cost,
            "ttft_s": self._steps[0].ttft_s if self._steps else None, "n_steps": len(self._steps),
            "n_model_calls": self._step or 0, "n_tool_calls": self._n_tool_calls, "cost_source": source,
            "n_tool_errors": self._n_tool_errors, **tokens(usage), **more,
        }  # fmt: skip
        writes: list[Write] = [Update("runs", {"run_id": self.info.run_id}, row)]
        if self.info.thread_id is not None:
            sums = {**tokens(usage), "n_steps": len(self._steps), "cost_usd": cost}
            told = {"updated_at": ts} | ({"last_error": more["error_message"]} if status == "failed" else {})
            writes.append(Update("threads", {"thread_id": self.info.thread_id}, told, sums))
        return writes


_RUN_COLUMNS = (
    "run_id", "thread_id", "agent", "provider", "model", "notebook", "cell_id", "execution_count", "parent_run_id",
    "tape",
)  # fmt: skip


def thread_row(thread_id: str, title: str, *, agent: str | None, notebook: str | None) -> dict[str, Any]:
    """Return the row of a new thread; its sums start at 0."""
    now = time.time_ns()
    return {
        "thread_id": thread_id, "title": title, "agent": agent, "notebook": notebook, "status": "open",
        "created_at": now, "updated_at": now, "n_runs": 0, "n_messages": 0, "n_steps": 0, "cost_usd": 0.0,
        "metadata_json": "{}", **tokens(TokenUsage()),
    }  # fmt: skip


def next_idx(store: Store, thread_id: str) -> int:
    """Return the position behind the last message of a thread."""
    where = [("thread_id", "=", thread_id)]
    for (idx,) in store.select("messages", ["idx"], where=where, order=["-idx"], limit=1):
        return int(idx) + 1
    return 0
