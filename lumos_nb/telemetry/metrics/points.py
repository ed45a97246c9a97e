"""Figures of runs over time.

One idea: a figure is derived from the spans of runs, model calls and tools, never counted beside them: what a
trace shows and what a metric says cannot differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, islice

import msgspec

from lumos_nb.stores import Store
from lumos_nb.stores.base import Condition
from lumos_nb.telemetry.semconv import METRICS, PROVIDERS
from lumos_nb.telemetry.spans import Span, read_spans

_RUNS_AT_ONCE = 250
_NOT_RUN = frozenset({"denied", "waiting", "running"})


class MetricPoint(msgspec.Struct, frozen=True, kw_only=True):
    """One measured value."""

    #: Nanoseconds since 1970, UTC.
    ts_ns: int
    #: Such as `gen_ai.client.operation.duration`.
    name: str
    #: counter, gauge or histogram.
    kind: str
    value: float
    #: `s`, `{token}`, `{call}`, `USD`.
    unit: str
    run_id: str
    thread_id: str | None = None
    #: Of few distinct values: agent, provider, model, tool, token type, status, error type.
    labels: dict[str, str] = {}


def metric_points(store: Store, where: Sequence[Condition] = ()) -> Iterator[MetricPoint]:
    """Yield the points of the runs that `where` (conditions on the table `runs`) selects, oldest run first.

    A model call gives its duration, time to first token, tokens and cost, a tool call and a run its duration, and
    each an error where it failed. Labels are OpenTelemetry's attributes; ids are no labels, for each would be a
    series of its own.

    Example:
        >>> from lumos_nb import Agent; from lumos_nb.stores import default_store
        >>> from lumos_nb.testing import ScriptedProvider
        >>> run = Agent(name="analyst", model=ScriptedProvider(["Hello."])).generate_sync("Hi")
        >>> points = list(metric_points(default_store(), [("run_id", "=", run.run_id)]))
        >>> next(p.labels["gen_ai.agent.name"] for p in points if p.name == "gen_ai.invoke_agent.duration")
        'analyst'
    """
    runs = groupby(read_spans(store, where), key=lambda span: span.run_id)
    while portion := [span for _, spans in islice(runs, _RUNS_AT_ONCE) for span in spans]:
        yield from points_of(portion)
        yield from memory_points(store, {s.run_id: s.agent for s in portion})


def points_of(spans: Sequence[Span]) -> Iterator[MetricPoint]:
    """Yield the points of spans; see `metric_points`. What has not ended has no point yet."""
    for span in spans:
        if span.end_ns is None or span.status in _NOT_RUN:
            continue
        match span.op:
            case "chat":
                yield from _of_model_call(span)
            case "execute_tool":
                yield from _of_tool_call(span)
            case "invoke_agent":
                yield from _of_run(span)
            case "retry":
                yield _point(span, "lumos.retries", 1, _agent(span))


def memory_points(store: Store, agents: Mapping[str, str | None]) -> Iterator[MetricPoint]:
    """Yield what runs read from their threads and added to them, from their events.

    Args:
        store: Where they are recorded.
        agents: The name of each run's agent, by the run's id.
    """
    where: list[Condition] = [("run_id", "in", list(agents)), ("kind", "=", "memory_update")]
    columns = ["ts", "run_id", "thread_id", "payload_json"]
    for ts, run_id, thread_id, payload in store.select("events", columns, where=where, order=["ts"]):
        said, agent = _decoded(payload), agents[run_id]
        labels = {"lumos.memory.action": said.action} | ({"gen_ai.agent.name": agent} if agent else {})
        for name, value in (("lumos.memory.operations", 1), ("lumos.memory.messages", said.n_messages)):
            yield _labelled(ts, name, value, run_id, thread_id, labels)


class _MemoryUpdate(msgspec.Struct):
    action: str = "unknown"
    n_messages: int = 0


def _decoded(payload: str | None) -> _MemoryUpdate:
    try:
        return msgspec.json.decode(payload or "{}", type=_MemoryUpdate)
    except msgspec.MsgspecError:  # of another version
        return _MemoryUpdate()


def _of_model_call(span: Span) -> Iterator[MetricPoint]:
    labels = _of_model(span, "chat")
    yield _point(span, "gen_ai.client.operation.duration", span.duration_s or 0.0, labels | error_type(span))
    if span.ttft_s is not None:
        yield _point(span, "gen_ai.client.operation.time_to_first_chunk", span.ttft_s, labels)
    if span.usage is None:
        return
    for kind, tokens in (("input", span.usage.input_tokens), ("output", span.usage.output_tokens)):
        yield _point(span, "gen_ai.client.token.usage", tokens, labels | {"gen_ai.token.type": kind})
    if span.cost_usd is None:
        yield _point(span, "lumos.unpriced_calls", 1, labels)
    else:
        yield _point(span, "lumos.cost", span.cost_usd, labels)


def _of_tool_call(span: Span) -> Iterator[MetricPoint]:
    labels = {"gen_ai.tool.name": span.tool or "", "gen_ai.tool.type": "function", **_agent(span)}
    yield _point(span, "gen_ai.execute_tool.duration", span.duration_s or 0.0, labels | error_type(span))
    if span.status == "error":
        yield _point(span, "lumos.errors", 1, labels | {"gen_ai.operation.name": span.op} | error_type(span))


def _of_run(span: Span) -> Iterator[MetricPoint]:
    labels = _of_model(span, "invoke_agent")
    yield _point(span, "gen_ai.invoke_agent.duration", span.duration_s or 0.0, labels | error_type(span))
    yield _point(span, "lumos.runs", 1, labels | {"lumos.status": span.status})
    if span.status == "error":
        yield _point(span, "lumos.errors", 1, labels | error_type(span))


def error_type(span: Span) -> dict[str, str]:
    """Return the attribute that says why a span failed; empty where it did not.

    Example:
        >>> error_type(Span(trace_id="", span_id="", parent_span_id=None, op="chat", name="chat", start_ns=0,
        ...                 end_ns=1, status="cancelled", run_id="r"))
        {'error.type': 'cancelled'}
    """
    if span.status in {"error", "cancelled"}:
        return {"error.type": (span.error_type or span.status) if span.status == "error" else span.status}
    return {}


def provider_name(vendor: str | None) -> str:
    """Return what OpenTelemetry calls a vendor.

    Example:
        >>> provider_name("google"), provider_name("openai"), provider_name(None)
        ('gcp.gemini', 'openai', 'unknown')
    """
    return PROVIDERS.get(vendor, vendor) if vendor else "unknown"


def _of_model(span: Span, op: str) -> dict[str, str]:
    labels = {"gen_ai.operation.name": op, "gen_ai.provider.name": provider_name(span.provider)}
    return labels | ({"gen_ai.request.model": span.model} if span.model else {}) | _agent(span)


def _agent(span: Span) -> dict[str, str]:
    return {"gen_ai.agent.name": span.agent} if span.agent else {}


def _point(span: Span, name: str, value: float, labels: dict[str, str]) -> MetricPoint:
    return _labelled(span.end_ns or span.start_ns, name, value, span.run_id, span.thread_id, labels)


def _labelled(
    ts_ns: int, name: str, value: float, run_id: str, thread_id: str | None, labels: dict[str, str]
) -> MetricPoint:
    kind, unit, _ = METRICS[name]
    return MetricPoint(
        ts_ns=ts_ns, name=name, kind=kind, value=value, unit=unit, run_id=run_id, thread_id=thread_id, labels=labels
    )
