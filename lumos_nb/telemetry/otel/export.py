"""Traces on their way out: a bounded queue of runs that have ended, and a thread that sends them.

One idea: the database has everything already, so a run hands over its id and goes on. What cannot be sent is
counted and dropped here, and can still be sent later from the database.
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec

from lumos_nb.errors import MissingDependencyError, UsageError
from lumos_nb.stores import Store
from lumos_nb.stores.base import Condition
from lumos_nb.telemetry.metrics.points import memory_points, points_of
from lumos_nb.telemetry.otel.content import content_of
from lumos_nb.telemetry.otel.spans import otel_spans
from lumos_nb.telemetry.spans import read_spans

if TYPE_CHECKING:
    from lumos_nb.telemetry.otel.wire import Wire

MAX_QUEUED = 10_000
"""Runs that may wait to be sent; more are dropped."""
GATHER_S = 0.5
"""How long runs gather before they are sent together."""
METRICS_EVERY_S = 60.0
"""Seconds between two reports of metrics; OTEL_METRIC_EXPORT_INTERVAL says otherwise, in milliseconds."""
_AT_ONCE = 100

Ended = tuple[Store, str]
_Item = Ended | threading.Event | None


class ExportStats(msgspec.Struct, frozen=True, kw_only=True):
    """What has become of the traces of this process."""

    #: Where they go, without keys; empty: nowhere.
    endpoint: str = ""
    n_queued: int = 0
    n_runs: int = 0
    n_spans: int = 0
    #: Spans that the collector did not take.
    n_spans_lost: int = 0
    #: Runs that were not even queued, for too many waited.
    n_runs_dropped: int = 0
    n_metrics_lost: int = 0
    last_error: str = ""


class Exporter:
    """Sends runs that have ended to a collector, from a thread of its own that starts with the first.

    Args:
        endpoint: The collector's address, or empty for the standard variables; shown in `stats`.
        has_content: Whether prompts, answers, arguments and results go along.
        make_wire: Makes what sends; called by the thread.
    """

    def __init__(self, endpoint: str, *, has_content: bool, make_wire: Callable[[], Wire]) -> None:
        self.endpoint, self.has_content = endpoint, has_content
        self._make_wire = make_wire
        self._queue: queue.Queue[_Item] = queue.Queue(MAX_QUEUED)
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._wire: Wire | None = None
        self._counts: dict[str, int] = defaultdict(int)
        self._error = ""
        self._metrics_at, self._metrics_every_s = time.monotonic(), _metrics_every_s()

    def add(self, store: Store, run_id: str) -> None:
        """Queue a run that has ended; never waits."""
        try:
            self._queue.put_nowait((store, run_id))
        except queue.Full:
            self._counts["n_runs_dropped"] += 1
        if self._thread is None or not self._thread.is_alive():
            self._start()

    def flush(self, timeout_s: float) -> bool:
        """Wait until what is queued has been sent, metrics too; return whether it was in time."""
        if self._thread is None:
            return True
        done, deadline = threading.Event(), time.monotonic() + timeout_s
        try:
            self._queue.put(done, timeout=timeout_s)
        except queue.Full:
            return False
        return done.wait(max(0.0, deadline - time.monotonic()))

    def close(self, timeout_s: float) -> bool:
        """Flush within a bound, then give up the rest."""
        is_done = self.flush(timeout_s)
        if self._wire is not None:
            self._wire.close()
        return is_done

    def retire(self) -> None:
        """Send what is queued without anybody waiting for it; the thread ends then."""
        if self._thread is not None:
            with contextlib.suppress(queue.Full):
                self._queue.put_nowait(None)

    def renewed(self) -> Exporter:
        """Return one like it that has nothing queued, for a child process."""
        return Exporter(self.endpoint, has_content=self.has_content, make_wire=self._make_wire)

    def stats(self) -> ExportStats:
        """Return what has become of the traces so far."""
        last = self._error or (self._wire.heard.last if self._wire is not None else "")
        return ExportStats(endpoint=self.endpoint, n_queued=self._queue.qsize(), last_error=last, **self._counts)

    # ---- in the thread -------------------------------------------------------------------

    def _start(self) -> None:
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, name="lumos-otel", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        is_retired = False
        while not is_retired:
            ended, asked = self._gathered()
            try:
                self._send(ended, are_metrics_due=bool(asked))
            except Exception as error:  # whatever it is, it must not end the thread
                self._error = f"{type(error).__name__}: {error}"[:500]
                self._counts["n_runs_dropped"] += len(ended)
            for each in asked:
                is_retired = each is None
                if each is not None:
                    each.set()
        if self._wire is not None:
            self._wire.close()

    def _gathered(self) -> tuple[list[Ended], list[threading.Event | None]]:
        """Wait for a run, then for those that end soon after; who flushes is not kept waiting."""
        ended: list[Ended] = []
        deadline = None
        while len(ended) < _AT_ONCE:
            wait_s = self._metrics_every_s if deadline is None else max(0.0, deadline - time.monotonic())
            try:
                item = self._queue.get(timeout=wait_s)
            except queue.Empty:
                return ended, []
            if not isinstance(item, tuple):
                return ended, [item]
            ended.append(item)
            deadline = deadline or time.monotonic() + GATHER_S
        return ended, []

    def _send(self, ended: Sequence[Ended], *, are_metrics_due: bool) -> None:
        by_store: dict[Store, list[str]] = defaultdict(list)
        for store, run_id in ended:
            by_store[store].append(run_id)
        if self._wire is None:
            self._wire = self._make_wire()
        for store, run_ids in by_store.items():
            self.send_runs(store, run_ids, self._wire)
        if are_metrics_due or time.monotonic() - self._metrics_at >= self._metrics_every_s:
            self._metrics_at = time.monotonic()
            self._counts["n_metrics_lost"] += not self._wire.send_metrics()

    def send_runs(self, store: Store, run_ids: Iterable[str], wire: Wire) -> None:
        """Read runs from a store and send their spans; their figures go into the metrics."""
        ids = list(dict.fromkeys(run_ids))
        where: list[Condition] = [("run_id", "in", ids)]
        spans = list(read_spans(store, where))
        content = content_of(store, spans) if self.has_content else None
        converted = otel_spans(spans, content, _addresses(store, where))
        wire.count(points_of(spans))
        wire.count(memory_points(store, {span.run_id: span.agent for span in spans}))
        lost = wire.send_spans(converted)
        self._counts["n_runs"] += len({span.run_id for span in spans})
        self._counts["n_spans"] += len(converted) - lost
        self._counts["n_spans_lost"] += lost


def _addresses(store: Store, where: Sequence[Condition]) -> dict[tuple[str, int | None], str]:
    rows = store.select("exchanges", ["run_id", "step", "url"], where=where)
    return {(run_id, step): url for run_id, step, url in rows if url}


def _metrics_every_s() -> float:
    try:
        return max(1.0, float(os.environ.get("OTEL_METRIC_EXPORT_INTERVAL", "")) / 1_000)
    except ValueError:
        return METRICS_EVERY_S


def open_wire(endpoint: str) -> Wire:
    """Return what sends to a collector.

    Raises:
        MissingDependencyError: OpenTelemetry's library is not installed.
        UsageError: The standard variables ask for gRPC.
    """
    if not endpoint and os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "").strip().lower() == "grpc":
        hint = "Set it to http/protobuf, and the endpoint to the collector's port for HTTP, mostly 4318."
        raise UsageError("OTEL_EXPORTER_OTLP_PROTOCOL is 'grpc', and traces are sent over HTTP.", hint=hint)
    try:
        from lumos_nb.telemetry.otel.wire import Wire
    except ImportError:
        hint = "Install it: pip install 'lumos-nb[otel]'."
        raise MissingDependencyError("Sending traces needs OpenTelemetry's library.", hint=hint) from None
    return Wire(endpoint)
