"""Everything that was recorded, as DataFrames: `runs() tool_calls() spans()` …, `q`, `sql` and `snapshot`.

One idea: a frame is a table of the store with exact dtypes (`_typed`), the same when it is
empty. Rows stand in the order of time, newest last, so `df.tail()` is what just happened;
`limit` keeps the newest. Columns for people come first, ids last.
"""

from __future__ import annotations

from lumos_nb.frames._advice import advice
from lumos_nb.frames._snapshot import snapshot
from lumos_nb.frames._sql import sql
from lumos_nb.frames._stale import stale
from lumos_nb.frames._tables import events, messages, metrics, q, runs, spans, steps, threads, tool_calls

__all__ = [
    "advice",
    "events",
    "messages",
    "metrics",
    "q",
    "runs",
    "snapshot",
    "spans",
    "sql",
    "stale",
    "steps",
    "threads",
    "tool_calls",
]
