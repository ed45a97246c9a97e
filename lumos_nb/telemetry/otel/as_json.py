"""Spans as OTLP/JSON, which collectors and other tools read from a file. No library is needed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from lumos_nb._version import __version__
from lumos_nb.telemetry import semconv
from lumos_nb.telemetry.otel.spans import Attributes, OtelSpan, otel_spans, resource_attributes
from lumos_nb.telemetry.spans import Span

_KINDS = {semconv.INTERNAL: 1, semconv.CLIENT: 3}
_OK, _ERROR = {"code": 0}, 2


def otlp_json(spans: Iterable[Span], content: Mapping[str, Attributes] | None = None) -> dict[str, Any]:
    """Return spans as one `ExportTraceServiceRequest`, ready for `json.dumps`.

    Args:
        spans: Spans of whole runs, as `read_spans` and `trace_spans` give them.
        content: Prompts, answers, arguments and results; see `content.content_of`. None: none leave.

    Example:
        >>> otlp_json([])["resourceSpans"][0]["scopeSpans"][0]["spans"]
        []
    """
    scope = {"name": semconv.SCOPE, "version": __version__}
    shown = [_span(span) for span in otel_spans(spans, content)]
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": _key_values(resource_attributes())},
                "scopeSpans": [{"scope": scope, "spans": shown, "schemaUrl": semconv.SCHEMA_URL}],
            }
        ]
    }


def _span(span: OtelSpan) -> dict[str, Any]:
    return {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        **({"parentSpanId": span.parent_span_id} if span.parent_span_id else {}),
        "name": span.name,
        "kind": _KINDS[span.kind],
        # 64-bit numbers are texts in protobuf's JSON.
        "startTimeUnixNano": str(span.start_ns),
        "endTimeUnixNano": str(span.end_ns),
        "attributes": _key_values(span.attributes),
        "status": {"code": _ERROR, "message": span.description} if span.is_error else _OK,
    }


def _key_values(attributes: Attributes) -> list[dict[str, Any]]:
    return [{"key": name, "value": _value(value)} for name, value in attributes.items()]


def _value(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value if math.isfinite(value) else str(value)}
        case tuple():
            return {"arrayValue": {"values": [_value(each) for each in value]}}
    return {"stringValue": str(value)}
