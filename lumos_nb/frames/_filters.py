"""Filters of a frame, turned into conditions that the store answers."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from lumos_nb.errors import UsageError, nearest
from lumos_nb.stores.base import Condition
from lumos_nb.stores.schema import Column

_UNIT_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


def conditions(columns: Sequence[Column], filters: dict[str, Any]) -> list[Condition]:
    """Return one condition for each column filter; a list means any of its values.

    Raises:
        UsageError: There is no such column; suggests the nearest.
    """
    by_name = {c.name: c for c in columns}
    out: list[Condition] = []
    for name, value in filters.items():
        if name not in by_name:
            raise UsageError(f"This frame has no column {name!r}.", hint=nearest(name, by_name))
        out.append(_condition(by_name[name], value))
    return out


def _condition(column: Column, value: Any) -> Condition:
    if hasattr(value, "tolist"):  # Series, Index, array, or one number of numpy
        value = value.tolist()
    if isinstance(value, list | tuple | set | frozenset | range):
        return (column.name, "in", [_stored(column, v) for v in value])
    return (column.name, "=", _stored(column, value))


def _stored(column: Column, value: Any) -> Any:
    if value is None or value != value:  # NaN, which stands for a missing value
        return None
    if column.type == "time":
        return as_ns(value)
    return int(value) if column.type == "bool" else value


def time_conditions(column: str, last: str | None, since: Any, until: Any) -> list[Condition]:
    """Return the conditions of `last`, `since` and `until` on a time column."""
    out: list[Condition] = []
    if last is not None:
        out.append((column, ">=", time.time_ns() - duration_ns(last)))
    if since is not None:
        out.append((column, ">=", as_ns(since)))
    if until is not None:
        out.append((column, "<", as_ns(until)))
    return out


def duration_ns(text: str) -> int:
    """Return a duration such as `30m`, `24h` or `7d` in nanoseconds.

    Example:
        >>> duration_ns("30m") // 10**9
        1800
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smhdw])\s*", text) if isinstance(text, str) else None
    if match is None:
        raise UsageError(
            f"last={text!r} is not a duration.", hint="Write a number and s, m, h, d or w: '30m', '24h', '7d'."
        )
    return int(float(match[1]) * _UNIT_S[match[2]] * 1e9)


def as_ns(value: Any) -> int:
    """Return a time as nanoseconds since 1970; one without a zone is UTC, as the frames show it."""
    import pandas as pd

    try:
        if not isinstance(value, str | datetime | date | pd.Timestamp):
            raise TypeError(value)
        stamp = pd.Timestamp(value)
        if stamp is pd.NaT:
            raise ValueError(value)
    except (ValueError, TypeError):
        raise UsageError(
            f"{value!r} is not a time.", hint="Give a datetime, or text such as '2026-11-21 09:30'."
        ) from None
    stamp = stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")
    return int(stamp.as_unit("ns").value)


def check_limit(limit: int | None) -> None:
    """Raise a `UsageError` for a limit that is not a whole number from 0."""
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 0):
        raise UsageError(f"limit={limit!r} is not a whole number from 0.", hint="Leave it out to get all rows.")
