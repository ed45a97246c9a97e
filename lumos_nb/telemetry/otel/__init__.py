"""Traces and metrics for OpenTelemetry: to a collector as runs end, or as a file.

One idea: an export is a reader of the database like any other. Turn it on with the setting `otlp` or the standard
variable OTEL_EXPORTER_OTLP_ENDPOINT; a collector that is slow, refuses or is not there costs a run nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lumos_nb.telemetry.otel.as_json import otlp_json
    from lumos_nb.telemetry.otel.content import content_of
    from lumos_nb.telemetry.otel.export import ExportStats
    from lumos_nb.telemetry.otel.sending import flush, send, stats

__all__ = ["ExportStats", "content_of", "flush", "otlp_json", "send", "stats"]

_HOMES = {"ExportStats": "export", "content_of": "content", "otlp_json": "as_json", "flush": "sending",
          "send": "sending", "stats": "sending"}  # fmt: skip


def __getattr__(name: str) -> Any:
    # On use: `semconv`, which the metrics need, must not bring in what reads the metrics.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
