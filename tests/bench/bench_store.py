"""How quick the store is, beside plain sqlite3. Prints figures, asserts nothing.

PYTHONPATH=. python tests/bench/bench_store.py [EVENTS]
"""

import asyncio
import resource
import sqlite3
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

N = int(sys.argv[1]) if __name__ == "__main__" and len(sys.argv) > 1 else 100_000
EVENT = ToolCallStart(ToolCall(id="call_0", name="rows", arguments='{"text": "' + "x" * 200 + '"}'))


def timed(what, call, n=1):
    start = time.perf_counter()
    out = call()
    seconds = time.perf_counter() - start
    print(f"{what:58s} {seconds:8.3f} s {seconds / n * 1e6:10.1f} µs each")
    return seconds, out


def rows():
    return [
        event_row(EVENT, ts=i, step=1, run_seq=i % 100, run_id=f"run-{i // 100}") | {"thread_id": f"t-{i // 1000}"}
        for i in range(N)
    ]


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


def main():
    with tempfile.TemporaryDirectory() as folder:
        made = rows()
        bare, db = timed(f"plain sqlite3, one table, insert {N:,}", lambda: raw(Path(folder) / "raw.db", made), N)
        store = SqliteStore(Path(folder) / "lumos.db")

        def insert():
            for at in range(0, N, 1_000):
                store.write([Insert("events", row) for row in made[at : at + 1_000]])

        own, _ = timed("store.write, 1,000 a batch, with indexes", insert, N)
        print(f"{'':58s} ratio {own / bare:.2f}")
        made.clear()
        columns = [c for c in frames.events(store=store, limit=0) if c not in {"seq", "name", "span_id"}]
        query = f"select {', '.join(columns)} from events"
        bare, _ = timed("plain sqlite3, fetchall without payload", lambda: len(db.execute(query).fetchall()), N)
        db.close()
        own, _ = timed(f"frames.events(): {N:,} rows", lambda: frames.events(store=store), N)
        print(f"{'':58s} ratio {own / bare:.2f}")
        timed("frames.events(limit=10_000)", lambda: frames.events(store=store, limit=10_000))
        timed("frames.events(run_id=…), 100 rows", lambda: frames.events(store=store, run_id="run-7"))
        store.write(
            [Insert("runs", {"run_id": new_id(), "started_at": i, "status": "completed"}) for i in range(100_000)]
        )
        timed("frames.runs() of 100,000", lambda: frames.runs(store=store))
        timed("RunLog.append with a commit", lambda: asyncio.run(appends(Memory(store), 2_000)), 2_000)
        timed("add one message + load 50", lambda: asyncio.run(operations(Memory(store), 500)), 500)
        print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
        store.close()


if __name__ == "__main__":
    main()
