"""One function for each table that is a frame as it stands."""

from __future__ import annotations

from typing import Any

from lumos_nb.frames import _filters, _typed
from lumos_nb.stores import Store, default_store
from lumos_nb.stores.schema import EVENTS, RUNS, STEPS, THREADS, TOOL_CALLS, Table


def read(
    table: Table,
    time: str,
    order: tuple[str, ...],
    filters: dict[str, Any],
    *,
    last: str | None = None,
    since: Any = None,
    until: Any = None,
    limit: int | None = None,
    payload: bool = False,
    store: Store | None = None,
) -> Any:
    """Return a table as a DataFrame, newest last."""
    _filters.check_limit(limit)
    where = _filters.time_conditions(time, last, since, until) + _filters.conditions(table.columns, filters)
    columns = [c for c in table.columns if payload or not c.lazy]
    newest_first = [f"-{name}" for name in order]
    rows = (store or default_store()).select(
        table.name, [c.name for c in columns], where=where, order=newest_first, limit=limit
    )
    return _typed.frame(rows, columns, schema=f"{table.name}/1", key=table.key)


def threads(**filters: Any) -> Any:
    """Return the threads as a DataFrame, last changed last.

    Args:
        filters: `last="7d"` (or `30m`, `24h`), `since=` and `until=` (a datetime or text; without a
            zone UTC), `limit=` (the newest so many), `payload=True` (large columns too), `store=`,
            and any column: `status="open"`, or a list of values. The same for all frames.

    Example:
        >>> import tempfile; from lumos_nb.stores import open_store
        >>> len(threads(last="7d", store=open_store(tempfile.mkdtemp() + "/lumos.db")))
        0
    """
    return read(THREADS, "updated_at", ("updated_at", "thread_id"), filters, **take_options(filters))


def runs(**filters: Any) -> Any:
    """Return the runs as a DataFrame, newest last: `runs(last="7d", status="failed")`.

    Times and durations are in seconds, cost in US dollars (NaN where a price is not known).
    For the filters see `threads`.
    """
    return read(RUNS, "started_at", ("started_at", "run_id"), filters, **take_options(filters))


def steps(**filters: Any) -> Any:
    """Return the model calls of runs as a DataFrame, newest last. For the filters see `threads`."""
    return read(STEPS, "started_at", ("started_at", "run_id", "step"), filters, **take_options(filters))


def tool_calls(**filters: Any) -> Any:
    """Return the tool calls as a DataFrame, newest last; `payload=True` adds what each gave back.

    For the filters see `threads`.
    """
    return read(
        TOOL_CALLS, "started_at", ("started_at", "run_id", "step", "tool_call_id"), filters, **take_options(filters)
    )


def events(**filters: Any) -> Any:
    """Return the events as a DataFrame, newest last; `payload=True` adds each event as JSON.

    For the filters see `threads`.
    """
    return read(EVENTS, "ts", ("seq",), filters, **take_options(filters))


def take_options(filters: dict[str, Any]) -> dict[str, Any]:
    """Take the options out of the filters; what is left names columns."""
    names = ("last", "since", "until", "limit", "payload", "store")
    return {name: filters.pop(name) for name in names if name in filters}
