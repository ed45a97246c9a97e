"""A recorded run, read for a diagnosis.

One idea: rows and events are taken as they are. What cannot be understood, such as an event of a
later version, is left out; it never keeps the rest from being read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from lumos_nb import clock
from lumos_nb.memory.reopening import runs_elsewhere, this_process
from lumos_nb.stores import Store
from lumos_nb.stores.base import Condition
from lumos_nb.stores.reading import Row, read_rows
from lumos_nb.telemetry.spans import Span, read_spans
from lumos_nb.traceparent import span_id

_EVENTS = ("run_start", "error", "metadata", "user_message")
_TRACEBACKS = 20


class Note(msgspec.Struct, frozen=True):
    """A metadata event: a retry, a fallback, a pause."""

    kind: str
    data: dict[str, Any]
    step: int | None
    ts_ns: int


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a run."""

    run: Row
    steps: tuple[Row, ...]
    calls: tuple[Row, ...]
    notes: tuple[Note, ...]
    spans: tuple[Span, ...]
    #: What happened and what to do, as the error said it; the row has both in one text.
    error_message: str
    error_hint: str
    #: Names of the tools that it had; None where that was not recorded.
    tools: tuple[str, ...] | None
    #: Steps that a person's message came before: another answer after them was asked for by the person.
    said_at: tuple[int, ...]
    #: Tracebacks of failed calls, last line first, by step and id.
    tracebacks: dict[tuple[int, str], str]
    #: Runs within it that failed, by the id of the tool call that began them.
    failed_within: dict[str, str]
    #: Address of its last request, without keys; empty where that was not kept.
    url: str
    #: When anything was last heard of it, in nanoseconds since 1970.
    last_at_ns: int
    #: Where it is: here, elsewhere, gone, unrecorded (its process is this one, and it does not run), away or over.
    place: str

    @property
    def error_type(self) -> str:
        """Type name of what ended it; empty if nothing did."""
        return self.run["error_type"] or ""

    @property
    def duration_s(self) -> float:
        """How long it took, or goes on, or how long anything was heard of it. A clock that was put back gives 0."""
        if self.run["duration_s"] is not None:
            return max(0.0, float(self.run["duration_s"]))
        return self.heard_s if self.place not in {"here", "elsewhere"} else self._since_start_s(clock.time_ns())

    @property
    def heard_s(self) -> float:
        """When the last was heard of it, in seconds after its start."""
        return self._since_start_s(self.last_at_ns)

    def _since_start_s(self, ns: int) -> float:
        return max(0.0, (ns - (self.run["started_at"] or 0)) / 1e9)

    @property
    def tool_spans(self) -> list[Span]:
        """Tool calls that are over."""
        return [s for s in self.spans if s.op == "execute_tool" and s.end_ns is not None]

    @property
    def last_step(self) -> int | None:
        """The step that it came to, whether that was answered or not."""
        found = [s.step for s in self.spans if s.step is not None]
        return max(found, default=None)


def read_case(store: Store, run_id: str) -> Case:
    """Return what is known of a run.

    Raises:
        StoreError: The database cannot be read.
    """
    where: list[Condition] = [("run_id", "=", run_id)]
    run = next(read_rows(store, "runs", where=where))
    events = list(_events(store, where))
    failed = next((e for kind, e, _, _ in reversed(events) if kind == "error"), None)
    error = (failed or {}).get("error") or {}
    start = next((e for kind, e, _, _ in events if kind == "run_start"), None)
    last = next(store.select("events", ["ts"], where=where, order=["-run_seq"], limit=1), (run["started_at"],))
    is_over = run["status"] in {"failed", "cancelled"}
    calls = tuple(read_rows(store, "tool_calls", where=where, order=["started_at", "tool_call_id"]))
    return Case(
        run=run,
        steps=tuple(read_rows(store, "steps", where=where, order=["step"])),
        calls=calls,
        notes=tuple(Note(str(e.get("kind") or ""), e, step, ts) for kind, e, step, ts in events if kind == "metadata"),
        spans=tuple(read_spans(store, where)),
        error_message=str(error.get("message") or run["error_message"] or "") if is_over else "",
        error_hint=str(error.get("hint") or "") if is_over else "",
        tools=None if start is None or "tools" not in start else tuple(start["tools"]),
        said_at=tuple(step or 0 for kind, _, step, _ in events if kind == "user_message"),
        tracebacks=_tracebacks(store, where),
        failed_within=_failed_within(store, run_id, calls),
        url=next(store.select("exchanges", ["url"], where=where, order=["-n"], limit=1), ("",))[0] or "",
        last_at_ns=last[0] or 0,
        place=_place(run),
    )


def _events(store: Store, where: Sequence[Condition]) -> Any:
    """Yield kind, content, step and time of the events that say why; one that is no JSON object is left out."""
    wanted = [*where, ("kind", "in", list(_EVENTS))]
    columns = ["kind", "payload_json", "step", "ts"]
    for kind, payload, step, ts in store.select("events", columns, where=wanted, order=["run_seq"]):
        try:
            content = msgspec.json.decode(payload or "{}")
        except msgspec.DecodeError:
            continue
        if kind == "metadata" and isinstance(content, dict):
            content = content.get("data")
        if isinstance(content, dict):
            yield kind, content, step, ts


def _tracebacks(store: Store, where: Sequence[Condition]) -> dict[tuple[int, str], str]:
    failed = [*where, ("status", "=", "error")]
    columns = ["step", "tool_call_id", "result_json"]
    found = {}
    for step, call_id, result in store.select("tool_calls", columns, where=failed, limit=_TRACEBACKS):
        try:
            content = msgspec.json.decode(result or "{}")
        except msgspec.DecodeError:
            continue
        if isinstance(content, dict) and isinstance(content.get("traceback"), str):
            found[(step, call_id)] = content["traceback"]
    return found


def _failed_within(store: Store, run_id: str, calls: Sequence[Row]) -> dict[str, str]:
    where = [("parent_run_id", "=", run_id), ("status", "=", "failed")]
    failed = {span: run for span, run in store.select("runs", ["parent_span_id", "run_id"], where=where) if span}
    ids = {call["tool_call_id"]: span_id(run_id, call["tool_call_id"]) for call in calls} if failed else {}
    return {call_id: failed[span] for call_id, span in ids.items() if span in failed}


def _place(run: Row) -> str:
    from lumos_nb.agent.run import is_running

    if run["status"] in {"completed", "failed", "cancelled"}:
        return "over"
    process = run["process"] or ""
    if is_running(run["run_id"]):
        return "here"
    if runs_elsewhere(process):
        return "elsewhere"
    if process == this_process():
        return "unrecorded"
    host = process.partition("@")[2].partition("#")[0]
    return "away" if host and host != this_process().partition("@")[2].partition("#")[0] else "gone"
