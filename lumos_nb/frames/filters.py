"""From keywords such as `last="7d", status="failed"` to conditions of a store."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import Any

from lumos_nb.errors import UsageError, nearest
from lumos_nb.stores.base import Condition
from lumos_nb.stores.schema import Table

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def conditions(table: Table, last: str | None, since: Any, where: dict[str, Any]) -> list[Condition]:
    """Return what the keywords ask for.

    Raises:
        UsageError: A column does not exist, or a time cannot be read.
    """
    out = [_equal(table, name, value) for name, value in where.items()]
    when = next((c.name for c in table.columns if c.type == "time"), "")
    if last is not None:
        out.append((when, ">=", time.time_ns() - _duration_ns(last)))
    if since is not None:
        out.append((when, ">=", _time_ns(since)))
    return out


def _equal(table: Table, name: str, value: Any) -> Condition:
    if table.column(name) is None:
        names = [c.name for c in table.columns]
        raise UsageError(f"{table.name} has no column {name!r}.", hint=nearest(name, names))
    if isinstance(value, list | tuple | set):
        return name, "in", list(value)
    return name, "=", value


def _duration_ns(text: str) -> int:
    match = re.fullmatch(r"(\d+)\s*([smhdw])", str(text).strip())
    if match is None:
        raise UsageError(f"last={text!r} is not a duration.", hint='Write for example "30m", "24h" or "7d".')
    return int(match[1]) * _UNITS[match[2]] * 1_000_000_000


def _time_ns(value: Any) -> int:
    """Return a time in nanoseconds; a text is ISO 8601, a time without zone is local."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        return int(moment.astimezone(UTC).timestamp() * 1_000_000) * 1_000
    except (ValueError, AttributeError, TypeError):
        raise UsageError(
            f"since={value!r} is not a time.", hint='Write for example "2026-11-21" or pass a datetime.'
        ) from None
