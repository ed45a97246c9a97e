"""`%%agent --background`: the cell returns at once, and everything of the run stays its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from tests.kernels import Cell, Kernel, Running
from tests.notebook.test_runners import LOAD, python, write

SETUP = """
import sqlite3, sys, threading, signal
from IPython.display import display
from lumos_nb.testing import Answer
db = sqlite3.connect(":memory:")

@tool
def main() -> list:
    "Look at the main thread."
    print("on main")
    return [threading.current_thread() is threading.main_thread(), db.execute("select 1").fetchone()[0]]

@tool
async def on_loop() -> bool:
    "Look at the loop."
    print("on loop")
    await asyncio.sleep(0.01)
    return asyncio.get_running_loop() is home_loop

@tool(thread=True)
def in_worker() -> bool:
    "Look at the thread."
    print("in a worker")
    return threading.current_thread() is threading.main_thread()

@tool
def blocks(seconds: float = 30.0) -> str:
    "Block the main thread."
    print("blocking")
    time.sleep(seconds)
    return "done"

@tool
async def naps(seconds: float = 30.0) -> str:
    "Wait on the loop."
    print("napping")
    await asyncio.sleep(seconds)
    return "done"

home_loop = asyncio.get_running_loop()
every = [main, on_loop, in_worker, blocks, naps]

def asks(*names):
    calls = [ToolCall(id=f"c{i}", name=n, arguments="{}") for i, n in enumerate(names)]
    return ScriptedProvider(lambda messages: "Done." if messages[-1].role == "tool" else calls)
"""

MIME = "application/vnd.lumos.run+json"


@pytest.fixture(scope="module")
def kernel(kernel: Kernel) -> Kernel:
    kernel.run(SETUP).ok()
    return kernel


class Watched:
    """All that a kernel sends, by the cell that it is for."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.cells: dict[str, Running] = {}

    def send(self, code: str) -> Running:
        running = self.kernel.send(code)
        self.cells[running.id] = running
        return running

    def run(self, code: str) -> Cell:
        running = self.send(code)
        self.until(lambda: running.cell.seconds > 0)
        return running.replied()

    def until(self, done: Callable[[], bool], timeout: float = 30) -> None:
        deadline = time.monotonic() + timeout
        while not done():
            message = self.kernel.client.get_iopub_msg(timeout=max(0.01, deadline - time.monotonic()))
            told = (
                message["content"].get("transient", {}).get("display_id") if "update" in message["msg_type"] else None
            )
            shown = [running for running in self.cells.values() if told in running.displays]
            if running := shown[0] if shown else self.cells.get(message["parent_header"].get("msg_id", "")):
                running._read(message)


def ended(cell: Cell) -> bool:
    return any(MIME in output for output in cell.outputs)


def row(cell: Cell, name: str) -> dict:
    return next(item for item in cell.run["items"] if item.get("name") == name)


def background(watched: Watched, model: str, options: str = "", prefix: str = "") -> Cell:
    """Start a run and return its cell, which has returned."""
    watched.run(f"a = Agent('a', model={model}, tools=every)").ok()
    return watched.run(f"{prefix}%%agent a --new {options} --background\nGo").ok()


@pytest.mark.parametrize("prefix", ["", "%%time\n"])
def test_the_cell_returns_at_once_and_the_end_is_shown_in_it(kernel, prefix):
    watched = Watched(kernel)
    cell = background(watched, "ScriptedProvider([Answer(text='one two three', delay_s=0.3)])", "-o kept", prefix)
    assert not ended(cell)
    watched.run("kept = None").ok()
    other = watched.run("print('another cell'); 1 + 1").ok()
    watched.until(lambda: ended(cell))
    assert cell.run["status"] == "completed"
    assert cell.run["items"][0]["text"] == "one two three"
    assert (other.stdout, other.outputs) == ("another cell\n", [{"text/plain": "2"}])
    assert watched.run("print(kept.response, _)").ok().stdout == "one two three 2\n"


def test_awaiting_the_cells_value_gives_the_result(kernel):
    watched = Watched(kernel)
    background(watched, "asks('main', 'on_loop', 'in_worker')")
    assert watched.run("result = await _\nprint(result.response)").ok().stdout == "Done.\n"


def test_its_tools_run_where_cells_run_and_show_in_their_rows(kernel):
    watched = Watched(kernel)
    cell = background(watched, "asks('main', 'on_loop', 'in_worker')")
    watched.until(lambda: ended(cell))
    assert {n: row(cell, n)["content"] for n in ("main", "on_loop", "in_worker")} == {
        "main": "[true, 1]", "on_loop": "true", "in_worker": "false",
    }  # fmt: skip
    assert [row(cell, n)["output"][0]["text"] for n in ("main", "on_loop", "in_worker")] == [
        "on main\n", "on loop\n", "in a worker\n",
    ]  # fmt: skip
    assert cell.stdout == ""


def test_a_tool_waits_while_a_cell_blocks_and_says_so(kernel):
    watched = Watched(kernel)
    call = "Answer(reasoning='a b c d', delay_s=0.1, tool_calls=(ToolCall(id='c', name='main', arguments='{}'),))"
    cell = background(watched, f"ScriptedProvider([{call}, 'Done.'])")
    blocking = watched.run("time.sleep(1.5); print('mine')").ok()
    watched.until(lambda: ended(cell))
    assert blocking.stdout == "mine\n"
    assert any("waits for the cell that runs" in str(m) for running in watched.cells.values() for m in running.comm)
    assert row(cell, "main")["state"] == ""
    assert row(cell, "main")["content"] == "[true, 1]"


def test_an_error_is_shown_in_its_own_cell_and_raised_where_it_is_awaited(kernel):
    watched = Watched(kernel)
    cell = background(watched, "ScriptedProvider([Answer(text='So far', error=OSError('gone'), error_after=1)])")
    watched.run("run = _").ok()
    watched.until(lambda: ended(cell))
    assert cell.run["status"] == "failed"
    assert "gone" in cell.run["error"]["message"]
    assert "gone" in cell.outputs[0]["text/plain"]
    other = watched.run("import gc; gc.collect(); print('clean')").ok()
    assert (other.stdout, cell.stdout) == ("clean\n", "")
    assert watched.run("await run").error.endswith("gone")


def test_a_run_that_cannot_begin_says_so_in_its_cell(kernel):
    watched = Watched(kernel)
    watched.run("a = Agent('a', model=asks(), tools=lambda context: 1 / 0)").ok()
    cell = watched.run("%%agent a --new --background\nGo").ok()
    watched.until(lambda: ended(cell))
    assert "ZeroDivisionError" in cell.run["error"]["message"]


def test_stop_ends_this_run_and_no_other(kernel):
    watched = Watched(kernel)
    one = background(watched, "asks('naps')")
    watched.run("one = _").ok()
    two = background(watched, "asks('naps')")
    watched.run("two = _\none.stop()").ok()
    watched.until(lambda: ended(one))
    assert one.run["status"] == "cancelled"
    assert watched.run("print(two.status)").ok().stdout == "running\n"
    watched.run("two.stop()").ok()
    watched.until(lambda: ended(two))


@pytest.mark.parametrize("means", ["interrupt", "click"])
def test_a_tool_that_blocks_the_notebook_is_stopped_between_cells(kernel, means):
    """There the kernel itself hears no interrupt."""
    watched = Watched(kernel)
    one = background(watched, "asks('blocks')")
    cell = watched.cells[next(reversed(watched.cells))]
    watched.until(lambda: any("blocking" in str(m) for m in cell.comm))
    at = time.monotonic()
    if means == "click":
        kernel.page().say(cell.comm_ids[-1], {"t": "stop", "n": 1})
    else:
        kernel.manager.interrupt_kernel()
    watched.until(lambda: ended(one))
    assert time.monotonic() - at < 3.0
    assert one.run["status"] == "cancelled"
    assert watched.run("1 + 1").ok().outputs == [{"text/plain": "2"}]


def test_the_cell_returns_before_a_tool_takes_the_notebooks_thread(kernel):
    for _ in range(15):
        watched = Watched(kernel)
        cell = background(watched, "asks('blocks')")
        assert cell.seconds < 10
        shown = list(watched.cells.values())
        watched.until(lambda shown=shown: any("blocking" in str(m) for running in shown for m in running.comm))
        kernel.manager.interrupt_kernel()
        watched.until(lambda cell=cell: ended(cell))


def test_an_interrupt_of_another_cell_leaves_it_alone(kernel):
    watched = Watched(kernel)
    cell = background(watched, "asks('naps')")
    watched.run("run = _").ok()
    other = watched.send("print('begun'); time.sleep(30)")
    watched.until(lambda: "begun" in other.cell.stdout)
    kernel.manager.interrupt_kernel()
    watched.until(lambda: other.cell.seconds > 0)
    assert "KeyboardInterrupt" in other.cell.error
    watched.run("print(run.status); run.stop()").ok()
    watched.until(lambda: ended(cell))
    assert [r.cell.stdout for r in watched.cells.values()][-1] == "running\n"


def test_stopping_the_wait_does_not_stop_the_run(kernel):
    watched = Watched(kernel)
    cell = background(watched, "asks('naps')")
    watched.run("run = _").ok()
    waiting = watched.send("print('waits'); await run")
    watched.until(lambda: "waits" in waiting.cell.stdout)
    kernel.manager.interrupt_kernel()
    watched.until(lambda: waiting.cell.seconds > 0, timeout=10)
    assert watched.run("print(run.status); run.stop()").ok().stdout == "running\n"
    watched.until(lambda: ended(cell))


def test_its_end_is_not_taken_by_a_cell_that_captures(kernel):
    watched = Watched(kernel)
    cell = background(watched, "ScriptedProvider([Answer(text='one two three', delay_s=0.1)])")
    watched.run("%%capture taken\ntime.sleep(1)").ok()
    watched.until(lambda: ended(cell), timeout=10)
    assert watched.run("print(len(taken.outputs))").ok().stdout == "0\n"


def test_twenty_runs_at_once_show_their_own_text_each(kernel):
    watched = Watched(kernel)
    watched.run("""
model = ScriptedProvider(lambda m: Answer(text=' '.join(f'{m[-1].text}.{i}' for i in range(100)), delay_s=0.005))
a = Agent('a', model=model)""").ok()
    cells = [watched.run(f"%%agent a --new --background -o r{n}\nrun{n}").ok() for n in range(20)]
    between = watched.run("await asyncio.sleep(0.2); print('between')").ok()
    watched.until(lambda: all(ended(cell) for cell in cells), timeout=60)
    assert between.stdout == "between\n"
    for n, cell in enumerate(cells):
        assert cell.run["items"][0]["text"] == " ".join(f"run{n}.{i}" for i in range(100))
        assert (len(cell.outputs), cell.stdout) == (1, "")
    assert watched.run("print(len(await lumos.wait()), r19.response[:7])").ok().stdout == "0 run19.0\n"


def test_the_notebook_is_as_before_when_all_have_ended(kernel):
    state = "(sys.stdout, sys.stderr, signal.getsignal(signal.SIGINT), sys.displayhook)"
    watched = Watched(kernel)
    watched.run(f"before = {state}").ok()
    cell = background(watched, "asks('main', 'on_loop', 'in_worker')")
    watched.until(lambda: ended(cell))
    assert watched.run(f"print(before == {state})").ok().stdout == "True\n"


# ---- plain runners --------------------------------------------------------------------

SLOW = "a = Agent('a', model=ScriptedProvider([Answer(text='one two three', delay_s=0.2)]))"


@pytest.mark.parametrize("ci", ["", "1"])
def test_a_notebook_that_waits_keeps_the_end_in_its_file(tmp_path, ci):
    path = write(tmp_path, LOAD, SLOW, "%%agent a --background\nHi", "import lumos_nb\nawait lumos_nb.wait();")
    ran = python("papermill", str(path), str(tmp_path / "out.ipynb"), cwd=tmp_path, CI=ci)
    assert ran.returncode == 0, ran.stderr
    (output,) = nbformat.read(tmp_path / "out.ipynb", as_version=4).cells[2].outputs
    assert output.data[MIME]["items"][0]["text"] == "one two three"


def test_a_notebook_that_ends_before_records_the_run_as_stopped(tmp_path):
    path = write(tmp_path, LOAD, SLOW.replace("0.2", "5"), "%%agent a --background\nHi", "import time; time.sleep(0.5)")
    ran = python("papermill", str(path), str(tmp_path / "out.ipynb"), cwd=tmp_path, CI="1")
    assert ran.returncode == 0, ran.stderr
    assert statuses(tmp_path) == ["cancelled"]


def statuses(folder: Path) -> list[str]:
    from lumos_nb import frames, settings

    before = settings.current().db
    settings.configure(db=str(folder / ".lumos" / "lumos.db"))
    try:
        return frames.runs().status.tolist()
    finally:
        settings.configure(db=before)


def test_without_a_kernel_it_says_what_to_do(tmp_path):
    (tmp_path / "script.ipy").write_text(
        f"{LOAD}\n{SLOW}\nget_ipython().run_cell_magic('agent', 'a --background', 'Hi')\n"
    )
    ran = python("IPython", "--colors=nocolor", "script.ipy", cwd=tmp_path, IPYTHONDIR=str(tmp_path / "ipython"))
    assert "Leave out --background." in ran.stdout + ran.stderr
