"""`lumos.sql`: a query in the store's own language, its result as a DataFrame.

One idea: a result column that is one of ours has the dtype it has in its frame; others have that of their values.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from lumos_nb.errors import UsageError
from lumos_nb.frames import _filters, _typed
from lumos_nb.stores import Store, default_store
from lumos_nb.stores.schema import Column


def sql(
    text: str, *params: Any, timeout_s: float = 30.0, limit: int | None = 100_000, store: Store | None = None
) -> Any:
    """Return what a SELECT finds as a DataFrame: `sql("select tool, count(*) n from tool_calls group by tool")`.

    It can only read. The tables are those of the frames, large columns included; times are
    nanoseconds since 1970 in the text and datetimes in the result.

    Args:
        text: One SELECT. `?` stands for a parameter, or `:name` for one of a dict.
        params: What the `?` stand for, or one dict; datetimes are allowed.
        timeout_s: Seconds after which the query is stopped with a `StoreError`.
        limit: Rows at most. A warning says so if there were more; None takes all.
        store: Another store than the default one.

    Raises:
        UsageError: The text is wrong (the nearest name is suggested), or would change something.

    Example:
        >>> import tempfile; from lumos_nb.stores import open_store
        >>> sql("select count(*) as n from runs", store=open_store(tempfile.mkdtemp() + "/lumos.db")).n.tolist()
        [0]
    """
    _filters.check_limit(limit)
    if isinstance(timeout_s, bool) or not isinstance(timeout_s, int | float) or not timeout_s > 0:
        raise UsageError(f"timeout_s={timeout_s!r} is no number of seconds.", hint="Give a number above 0.")
    given = _given(params)
    found = (store or default_store()).query(
        text, given, timeout_s=timeout_s, limit=sys.maxsize if limit is None else limit
    )
    if found.is_cut:
        warnings.warn(f"Only the first {limit:,} rows are shown; limit= takes more, limit=None all.", stacklevel=2)
    names = _distinct(found.names)
    values = list(zip(*found.rows, strict=True)) or [()] * len(names)
    columns = [Column(n, _type(t, v)) for n, t, v in zip(names, found.types, values, strict=True)]
    df = _typed.frame(found.rows, columns, schema="sql/1", key=(), newest_first=False)
    df.attrs["lumos"]["is_cut"] = found.is_cut
    return df


def _given(params: tuple[Any, ...]) -> Any:
    if len(params) == 1 and isinstance(params[0], Mapping):
        return {name: _stored(value) for name, value in params[0].items()}
    return tuple(map(_stored, params))


def _stored(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return _filters.as_ns(value)
    return value.item() if hasattr(value, "item") and getattr(value, "ndim", 1) == 0 else value


def _distinct(names: list[str]) -> list[str]:
    """Return names of which none comes twice: `a`, `a_2`."""
    out: list[str] = []
    for name in names:
        n = 1
        made = name
        while made in out:
            n += 1
            made = f"{name}_{n}"
        out.append(made)
    return out


def _type(declared: str | None, values: Sequence[Any]) -> str:
    if declared is not None and declared != "blob" and _fits(declared, values):
        return declared
    known = [v for v in values if v is not None]
    for kind in ("int", "float", "text"):
        if known and _fits(kind, known):
            return kind
    return "object" if known else declared or "text"


def _fits(column_type: str, values: Iterable[Any]) -> bool:
    """Return whether all values are what a column of this type holds."""
    kinds: dict[str, tuple[type, ...]] = {"int": (int,), "bool": (int,), "time": (int,), "float": (int, float)}
    return all(v is None or isinstance(v, kinds.get(column_type, (str,))) for v in values)
