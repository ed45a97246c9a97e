"""One function a table. Rows come in the order in which they happened, the newest last."""

from __future__ import annotations

from typing import Any

import msgspec

from lumos_nb.frames.build import build
from lumos_nb.frames.filters import conditions
from lumos_nb.messages import Message, ReasoningPart, TextPart, ToolCall, ToolResult, decode_message
from lumos_nb.stores import Store, default_store
from lumos_nb.stores.schema import TABLES, Column

_ORDER = {
    "threads": ["updated_at"], "runs": ["started_at"], "steps": ["started_at", "step"], "events": ["seq"],
    "messages": ["created_at", "idx"], "tool_calls": ["started_at"],
}  # fmt: skip


def threads(*, last: str | None = None, since: Any = None, limit: int | None = None, store: Store | None = None,
            **where: Any) -> Any:  # fmt: skip
    """Return conversations, one row each; the key is `thread_id`.

    Args:
        last: Only of the last while, such as `"30m"`, `"24h"`, `"7d"`.
        since: Only since this time: a datetime, or ISO 8601 text.
        limit: Only the newest so many rows.
        store: Where to read; the default database if None.
        where: Columns that must equal a value, or be in a list of values.

    Raises:
        UsageError: A column does not exist, or a time cannot be read.
        StoreError: The database cannot be read.

    Example:
        >>> threads().dtypes["n_runs"]
        Int64Dtype()
    """
    return _frame("threads", last, since, limit, store, where)


def runs(*, last: str | None = None, since: Any = None, limit: int | None = None, store: Store | None = None,
         **where: Any) -> Any:  # fmt: skip
    """Return runs, one row each; the key is `run_id`. See `threads` for the filters.

    Example:
        >>> runs(last="7d", status="failed").attrs["lumos"]
        {'schema': 'runs/1', 'key': ['run_id']}
    """
    return _frame("runs", last, since, limit, store, where)


def steps(*, last: str | None = None, since: Any = None, limit: int | None = None, store: Store | None = None,
          **where: Any) -> Any:  # fmt: skip
    """Return model calls, one row each; the key is `run_id`, `step`. See `threads` for the filters."""
    return _frame("steps", last, since, limit, store, where)


def tool_calls(*, last: str | None = None, since: Any = None, limit: int | None = None, payload: bool = False,
               store: Store | None = None, **where: Any) -> Any:  # fmt: skip
    """Return tool calls, one row each. See `threads` for the filters.

    Args:
        payload: Add `result_json`: what the model was told and what was shown, whole.
    """
    return _frame("tool_calls", last, since, limit, store, where, payload)


def events(*, last: str | None = None, since: Any = None, limit: int | None = None, payload: bool = False,
           store: Store | None = None, **where: Any) -> Any:  # fmt: skip
    """Return the log, one row an event; the key is `event_id`, the order is `seq`. See `threads` for the filters.

    Args:
        payload: Add `payload_json`: the event in its stored form.
    """
    return _frame("events", last, since, limit, store, where, payload)


def messages(*, last: str | None = None, since: Any = None, limit: int | None = None, parts: bool = True,
             payload: bool = False, store: Store | None = None, **where: Any) -> Any:  # fmt: skip
    """Return messages, one row a part; with `parts=False` one row a message. See `threads` for the filters.

    Args:
        parts: One row a part: text, reasoning, image, tool call, tool result.
        payload: Add `content_json`: the message in its stored form.

    Example:
        >>> list(messages().columns[:6])
        ['created_at', 'idx', 'role', 'part_idx', 'part_type', 'text']
    """
    if not parts:
        return _frame("messages", last, since, limit, store, where, payload)
    whole = _rows("messages", last, since, limit, store, where, payload=True)
    names = [c.name for c in TABLES["messages"].columns]
    columns = [c for c in _PART_COLUMNS if payload or c.name != "content_json"]
    rows = [
        tuple(values[c.name] for c in columns)
        for row in whole
        for values in _parts(dict(zip(names, row, strict=True)))
    ]
    return build(columns, rows, "messages/1", ["message_id", "part_idx"])


def _frame(
    name: str, last: str | None, since: Any, limit: int | None, store: Store | None, where: dict[str, Any],
    payload: bool = False,
) -> Any:  # fmt: skip
    table = TABLES[name]
    columns = [c for c in table.columns if payload or not c.lazy]
    return build(columns, _rows(name, last, since, limit, store, where, payload), f"{name}/1", table.key)


def _rows(
    name: str, last: str | None, since: Any, limit: int | None, store: Store | None, where: dict[str, Any],
    payload: bool = False,
) -> list[tuple[Any, ...]]:  # fmt: skip
    table = TABLES[name]
    columns = [c.name for c in table.columns if payload or not c.lazy]
    # With a limit the newest rows are wanted, so they are read from the end.
    order = _ORDER[name] if limit is None else [f"-{c}" for c in _ORDER[name]]
    found = (store or default_store()).select(
        name, columns, where=conditions(table, last, since, where), order=order, limit=limit
    )
    rows = list(found)
    return rows if limit is None else rows[::-1]


_PART_COLUMNS = tuple(
    Column(*spec)
    for spec in (
        ("created_at", "time"), ("idx", "int"), ("role", "cat"), ("part_idx", "int"), ("part_type", "cat"),
        ("text", "text"), ("tool_name", "cat"), ("n_chars", "int"), ("n_tokens_est", "int"), ("step", "int"),
        ("agent", "cat"), ("tool_call_id", "id"), ("run_id", "id"), ("thread_id", "id"), ("message_id", "id"),
        ("content_json", "json"),
    )
)  # fmt: skip


def _parts(row: dict[str, Any]) -> list[dict[str, Any]]:
    message: Message = decode_message(row["content_json"])
    return [{**row, **_part(i, part)} for i, part in enumerate(message.parts)]


def _part(index: int, part: Any) -> dict[str, Any]:
    text, tool, call_id = "", None, None
    if isinstance(part, TextPart | ReasoningPart):
        text = part.text
    elif isinstance(part, ToolCall):
        text, tool, call_id = part.arguments, part.name, part.id
    elif isinstance(part, ToolResult):
        text, tool, call_id = part.content, part.name, part.call_id
    kind = msgspec.to_builtins(part)["type"]
    return {
        "part_idx": index, "part_type": kind, "text": text, "tool_name": tool, "n_chars": len(text),
        "n_tokens_est": -(-len(text) // 4), "tool_call_id": call_id,
    }  # fmt: skip
