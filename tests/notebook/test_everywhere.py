"""Wherever a magic can stand it does the same work, and nowhere nothing at all."""

from __future__ import annotations

import pytest

from tests.kernels import Kernel

SETUP = """
import threading, sqlite3
ip = get_ipython()
db = sqlite3.connect(":memory:")

@tool
def query() -> list:
    "Use what belongs to the notebook's thread."
    return [threading.current_thread() is threading.main_thread(), db.execute("select 1").fetchone()[0]]

@tool
async def wait() -> str:
    "Wait a moment."
    await asyncio.sleep(0.01)
    return "waited"

def every_time(messages):
    calls = [ToolCall(id="c1", name="query", arguments="{}"), ToolCall(id="c2", name="wait", arguments="{}")]
    return "Done." if messages[-1].role == "tool" else calls

a = Agent("a", model=ScriptedProvider(every_time), tools=[query, wait])
"""

PLACES = {
    "alone": "%%agent a\nGo",
    "below blank lines": "\n\n%%agent a\nGo",
    "%%time": "%%time\n%%agent a\nGo",
    "%%timeit": "%%timeit -n1 -r1\n%%agent a\nGo",
    "%%capture": "%%capture out\n%%agent a\nGo",
    "%%prun": "%%prun -q\n%%agent a\nGo",
    "a line": "get_ipython().run_cell_magic('agent', 'a', 'Go')",
    "a line among others": "x = 1\nip.run_cell_magic('agent', 'a', 'Go')\ny = 2",
    "an expression": "x = [ip.run_cell_magic('agent', 'a', 'Go')]",
    "if": "if True:\n    ip.run_cell_magic('agent', 'a', 'Go')",
    "try": "try:\n    ip.run_cell_magic('agent', 'a', 'Go')\nfinally:\n    pass",
    "a function": "def run():\n    ip.run_cell_magic('agent', 'a', 'Go')\nrun()",
    "a method": "class A:\n    def run(self):\n        ip.run_cell_magic('agent', 'a', 'Go')\nA().run()",
    "an async function": "async def run():\n    ip.run_cell_magic('agent', 'a', 'Go')\nawait run()",
    "a task": "async def run():\n    ip.run_cell_magic('agent', 'a', 'Go')\nawait asyncio.create_task(run())",
    "await": "await ip.run_cell_magic('agent', 'a', 'Go')",
    "await among others": "x = 1\nawait get_ipython().run_cell_magic('agent', 'a', 'Go')\ny = 2",
    "await in a function": "async def run():\n    await ip.run_cell_magic('agent', 'a', 'Go')\nawait run()",
    "await in a task": """
async def run():
    await ip.run_cell_magic('agent', 'a', 'Go')
await asyncio.create_task(run())""",
    "ip.run_cell": "ip.run_cell('%%agent a\\nGo').raise_error()",
    "ip.run_cell of a line": 'ip.run_cell(\'ip.run_cell_magic("agent", "a", "Go")\').raise_error()',
    "await ip.run_cell_async": """
r = await ip.run_cell_async('%%agent a\\nGo', transformed_cell=ip.transform_cell('%%agent a\\nGo'))
r.raise_error()""",
    "another thread": """
t = threading.Thread(target=lambda: ip.run_cell_magic('agent', 'a', 'Go')); t.start()
while t.is_alive(): await asyncio.sleep(0.01)""",
}


@pytest.fixture(scope="module")
def kernel(kernel: Kernel) -> Kernel:
    kernel.run(SETUP).ok()
    (kernel.folder / "x.ipy").write_text("%%agent a\nGo\n")
    (kernel.folder / "y.py").write_text("get_ipython().run_cell_magic('agent', 'a', 'Go')\n")
    return kernel


def did(kernel: Kernel, before: int) -> str:
    """Say how many runs there were since, and how they and their tools ended."""
    code = f"r = lumos.runs(); t = lumos.tool_calls(); print(len(r) - {before}, r.status.iloc[-1], *t.status.iloc[-2:])"
    return kernel.run(code).ok().stdout.strip()


@pytest.mark.parametrize("place", PLACES)
def test_the_magic_does_its_work(kernel, place):
    before = int(kernel.run("print(len(lumos.runs()))").ok().stdout)
    kernel.run(PLACES[place]).ok()
    if place == "another thread":
        assert did(kernel, before).startswith("1 completed")
    else:
        assert did(kernel, before) == "1 completed ok ok"


@pytest.mark.parametrize("code", ["%run x.ipy", "%run -i y.py", "%run -i x.ipy"])
def test_a_file_that_is_run_does_its_work(kernel, code):
    before = int(kernel.run("print(len(lumos.runs()))").ok().stdout)
    kernel.run(code).ok()
    assert did(kernel, before) == "1 completed ok ok"


def test_in_a_tool_it_does_its_work(kernel):
    kernel.run("""
@tool
def ask(question: str) -> str:
    "Ask the other agent."
    ip.run_cell_magic("agent", "a -o answer --new -t beside" + str(len(lumos.runs())), question)
    return answer.response

call = ToolCall(id="c", name="ask", arguments='{"question": "Go"}')
model = ScriptedProvider(lambda m: "Outer." if m[-1].role == "tool" else call)
outer = Agent("outer", tools=[ask], model=model)""").ok()
    cell = kernel.run("%%agent outer --new\nGo").ok()
    (row,) = [item for item in cell.run["items"] if item["kind"] == "tool"]
    assert (row["status"], row["content"]) == ("ok", "Done.")
    assert len(cell.outputs) == 1


def test_an_error_is_one_wherever_it_stands(kernel):
    for code in ("%%time\n%%agent nobody\nGo", "await ip.run_cell_magic('agent', 'nobody', 'Go')", "%run z.ipy"):
        (kernel.folder / "z.ipy").write_text("%%agent nobody\nGo\n")
        cell = kernel.run(code)
        assert "There is no agent 'nobody'" in cell.error, code


def test_a_captured_run_can_be_shown_again(kernel):
    kernel.run("%%capture out\n%%agent a\nGo").ok()
    shown = kernel.run("out.show()").ok().outputs
    assert any("application/vnd.lumos.run+json" in data for data in shown)


def test_a_magic_in_a_text_stays_a_text(kernel):
    cell = kernel.run("text = '''\n%%agent a\nGo\n'''\nprint(text.split())").ok()
    assert cell.stdout == "['%%agent', 'a', 'Go']\n"


def test_somebody_elses_await_is_left_alone(kernel):
    kernel.run("""
from IPython.core.magic import register_cell_magic
@register_cell_magic
def other(line, cell):
    async def answer():
        return line + cell
    return answer()""").ok()
    assert kernel.run("print(await ip.run_cell_magic('other', 'a', 'b'))").ok().stdout == "ab\n"
