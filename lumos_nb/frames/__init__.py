"""Threads, runs, steps, messages, tool calls and events as pandas DataFrames.

One idea: a frame is a table of `stores.schema`, read with its types. Columns keep their order and
dtypes, also when there are no rows; filters are pushed down to the store; nothing is cut silently.
"""

from __future__ import annotations

from lumos_nb.frames.tables import events, messages, runs, steps, threads, tool_calls

__all__ = ["events", "messages", "runs", "steps", "threads", "tool_calls"]
