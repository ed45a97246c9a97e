"""What is known of a run before it starts: who runs what, for whom, from where."""

from __future__ import annotations

import msgspec

from lumos_nb import clock
from lumos_nb.memory.configs import RunConfig


class RunInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a run before it starts."""

    run_id: str
    thread_id: str | None = None
    #: Title of the thread if it is new; the beginning of the prompt if not given.
    title: str = ""
    resource_id: str | None = None
    agent: str = ""
    provider: str = ""
    model: str = ""
    prompt: str = ""
    notebook: str = ""
    cell_id: str = ""
    execution_count: int | None = None
    #: The run within which it was begun, and the span that it is part of: that of a tool call, or a caller's.
    parent_run_id: str | None = None
    parent_span_id: str | None = None
    root_run_id: str | None = None
    trace_id: str | None = None
    #: What the agent is in this run; see `read_config`.
    config: RunConfig | None = None
    #: Of the cell that began it.
    source_hash: str = ""
    names_read: tuple[str, ...] | None = None
    names_written: tuple[str, ...] | None = None
    #: Where prices come from: settings, table, lumos (our own rows), local (costs nothing) or unknown.
    cost_source: str = "unknown"
    #: live, replay, or mixed where only some answers came from a tape.
    tape: str = "live"
    #: Unix time in seconds; now if not given.
    started_at: float = msgspec.field(default_factory=lambda: clock.time())
    #: Seconds between its stops and its being taken up again.
    away_s: float = 0.0
