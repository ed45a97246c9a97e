"""`%%agent` in a real kernel: it streams, its tools live in the notebook, and it stops when told to."""

from __future__ import annotations

import time

import pytest

from tests.kernels import Kernel

TOOLS = """
import sqlite3, threading
db = sqlite3.connect(":memory:")
gate = asyncio.Event()          # bound to the kernel's loop on first use
await asyncio.sleep(0)

@tool
def query(text: str) -> list:
    "Ask the database that an earlier cell opened."
    print("asking", text)
    return [threading.current_thread() is threading.main_thread(), db.execute("select 1").fetchone()[0]]

@tool
async def on_the_loop() -> str:
    "Use an object of the kernel's loop."
    asyncio.get_running_loop().call_later(0.01, gate.set)
    await gate.wait()
    print("gate open")
    return "passed"

@tool(thread=True)
def in_a_worker() -> bool:
    print("working")
    return threading.current_thread() is threading.main_thread()

@tool
def figure() -> str:
    import matplotlib.pyplot as plt
    from IPython.display import display
    plt.plot([1, 2])
    display({"text/plain": "shown"}, raw=True)
    return "drawn"

@tool
def table() -> object:
    import pandas as pd
    return pd.DataFrame({"a": [1, 2], "b": ["x", "<script>alert(1)</script>"]})

@tool
def sleeps(seconds: float = 30.0) -> str:
    time.sleep(seconds)
    return "slept"

@tool
async def naps(seconds: float = 30.0) -> str:
    await asyncio.sleep(seconds)
    return "napped"

def asks(*names):
    arguments = {"query": '{"text": "q"}'}
    calls = [ToolCall(id=f"c{i}", name=n, arguments=arguments.get(n, "{}")) for i, n in enumerate(names)]
    return ScriptedProvider(lambda messages: "Done." if messages[-1].role == "tool" else calls)

every = [query, on_the_loop, in_a_worker, figure, table, sleeps, naps]
"""


@pytest.fixture(scope="module")
def kernel(kernel: Kernel) -> Kernel:
    kernel.run(TOOLS).ok()
    return kernel


def agent(kernel: Kernel, *names: str) -> None:
    kernel.run(f"a = Agent('a', model=asks{names!r}, tools=every)").ok()


def tools_of(cell) -> dict[str, dict]:
    return {item["name"]: item for item in cell.run["items"] if item["kind"] == "tool"}


def test_a_cell_shows_one_output_that_reads_without_a_kernel(kernel):
    kernel.run("hello = Agent('hello', model=ScriptedProvider(['Hello **Ada**.']))").ok()
    cell = kernel.run("%%agent hello --new\nI am Ada.").ok()
    (output,) = cell.outputs
    assert set(output) == {"application/vnd.lumos.run+json", "text/html", "text/markdown", "text/plain"}
    assert "<strong>Ada</strong>" in output["text/html"]
    assert "Hello" in output["text/plain"]
    assert cell.run["status"] == "completed"


def test_text_is_sent_to_the_page_before_the_run_is_over(kernel):
    kernel.run("slow = Agent('slow', model=ScriptedProvider([lambda m: Answer(text='one two three', delay_s=0.3)]))"
               .replace("Answer", "__import__('lumos_nb.testing').testing.Answer")).ok()  # fmt: skip
    running = kernel.send("%%agent slow --new\nCount.")
    running.until(lambda r: any("one" in str(message) for message in r.comm), timeout=20)
    assert running.cell.seconds == 0
    assert running.wait().run["items"][0]["text"] == "one two three"


def test_tools_run_where_the_cell_runs_and_their_output_stays_with_them(kernel):
    agent(kernel, "query", "on_the_loop", "in_a_worker")
    cell = kernel.run("%%agent a --new\nGo").ok()
    done = tools_of(cell)
    assert done["query"]["content"] == "[true, 1]"
    assert done["on_the_loop"]["content"] == "passed"
    assert done["in_a_worker"]["content"] == "false"
    printed = {name: "".join(o["text"] for o in item["output"]) for name, item in done.items()}
    assert printed == {"query": "asking q\n", "on_the_loop": "gate open\n", "in_a_worker": "working\n"}
    assert cell.stdout == ""
    assert len(cell.outputs) == 1


def test_figures_and_displays_of_a_tool_are_in_its_row(kernel):
    agent(kernel, "figure")
    cell = kernel.run("%%agent a --new\nGo").ok()
    shown = [o["data"] for o in tools_of(cell)["figure"]["output"] if o["kind"] == "display"]
    assert any(data.get("text/plain") == "shown" for data in shown)
    assert any("image/png" in data for data in shown)


def test_a_table_is_shown_as_one_and_runs_nothing(kernel):
    agent(kernel, "table")
    cell = kernel.run("%%agent a --new\nGo").ok()
    assert "<table" in tools_of(cell)["table"]["display"]["text/html"]
    assert "<script>" not in cell.outputs[0]["text/html"]


def test_the_result_is_the_last_value_and_has_the_name_that_was_asked_for(kernel):
    kernel.run("hello = Agent('hello', model=ScriptedProvider(lambda m: 'Hi.'))").ok()
    kernel.run("%%agent hello -o greeting --new\nHello").ok()
    assert kernel.run("print(_.response, greeting.response, greeting.stop_reason)").stdout == "Hi. Hi. stop\n"
    assert kernel.run("1 + 1").outputs[0]["text/plain"] == "2"
    assert kernel.run("print(_)").stdout == "2\n"


def test_values_of_the_notebook_reach_the_prompt_and_single_braces_stay(kernel):
    kernel.run("seen = ScriptedProvider(lambda m: 'ok'); s = Agent('s', model=seen); x = 41").ok()
    kernel.run('%%agent s --new\n{{ x + 1 }} {"a": 1} {} f"{v:.2f}" {x.y}').ok()
    printed = kernel.run("print(seen.requests[-1].messages[-1].text)").stdout
    assert printed == '42 {"a": 1} {} f"{v:.2f}" {x.y}\n'


@pytest.mark.parametrize(
    "code",
    [
        "%%time\n%%agent a\nGo",
        "%%capture out\n%%agent a\nGo",
        "def run():\n    get_ipython().run_cell_magic('agent', 'a', 'Go')\nrun()",
        "if True:\n    get_ipython().run_cell_magic('agent', 'a', 'Go')",
        "get_ipython().run_cell('%%agent a\\nGo').raise_error()",
        "get_ipython().run_cell_magic('agent', 'a', 'Go')",
        "\n\n%%agent a\nGo",
    ],
)
def test_the_magic_works_wherever_it_can_stand(kernel, code):
    agent(kernel, "query")
    kernel.run("before = len(lumos.runs())").ok()
    kernel.run(code).ok()
    printed = kernel.run(
        "print(len(lumos.runs()) - before, lumos.runs().status.iloc[-1], lumos.tool_calls().status.iloc[-1])"
    )
    assert printed.stdout == "1 completed ok\n"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("%%agent nobody\nGo", "There is no agent 'nobody'."),
        ("%%agent hallo\nGo", "Did you mean 'hello'?"),
        ("%%agent hello --treads x\nGo", "Did you mean '--thread'?"),
        ("%%agent hello --tools nothing\nGo", "There is no tool 'nothing'"),
        ("%%agent hello -t nowhere\nGo", "--new -t nowhere begins it."),
        ("%%agent hello -t 'not there'\nGo", "--new -t 'not there' begins it."),
        ("%%agent hello -m opnai/gpt-5\nGo", "Did you mean 'openai'?"),
        ("%%agent hello -m gpt-5\nGo", "gpt-5"),
        ("%%agent hello -m openai/gpt-5.6-luna\nGo", "OPENAI_API_KEY"),
        ("%%agent hello --max-steps none\nGo", "--max-steps takes a number"),
        ("%%agent hello -o 1x\nGo", "-o takes the name of a variable"),
        ("%%agent hello\n\n", "The prompt is empty."),
        ("%%agent resume\n\n", "write %agent resume, with one %"),
        ("%%agent hello\n{{ not_here }}", "'not_here', which is not defined"),
        ("%%agent hello\n{{ 1 / 0 }}", "ZeroDivisionError"),
        ("%%agent hello\n{{ open }", "is not a Python expression"),
        ("%thread shwo", "Did you mean 'show'?"),
        ("%trace 0000", "There is no run '0000'"),
        ("%%agent -o names: list[str]\nGo", "quoted: -o 'names:list[str]'"),
        ("%lumos login", "Use: %lumos login VENDOR [--keep]"),
        ("%lumos login opnai", "Did you mean 'openai'?"),
        ("%lumos login openai", "Set OPENAI_API_KEY before the kernel starts."),
        ("%lumos settings max_step=3", "Did you mean 'max_steps'?"),
        ('%lumos settings permissions={"drop_*":"ask"}', "Put single ones around all"),
        ("%lumos settings max_steps=many", "cannot be used"),
    ],
)
def test_a_mistake_is_a_short_error_that_says_what_to_do_and_fails_the_cell(kernel, line, says):
    kernel.run("hello = Agent('hello', model=ScriptedProvider(lambda m: 'Hi.'))").ok()
    cell = kernel.run(line)
    assert cell.status == "error"
    assert says in cell.error
    assert len(cell.error.splitlines()) <= 6
    assert not [o for o in cell.outputs if "text/html" in o and "Hi." in o["text/html"]]


@pytest.mark.parametrize("moment", ["sleeps", "naps", "first byte", "text"])
@pytest.mark.parametrize("prefix", ["", "%%time\n"])
def test_an_interrupt_ends_the_run_and_nothing_else(kernel, moment, prefix):
    if moment in {"sleeps", "naps"}:
        agent(kernel, moment)
    else:
        pieces = "[]" if moment == "first byte" else "['Partial']"
        kernel.run(f"""
class Silent(ScriptedProvider):
    async def generate_stream(self, messages, *, tools=(), options=None):
        from lumos_nb.events import TextDelta
        for piece in {pieces}:
            yield TextDelta(piece)
        await asyncio.sleep(60)
a = Agent('a', model=Silent([]))""").ok()
    running = kernel.send(f"{prefix}%%agent a --new\nGo")
    time.sleep(1.0)
    kernel.manager.interrupt_kernel()
    cell = running.wait(timeout=20)
    assert cell.status == "error"
    assert "Interrupted" in cell.error
    assert len(cell.error.splitlines()) <= 3
    assert cell.run["status"] == "cancelled"
    if moment == "text":
        assert cell.run["items"][0]["text"] == "Partial"
    after = kernel.run("print(lumos.runs().status.iloc[-1], len(asyncio.all_tasks()) < 6)").ok()
    assert after.stdout == "cancelled True\n"
    agent(kernel, "query")
    assert kernel.run("%%agent a\nGo on").ok().run["status"] == "completed"


def test_stop_in_the_view_does_what_an_interrupt_does(kernel):
    agent(kernel, "naps")
    kernel.run(
        "import threading; threading.Timer(1.0, lambda: get_ipython().run_line_magic('agent', 'stop')).start()"
    ).ok()
    cell = kernel.run("%%agent a --new\nGo")
    assert cell.status == "error"
    assert cell.run["status"] == "cancelled"


def test_streams_and_signal_handlers_are_as_before_a_run(kernel):
    state = "(sys.stdout, sys.stderr, signal.getsignal(signal.SIGINT))"
    kernel.run(f"import sys, signal; before = {state}").ok()
    agent(kernel, "query")
    kernel.run("%%agent a --new\nGo").ok()
    check = f"print(before == {state}, 'publish' in vars(get_ipython().display_pub))"
    assert kernel.run(check).stdout == "True False\n"


def test_the_extension_comes_out_again(tmp_path):
    kernel = Kernel(tmp_path)
    try:
        kernel.run("%unload_ext lumos_nb").ok()
        assert "not found" in kernel.run("%%agent\nGo").text + kernel.run("%thread").text
        kernel.run("%load_ext lumos_nb").ok()
        kernel.run("%thread").ok()
    finally:
        kernel.close()
