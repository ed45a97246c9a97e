"""What was recorded, read back: traces now, metrics and OpenTelemetry later. Readers only."""

from __future__ import annotations

from lumos_nb.telemetry.diagnosis import Diagnosis, Finding, Recording, diagnose, recorded
from lumos_nb.telemetry.trace import ExecutionTrace, TraceStep, TraceTool, load_trace

__all__ = [
    "Diagnosis",
    "ExecutionTrace",
    "Finding",
    "Recording",
    "TraceStep",
    "TraceTool",
    "diagnose",
    "load_trace",
    "recorded",
]
