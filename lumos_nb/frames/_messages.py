"""Messages as rows: one for each part, or one for each message."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from lumos_nb.frames import _filters
from lumos_nb.frames._sources import Row, TableSource
from lumos_nb.stores import Store
from lumos_nb.stores.base import Condition
from lumos_nb.stores.schema import MESSAGES, Column

_PART_ONLY = (
    Column("part_idx", "int", "position in the message, from 0"),
    Column("part_type", "cat", "text, reasoning, image, tool_call or tool_result"),
    Column("tool_name", "cat", "tool of a call or of its result"),
    Column("tool_call_id", "id", "call of a call or of its result; unique within a step"),
)
_OF_PART = {"text", "n_chars", "content_json", *(c.name for c in _PART_ONLY)}
_NAMES = (
    "created_at", "idx", "role", "part_idx", "part_type", "text", "tool_name", "n_chars", "n_parts",
    "step", "agent", "tool_call_id", "run_id", "thread_id", "message_id", "content_json",
)  # fmt: skip
_COLUMNS = {c.name: c for c in (*MESSAGES.columns, *_PART_ONLY)}
_SHARED = tuple(c.name for c in MESSAGES.columns if c.name not in _OF_PART)

MESSAGE_ROWS = TableSource(MESSAGES, "created_at", ("message_id",))  # ids sort by the time they were kept


class PartSource(msgspec.Struct, frozen=True):
    """One row for each part of a message; a limit counts messages, so that none is cut in two."""

    name: str = "messages"
    version: int = 1
    columns: tuple[Column, ...] = tuple(_COLUMNS[name] for name in _NAMES)
    key: tuple[str, ...] = ("message_id", "part_idx")
    time: str = "created_at"
    table: None = None

    def rows(
        self, store: Store, names: Sequence[str], where: Sequence[Condition], limit: int | None, *, newest_first: bool
    ) -> Iterator[Row]:
        """Yield rows of parts; conditions on parts are tried here, the others by the store."""
        of_part = [c for c in where if c[0] in _OF_PART]
        found = MESSAGE_ROWS.rows(
            store,
            [*_SHARED, "content_json"],
            [c for c in where if c[0] not in _OF_PART],
            None if of_part else limit,
            newest_first=newest_first,
        )
        return _part_rows(found, names, of_part, limit, newest_first=newest_first)


PART_ROWS = PartSource()


def _part_rows(
    found: Iterator[Row], names: Sequence[str], of_part: list[Condition], limit: int | None, *, newest_first: bool
) -> Iterator[Row]:
    n_messages = 0
    for *shared, content in found:
        if limit is not None and n_messages >= limit:
            return
        rows = [dict(zip(_SHARED, shared, strict=True)) | part for part in _parts(content)]
        kept = [row for row in rows if all(_filters.holds(row, c) for c in of_part)]
        n_messages += bool(kept)
        yield from (tuple(row[n] for n in names) for row in (reversed(kept) if newest_first else kept))


def _parts(content: str | None) -> list[dict[str, Any]]:
    """Return the part columns of a message's JSON. What is not known or cannot be read is shown, not refused."""
    try:
        message = msgspec.json.decode(content or "{}")
    except msgspec.DecodeError:
        message = {"content": content}
    parts = message.get("content", "") if isinstance(message, dict) else str(message)
    if not isinstance(parts, list):
        parts = [{"type": "text", "text": parts}]
    return [_part(i, part) for i, part in enumerate(parts or [{"type": "text", "text": ""}])]


def _part(idx: int, part: Any) -> dict[str, Any]:
    if not isinstance(part, dict):
        part = {"type": "text", "text": str(part)}
    kind = part.get("type")
    text = part.get({"tool_call": "arguments", "tool_result": "content"}.get(str(kind), "text"))
    text = text if text is None or isinstance(text, str) else msgspec.json.encode(text).decode()
    return {
        "part_idx": idx,
        "part_type": kind,
        "text": text,
        "tool_name": part.get("name"),
        "n_chars": len(text or ""),
        "tool_call_id": part.get("id") if kind == "tool_call" else part.get("call_id"),
        "content_json": msgspec.json.encode(part).decode(),
    }
