"""Figures of runs: single points over time, and what they come to for each agent and tool."""

from __future__ import annotations

from lumos_nb.telemetry.metrics.collector import MetricsCollector
from lumos_nb.telemetry.metrics.figures import AgentMetrics
from lumos_nb.telemetry.metrics.points import MetricPoint, metric_points

__all__ = ["AgentMetrics", "MetricPoint", "MetricsCollector", "metric_points"]
