"""`ExecutionTrace`: one recorded run, step by step, with all that ran within it.

One idea: a trace is read from the tables, so it is the same an hour or a restart later. What is
large (spans, requests, answers) is read when it is asked for.
"""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any

import msgspec

from lumos_nb.errors import UsageError, nearest
from lumos_nb.events import TokenUsage
from lumos_nb.hiding.known import masked
from lumos_nb.memory.exchanges import SavedExchange, read_exchanges
from lumos_nb.stores import Store, default_store
from lumos_nb.telemetry.spans import Span, trace_spans
from lumos_nb.telemetry.texts import read_results
from lumos_nb.telemetry.traces import steps as _steps
from lumos_nb.telemetry.traces.raw import RawRequest, RawResponse, request_of, response_of
from lumos_nb.telemetry.traces.steps import TraceStep, TraceTool
from lumos_nb.telemetry.traces.which import find_runs
from lumos_nb.telemetry.waterfall.inspect import Inspector
from lumos_nb.telemetry.waterfall.tree import error_text
from lumos_nb.telemetry.waterfall.waterfall import Waterfall

__all__ = ["ExecutionTrace", "TraceStep", "TraceTool", "Traces", "load_trace", "load_traces"]

TRACE_VERSION = 1
"""Version of `ExecutionTrace.to_dict` and of what `%trace export` writes. Additions keep it."""

DRAWN_SPANS = 1000
"""Of more spans a notebook keeps the page alone, in which many are folded into one row."""

TRACE_MIME = "application/vnd.lumos.trace+json"
"""`{"v": 1, "spans": […], "pieces": {…}}`, or several in `"traces"`: the output of `%trace` as data."""

_WORK = {"invoke_agent", "chat", "execute_tool"}


class ExecutionTrace(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One run: who, what, how it ended, and its steps.

    Shown as a waterfall in a notebook and as a tree of text elsewhere.
    """

    run_id: str
    trace_id: str | None
    thread_id: str | None
    agent: str | None
    model: str
    status: str
    #: First 200 characters, as those of `output`.
    prompt: str | None
    output: str | None
    usage: TokenUsage
    cost_usd: float | None = None
    #: Nanoseconds since 1970, UTC.
    started_at: int | None = None
    duration_s: float | None = None
    #: Without waiting for people, rate limits and retries.
    working_s: float | None = None
    ttft_s: float | None = None
    stop_reason: str | None = None
    error: str | None = None
    parent_run_id: str | None = None
    #: Names what the agent was: instructions, tools, options.
    config_hash: str | None = None
    steps: tuple[TraceStep, ...] = ()

    @property
    def store(self) -> Store:
        """Where it was read from."""
        return self.__dict__.get("_store") or default_store()

    @cached_property
    def spans(self) -> list[Span]:
        """The spans of the run and of all runs within it, parents before children."""
        return trace_spans(self.store, self.run_id)

    @property
    def errors(self) -> tuple[str, ...]:
        """What failed, in the run and in all that ran within it, in order of time."""
        failed = [span for span in self.spans if span.status == "error" and error_text(span)]
        return tuple(dict.fromkeys([*map(error_text, failed), *([self.error] if self.error and not failed else [])]))

    @property
    def waits(self) -> list[Span]:
        """What it waited for: a person, another try, a rate limit, the end of a pause."""
        return [span for span in self.spans if span.op not in _WORK]

    @cached_property
    def runs(self) -> list[ExecutionTrace]:
        """The runs that its tools began."""
        where = [("parent_run_id", "=", self.run_id)]
        found = self.store.select("runs", ["run_id"], where=where, order=["started_at", "run_id"])
        return [_load(self.store, run) for (run,) in found if run != self.run_id]

    def waterfall(self) -> Waterfall:
        """Return the run on an axis of time; every bar opens to what was sent and what came back."""
        return Waterfall(self.spans, Inspector(self.store))

    def request(self, step: int, attempt: int = -1) -> RawRequest:
        """Return what a model was sent in a step, whole and without keys.

        Args:
            step: From 1.
            attempt: Of a step that was tried again, which try: from 1, or from the last backwards (-1).

        Raises:
            UsageError: Nothing was kept of it.
        """
        return request_of(self._exchange(step, attempt))

    def response(self, step: int, attempt: int = -1) -> RawResponse:
        """Return what a model server answered in a step, byte for byte; see `request`."""
        return response_of(self._exchange(step, attempt))

    def result(self, tool_call_id: str) -> str:
        """Return what the model was told by a tool call, whole.

        Raises:
            UsageError: There is no such call, or it has no result.
        """
        found = read_results(self.store, self.run_id, tool_call_id)
        if found:
            return list(found.values())[-1]
        calls = [call.tool_call_id for step in self.steps for call in step.tool_calls]
        if tool_call_id not in calls:
            raise UsageError(f"The run has no tool call {tool_call_id!r}.", hint=nearest(tool_call_id, calls))
        raise UsageError(f"Tool call {tool_call_id!r} has no result.", hint="It was denied, stopped, or goes on.")

    def to_dict(self) -> dict[str, Any]:
        """Return the trace as plain data, with its spans: `{"v": 1, …}`."""
        spans = [msgspec.to_builtins(span) for span in self.spans]
        return {"v": TRACE_VERSION, **msgspec.to_builtins(self), "spans": spans}

    def to_text(self) -> str:
        """Return the trace as a tree of lines."""
        return Waterfall(self.spans).to_text()

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        waterfall = self.waterfall()
        return waterfall._repr_mimebundle_() | _as_data([(self, waterfall)])

    def _exchange(self, step: int, attempt: int) -> SavedExchange:
        found = read_exchanges(self.store, self.run_id, step)
        if not found:
            raise _nothing_kept(self, step)
        place = attempt - 1 if attempt > 0 else attempt
        if attempt == 0 or not -len(found) <= place < len(found):
            raise UsageError(f"Step {step} has {len(found)} attempts, and no {attempt!r}.", hint="They count from 1.")
        return found[place]


class Traces(list[ExecutionTrace]):
    """Several traces, shown one below the other."""

    def __repr__(self) -> str:
        return "\n\n".join(map(repr, self))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        drawn = [(trace, trace.waterfall()) for trace in self]
        html = '<div style="height:14px"></div>'.join(waterfall.to_html() for _, waterfall in drawn)
        return {"text/plain": repr(self), "text/html": html} | _as_data(drawn)


def _as_data(drawn: list[tuple[ExecutionTrace, Waterfall]]) -> dict[str, Any]:
    """Return traces as JupyterLab's extension draws them, with what their bars open to; nothing of too many spans."""
    if not 0 < sum(len(waterfall.spans) for _, waterfall in drawn) <= DRAWN_SPANS:
        return {}
    found = [
        {
            "run_id": trace.run_id, "agent": trace.agent, "status": trace.status,
            "spans": msgspec.to_builtins(waterfall.spans), "pieces": msgspec.to_builtins(waterfall.pieces),
        }
        for trace, waterfall in drawn
    ]  # fmt: skip
    data = found[0] if len(found) == 1 else {"traces": found}
    return {TRACE_MIME: json.loads(masked(json.dumps({"v": TRACE_VERSION, **data}, ensure_ascii=False)))}


def load_trace(name: str = "last", store: Store | None = None) -> ExecutionTrace:
    """Return the trace of one run.

    Args:
        name: `last`; a run id, or its unique beginning or end; a trace id; a thread, if it has one run.
        store: Where to look; the default database if None.

    Raises:
        UsageError: There is nothing of that name, or it means several runs.

    Example:
        >>> from lumos_nb import Agent; from lumos_nb.testing import ScriptedProvider
        >>> run = Agent("a", model=ScriptedProvider(["Hello."])).generate_sync("Hi").run_id
        >>> [(step.step, step.stop_reason) for step in load_trace(run).steps]
        [(1, 'stop')]
    """
    store = store or default_store()
    found = find_runs(store, name)
    if len(found) > 1:
        raise UsageError(f"{name!r} means {len(found)} runs.", hint="Take load_traces(), or one of their ids.")
    return _load(store, found[0])


def load_traces(name: str = "last", store: Store | None = None) -> Traces:
    """Return the traces of all runs that a word means, oldest first: the last twenty of a thread, all of a trace.

    Raises:
        UsageError: There is nothing of that name.

    Example:
        >>> import tempfile; from lumos_nb.stores import open_store
        >>> load_traces("sales", store=open_store(tempfile.mkdtemp() + "/lumos.db"))
        Traceback (most recent call last):
        lumos_nb.errors.UsageError: There is no run 'sales', and no thread or trace of that name. Run a %%agent cell first. %trace df shows all runs.
    """  # noqa: E501
    store = store or default_store()
    return Traces(_load(store, run) for run in find_runs(store, name))


def _load(store: Store, run_id: str) -> ExecutionTrace:
    row, steps = _steps.read(store, run_id)
    names = (
        "run_id", "trace_id", "thread_id", "agent", "cost_usd", "started_at", "duration_s", "working_s", "ttft_s",
        "stop_reason", "parent_run_id", "config_hash",
    )  # fmt: skip
    trace = ExecutionTrace(
        **{name: row[name] for name in names}, status=row["status"] or "running", prompt=row["prompt_preview"],
        model="/".join(part for part in (row["provider"], row["model"]) if part), output=row["output_preview"],
        usage=_steps.usage(row), error=row["error_message"], steps=steps,
    )  # fmt: skip
    trace.__dict__["_store"] = store
    return trace


def _nothing_kept(trace: ExecutionTrace, step: int) -> UsageError:
    known = [s.step for s in trace.steps]
    if step not in known:
        return UsageError(f"The run has no step {step!r}.", hint=f"It has {len(known)}, counted from 1.")
    return UsageError(
        f"What step {step} sent and received was not kept.",
        hint="The run is of an older version, its model is no server, or `keep_exchanges` was off.",
    )
