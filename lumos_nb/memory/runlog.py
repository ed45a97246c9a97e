"""The log of one run: its events, and what they add up to, in the same transactions.

One idea: what has side effects is on disk before it happens. `append` returns after a commit
when tools begin, at an approval, and when a thread gains messages. The rest is written about
four times a second, so that a kernel which is killed keeps the text so far, and before anybody
reads it; short runs share a transaction.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any
from weakref import WeakSet

from lumos_nb import clock, settings
from lumos_nb._version import __version__
from lumos_nb.errors import LumosError, StoreError
from lumos_nb.events import (
    AgentEvent,
    ApprovalRequested,
    Error,
    GenerationComplete,
    ReasoningDelta,
    TextDelta,
    ToolCallComplete,
    ToolCallStart,
)
from lumos_nb.memory import _conversations as conversations
from lumos_nb.memory._rows import event_row, nanoseconds, preview, to_json
from lumos_nb.memory._tally import Tally
from lumos_nb.memory._worker import in_worker, submit
from lumos_nb.memory.exchanges import ExchangeRows, is_large
from lumos_nb.memory.reopening import this_process
from lumos_nb.memory.runinfo import RunInfo
from lumos_nb.memory.runs import SavedRun
from lumos_nb.memory.said import Said
from lumos_nb.providers.exchange import Exchange
from lumos_nb.stores import Ensure, Insert, Store, Update
from lumos_nb.stores.base import Write
from lumos_nb.traceparent import trace_id

logger = logging.getLogger("lumos_nb")

FLUSH_AFTER_S = 0.25
TITLE_CHARS = 60
_SOON_AT = (ToolCallComplete, GenerationComplete, Error)

_usable: WeakSet[Store] = WeakSet()
"""Stores whose last write went well."""


class RunLog:
    """Records one run. Get one from `Memory.run_log`; the calls of one run come one after another.

    With `enable_telemetry` off only the thread and its messages are kept.

    Args:
        store: Where it is kept.
        info: What is known of the run.
        saved: The run as it was stopped, if it is taken up again: its log goes on.

    Attributes:
        store: Where it is kept.
        keeps_exchanges: Whether `keep` is to be given what was on the wire.
    """

    def __init__(self, store: Store, info: RunInfo, saved: SavedRun | None = None) -> None:
        self.info = info
        self._saved = saved
        self._store = self.store = store
        self._is_recording = settings.current().enable_telemetry
        self.keeps_exchanges = self._is_recording and settings.current().keep_exchanges
        self._tally = Tally(
            info.run_id, info.thread_id, started_at=info.started_at + info.away_s, is_free=info.cost_source == "local"
        )
        self._exchanges = ExchangeRows(info.run_id, saved.n_exchanges if saved else 0)
        self._has_large = False
        self._run_seq = 0
        for event, at in saved.timed if saved else ():
            self._run_seq += 1
            self._tally.fold(event, at)
        self._pending: list[Write] = []
        #: What was on the wire and has no row yet.
        self._sent: list[tuple[Exchange, int | None]] = []
        self._deltas: list[TextDelta | ReasoningDelta] = []
        self._lock = threading.Lock()  # `_pending` is refilled by the store's thread if a write fails
        self._timer: asyncio.TimerHandle | None = None
        self._flushing: Future[None] | None = None

    async def start(self) -> None:
        """Note that the run has begun; its thread is created if there is none.

        Raises:
            StoreError: The store cannot be used, and nothing has been sent to a model yet. Only a store whose
                last write went well is believed; what breaks it later is found at the next write.
        """
        if self._saved is not None:  # it has its row and its thread
            return
        self._pending += [] if self.info.thread_id is None else self._thread_writes(self.info.thread_id)
        self._pending += self._run_writes() if self._is_recording else []
        if self._store not in _usable:
            await in_worker(self._store, self._write)

    async def append(self, events: Sequence[AgentEvent], said: Sequence[Said] = ()) -> None:
        """Record events, and add to the thread what was said.

        Raises:
            StoreError: They cannot be kept now; they are tried again with the next ones.
        """
        must_commit, is_due = bool(said), False
        if self._is_recording:
            for event in events:
                self._add(event)
                must_commit = must_commit or _must_be_first(event)
                is_due = is_due or isinstance(event, _SOON_AT)
        is_busy = self._flushing is not None and not self._flushing.done()
        if must_commit or (is_due and (is_busy or self._has_large)):  # what is large is compressed, but not here
            await self._commit(said)
        elif is_due:
            self._hand_over()
        elif self._pending or self._deltas:
            self._flush_later()

    def note(self, events: Sequence[AgentEvent]) -> None:
        """Record what happens while nothing arrives, such as a retry, with its time; it is written with the next."""
        if self._is_recording:
            for event in events:
                self._add(event)
            self._flush_later()

    def keep(self, exchange: Exchange) -> None:
        """Record what was on the wire; it is written with the next event."""
        self._has_large = self._has_large or is_large(exchange)
        with self._lock:
            self._sent.append((exchange, self._tally.step or None))

    async def finish(self, events: Sequence[AgentEvent], said: Sequence[Said]) -> None:
        """Record the end of the run like `append`, and be patient: there is no later chance.

        Raises:
            StoreError: It cannot be kept, also some seconds later.
        """
        try:
            await self.append(events, said)
            return
        except StoreError:
            await asyncio.sleep(0.5)  # what happened waits in the log
        try:
            await self._commit(said)
        except StoreError:
            await asyncio.sleep(2.0)
            await self._commit(said)

    # ---- in the store's thread -----------------------------------------------------------

    def _write(self, said: Sequence[Said] = ()) -> None:
        writes = self._take()
        try:
            if said and self.info.thread_id is not None:
                run = {"run_id": self.info.run_id, "agent": self.info.agent or None}
                columns = [{**run, "step": each.step, "created_at": nanoseconds(each.at)} for each in said]
                messages = conversations.with_ids([each.message for each in said])
                conversations.write_with_messages(self._store, writes, self.info.thread_id, messages, columns)
            elif writes:
                self._store.write(writes)
        except BaseException:
            _usable.discard(self._store)
            with self._lock:
                self._pending[:0] = writes
            raise
        _usable.add(self._store)

    def _take(self) -> list[Write]:
        """Take what is to be written."""
        with self._lock:
            writes, self._pending = _fewer(self._pending), []
            sent, self._sent, self._has_large = self._sent, [], False
        return [*writes, *self._rows_of(sent)] if sent else writes

    def _rows_of(self, sent: Sequence[tuple[Exchange, int | None]]) -> list[Write]:
        """Return the rows of exchanges; one of which none can be made must not cost the run its events."""
        rows: list[Write] = []
        for exchange, step in sent:
            try:
                rows.append(self._exchanges.write(exchange, step))
            except Exception:
                logger.exception("A request of run %s could not be recorded.", self.info.run_id)
        return rows

    # ---- in the loop's thread ------------------------------------------------------------

    def _add(self, event: AgentEvent) -> None:
        """Buffer an event and what it changes; deltas are joined first."""
        if isinstance(event, TextDelta | ReasoningDelta):
            if self._deltas and type(self._deltas[-1]) is not type(event):
                self._join_deltas()
            self._deltas.append(event)
            self._tally.fold(event, 0)
            return
        self._join_deltas()
        now = clock.time_ns()
        self._buffer(event, now, self._tally.fold(event, now))

    def _join_deltas(self) -> None:
        if self._deltas:
            joined = type(self._deltas[0])("".join(d.delta for d in self._deltas))
            self._deltas = []
            self._buffer(joined, clock.time_ns(), [])

    def _buffer(self, event: AgentEvent, now: int, changes: Sequence[Write]) -> None:
        self._run_seq += 1
        step = self._tally.step or None
        row = event_row(event, ts=now, step=step, run_seq=self._run_seq, run_id=self.info.run_id)
        with self._lock:
            self._pending += [Insert("events", row | {"thread_id": self.info.thread_id}), *changes]

    async def _commit(self, said: Sequence[Said]) -> None:
        self._cancel_timer()
        self._join_deltas()
        await in_worker(self._store, self._write, said)

    def _hand_over(self) -> None:
        """Let the store write what there is, with that of other runs."""
        self._cancel_timer()
        self._join_deltas()
        writes = self._take()
        try:
            self._store.write_soon(writes)
        except StoreError:
            self._pending = writes
            raise

    def _flush_later(self) -> None:
        """Write soon; under a virtual clock with what comes next, or the machine's speed would cut texts in two."""
        if self._timer is None and not clock.is_virtual():
            self._timer = asyncio.get_running_loop().call_later(FLUSH_AFTER_S, self._flush)

    def _flush(self) -> None:
        """Write what has gathered, without waiting. An error comes again at the next commit."""
        self._timer = None
        self._join_deltas()
        self._flushing = submit(self._store, self._write_quietly)

    def _write_quietly(self) -> None:
        with contextlib.suppress(LumosError):  # the writes are pending again; `append` tells
            self._write()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # ---- rows ----------------------------------------------------------------------------

    def _thread_writes(self, thread_id: str) -> list[Write]:
        info, now = self.info, clock.time_ns()
        title = info.title or preview(" ".join(info.prompt.split()), TITLE_CHARS) or "untitled"
        new = conversations.new_thread_row(
            title=title, notebook=info.notebook or None, resource_id=info.resource_id, metadata_json="{}",
            thread_id=thread_id,
        )  # fmt: skip
        changes: dict[str, Any] = {"updated_at": now, **({"agent": info.agent} if info.agent else {})}
        update = Update("threads", {"thread_id": thread_id}, changes, {"n_runs": int(self._is_recording)})
        return [Ensure("threads", new), update]

    def _run_writes(self) -> list[Write]:
        """Return the writes of a new run: its row, and what its agent is."""
        config_hash, snapshot = (None, None) if self.info.config is None else self.info.config.row()
        row = Insert("runs", {**self._run_row(), "config_hash": config_hash})
        return [row] if snapshot is None else [row, snapshot]

    def _run_row(self) -> dict[str, Any]:
        info = self.info
        texts = ("agent", "provider", "model", "notebook", "cell_id", "cost_source", "tape", "source_hash")
        ids = ("execution_count", "parent_run_id", "parent_span_id", "thread_id", "run_id")
        return {
            **{name: getattr(info, name) or None for name in texts},
            **{name: getattr(info, name) for name in ids},
            "started_at": nanoseconds(info.started_at),
            "status": "running",
            "prompt_preview": preview(info.prompt),
            "lumos_version": __version__,
            "process": this_process(),
            "root_run_id": info.root_run_id or info.run_id,
            "trace_id": info.trace_id or trace_id(info.root_run_id or info.run_id),
            "names_read_json": None if info.names_read is None else to_json(info.names_read),
            "names_written_json": None if info.names_written is None else to_json(info.names_written),
        }


def _must_be_first(event: AgentEvent) -> bool:
    """Return whether an event has to be on disk before what it announces happens."""
    if isinstance(event, ToolCallStart):
        return event.side_effect not in {"none", "idempotent"}  # these may be done twice
    return isinstance(event, ApprovalRequested)


def _fewer(writes: list[Write]) -> list[Write]:
    """Return writes that do the same in fewer statements: the events together, and of the run's sums the last."""
    sums = [n for n, write in enumerate(writes) if isinstance(write, Update) and write.table == "runs"]
    kept = [write for n, write in enumerate(writes) if n not in sums[:-1]]
    return sorted(kept, key=lambda write: write.table != "events")
