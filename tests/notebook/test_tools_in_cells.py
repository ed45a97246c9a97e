"""Your tool runs where your cell runs: what it prints and shows is in its row, and nowhere else."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest

from tests.kernels import Cell, Kernel

SETUP = """
import logging, sqlite3, sys, threading, warnings, contextvars
import matplotlib.pyplot as plt
from IPython.display import clear_output, display
from tqdm import tqdm

db = sqlite3.connect(":memory:")
db.execute("create table t (x)")
handler = logging.StreamHandler()         # holds the stderr of this cell
log = logging.getLogger("mine"); log.addHandler(handler); log.propagate = False

def calls(*names):
    asked = [ToolCall(id=f"c{i}", name=name, arguments="{}") for i, name in enumerate(names)]
    return ScriptedProvider(lambda m: "Done." if m[-1].role == "tool" else asked)
"""


@pytest.fixture(scope="module")
def kernel(kernel: Kernel) -> Kernel:
    kernel.run(SETUP).ok()
    return kernel


def tool(body: str, name: str = "work", head: str = "@tool\ndef") -> str:
    """Return the cell that defines a tool with this body."""
    return f"{head} {name}():\n" + textwrap.indent(textwrap.dedent(body).strip(), "    ")


def run(kernel: Kernel, *definitions: str, names: tuple[str, ...] = ("work",)) -> Cell:
    """Define tools, and run them all in one step."""
    for definition in definitions:
        kernel.run(definition).ok()
    kernel.run(f"a = Agent('a', model=calls{names!r}, tools=[{', '.join(names)}])").ok()
    return kernel.run("%%agent a --new\nGo").ok()


def only_in_its_row(cell: Cell, name: str = "work") -> dict[str, Any]:
    """Return a tool's row, once it is sure that the cell shows nothing but the run."""
    assert cell.stdout == ""
    assert cell.error == ""
    assert len(cell.outputs) == 1
    (row,) = [item for item in cell.run["items"] if item.get("name") == name]
    assert row["status"] == "ok", row["content"]
    return row


def printed(row: dict[str, Any]) -> str:
    return "".join(o["text"] for o in row["output"] if "text" in o)


def displayed(row: dict[str, Any]) -> list[dict[str, Any]]:
    return [o["data"] for o in row["output"] if o["kind"] == "display"]


PRINTS = {
    "print": "print('here')",
    "stderr": "print('here', file=sys.stderr)",
    "warning": "warnings.warn('here')",
    "a handler made before the run": "log.warning('here')",
    "logging without a handler": "logging.getLogger('other').warning('here')",
    "a handler made in the tool": """
        h = logging.StreamHandler(); other = logging.getLogger('new'); other.addHandler(h)
        other.warning('here'); other.removeHandler(h)""",
    "tqdm": "list(tqdm([1, 2], desc='here'))",
    "a command": "get_ipython().system('echo here')",
    "a thread in this context": """
        t = threading.Thread(target=contextvars.copy_context().run, args=(print, 'here'))
        t.start(); t.join()""",
    "print in a cell that it runs": "get_ipython().run_cell('print(\"here\")')",
    "an error in a cell that it runs": "get_ipython().run_cell('raise ValueError(\"here\")')",
    "sys.stdout.writelines": "sys.stdout.writelines(['he', 're'])",
}


@pytest.mark.parametrize("way", PRINTS)
def test_what_a_tool_prints_is_in_its_row(kernel, way):
    row = only_in_its_row(run(kernel, tool(PRINTS[way])))
    assert "here" in printed(row)


SHOWS = {
    "display": ("display({'text/plain': 'here'}, raw=True)", "text/plain"),
    "the result of a cell that it runs": ("get_ipython().run_cell('\"here\"')", "text/plain"),
    "plt.show": ("plt.plot([1, 2]); plt.show()", "image/png"),
    "a figure without show": ("plt.plot([1, 2])", "image/png"),
    "a DataFrame": ("import pandas as pd; display(pd.DataFrame({'a': [1]}))", "text/html"),
    "a widget": ("import ipywidgets; display(ipywidgets.IntSlider())", "application/vnd.jupyter.widget-view+json"),
    "tqdm.notebook": (
        "from tqdm.notebook import tqdm as bar; list(bar([1, 2]))",
        "application/vnd.jupyter.widget-view+json",
    ),
}


@pytest.mark.parametrize("way", SHOWS)
def test_what_a_tool_shows_is_in_its_row(kernel, way):
    code, mime = SHOWS[way]
    (data,) = displayed(only_in_its_row(run(kernel, tool(code))))
    assert data.get(mime)


def test_a_figure_of_a_tool_that_fails_is_in_its_row_too(kernel):
    cell = run(kernel, tool("plt.plot([1, 2]); raise ValueError('no')"))
    assert len(cell.outputs) == 1
    (row,) = [item for item in cell.run["items"] if item["kind"] == "tool"]
    assert row["status"] == "error"
    assert "image/png" in displayed(row)[0]


def test_a_figure_of_an_async_tool_is_in_its_row(kernel):
    cell = run(kernel, tool("plt.plot([1, 2])", head="@tool\nasync def"))
    assert "image/png" in displayed(only_in_its_row(cell))[0]


def test_an_open_connection_works(kernel):
    work = tool("db.execute('insert into t values (7)'); return db.execute('select max(x) from t').fetchone()[0]")
    assert only_in_its_row(run(kernel, work))["content"] == "7"


def test_a_display_can_be_updated(kernel):
    cell = run(kernel, tool("""
        handle = display({'text/plain': 'first'}, raw=True, display_id=True)
        print('between')
        handle.update({'text/plain': 'second'}, raw=True)"""))  # fmt: skip
    assert displayed(only_in_its_row(cell)) == [{"text/plain": "second"}]


def test_a_later_tool_can_update_what_an_earlier_one_has_shown(kernel):
    first = tool("global kept\nkept = display({'text/plain': 'first'}, raw=True, display_id=True)", "first")
    second = tool("kept.update({'text/plain': 'second'}, raw=True)", "second")
    cell = run(kernel, first, second, names=("first", "second"))
    assert displayed(only_in_its_row(cell, "first")) == [{"text/plain": "second"}]
    assert displayed(only_in_its_row(cell, "second")) == []


def test_a_display_of_a_cell_is_updated_where_it_stands(kernel):
    earlier = kernel.send("kept = display({'text/plain': 'first'}, raw=True, display_id='mine')")
    earlier.wait()
    kernel.run(tool("kept.update({'text/plain': 'second'}, raw=True)")).ok()
    kernel.run("a = Agent('a', model=calls('work'), tools=[work])").ok()
    running = kernel.send("%%agent a --new\nGo")
    running.cell.outputs.append({})
    running.displays["mine"] = 0  # that output is the other cell's
    cell = running.wait().ok()
    assert {"text/plain": "second"} in cell.outputs
    assert displayed([i for i in cell.run["items"] if i["kind"] == "tool"][0]) == []


@pytest.mark.parametrize("wait", [False, True])
def test_clear_output_clears_the_row_and_nothing_else(kernel, wait):
    cell = run(kernel, tool(f"""
        print('before')
        clear_output(wait={wait})
        print('after')"""))  # fmt: skip
    assert printed(only_in_its_row(cell)).split() == ["after"]


def test_a_tool_that_captures_keeps_what_it_captured(kernel):
    cell = run(kernel, tool("""
        from IPython.utils.capture import capture_output
        with capture_output() as got:
            print('kept'); display({'text/plain': 'kept too'}, raw=True)
        print('after')
        return got.stdout + got.outputs[0].data['text/plain']"""))  # fmt: skip
    row = only_in_its_row(cell)
    assert row["content"] == "kept\nkept too"
    assert printed(row) == "after\n"


def test_tools_at_the_same_time_do_not_mix(kernel):
    body = """
        for i in range(20):
            print('{0}', i); display({{'text/plain': '{0}'}}, raw=True)
            {1}"""
    cell = run(
        kernel,
        tool(body.format("x", "await asyncio.sleep(0)"), "x", "@tool\nasync def"),
        tool(body.format("y", "await asyncio.sleep(0)"), "y", "@tool\nasync def"),
        tool(body.format("z", "time.sleep(0.001)"), "z", "@tool(thread=True)\ndef"),
        tool(body.format("p", "pass"), "p"),
        names=("x", "y", "z", "p"),
    )
    for name in "xyzp":
        row = only_in_its_row(cell, name)
        assert printed(row) == "".join(f"{name} {i}\n" for i in range(20))
        assert displayed(row) == [{"text/plain": name}] * 20


def test_input_asks_as_in_a_cell(kernel):
    kernel.run(tool("return input('Name? ').upper()")).ok()
    kernel.run("a = Agent('a', model=calls('work'), tools=[work])").ok()
    running = kernel.send("%%agent a --new\nGo", allow_stdin=True)
    asked = kernel.client.get_stdin_msg(timeout=30)
    assert asked["content"]["prompt"] == "Name? "
    kernel.client.input("ada")
    assert only_in_its_row(running.wait().ok())["content"] == "ADA"


def test_an_agent_in_a_tool_shows_its_run_in_the_tools_row(kernel):
    kernel.run("inner = Agent('inner', model=ScriptedProvider(lambda m: 'Inner.'))").ok()
    cell = run(kernel, tool("get_ipython().run_cell('%%agent inner --new\\nHi').raise_error()"))
    (shown,) = displayed(only_in_its_row(cell))
    assert shown["application/vnd.lumos.run+json"]["items"][0]["text"] == "Inner."


def test_what_outlives_its_tool_prints_under_the_cell(kernel):
    cell = run(kernel, tool("""
        async def later():
            await asyncio.sleep(0.5)
            print('late')
        global left
        left = asyncio.create_task(later())""", head="@tool\nasync def"))  # fmt: skip
    only_in_its_row(cell)
    assert kernel.run("await left; print('waited')").ok().stdout == "waited\n"


def test_the_notebook_is_as_it_was_after_runs_that_went_well_failed_or_were_stopped(kernel):
    state = """dict(out=sys.stdout, err=sys.stderr, log=handler.stream, hook=sys.displayhook,
        loop=asyncio.get_running_loop(),
        sigint=signal.getsignal(signal.SIGINT), pub=sorted(vars(ip.display_pub)), dh=sorted(vars(ip.displayhook)),
        shell=sorted(vars(ip)), variable=variable.get(), input=builtins.input)"""
    kernel.run("import builtins, signal; ip = get_ipython(); variable = contextvars.ContextVar('v', default=0)").ok()
    kernel.run(f"before = {state}").ok()
    run(kernel, tool("variable.set(1); print(1); plt.plot([1]); log.warning('x')"))
    run(kernel, tool("variable.set(1); raise ValueError('no')", head="@tool\nasync def"))
    kernel.run(tool("display({'text/plain': 'now'}, raw=True); time.sleep(30)")).ok()
    kernel.run("a = Agent('a', model=calls('work'), tools=[work])").ok()
    running = kernel.send("%%agent a --new\nGo")
    running.until(lambda r: any("now" in str(m) for m in r.comm), timeout=20)
    kernel.manager.interrupt_kernel()
    assert running.wait(20).status == "error"
    check = kernel.run(f"after = {state}\nprint([name for name in before if before[name] != after[name]])").ok()
    assert check.stdout == "[]\n"


def test_a_tool_that_has_no_turn_yet_is_not_said_to_run(kernel):
    run(kernel, tool("import time; time.sleep(1)", "first"), tool("print('here')"), names=("first", "work"))
    running = kernel.send("%%agent a --new\nGo")
    cell = running.wait().ok()
    assert any("waits for another tool" in str(message) for message in running.comm)
    assert [item["state"] for item in cell.run["items"] if item.get("name") == "work"] == [""]


def test_what_stands_for_the_view_says_where_the_run_is(kernel):
    run(kernel, tool("print('here')"))
    running = kernel.send("%%agent a --new\nGo").until(lambda running: running.cell.outputs)
    stands = running.cell.outputs[0]["text/plain"]
    running.wait().ok()
    assert "object at 0x" not in stands
    assert "%trace last" in stands and "%agent resume" in stands


def test_a_widget_that_is_gone_is_shown_as_it_was_at_its_end(kernel):
    bar = tool("from tqdm.notebook import tqdm\nfor _ in tqdm(range(3)): pass")
    (shown,) = displayed(only_in_its_row(run(kernel, bar)))
    assert "3/3" in shown["text/plain"]
    slider = tool("import ipywidgets; s = ipywidgets.IntSlider(1); display(s); s.value = 7")
    (shown,) = displayed(only_in_its_row(run(kernel, slider)))
    assert "value=7" in shown["text/plain"]


def test_a_widget_that_gave_its_place_to_something_else_does_not_come_back(kernel):
    body = (
        "import ipywidgets; s = ipywidgets.IntSlider(1); h = display(s, display_id=True); s.value = 7; h.update('over')"
    )
    (shown,) = displayed(only_in_its_row(run(kernel, tool(body))))
    assert shown == {"text/plain": "'over'"}
