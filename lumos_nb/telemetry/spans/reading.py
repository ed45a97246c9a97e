"""The spans of many runs, read from a store in portions, and their order as a tree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from lumos_nb.stores import Store
from lumos_nb.stores.base import Condition
from lumos_nb.stores.reading import Row, read_rows
from lumos_nb.telemetry.spans.of_run import EVENT_KINDS, RunRows, spans_of_run
from lumos_nb.telemetry.spans.span import Span

_RUNS_AT_ONCE = 250
_EVENT_COLUMNS = ("run_id", "ts", "kind", "name", "step", "dur_s")


def read_spans(store: Store, where: Sequence[Condition] = ()) -> Iterator[Span]:
    """Yield the spans of the runs that `where` (conditions on the table `runs`) selects, run by run, oldest first.

    A run's own span comes first, then its parts in the order in which they began.

    Example:
        >>> import tempfile; from lumos_nb.stores import open_store
        >>> list(read_spans(open_store(tempfile.mkdtemp() + "/lumos.db")))
        []
    """
    runs = iter(read_rows(store, "runs", where=where, order=["started_at", "run_id"]))
    while portion := list(islice(runs, _RUNS_AT_ONCE)):
        for rows in _with_parts(store, portion):
            yield from spans_of_run(rows)


def trace_spans(store: Store, run_id: str) -> list[Span]:
    """Return the spans of a run and of all runs within it, parents before children, siblings in order of time.

    Example:
        >>> import tempfile; from lumos_nb.stores import open_store
        >>> trace_spans(open_store(tempfile.mkdtemp() + "/lumos.db"), "no such run")
        []
    """
    found = list(store.select("runs", ["trace_id"], where=[("run_id", "=", run_id)]))
    if not found:
        return []
    family = store.select("runs", ["run_id", "parent_run_id"], where=[("trace_id", "=", found[0][0])])
    parts = _within(run_id, list(family))
    return [span for _, span in in_tree(read_spans(store, [("run_id", "in", parts)]))]


def in_tree(spans: Iterable[Span]) -> Iterator[tuple[int, Span]]:
    """Yield spans with their depth from 0, parents first, siblings in order of time; orphans stand at the top.

    Example:
        >>> list(in_tree([]))
        []
    """
    known = {span.span_id: span for span in spans}
    children: dict[str | None, list[Span]] = defaultdict(list)
    for span in known.values():
        parent = span.parent_span_id
        children[parent if parent in known and parent != span.span_id else None].append(span)
    for siblings in children.values():
        siblings.sort(key=lambda span: span.place)
    waiting = [(0, span) for span in reversed(children[None])]
    while waiting:
        depth, span = waiting.pop()
        yield depth, span
        waiting += [(depth + 1, child) for child in reversed(children.get(span.span_id, []))]


def _within(run_id: str, family: list[tuple[str, str | None]]) -> list[str]:
    """Return a run and all runs that were begun within it."""
    children = defaultdict(list)
    for run, parent in family:
        children[parent].append(run)
    found, waiting = {run_id: None}, [run_id]
    while waiting:
        new = [run for run in children[waiting.pop()] if run not in found]
        found.update(dict.fromkeys(new))
        waiting += new
    return list(found)


def _with_parts(store: Store, runs: list[Row]) -> list[RunRows]:
    """Return the runs with the rows that their spans are made of."""
    found = {row["run_id"]: RunRows(row) for row in runs}
    where: list[Condition] = [("run_id", "in", list(found))]
    for row in read_rows(store, "steps", where=where, order=["started_at"]):
        found[row["run_id"]].steps.append(row)
    for row in read_rows(store, "tool_calls", where=where, order=["started_at"]):
        found[row["run_id"]].calls.append(row)
    of_kind: list[Condition] = [*where, ("kind", "in", EVENT_KINDS)]
    for row in read_rows(store, "events", _EVENT_COLUMNS, where=of_kind, order=["run_id", "run_seq"]):
        found[row["run_id"]].events.append(row)
    return list(found.values())
