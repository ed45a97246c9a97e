"""What was recorded, read back: traces, metrics, OpenTelemetry, diagnosis. Readers only."""

from __future__ import annotations

from lumos_nb.telemetry.collector import MetricsCollector
from lumos_nb.telemetry.diff import TraceDiff, diff_traces
from lumos_nb.telemetry.figures import AgentMetrics
from lumos_nb.telemetry.trace import ExecutionTrace, Traces, TraceStep, TraceTool, load_trace, load_traces
from lumos_nb.telemetry.waterfall import Waterfall, waterfall

__all__ = [
    "AgentMetrics",
    "ExecutionTrace",
    "MetricsCollector",
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
