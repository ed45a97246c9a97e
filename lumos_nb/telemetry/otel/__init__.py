"""Traces and metrics for OpenTelemetry: to a collector as runs end, or as a file.

One idea: an export is a reader of the database like any other. Turn it on with the setting `otlp` or the standard
variable OTEL_EXPORTER_OTLP_ENDPOINT; a collector that is slow, refuses or is not there costs a run nothing.
"""

from __future__ import annotations

from lumos_nb.telemetry.otel.as_json import otlp_json
from lumos_nb.telemetry.otel.content import content_of
from lumos_nb.telemetry.otel.export import ExportStats
from lumos_nb.telemetry.otel.sending import flush, send, stats

__all__ = ["ExportStats", "content_of", "flush", "otlp_json", "send", "stats"]
