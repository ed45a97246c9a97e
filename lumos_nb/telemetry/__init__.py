"""What was recorded, read back: traces, metrics, OpenTelemetry, logs. Readers only."""

from __future__ import annotations

from lumos_nb.telemetry.collector import MetricsCollector
from lumos_nb.telemetry.figures import AgentMetrics
from lumos_nb.telemetry.trace import ExecutionTrace, TraceStep, TraceTool, load_trace

__all__ = ["AgentMetrics", "ExecutionTrace", "MetricsCollector", "TraceStep", "TraceTool", "load_trace"]
