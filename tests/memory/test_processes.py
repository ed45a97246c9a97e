"""Two kernels on one file, and a kernel that is killed."""

import json
import signal
import sqlite3
import subprocess
import sys

from lumos_nb.stores import SqliteStore

WRITER = """
import asyncio, sys
from lumos_nb.events import Metadata, StepStart, ToolCallStart
from lumos_nb.memory import Memory, RunInfo, Said, new_id
from lumos_nb.messages import Message, ToolCall
from lumos_nb.stores import SqliteStore

async def main(path, name, n):
    log = Memory(SqliteStore(path)).run_log(RunInfo(run_id=name, thread_id="t1", prompt="hello"))
    await log.start()
    for i in range(n):
        said = [Said(Message(role="user", content=f"{name} {i}"), None, 1.0)] if i % 10 == 0 else []
        await log.append([ToolCallStart(ToolCall(id=f"c{i}", name="f"))], said)
        print(i, flush=True)
asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


def start(path, name, n):
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), name, str(n)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_two_processes_write_a_thousand_events_each_into_one_thread(tmp_path):
    path = tmp_path / "lumos.db"
    writers = [start(path, name, 1_000) for name in ("a", "b")]
    outs = [w.communicate(timeout=120) for w in writers]
    assert [w.returncode for w in writers] == [0, 0], outs[0][1] + outs[1][1]
    store = SqliteStore(path)
    for name in ("a", "b"):
        rows = store.select("events", ["run_seq"], where=[("run_id", "=", name)], order=["seq"])
        assert [s for (s,) in rows] == list(range(1, 1_001))
    assert [i for (i,) in store.select("messages", ["idx"], order=["idx"])] == list(range(200))
    assert list(store.select("threads", ["n_runs", "n_messages"])) == [(2, 200)]
    store.close()


def test_a_killed_writer_leaves_what_it_had_acknowledged_and_no_gaps(tmp_path):
    for round_ in range(5):
        path = tmp_path / f"{round_}.db"
        writer = start(path, "a", 100_000)
        seen = -1
        while seen < 20 + 37 * round_:
            seen = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        rest, _ = writer.communicate()
        acknowledged = max([seen, *(int(line) for line in rest.split("\n")[:-1])])
        store = SqliteStore(path)
        found = [(s, json.loads(p)) for s, p in store.select("events", ["run_seq", "payload_json"], order=["seq"])]
        assert [s for s, _ in found] == list(range(1, len(found) + 1))
        assert len(found) >= acknowledged + 1
        assert len(list(store.select("tool_calls", ["tool"]))) == len(found)
        n_messages = len(list(store.select("messages", ["idx"])))
        assert list(store.select("threads", ["n_messages"])) == [(n_messages,)] and n_messages == -(-len(found) // 10)
        assert list(store.select("runs", ["status"])) == [("running",)]
        store.close()
        raw = sqlite3.connect(path)
        assert raw.execute("pragma integrity_check").fetchone() == ("ok",)
        raw.close()
