"""Everything that was recorded, as DataFrames: `threads() runs() steps() messages() tool_calls() events()`.

One idea: a frame is a table of the store with exact dtypes (`_typed`), the same when it is
empty. Rows stand in the order of time, newest last, so `df.tail()` is what just happened;
`limit` keeps the newest. Columns for people come first, ids last.
"""

from __future__ import annotations

from lumos_nb.frames._advice import advice
from lumos_nb.frames._messages import messages
from lumos_nb.frames._stale import stale
from lumos_nb.frames._tables import events, runs, steps, threads, tool_calls

__all__ = ["advice", "events", "messages", "runs", "stale", "steps", "threads", "tool_calls"]
