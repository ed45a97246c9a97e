"""How quick the store and the frames are, beside plain sqlite3. Prints figures, asserts nothing.

PYTHONPATH=. python tests/bench/bench_store.py [EVENTS]
"""

import asyncio
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lumos_nb import frames
from lumos_nb.events import ToolCallStart
from lumos_nb.memory import Memory, RunInfo, new_id
from lumos_nb.memory._rows import event_row
from lumos_nb.messages import Message, ToolCall
from lumos_nb.stores import Insert, SqliteStore

EVENT = ToolCallStart(ToolCall(id="call_0", name="rows", arguments='{"text": "' + "x" * 200 + '"}'))
KINDS = ["tool_call_start", "tool_call_complete", "text", "step_start", "step_complete", "run_start", "metadata"]
AT_ONCE = 1_000


def timed(what, call, n=1, best_of=1):
    """Print and return how long a call took, the best of several where it can be done again."""
    seconds = float("inf")
    for _ in range(best_of):
        start = time.perf_counter()
        out = call()
        seconds = min(seconds, time.perf_counter() - start)
    print(f"{what:58s} {seconds:8.3f} s {seconds / n * 1e6:10.1f} µs each", flush=True)
    return seconds, out


def rows(n):
    return [
        event_row(EVENT, ts=i * 10**9, step=1, run_seq=i % 100, run_id=f"run-{i // 100}")
        | {"thread_id": f"t-{i // 1000}", "kind": KINDS[i % 7], "name": f"tool-{i % 5}" if i % 7 < 2 else None}
        for i in range(n)
    ]


def run_row(i):
    """A run as it is recorded, most columns filled."""
    run = new_id()
    return {
        "run_id": run, "root_run_id": run, "trace_id": run.replace("-", ""), "thread_id": f"t-{i // 10}",
        "started_at": i * 10**9, "ended_at": i * 10**9 + 10**8, "status": "completed" if i % 10 else "failed",
        "agent": f"agent-{i % 5}", "model": f"model-{i % 7}", "provider": "openai", "duration_s": i % 10 / 3,
        "ttft_s": 0.1, "input_tokens": 100 + i % 50, "output_tokens": i % 99, "cost_usd": 0.001 if i % 4 else None,
        "prompt_preview": f"what is {i}", "output_preview": f"it is {i}", "n_steps": 1, "n_tool_calls": 0,
        "lumos_version": "0.1", "process": "1@host", "cell_id": f"c{i % 30}", "notebook": "a.ipynb",
    }  # fmt: skip


def raw(path, made):
    names = list(made[0])
    db = sqlite3.connect(path)
    db.execute("pragma journal_mode = wal")
    db.execute(f"create table events ({', '.join(names)})")
    db.executemany(f"insert into events values ({','.join('?' * len(names))})", [tuple(r.values()) for r in made])
    db.commit()
    return db


async def appends(memory, n):
    log = memory.run_log(RunInfo(run_id="r", thread_id="t", prompt="x"))
    await log.start()
    for i in range(n):
        await log.append([ToolCallStart(ToolCall(id=f"c{i}", name="f"))])


async def operations(memory, n):
    thread = await memory.create_thread(title="bench")
    for i in range(n):
        await thread.add_messages([Message(role="user", content=f"message {i}")])
    for _ in range(n):
        await memory.load(thread.id, limit=50)


def peak_mb():
    """Return the most memory that this program had; `getrusage` would count that of the one which started it."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return int(status.read_text().split("VmHWM:")[1].split()[0]) / 1024


def written(folder, n):
    """Fill the store, beside plain sqlite3."""
    made = rows(n)
    bare, db = timed(f"plain sqlite3, one table, insert {n:,}", lambda: raw(folder / "raw.db", made), n)
    db.close()
    store = SqliteStore(folder / "lumos.db")

    def insert():
        for at in range(0, n, AT_ONCE):
            store.write([Insert("events", row) for row in made[at : at + AT_ONCE]])

    own, _ = timed("store.write, 1,000 a batch, with indexes", insert, n)
    print(f"{'':58s} ratio {own / bare:.2f}")
    store.write([Insert("runs", run_row(i)) for i in range(100_000)])
    store.close()


def read(folder):
    """Read it in a process of its own, whose memory is that of reading alone."""
    store = SqliteStore(folder / "lumos.db")
    q = frames.q.on(store)
    frames.events(store=store, limit=1)
    n, before = q.events.count(), peak_mb()
    timed(f"q.events.batches(50_000), {n:,} rows", lambda: sum(map(len, q.events.batches(50_000))), n)
    print(f"{'':58s} peak memory {peak_mb():.0f} MB, {before:.0f} before")
    db = sqlite3.connect(folder / "raw.db")
    columns = [c for c in frames.events(store=store, limit=0) if c not in {"seq", "name", "span_id"}]
    query = f"select {', '.join(columns)} from events"
    bare, _ = timed("plain sqlite3, fetchmany without payload", lambda: sum(1 for _ in db.execute(query)), n)
    own, _ = timed(f"frames.events(): {n:,} rows", lambda: frames.events(store=store), n)
    print(f"{'':58s} ratio {own / bare:.2f}, peak memory {peak_mb():.0f} MB")
    timed("frames.events(limit=10_000)", lambda: frames.events(store=store, limit=10_000), best_of=3)
    timed("frames.events(run_id=…), 100 rows", lambda: frames.events(store=store, run_id="run-7"), best_of=3)
    timed('q.events.group_by("kind").count()', lambda: q.events.group_by("kind").count(), best_of=3)
    timed('q.events.group_by("kind", "name").count()', lambda: q.events.group_by("kind", "name").count(), best_of=3)
    timed("q.events.count()", q.events.count)
    text = "select kind, avg(size_bytes) from events group by kind"
    timed(f'sql("{text}")', lambda: frames.sql(text, store=store), best_of=3)
    timed("frames.runs() of 100,000", lambda: frames.runs(store=store), best_of=3)
    timed("frames.spans(limit=1_000) of 100,000 runs", lambda: frames.spans(store=store, limit=1_000), best_of=3)
    store.close()


def main(n):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        written(folder, n)
        subprocess.run([sys.executable, __file__, str(folder)], check=True)
        store = SqliteStore(folder / "lumos.db")
        timed("RunLog.append with a commit", lambda: asyncio.run(appends(Memory(store), 2_000)), 2_000)
        timed("add one message + load 50", lambda: asyncio.run(operations(Memory(store), 500)), 500)
        store.close()


if __name__ == "__main__":
    given = sys.argv[1] if len(sys.argv) > 1 else "100000"
    main(int(given)) if given.isdecimal() else read(Path(given))
