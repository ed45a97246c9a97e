"""A collector on loopback that is not ours in what it understands: OpenTelemetry's own messages decode the bytes."""

from __future__ import annotations

import contextlib
import gzip
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Collector:
    """Takes what is sent; or is slow, or refuses.

    Args:
        status: What it answers.
        delay_s: Seconds before it answers.
    """

    def __init__(self, status: int = 200, delay_s: float = 0.0) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.status, self.delay_s = status, delay_s
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                collector.requests.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                time.sleep(collector.delay_s)
                self.send_response(collector.status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

            def handle(self):
                with contextlib.suppress(ConnectionError):
                    super().handle()

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def __enter__(self) -> Collector:
        return self

    def __exit__(self, *_) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _decoded(self, path: str, kind):
        return [kind.FromString(_plain(h, body)) for p, h, body in list(self.requests) if p == path]

    @property
    def spans(self) -> list:
        asked = self._decoded("/v1/traces", ExportTraceServiceRequest)
        return [s for r in asked for rs in r.resource_spans for ss in rs.scope_spans for s in ss.spans]

    @property
    def metrics(self) -> dict:
        """The last of each metric, by name."""
        asked = self._decoded("/v1/metrics", ExportMetricsServiceRequest)
        return {m.name: m for r in asked for rm in r.resource_metrics for sm in rm.scope_metrics for m in sm.metrics}

    @property
    def resource(self) -> dict:
        return values(self._decoded("/v1/traces", ExportTraceServiceRequest)[0].resource_spans[0].resource.attributes)


def values(attributes) -> dict:
    """Return attributes as plain values."""
    return {a.key: _value(a.value) for a in attributes}


def _value(value):
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return tuple(_value(each) for each in value.array_value.values)
    return getattr(value, kind)


def _plain(headers: dict[str, str], body: bytes) -> bytes:
    return gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
