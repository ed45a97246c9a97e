"""The eight frames: one function for each, a query that is asked at once."""

from __future__ import annotations

from typing import Any

from lumos_nb.errors import nearest
from lumos_nb.frames import _filters
from lumos_nb.frames._derived import METRIC_ROWS, SPAN_ROWS
from lumos_nb.frames._messages import MESSAGE_ROWS, PART_ROWS
from lumos_nb.frames._query import Query
from lumos_nb.frames._sources import EVENT_ROWS, RUN_ROWS, STEP_ROWS, THREAD_ROWS, TOOL_CALL_ROWS, Source
from lumos_nb.stores import Store
from lumos_nb.stores.base import Condition

SOURCES: dict[str, Source] = {
    source.name: source
    for source in (
        THREAD_ROWS, RUN_ROWS, STEP_ROWS, EVENT_ROWS, PART_ROWS, TOOL_CALL_ROWS, METRIC_ROWS, SPAN_ROWS,
    )
}  # fmt: skip
"""What each frame reads, by name."""


def _read(
    source: Source,
    *,
    limit: int | None = None,
    payload: bool = False,
    store: Store | None = None,
    **filters: Any,
) -> Any:
    """Return a frame. The options are those of all frames; see `threads`."""
    query = Query(source, store, tuple(conditions_of(source, **filters))).limit(limit)
    return (query.payload() if payload else query).df()


def conditions_of(
    source: Source, *, last: str | None = None, since: Any = None, until: Any = None, where: Any = None, **equal: Any
) -> list[Condition]:
    """Return the conditions that the filters of a frame stand for."""
    return [
        *_filters.time_conditions(source.time, last, since, until),
        *_filters.listed(source.columns, where),
        *_filters.equal(source.columns, equal),
    ]


def threads(**filters: Any) -> Any:
    """Return the threads as a DataFrame, last changed last.

    Args:
        filters: `last="7d"` (or `30m`, `24h`), `since=` and `until=` (a datetime or text; without a
            zone UTC), `limit=` (the newest so many), `where=[("cost_usd", ">", 0.1)]`, `payload=True`
            (large columns too), `store=`, and any column: `status="open"`, or a list of values.
            The same for all frames.

    Example:
        >>> import tempfile; from lumos_nb.stores import open_store
        >>> len(threads(last="7d", store=open_store(tempfile.mkdtemp() + "/lumos.db")))
        0
    """
    return _read(THREAD_ROWS, **filters)


def runs(**filters: Any) -> Any:
    """Return the runs as a DataFrame, newest last: `runs(last="7d", status="failed")`.

    Times and durations are in seconds, cost in US dollars (NaN where a price is not known).
    For the filters see `threads`.

    Example:
        >>> import tempfile; from lumos_nb.stores import open_store
        >>> len(runs(where=("cost_usd", ">", 0.1), store=open_store(tempfile.mkdtemp() + "/lumos.db")))
        0
    """
    return _read(RUN_ROWS, **filters)


def steps(**filters: Any) -> Any:
    """Return the model calls of runs as a DataFrame, newest last. For the filters see `threads`.

    Example:
        >>> import tempfile; from lumos_nb.stores import open_store
        >>> len(steps(model="gpt-5", store=open_store(tempfile.mkdtemp() + "/lumos.db")))
        0
    """
    return _read(STEP_ROWS, **filters)


def tool_calls(**filters: Any) -> Any:
    """Return the tool calls as a DataFrame, newest last; `payload=True` adds what each gave back.

    For the filters see `threads`.

    Example:
        >>> import tempfile; from lumos_nb.stores import open_store
        >>> len(tool_calls(status=["error", "denied"], store=open_store(tempfile.mkdtemp() + "/lumos.db")))
        0
    """
    return _read(TOOL_CALL_ROWS, **filters)


def events(**filters: Any) -> Any:
    """Return the events as a DataFrame, newest last; `payload=True` adds each event as JSON.

    For the filters see `threads`.

    Example:
        >>> import tempfile; from lumos_nb.stores import open_store
        >>> len(events(limit=100, store=open_store(tempfile.mkdtemp() + "/lumos.db")))
        0
    """
    return _read(EVENT_ROWS, **filters)


def messages(*, parts: bool = True, **filters: Any) -> Any:
    """Return the messages as a DataFrame, newest last, one row for each part.

    The `text` of a tool call is its arguments, that of a tool result what the model was told.
    `parts=False` gives one row for each message. `limit` counts messages, so that none is cut
    in two. `payload=True` adds the JSON. For the filters see `threads`; `part_type="tool_call"`
    and the like work too.

    Example:
        >>> import tempfile; from lumos_nb.stores import open_store
        >>> len(messages(role="user", store=open_store(tempfile.mkdtemp() + "/lumos.db")))
        0
    """
    return _read(PART_ROWS if parts else MESSAGE_ROWS, **filters)


def metrics(**filters: Any) -> Any:
    """Return figures over time as a DataFrame, one measured value a row, newest last.

    For the filters see `threads`; `name="gen_ai.client.operation.duration"` keeps one figure.

    Example:
        >>> import tempfile; from lumos_nb.stores import open_store
        >>> len(metrics(last="1d", store=open_store(tempfile.mkdtemp() + "/lumos.db")))
        0
    """
    return _read(METRIC_ROWS, **filters)


def spans(**filters: Any) -> Any:
    """Return what runs did and when as a DataFrame: trace by trace, newest last, parents before children.

    Tokens and cost are what a span itself used, which only model calls do; those with `total_`
    are of all spans below it too. Add up the one or the other, never both.
    For the filters see `threads`.

    Example:
        >>> import tempfile; from lumos_nb.stores import open_store
        >>> len(spans(op="execute_tool", store=open_store(tempfile.mkdtemp() + "/lumos.db")))
        0
    """
    return _read(SPAN_ROWS, **filters)


class Queries:
    """The frames as lazy queries: `q.runs`, `q.tool_calls` … `q.on(store)` asks another store.

    Example:
        >>> import tempfile; from lumos_nb.stores import open_store
        >>> q.on(open_store(tempfile.mkdtemp() + "/lumos.db")).tool_calls.where(tool="bash").count()
        0
    """

    def __init__(self, store: Store | None = None) -> None:
        self._store = store

    def on(self, store: Store) -> Queries:
        """Return the queries of another store than the default one."""
        return Queries(store)

    def __getattr__(self, name: str) -> Query:
        if name not in SOURCES:
            raise AttributeError(f"There is no frame {name!r}. {nearest(name, SOURCES)}")
        return Query(SOURCES[name], self._store)

    def __dir__(self) -> list[str]:
        return sorted([*SOURCES, "on"])

    def __repr__(self) -> str:
        return f"q: {', '.join(SOURCES)}"


q = Queries()
