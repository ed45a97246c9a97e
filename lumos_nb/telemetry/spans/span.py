"""`Span`: something of a run that took time."""

from __future__ import annotations

from typing import Any

import msgspec

from lumos_nb.events import TokenUsage

OPS = ("invoke_agent", "chat", "execute_tool", "approval", "retry", "rate_limit", "pause", "away")
"""What a span may be. The first three are OpenTelemetry's names; the others are waits. `away`: the run was stopped."""


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """Something that took time."""

    #: 32 hexadecimal digits; the same for a run and all that runs within it.
    trace_id: str
    #: 16 hexadecimal digits.
    span_id: str
    #: None at the top; a caller's span if it handed one over.
    parent_span_id: str | None
    #: One of `OPS`.
    op: str
    #: As OpenTelemetry wants it: `chat gpt-5`, `execute_tool rows`, `invoke_agent analyst`.
    name: str
    #: Nanoseconds since 1970, UTC.
    start_ns: int
    #: None: it has not ended, or its process was killed.
    end_ns: int | None
    #: ok, error, denied, cancelled, running or waiting.
    status: str
    run_id: str
    thread_id: str | None = None
    #: From 1; None for what is not part of one.
    step: int | None = None
    agent: str | None = None
    provider: str | None = None
    model: str | None = None
    tool: str | None = None
    tool_call_id: str | None = None
    error_type: str | None = None
    error_message: str | None = None
    #: What this span itself used: model calls have it, others None.
    usage: TokenUsage | None = None
    #: US dollars; None for what is no model call, and where the price is not known.
    cost_usd: float | None = None
    #: Request sent to first token, of a model call.
    ttft_s: float | None = None
    #: What else there is to say: stop_reason, attempt, n_chunks, arguments, result_preview, reason, decision …
    attributes: dict[str, Any] = {}

    @property
    def place(self) -> tuple[int, int, bool]:
        """Where it stands among its siblings: by time; of one moment, a step's model call before its tools."""
        return self.start_ns, self.step or 0, self.op != "chat"

    @property
    def duration_s(self) -> float | None:
        """Seconds from start to end, or None while it has none."""
        return None if self.end_ns is None else max(0, self.end_ns - self.start_ns) / 1e9
