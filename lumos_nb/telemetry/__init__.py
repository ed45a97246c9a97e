"""What was recorded, read back: traces, metrics, OpenTelemetry, diagnosis. Readers only."""

from __future__ import annotations

from lumos_nb.telemetry.diagnosis import Diagnosis, Finding, Recording, diagnose, recorded
from lumos_nb.telemetry.diff.diff import TraceDiff, diff_traces
from lumos_nb.telemetry.metrics.collector import MetricsCollector
from lumos_nb.telemetry.metrics.figures import AgentMetrics
from lumos_nb.telemetry.traces.trace import ExecutionTrace, Traces, TraceStep, TraceTool, load_trace, load_traces
from lumos_nb.telemetry.waterfall.waterfall import Waterfall, waterfall

__all__ = [
    "AgentMetrics",
    "Diagnosis",
    "ExecutionTrace",
    "Finding",
    "MetricsCollector",
    "Recording",
    "TraceDiff",
    "TraceStep",
    "TraceTool",
    "Traces",
    "Waterfall",
    "diagnose",
    "diff_traces",
    "load_trace",
    "load_traces",
    "recorded",
    "waterfall",
]
