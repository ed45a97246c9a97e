"""Taking up a stopped run: by one process, and only where it can go on.

One idea: who takes a run up writes the next event of its log, and that place is there once.
"""

from __future__ import annotations

import os
import platform
from functools import lru_cache
from pathlib import Path

from lumos_nb import clock
from lumos_nb.errors import ConflictError, UsageError
from lumos_nb.events import Metadata
from lumos_nb.memory._rows import event_row
from lumos_nb.memory.runs import SavedRun
from lumos_nb.stores import Delete, Insert, Store, Update
from lumos_nb.stores.base import Write


def reopen(store: Store, saved: SavedRun) -> Metadata:
    """Take a stopped run up: note that it goes on, and take what it left in its thread out again.

    Returns:
        That event. `saved` has it too.

    Raises:
        UsageError: The thread has gone on since, or somebody else has taken the run up.
    """
    now, run_id, run_seq = clock.time_ns(), saved.row["run_id"], len(saved.timed) + 1
    event = Metadata({"kind": "resumed", "away_s": max(0.0, now / 1e9 - saved.last_at), "state": ""})
    row = event_row(event, ts=now, step=None, run_seq=run_seq, run_id=run_id)
    claim = Insert("events", row | {"thread_id": saved.row["thread_id"], "event_id": f"{run_id}/{run_seq}"})
    try:
        store.write([claim, *_reopening(store, saved)])
    except ConflictError:
        raise UsageError(f"Run {run_id!r} has just been taken up by somebody else.", hint="Look at %agent.") from None
    saved.timed.append((event, now))
    return event


def _reopening(store: Store, saved: SavedRun) -> list[Write]:
    """Return the writes that take what a stopped run left in its thread out again: it will say it anew, and more."""
    run_id, thread_id = saved.row["run_id"], saved.row["thread_id"]
    cleared = dict.fromkeys(("ended_at", "error_type", "error_message", "stop_reason"))
    writes: list[Write] = [
        Update("runs", {"run_id": run_id}, {"status": "running", "process": this_process(), **cleared})
    ]
    if thread_id is None:
        return writes
    where = [("thread_id", "=", thread_id)]
    found = list(store.select("messages", ["run_id", "created_at"], where=where, order=["idx"]))
    own = sum(run == run_id for run, _ in found)
    # A run that was killed has said nothing there: then the time tells.
    if found and found[-1][0] != run_id and (own or found[-1][1] > saved.row["started_at"]):
        raise UsageError(
            f"The thread of run {run_id!r} has gone on since the run was stopped.",
            hint="Ask again in a new cell: the thread knows what the run had said.",
        )
    removed = Delete("messages", {"thread_id": thread_id, "run_id": run_id})
    return [*writes, removed, Update("threads", {"thread_id": thread_id}, {}, {"n_messages": -own})]


def this_process() -> str:
    """Return what names this process in the row of a run: its number, its machine and when it began.

    Under a virtual clock it is nobody's name: the database is this process's own, and comes out the same each time.
    """
    return "0@tape" if clock.is_virtual() else _named(os.getpid())


@lru_cache(maxsize=1)
def _named(pid: int) -> str:
    return f"{pid}@{platform.node()}#{_began(pid)}"


def _began(pid: int) -> str:
    """Return when a process began, in ticks of its machine; empty where that cannot be had so easily."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def runs_elsewhere(process: str | None) -> bool:
    """Return whether a process of that name is alive on this machine and is not this one.

    A number is given again, after a restart of the machine soon: then the time tells.
    """
    pid, _, place = (process or "").partition("@")
    host, _, began = place.partition("#")
    if host != platform.node() or not pid.isdecimal() or int(pid) == os.getpid():
        return False
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        pass
    return began in ("", _began(int(pid)))
