"""What was recorded, read back: traces now, metrics and OpenTelemetry later. Readers only."""

from __future__ import annotations

from lumos_nb.telemetry.trace import ExecutionTrace, TraceStep, TraceTool, Traces, load_trace, load_traces
from lumos_nb.telemetry.waterfall import Waterfall, waterfall

__all__ = [
    "ExecutionTrace",
    "TraceStep",
    "TraceTool",
    "Traces",
    "Waterfall",
    "load_trace",
    "load_traces",
    "waterfall",
]
