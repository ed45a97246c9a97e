"""A `Span` of ours as OpenTelemetry wants it: name, kind, attributes, status. Pure, and without any library.

One idea: what leaves is decided here alone. Prompts, arguments and results leave only where they were asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from lumos_nb._version import __version__
from lumos_nb.events import TokenUsage
from lumos_nb.messages import valid_text
from lumos_nb.telemetry import semconv
from lumos_nb.telemetry.metrics.points import error_type, provider_name
from lumos_nb.telemetry.spans import Span
from lumos_nb.traceparent import span_id, trace_id

Attributes = dict[str, str | int | float | bool | tuple[str, ...]]
_DESCRIPTION_CHARS = 1_000
_FAILED = frozenset({"error", "cancelled"})
_SAID = ("attempt", "n_chunks", "decision", "decided_by", "queue_s", "side_effect", "tape", "cost_source", "n_retries")
"""What else a span says of itself and holds no content, as `lumos.…`."""
_USUAL = {"attempt": 1, "n_retries": 0, "tape": "live"}
"""What need not be said."""


class OtelSpan(msgspec.Struct, frozen=True, kw_only=True):
    """A span as OpenTelemetry has it."""

    trace_id: str
    span_id: str
    parent_span_id: str | None
    name: str
    #: CLIENT or INTERNAL.
    kind: str
    start_ns: int
    end_ns: int
    attributes: Attributes
    is_error: bool
    description: str


def otel_spans(
    spans: Iterable[Span],
    content: Mapping[str, Attributes] | None = None,
    addresses: Mapping[tuple[str, int | None], str] | None = None,
) -> list[OtelSpan]:
    """Return spans by the conventions of `semconv`.

    Args:
        spans: Spans of whole runs: a run's totals are the sums of its model calls.
        content: Prompts, answers, arguments and results, by span id; see `content.content_of`. None: none.
        addresses: Where each model call was sent, by run and step.

    Example:
        >>> span = Span(trace_id="a" * 32, span_id="b" * 16, parent_span_id=None, op="execute_tool",
        ...             name="execute_tool rows", start_ns=1, end_ns=2, status="ok", run_id="r", tool="rows")
        >>> otel_spans([span])[0].name, otel_spans([span])[0].attributes["gen_ai.tool.name"]
        ('execute_tool rows', 'rows')
    """
    spans = list(spans)
    totals: dict[str, TokenUsage] = {}
    for span in spans:
        if span.op == "chat" and span.usage is not None:
            totals[span.run_id] = totals.get(span.run_id, TokenUsage()) + span.usage
    return [_converted(span, totals, content or {}, addresses or {}) for span in spans]


def _converted(
    span: Span,
    totals: Mapping[str, TokenUsage],
    content: Mapping[str, Attributes],
    addresses: Mapping[tuple[str, int | None], str],
) -> OtelSpan:
    attributes = {**_attributes(span, totals), **_server(addresses.get((span.run_id, span.step)), span)}
    attributes |= content.get(span.span_id, {})
    is_error = span.status in _FAILED
    return OtelSpan(
        trace_id=trace_id(span.trace_id), span_id=_span_id(span.span_id),
        parent_span_id=_span_id(span.parent_span_id) if span.parent_span_id else None,
        name=_name(span, attributes), kind=_kind(span), start_ns=max(0, span.start_ns),
        end_ns=max(0, span.start_ns, span.end_ns or 0), attributes=_clean(attributes), is_error=is_error,
        description=valid_text(span.error_message or span.status)[:_DESCRIPTION_CHARS] if is_error else "",
    )  # fmt: skip


def _name(span: Span, attributes: Mapping[str, Any]) -> str:
    if span.op not in semconv.KINDS:
        return f"lumos.{span.op}"
    return valid_text(f"{span.op} {attributes.get(semconv.NAME_FROM[span.op]) or ''}".rstrip())


def _kind(span: Span) -> str:
    if span.op == "chat" and span.provider in semconv.IN_PROCESS:
        return semconv.INTERNAL
    return semconv.KINDS.get(span.op, semconv.INTERNAL)


def _attributes(span: Span, totals: Mapping[str, TokenUsage]) -> dict[str, Any]:
    shared = {
        "gen_ai.conversation.id": span.thread_id,
        "gen_ai.agent.name": span.agent,
        "lumos.run_id": span.run_id,
        "lumos.step": span.step,
        "lumos.status": span.status if span.status != "ok" else None,
        **{f"lumos.{name}": value for name in _SAID if (value := span.attributes.get(name)) != _USUAL.get(name)},
        **error_type(span),
    }
    match span.op:
        case "chat":
            return {**shared, **_of_chat(span)}
        case "invoke_agent":
            return {**shared, **_of_run(span, totals.get(span.run_id, TokenUsage()))}
        case "execute_tool":
            return {**shared, "gen_ai.operation.name": span.op, **_of_tool(span), "gen_ai.tool.type": "function"}
        case "approval":  # not under the tool's own names: nobody must count it as a call
            return {**shared, "lumos.tool.name": span.tool, "lumos.tool.call.id": span.tool_call_id}
    return shared


def _of_chat(span: Span) -> dict[str, Any]:
    reason = span.attributes.get("stop_reason")
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": provider_name(span.provider),
        "gen_ai.request.model": span.model,
        "gen_ai.request.stream": True,
        "gen_ai.response.model": span.model if span.usage is not None else None,
        "gen_ai.response.finish_reasons": (semconv.FINISH_REASONS.get(reason, reason),) if reason else None,
        "gen_ai.response.time_to_first_chunk": span.ttft_s,
        "lumos.cost.usd": span.cost_usd,
        **(_usage(span.usage) if span.usage is not None else {}),
    }


def _usage(usage: TokenUsage) -> dict[str, int]:
    found = {field: getattr(usage, field) for field in semconv.USAGE}
    return {semconv.USAGE[field]: n for field, n in found.items() if n or field in semconv.ALWAYS}


def _of_run(span: Span, total: TokenUsage) -> dict[str, Any]:
    return {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.provider.name": provider_name(span.provider),
        "gen_ai.request.model": span.model,
        # Under another name: whoever adds up all spans must not count a token twice.
        "lumos.aggregated_usage.input_tokens": total.input_tokens,
        "lumos.aggregated_usage.output_tokens": total.output_tokens,
        "lumos.stop_reason": span.attributes.get("stop_reason"),
    }


def _of_tool(span: Span) -> dict[str, Any]:
    return {"gen_ai.tool.name": span.tool or "unknown", "gen_ai.tool.call.id": span.tool_call_id}


def _server(url: str | None, span: Span) -> dict[str, Any]:
    if not url or span.op != "chat":
        return {}
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return {}
    return {"server.address": parts.hostname, "server.port": port}


def _clean(attributes: Mapping[str, Any]) -> Attributes:
    return {name: valid_text(v) if isinstance(v, str) else v for name, v in attributes.items() if v is not None}


def _span_id(id: str) -> str:
    """Return an id that is one: a store may hold others, of imports."""
    is_one = len(id) == 16 and all(c in "0123456789abcdef" for c in id)
    return id if is_one else span_id(id)


def resource_attributes(service: str = "") -> Attributes:
    """Return what the spans of this process share.

    Example:
        >>> resource_attributes("reports")["service.name"]
        'reports'
    """
    return {
        "service.name": service or "lumos_nb",
        "telemetry.sdk.language": "python",
        "telemetry.distro.name": "lumos_nb",
        "telemetry.distro.version": __version__,
    }
