"""What became of runs whose views were left."""

import os
import signal

import pytest

from tests.kernels import Kernel
from tests.notebook.lab.labpage import LabPage, Problem

AGENT = """
@tool(permission="ask")
def pay(amount: int) -> str:
    "Pay."
    return f"paid {amount}"

def answers(messages):
    if messages[-1].role == "tool":
        return "All paid."
    return ToolCall(id="c1", name="pay", arguments='{"amount": 5}')

payer = Agent("payer", model=ScriptedProvider(answers), tools=[pay])
"""
RUN = "application/vnd.lumos.run+json"
LIVE = "application/vnd.lumos.live+json"


@pytest.fixture
def own(tmp_path):
    made = Kernel(tmp_path, LUMOS_VIEW="live")
    made.run(AGENT).ok()
    yield made
    made.close()


def left_view(running) -> str:
    """Return the view that the cell's output names."""
    return next(o[LIVE]["view"] for o in running.cell.outputs if LIVE in o)


def test_a_page_that_still_shows_a_view_is_told_of_its_end_and_gets_what_the_cell_ended_with(own):
    page = LabPage(own).open()
    running = own.send("%%agent payer\nPay").until_asked()
    view = left_view(running)
    assert page.ask("outputs.mend", view=view) == {"state": "running", "bundle": None}
    running.kernel.page().ask(running, running.comm_ids[-1], 1, t="allow", call_id="c1")
    running.wait().ok()
    page.until(lambda data: data.get("news") == "outputs.ended" and data["with"] == {"view": view})
    told = page.ask("outputs.mend", view=view)
    assert told["state"] == "ended" and told["bundle"][RUN] == running.cell.run
    page.close()


def test_after_a_restart_the_run_is_found_by_its_view_and_says_how_it_is_resumed(own):
    pid = int(own.run("import os\nprint(os.getpid())").stdout)
    running = own.send("%%agent payer\nPay").until_asked()
    view = left_view(running)
    os.kill(pid, signal.SIGKILL)  # a restart interrupts the kernel before, and the run may be quick to note that
    own.manager.restart_kernel(now=True)
    own.client.wait_for_ready(timeout=60)
    own.run("%load_ext lumos_nb").ok()
    page = LabPage(own).open()
    told = page.ask("outputs.mend", view=view)
    doc = told["bundle"][RUN]
    assert told["state"] == "ended" and doc["status"] == "failed"
    assert doc["error"]["hint"] == f"%agent resume {doc['run_id']} goes on with it."
    [item] = doc["items"]
    assert item["status"] == "cancelled" and item["question"]["asked_at"] >= doc["started_at"]
    assert page.ask("outputs.mend", view="another")["state"] == "unknown"
    page.close()


def test_a_thread_is_forked_up_to_a_run(own):
    setup = "echo = Agent('echo', model=ScriptedProvider(['One.', 'Two.']))"
    own.run(setup).ok()
    own.run("%%agent echo\n1").ok()
    own.run("%%agent echo\n2").ok()
    page = LabPage(own).open()
    run = page.ask("runs.list")["rows"][-1]
    forked = page.ask("threads.fork", thread_id=run["thread_id"], run_id=run["run_id"])
    count = own.run(f"print(len(lumos.messages().query('thread_id == \"{forked['thread_id']}\"')))").stdout
    assert count == "2\n" and "fork" in forked["title"]
    with pytest.raises(Problem, match="There is no run"):
        page.ask("threads.fork", thread_id=run["thread_id"], run_id="no such run")
    page.close()


def test_stop_reaches_a_run_in_a_cell_over_the_link(own):
    page = LabPage(own).open()
    running = own.send("%%agent payer\nPay").until_asked()
    assert page.ask("outputs.stop") == {"n": 1}
    assert running.wait().status == "error"
    assert page.ask("outputs.stop") == {"n": 0}
    page.close()
