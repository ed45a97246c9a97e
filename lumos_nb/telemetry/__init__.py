"""What was recorded, read back: traces now, metrics and OpenTelemetry later. Readers only."""

from __future__ import annotations

from lumos_nb.telemetry.trace import ExecutionTrace, TraceStep, TraceTool, load_trace

__all__ = ["ExecutionTrace", "TraceStep", "TraceTool", "load_trace"]
