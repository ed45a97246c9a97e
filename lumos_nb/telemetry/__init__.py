"""What was recorded, read back: traces now, metrics and OpenTelemetry later. Readers only."""

from __future__ import annotations

from lumos_nb.telemetry.diff import TraceDiff, diff_traces
from lumos_nb.telemetry.trace import ExecutionTrace, Traces, TraceStep, TraceTool, load_trace, load_traces
from lumos_nb.telemetry.waterfall import Waterfall, waterfall

__all__ = [
    "ExecutionTrace",
    "TraceDiff",
    "TraceStep",
    "TraceTool",
    "Traces",
    "Waterfall",
    "diff_traces",
    "load_trace",
    "load_traces",
    "waterfall",
]
