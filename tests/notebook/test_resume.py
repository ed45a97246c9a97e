"""A question outlives an interrupt and a restart; a word and a pause reach a cell that runs."""

from __future__ import annotations

import pytest

from tests.kernels import Kernel, Running

AGENTS = """
done = []

@tool(permission="ask", side_effect="unsafe")
def pay(amount: int) -> str:
    "Pay."
    done.append(amount)
    return f"paid {amount}"

@tool
def look(table: str = "orders") -> str:
    "Look."
    done.append(table)
    return "3 rows"

def answers(messages):
    n = sum(m.role == "tool" for m in messages)
    script = [ToolCall(id="c1", name="look"), ToolCall(id="c2", name="pay", arguments='{"amount": 5}'), "All paid."]
    return script[min(n, 2)]

payer = Agent("payer", model=ScriptedProvider(answers), tools=[look, pay])
"""


@pytest.fixture
def own(tmp_path):
    made = Kernel(tmp_path)
    made.run(AGENTS).ok()
    yield made
    made.close()


def say(running: Running, n: int = 1, **action: str) -> str:
    return running.kernel.page().ask(running, running.comm_ids[-1], n, **action)


def tools(cell) -> list[tuple[str, str]]:
    return [(item["name"], item["status"]) for item in cell.run["items"] if item["kind"] == "tool"]


def test_after_an_interrupt_the_question_is_asked_again_and_the_run_goes_on(own):
    running = own.send("%%agent payer\nPay the bill").until_asked()
    own.manager.interrupt_kernel()
    assert running.wait().status == "error" and "Interrupted" in running.cell.error
    assert own.run("print(done, lumos.runs().status[0])").stdout == "['orders'] cancelled\n"
    again = own.send("%agent resume").until_asked()
    assert say(again, t="allow", call_id="c2") == ""
    cell = again.wait().ok()
    assert tools(cell) == [("look", "ok"), ("pay", "ok")] and cell.run["status"] == "completed"
    assert cell.run["prompt"] == "Pay the bill" and cell.run["items"][-1]["text"] == "All paid."
    check = "print(done, list(lumos.runs().status), _.response, len(lumos.messages()))"
    assert own.run(check).stdout == "['orders', 5] ['completed'] All paid. 6\n"


def test_after_a_restart_too_and_what_was_done_is_not_done_twice(own):
    own.send("%%agent payer\nPay the bill").until_asked()
    own.restart()
    missing = own.run("%agent resume")
    assert missing.status == "error" and "Run the cell that defines it" in missing.error
    own.run(AGENTS).ok()
    again = own.send("%agent resume -o result").until_asked()
    assert say(again, t="edit", call_id="c2", arguments='{"amount": 7}') == ""
    cell = again.wait().ok()
    assert own.run("print(done, result.response)").stdout == "[7] All paid.\n"
    pay = next(item for item in cell.run["items"] if item.get("name") == "pay")
    assert pay["decision"]["asked"] == '{"amount": 5}' and pay["arguments"] == '{"amount": 7}'


@pytest.mark.parametrize(
    "form", ["%%time\n%agent resume", "def go():\n    get_ipython().run_line_magic('agent', 'resume')\ngo()"]
)
def test_it_can_be_resumed_where_nothing_can_be_awaited(own, form):
    running = own.send("%%agent payer\nPay the bill").until_asked()
    own.manager.interrupt_kernel()
    running.wait()
    again = own.send(form).until_asked()
    assert say(again, t="allow", call_id="c2") == ""
    again.wait().ok()
    assert own.run("print(done)").stdout == "['orders', 5]\n"


def test_what_cannot_be_resumed_says_so(own):
    nothing = own.run("%agent resume")
    assert nothing.status == "error" and "No run of this notebook was stopped." in nothing.error
    own.run("%%agent payer --approve pay\nPay").ok()
    assert own.run("print(done)").stdout == "['orders', 5]\n"
    ended = own.run("%agent resume last")
    assert ended.status == "error" and "has ended well" in ended.error
    wrong = own.run("%agent resume last -t other")
    assert "Leave out -t" in wrong.error


def test_a_word_reaches_the_agent_at_its_next_step(own):
    own.run("""
def heard(messages):
    said.extend(m.text for m in messages if m.role == "user")
    asks = ToolCall(id="w1", name="pay", arguments='{"amount": 1}')
    return "Heard." if messages[-1].role != "user" or "north" in said[-1] else asks
said = []
listener = Agent("listener", model=ScriptedProvider(heard), tools=[pay])
""").ok()
    running = own.send("%%agent listener --new\nGo").until_asked()
    assert say(running, t="steer", text="Only the north.") == ""
    assert say(running, 2, t="deny", call_id="w1", reason="no money") == ""
    cell = running.wait().ok()
    assert [i["kind"] for i in cell.run["items"]] == ["tool", "user", "text"]
    assert cell.run["items"][1]["text"] == "Only the north."
    assert own.run("print(said[-1])").stdout == "Only the north.\n"
    late = own.run("%agent")
    assert "Nothing runs" in late.text


def test_what_runs_is_listed_paused_and_goes_on(own):
    own.run("""
naps = lambda m: "Done." if m[-1].role == "tool" else ToolCall(id="s1", name="nap")
import threading
woken = threading.Event()
slow = Agent("slow", model=ScriptedProvider(naps), tools=[tool(thread=True, name="nap")(lambda: str(woken.wait(60)))])
""").ok()
    own.run("%%agent slow --new --background -o napped\nGo").ok()
    listed = own.run("%agent").ok()
    assert "slow" in listed.text and "running" in listed.text
    assert "1 run is pausing" in own.run("%agent pause slow").ok().text
    own.run("woken.set()").ok()
    assert "paused" in own.run("%agent").ok().text
    assert own.run("print('napped' in globals())").stdout == "False\n"
    assert "1 run is going on" in own.run("%agent resume").ok().text
    own.run("await lumos.wait()").ok()
    assert own.run("print(napped.response)").stdout == "Done.\n"
    assert "Nothing runs" in own.run("%agent stop nobody").error


def test_a_run_knows_the_number_of_its_cell(own):
    own.run("%%agent payer --approve all\nPay").ok()
    assert own.run("print(In[lumos.runs().execution_count[0]])").stdout.startswith("await get_ipython().run_cell_magic")


def test_what_was_allowed_in_a_thread_is_listed_and_can_be_taken_back(own):
    running = own.send("%%agent payer --new\nPay").until_asked()
    assert say(running, t="allow_thread", call_id="c2") == ""
    running.wait().ok()
    assert "pay" in own.run("%thread allowed").ok().text
    assert "is asked for again" in own.run("%thread revoke pay").ok().text
    assert own.run("print(len(get_ipython().run_line_magic('thread', 'allowed')))").stdout == "0\n"
    assert "was not allowed" in own.run("%thread revoke pay").error


WANDERS = """
@tool
def wipe() -> str:
    "Not for the agent."
    done.append("wiped")
    return "gone"

def wanders(messages):
    script = [ToolCall(id="w1", name="wipe"), ToolCall(id="w2", name="made_up"), ToolCall(id="w3", name="pay",
              arguments='{"amount": 5}'), ToolCall(id="w4", name="wipe"), "All paid."]
    return script[min(sum(m.role == "tool" for m in messages), 4)]

wanderer = Agent("wanderer", model=ScriptedProvider(wanders), tools=[look])
"""


def test_a_resumed_run_has_the_tools_that_it_had_and_not_those_that_the_model_only_named(own):
    own.run(WANDERS).ok()
    running = own.send("%%agent wanderer --tools look,pay\nPay the bill").until_asked()
    own.manager.interrupt_kernel()
    running.wait()
    again = own.send("%agent resume").until_asked()
    assert say(again, t="allow", call_id="w3") == ""
    assert again.wait().ok().run["status"] == "completed"
    assert own.run("print(done)").stdout == "[5]\n"
