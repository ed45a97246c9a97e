"""OpenTelemetry's own library at work: our spans and metric points go over the wire with it.

One idea: this is the only module that imports it, and it is loaded by the thread that sends.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, detach, set_value
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import Counter, Histogram
from opentelemetry.sdk.metrics import AlwaysOffExemplarFilter, MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricExportResult
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.sdk.version import __version__ as sdk_version
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from lumos_nb._version import __version__
from lumos_nb.telemetry import semconv
from lumos_nb.telemetry.metrics.points import MetricPoint
from lumos_nb.telemetry.otel.spans import OtelSpan, resource_attributes

_SPANS_AT_ONCE = 512
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_OTLP_LOGGER = "opentelemetry.exporter.otlp"
# For good: what nobody handles, Python prints on stderr, and that is a cell's output.
logging.getLogger(_OTLP_LOGGER).addHandler(logging.NullHandler())


_TAKES_NONE = re.compile(r"metrics batch code: (404|405|501)")
"""What the library says where a collector takes traces and no metrics, as Phoenix does: it is not asked again."""


class Wire:
    """Sends spans and metrics to one collector. Used by one thread.

    Args:
        endpoint: The collector's address without a path; empty: the standard environment variables.
        timeout_s: Seconds that one request may take, tries again included; None: OTEL_EXPORTER_OTLP_TIMEOUT, or 10.
    """

    def __init__(self, endpoint: str, timeout_s: float | None = None) -> None:
        self.heard = _Heard()
        logging.getLogger(_OTLP_LOGGER).addHandler(self.heard)
        self._resource = _resource()
        self._scope = InstrumentationScope(semconv.SCOPE, __version__, semconv.SCHEMA_URL)
        base = endpoint.rstrip("/").removesuffix("/v1/traces")
        given: dict[str, Any] = {} if timeout_s is None else {"timeout": timeout_s}
        traces, metrics = (f"{base}/v1/{kind}" if base else None for kind in ("traces", "metrics"))
        self._traces = OTLPSpanExporter(endpoint=traces, **given) if _is_wanted("TRACES") else None
        self._metrics = OTLPMetricExporter(endpoint=metrics, **given) if _is_wanted("METRICS") else None
        self._series = _Series(self._resource, self._metrics) if self._metrics is not None else None

    def send_spans(self, spans: Sequence[OtelSpan]) -> int:
        """Send spans; return how many did not arrive."""
        lost = 0
        for at in range(0, len(spans) if self._traces is not None else 0, _SPANS_AT_ONCE):
            portion = [self._readable(span) for span in spans[at : at + _SPANS_AT_ONCE]]
            assert self._traces is not None
            with _unseen():
                if self._traces.export(portion) is not SpanExportResult.SUCCESS:
                    lost += len(portion)
        return lost

    def count(self, points: Iterable[MetricPoint]) -> None:
        """Take points into the sums that `send_metrics` sends."""
        if self._series is not None:
            self._series.add(points)

    def send_metrics(self) -> bool:
        """Send all sums so far; return whether they arrived. A collector that takes none is not asked again."""
        if self._series is None or self._metrics is None or (data := self._series.collected()) is None:
            return True
        with _unseen():
            has_arrived = self._metrics.export(data) is MetricExportResult.SUCCESS
        if not has_arrived and _TAKES_NONE.search(self.heard.last):
            self._metrics = None
        return has_arrived

    def close(self) -> None:
        """Give up what is tried again and close the connections."""
        for exporter in (self._traces, self._metrics):
            if exporter is not None:
                exporter.shutdown()
        logging.getLogger(_OTLP_LOGGER).removeHandler(self.heard)

    def _readable(self, span: OtelSpan) -> ReadableSpan:
        trace = int(span.trace_id, 16)
        parent = None if span.parent_span_id is None else SpanContext(trace, int(span.parent_span_id, 16), False)
        status = Status(StatusCode.ERROR, span.description) if span.is_error else Status(StatusCode.UNSET)
        return ReadableSpan(
            name=span.name, context=SpanContext(trace, int(span.span_id, 16), False, _SAMPLED), parent=parent,
            resource=self._resource, attributes=span.attributes, kind=SpanKind[span.kind], status=status,
            start_time=span.start_ns, end_time=span.end_ns, instrumentation_scope=self._scope,
        )  # fmt: skip


class _Series:
    """The sums of all points since the process began, in OpenTelemetry's instruments."""

    def __init__(self, resource: Resource, exporter: OTLPMetricExporter) -> None:
        self._reader = InMemoryMetricReader(exporter._preferred_temporality, exporter._preferred_aggregation)
        # No hook at exit of its own: it would wait for a collector that does not answer.
        # No exemplars: this thread is in nobody's span.
        provider = MeterProvider(
            [self._reader], resource, exemplar_filter=AlwaysOffExemplarFilter(), shutdown_on_exit=False
        )
        self._meter = provider.get_meter(semconv.SCOPE, __version__, semconv.SCHEMA_URL)
        self._instruments: dict[str, Counter | Histogram] = {}

    def add(self, points: Iterable[MetricPoint]) -> None:
        for point in points:
            instrument = self._instruments.get(point.name) or self._made(point.name)
            if isinstance(instrument, Histogram):
                instrument.record(point.value, point.labels)
            else:
                instrument.add(point.value, point.labels)

    def collected(self) -> Any:
        return self._reader.get_metrics_data()

    def _made(self, name: str) -> Counter | Histogram:
        kind, unit, description = semconv.METRICS[name]
        made: Counter | Histogram
        if kind == "histogram":
            buckets = semconv.BUCKETS[name]
            made = self._meter.create_histogram(name, unit, description, explicit_bucket_boundaries_advisory=buckets)
        else:
            made = self._meter.create_counter(name, unit, description)
        self._instruments[name] = made
        return made


class _Heard(logging.Handler):
    """Keeps the last complaint of the library."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.last, self._cause = "", ""

    def emit(self, record: logging.LogRecord) -> None:
        said = record.getMessage()[:500]
        if record.levelno < logging.ERROR:  # why it tries again; that it gave up is said later, without the reason
            self._cause = said
        elif said.startswith("Failed to export") and "code:" not in said:
            self.last = f"{said} {self._cause}".rstrip()
        else:
            self.last = said


@contextmanager
def _unseen() -> Iterator[None]:
    """Keep a program's own instrumentation from tracing what sends traces."""
    token = attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))
    try:
        yield
    finally:
        detach(token)


def _resource() -> Resource:
    """Return what all spans share. What OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME say stands above ours.

    `Resource.create` would ask its detectors in a pool of threads, which there is none of at the end of a program.
    """
    ours = {**resource_attributes(), "telemetry.sdk.name": "opentelemetry", "telemetry.sdk.version": sdk_version}
    return Resource(ours).merge(OTELResourceDetector().detect())


def _is_wanted(signal: str) -> bool:
    return os.environ.get(f"OTEL_{signal}_EXPORTER", "otlp").strip().lower() != "none"
