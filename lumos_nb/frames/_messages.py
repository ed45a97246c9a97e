"""Messages as a frame: one row for each part, or one for each message."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from lumos_nb.frames import _filters, _typed
from lumos_nb.frames._tables import read, take_options
from lumos_nb.stores import Store, default_store
from lumos_nb.stores.base import Condition
from lumos_nb.stores.schema import MESSAGES, Column

_PART_ONLY = (
    Column("part_idx", "int", "position in the message, from 0"),
    Column("part_type", "cat", "text, reasoning, image, tool_call or tool_result"),
    Column("tool_name", "cat"),
    Column("tool_call_id", "id"),
)
_OF_PART = {"text", "n_chars", "content_json", *(c.name for c in _PART_ONLY)}
_NAMES = (
    "created_at", "idx", "role", "part_idx", "part_type", "text", "tool_name", "n_chars", "n_parts",
    "step", "agent", "tool_call_id", "run_id", "thread_id", "message_id", "content_json",
)  # fmt: skip
_COLUMNS = {c.name: c for c in (*MESSAGES.columns, *_PART_ONLY)}
PARTS = tuple(_COLUMNS[name] for name in _NAMES)
_SHARED = tuple(c.name for c in MESSAGES.columns if c.name not in _OF_PART)
_ORDER = ("message_id",)  # ids sort by the time they were kept, so that a thread keeps its order


def messages(*, parts: bool = True, **filters: Any) -> Any:
    """Return the messages as a DataFrame, newest last, one row for each part.

    The `text` of a tool call is its arguments, that of a tool result what the model was told.
    `parts=False` gives one row for each message. `limit` counts messages, so that none is cut
    in two. `payload=True` adds the JSON. For the filters see `threads`; `part_type="tool_call"`
    and the like work too.
    """
    options = take_options(filters)
    if not parts:
        return read(MESSAGES, "created_at", _ORDER, filters, **options)
    payload = options.pop("payload", False)
    columns = [c for c in PARTS if payload or not c.lazy]
    return _typed.frame(
        _part_rows(columns, filters, **options), columns, schema="messages/1", key=("message_id", "part_idx")
    )


def _part_rows(
    columns: list[Column],
    filters: dict[str, Any],
    *,
    last: str | None = None,
    since: Any = None,
    until: Any = None,
    limit: int | None = None,
    store: Store | None = None,
) -> Iterator[tuple[Any, ...]]:
    """Yield rows of parts, newest first; `limit` counts the messages that have one."""
    _filters.check_limit(limit)
    asked = _filters.conditions(PARTS, filters)
    where = _filters.time_conditions("created_at", last, since, until) + [c for c in asked if c[0] not in _OF_PART]
    of_part = [c for c in asked if c[0] in _OF_PART]
    select = (store or default_store()).select
    found = select(
        "messages",
        [*_SHARED, "content_json"],
        where=where,
        order=[f"-{name}" for name in _ORDER],
        limit=None if of_part else limit,
    )
    n_messages = 0
    for *shared, content in found:
        if limit is not None and n_messages >= limit:
            return
        rows = [dict(zip(_SHARED, shared, strict=True)) | part for part in _parts(content)]
        kept = [row for row in rows if all(_holds(row, c) for c in of_part)]
        n_messages += bool(kept)
        yield from (tuple(row[c.name] for c in columns) for row in reversed(kept))


def _holds(row: dict[str, Any], condition: Condition) -> bool:
    name, op, value = condition
    return row[name] in value if op == "in" else bool(row[name] == value)


def _parts(content: str) -> list[dict[str, Any]]:
    """Return the part columns of a message's JSON. Kinds that are not known yet are shown, not refused."""
    parts = msgspec.json.decode(content).get("content", "")
    if isinstance(parts, str):
        parts = [{"type": "text", "text": parts}]
    return [_part(i, part) for i, part in enumerate(parts or [{"type": "text", "text": ""}])]


def _part(idx: int, part: dict[str, Any]) -> dict[str, Any]:
    kind = part.get("type")
    text = part.get({"tool_call": "arguments", "tool_result": "content"}.get(str(kind), "text"))
    return {
        "part_idx": idx,
        "part_type": kind,
        "text": text,
        "tool_name": part.get("name"),
        "n_chars": len(text or ""),
        "tool_call_id": part.get("id") if kind == "tool_call" else part.get("call_id"),
        "content_json": msgspec.json.encode(part).decode(),
    }
