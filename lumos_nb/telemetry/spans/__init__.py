"""What a run did and when, as spans: the run, its model calls, its tools, and what it waited for.

One idea: spans are derived from the tables, so they cost nothing while a run goes on, and a
database of last year has them too. Everything that shows time reads them: the waterfall, the
frame `spans()`, OpenTelemetry.
"""

from __future__ import annotations

from lumos_nb.telemetry.spans.reading import in_tree, read_spans, trace_spans
from lumos_nb.telemetry.spans.span import OPS, Span

__all__ = ["OPS", "Span", "in_tree", "read_spans", "trace_spans"]
