"""What a notebook said is still there after a restart, in another kernel, and as DataFrames."""

from __future__ import annotations

import os
import sqlite3

import pytest

from tests.kernels import Kernel

ECHO = """
recall = ScriptedProvider(lambda messages: " | ".join(m.text for m in messages if m.role == "user"))
a = Agent("a", model=recall)
"""


@pytest.fixture
def kernel(tmp_path):
    made = Kernel(tmp_path)
    made.run(ECHO).ok()
    yield made
    made.close()


def said(kernel: Kernel, cell: str) -> str:
    return kernel.run(cell).ok().run["items"][-1]["text"]


def test_a_notebook_goes_on_with_its_thread_after_a_restart(kernel):
    assert said(kernel, "%%agent a\nI am Ada.") == "I am Ada."
    assert said(kernel, "%%agent a\nWho am I?") == "I am Ada. | Who am I?"
    kernel.restart()
    kernel.run(ECHO).ok()
    assert said(kernel, "%%agent a\nAnd now?") == "I am Ada. | Who am I? | And now?"
    assert said(kernel, "%%agent a --new\nAfresh") == "Afresh"
    assert (kernel.folder / ".lumos" / "lumos.db").exists()
    assert (kernel.folder / ".lumos" / ".gitignore").read_text().strip() == "*"


def test_threads_have_names_that_cells_and_magics_know(kernel):
    said(kernel, "%%agent a --new -t sales\nfirst")
    said(kernel, "%%agent a --new\nelsewhere")
    assert said(kernel, "%%agent a -t sales\nsecond") == "first | second"
    assert "Did you mean 'sales'?" in kernel.run("%%agent a -t sale\nx").error
    assert "There is a thread 'sales' already." in kernel.run("%%agent a --new -t sales\nx").error
    kernel.run("%thread fork sales sales-copy").ok()
    assert said(kernel, "%%agent a\nthird") == "first | second | third"
    assert said(kernel, "%%agent a -t sales\nother") == "first | second | other"
    kernel.run("%thread rename sales-copy plan-b").ok()
    assert "plan-b" in kernel.run("%thread list").ok().text
    assert "first" in kernel.run("%thread show plan-b").ok().text
    kernel.run("%thread export plan-b plan.md").ok()
    assert "first" in (kernel.folder / "plan.md").read_text()
    kernel.run("%thread delete plan-b").ok()
    assert kernel.run("%thread use plan-b").status == "error"


def test_everything_is_a_dataframe_that_joins_and_knows_its_cell(kernel):
    said(kernel, "%%agent a\nHello")
    kernel.run("runs, steps, threads, messages, events = (getattr(lumos, n)() for n in "
               "('runs', 'steps', 'threads', 'messages', 'events'))").ok()  # fmt: skip
    check = kernel.run(
        "print(runs.merge(steps, on='run_id').merge(threads, on='thread_id').merge(messages, on='thread_id').shape[0],"
        "events.kind.tolist()[0], runs.notebook.iloc[0].endswith('book.ipynb'), runs.execution_count.iloc[0] > 1,"
        "messages.role.tolist())"
    )
    assert check.ok().stdout == "2 run_start True True ['user', 'assistant']\n"


def test_a_trace_shows_a_run_step_by_step(kernel):
    assert "There is no run yet." in kernel.run("%trace last").error
    kernel.run("""
@tool
def rows(limit: int = 5) -> str:
    return f"{limit} rows"
script = [ToolCall(id="1", name="rows", arguments='{"limit": 3}'), "Three."]
b = Agent("b", model=ScriptedProvider(script), tools=[rows])
""").ok()
    kernel.run("%%agent b\nHow many?").ok()
    shown = kernel.run("%trace last").ok().text
    assert "· ✓ ·" in shown
    assert "rows(limit=3) · ✓" in shown
    assert "→ 3 rows" in shown
    kernel.run("%trace export last trace.json").ok()
    assert '"tool": "rows"' in (kernel.folder / "trace.json").read_text()
    assert len(kernel.run("%trace df").ok().outputs) == 1


def test_two_kernels_write_to_one_file_at_once(kernel, tmp_path):
    other = Kernel(tmp_path)
    try:
        other.run(ECHO).ok()
        loop = "for i in range(40): a.generate_sync(f'{name} {i}', thread_id=name)"
        running = [k.send(f"name = {n!r}\n{loop}") for k, n in ((kernel, "one"), (other, "two"))]
        assert [r.wait(120).error for r in running] == ["", ""]
        counted = kernel.run("print(len(lumos.runs()), lumos.threads().n_messages.tolist())")
        assert counted.ok().stdout == "80 [80, 80]\n"
    finally:
        other.close()


def spoil(kind: str, folder) -> None:
    path = folder / ".lumos" / "lumos.db"
    if kind == "not a database":
        path.parent.mkdir()
        path.write_bytes(b"this is a letter to my aunt, not a database" * 100)
    elif kind == "a folder that is a file":
        path.parent.write_text("here already")
    elif kind == "locked":
        path.parent.mkdir()
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("create table t(x)")
        connection.execute("begin exclusive")
        LOCKS.append(connection)


LOCKS: list[sqlite3.Connection] = []


@pytest.mark.parametrize("kind", ["not a database", "a folder that is a file", "locked"])
def test_a_database_that_cannot_be_used_says_which_and_what_to_do_before_anything_is_sent(kind, tmp_path):
    spoil(kind, tmp_path)
    kernel = Kernel(tmp_path)
    try:
        kernel.run(ECHO).ok()
        cell = kernel.run("%%agent a\nHello")
        assert cell.status == "error"
        assert "lumos.db" in cell.error
        assert len(cell.error.splitlines()) <= 6
        assert kernel.run("print(len(recall.requests))").stdout == "0\n"
        kernel.run(f"%lumos settings db={tmp_path / 'other.db'}").ok()
        assert said(kernel, "%%agent a\nHello") == "Hello"
    finally:
        kernel.close()
        while LOCKS:
            LOCKS.pop().close()
    if kind == "not a database":
        assert (tmp_path / ".lumos" / "lumos.db").read_bytes().startswith(b"this is a letter")


def test_a_killed_kernel_leaves_what_it_had_said(kernel):
    kernel.run("""
class Endless(ScriptedProvider):
    async def generate_stream(self, messages, *, tools=(), options=None):
        from lumos_nb.events import TextDelta
        while True:
            yield TextDelta("on and on ")
            await asyncio.sleep(0.02)
e = Agent("e", model=Endless([]))""").ok()
    running = kernel.send("%%agent e\nGo")
    running.until(lambda r: len(r.comm) > 25)
    os.kill(kernel.manager.provisioner.process.pid, 9)
    kernel.restart()
    kernel.run("events = lumos.events(payload=True)").ok()
    found = kernel.run("print(events.kind.tolist()[:2], 'on and on' in ''.join(events.payload_json))")
    assert found.ok().stdout == "['run_start', 'memory_update'] True\n"
