"""Filters of a frame: what a caller writes, turned into conditions that the store answers.

One idea: a condition is `(column, comparison, value)`, whoever asks. The store answers those on its own
columns; `holds` answers those on columns that are worked out from a row, with the same meaning.
"""

from __future__ import annotations

import contextlib
import operator
import re
from collections.abc import KeysView, Sequence, ValuesView
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from lumos_nb import clock
from lumos_nb.errors import UsageError, nearest
from lumos_nb.messages import valid_text
from lumos_nb.stores.base import Condition
from lumos_nb.stores.schema import Column

COMPARISONS = ("=", "!=", "<", "<=", ">", ">=", "in", "contains")
_UNIT_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_ORDERED = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def equal(columns: Sequence[Column], filters: dict[str, Any]) -> list[Condition]:
    """Return one condition for each column; a list means any of its values.

    Raises:
        UsageError: There is no such column; suggests the nearest.
    """
    return [compared(columns, name, "=", value) for name, value in filters.items()]


def compared(columns: Sequence[Column], name: str, comparison: str, value: Any) -> Condition:
    """Return a condition with its value as it is stored; `=` with a list means any of its values."""
    by_name = {c.name: c for c in columns}
    if name not in by_name:
        raise UsageError(f"This frame has no column {name!r}.", hint=nearest(str(name), by_name))
    comparison = "=" if comparison == "==" else comparison
    if comparison not in COMPARISONS:
        raise UsageError(f"There is no comparison {comparison!r}.", hint=f"There is: {' '.join(COMPARISONS)}.")
    value = _plain(value)
    if isinstance(value, list | tuple | set | frozenset | range | KeysView | ValuesView):
        if comparison not in {"=", "in"}:
            raise UsageError(f"{comparison!r} compares {name!r} with one value.", hint="Only = and in take a list.")
        return (name, "in", [_stored(by_name[name], v) for v in value])
    comparison = "=" if comparison == "in" else comparison
    return (name, comparison, _stored(by_name[name], value, is_text=comparison == "contains"))


def listed(columns: Sequence[Column], where: Any) -> list[Condition]:
    """Return the conditions of `where=`: one `(column, comparison, value)`, or a list of them."""
    given = [] if where is None else where
    if isinstance(where, tuple) and where and isinstance(where[0], str):
        given = [where]
    if not isinstance(given, list | tuple) or not all(isinstance(c, tuple | list) and len(c) == 3 for c in given):
        raise UsageError(
            f"where={shown(where)} is no list of conditions.",
            hint='Write where=[("cost_usd", ">", 0.1), ("tool", "=", "x")].',
        )
    return [compared(columns, *c) for c in given]


def _plain(value: Any) -> Any:
    """Return a Series, an Index, an array or a number of numpy as a list or value of Python."""
    if getattr(getattr(value, "dtype", None), "kind", "") == "M":  # whose own would be numbers
        import pandas as pd

        value = pd.DatetimeIndex(value) if value.ndim else pd.Timestamp(value)
    return value.tolist() if hasattr(value, "tolist") else value


def _stored(column: Column, value: Any, *, is_text: bool = False) -> Any:
    """Return a value as the store keeps it, of the column's type: what is of another one compares with nothing.

    Raises:
        UsageError: It cannot be of that type.
    """
    value = value.value if isinstance(value, Enum) else value
    if value is None or _is_missing(value):
        return None
    if column.type == "time" and not is_text:
        return as_ns(value)
    is_number = isinstance(value, bool | int | float | Decimal)
    if is_text or column.type not in _NUMBERS:
        if isinstance(value, str):
            return valid_text(value)
        if is_number:
            return str(int(value) if isinstance(value, bool) else value)
    elif is_number or isinstance(value, str):
        with contextlib.suppress(ValueError, OverflowError):
            return _number(column.type, value)
    kind = "text" if is_text or column.type not in _NUMBERS else "a number"
    raise UsageError(f"{column.name!r} holds {kind}, and {shown(value)} is none.", hint="Compare it with its like.")


_NUMBERS = {"int", "float", "bool"}
_LARGEST = 2**63 - 1


def _is_missing(value: Any) -> bool:
    """Return whether a value stands for a missing one: NaN, NaT or NA."""
    try:
        return bool(value != value)
    except (TypeError, ValueError):  # NA answers NA; a frame answers a frame
        return type(value).__name__ == "NAType"


def _number(column_type: str, value: Any) -> int | float:
    number = int(value) if column_type == "bool" else value if isinstance(value, int | float) else float(value)
    return float(number) if abs(number) > _LARGEST else number


def shown(value: Any) -> str:
    """Return a value as it stands in an error."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def holds(row: dict[str, Any], condition: Condition) -> bool:
    """Return whether a condition is true of a row, as a store would answer it."""
    name, comparison, value = condition
    found = row[name]
    if comparison in {"=", "!="}:
        return bool(found == value) is (comparison == "=")
    if comparison == "in":
        return found in value
    if found is None or value is None:
        return False
    if comparison == "contains":
        return str(value).casefold() in str(found).casefold()
    return bool(_ORDERED[comparison](found, value))


def time_conditions(column: str, last: str | None, since: Any, until: Any) -> list[Condition]:
    """Return the conditions of `last`, `since` and `until` on a time column."""
    out: list[Condition] = []
    if last is not None:
        out.append((column, ">=", clock.time_ns() - duration_ns(last)))
    if since is not None:
        out.append((column, ">=", moment_ns(since)))
    if until is not None:
        out.append((column, "<", moment_ns(until)))
    return out


def moment_ns(value: Any) -> int:
    """Return a time, or a duration before now such as `1d`, as nanoseconds since 1970."""
    if isinstance(value, str) and _DURATION.fullmatch(value):
        return clock.time_ns() - duration_ns(value)
    return as_ns(value)


_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([smhdw])\s*")


def duration_ns(text: str) -> int:
    """Return a duration such as `30m`, `24h` or `7d` in nanoseconds.

    Example:
        >>> duration_ns("30m") // 10**9
        1800
    """
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise UsageError(
            f"last={text!r} is not a duration.", hint="Write a number and s, m, h, d or w: '30m', '24h', '7d'."
        )
    return int(float(match[1]) * _UNIT_S[match[2]] * 1e9)


def as_ns(value: Any) -> int:
    """Return a time as nanoseconds since 1970; one without a zone is UTC, as the frames show it."""
    import pandas as pd

    value = _plain(value)
    try:
        if not isinstance(value, str | datetime | date | pd.Timestamp):
            raise TypeError(value)
        stamp = pd.Timestamp(value)
        if stamp is pd.NaT:
            raise ValueError(value)
        stamp = stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")
        return int(stamp.as_unit("ns").value)
    except (ValueError, TypeError):
        raise UsageError(
            f"{shown(value)} is not a time.", hint="Give a datetime, or text such as '2026-11-21 09:30'."
        ) from None


def check_limit(limit: int | None, name: str = "limit") -> None:
    """Raise a `UsageError` for a limit that is not a whole number from 0."""
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 0):
        raise UsageError(f"{name}={limit!r} is not a whole number from 0.", hint="Leave it out to get all rows.")


def in_words(columns: Sequence[Column], condition: Condition) -> str:
    """Return a condition for people: `started_at >= 2026-11-21 09:30:00`."""
    name, comparison, value = condition
    is_time = any(c.name == name and c.type == "time" for c in columns)

    def worded(one: Any) -> str:
        if not is_time or not isinstance(one, int):
            return repr(one)
        return f"{datetime.fromtimestamp(one // 10**9, UTC):%Y-%m-%d %H:%M:%S}"

    if comparison != "in":
        return f"{name} {comparison} {worded(value)}"
    some = ", ".join(worded(one) for one in value[:3])
    return f"{name} in ({some}{f', … {len(value):,} in all' if len(value) > 3 else ''})"
