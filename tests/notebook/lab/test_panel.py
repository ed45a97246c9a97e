"""What the side panel asks: threads, runs, agents, approvals, budget."""

import json
from pathlib import Path

import pytest

from lumos_nb.notebook.lab.typescript import question
from tests.kernels import Kernel
from tests.notebook.lab.labpage import LabPage, Problem

CLEAR = """
@tool(permission="ask")
def clear(path: str, force: bool = False) -> str:
    \"\"\"Remove a file.\"\"\"
    return f"removed {path} {force}"

@tool
def rows(n: int) -> int:
    return n

def asks(*calls):
    return [[ToolCall(id=f"c{i}", name="clear", arguments=a) for i, a in enumerate(calls)], "Done."]
"""


@pytest.fixture(scope="module")
def booked(kernel: Kernel) -> Kernel:
    kernel.run(CLEAR).ok()
    kernel.run(
        "echo = Agent('echo', instructions='Say it.\\nAgain.', model=ScriptedProvider(['Hi'] * 9), tools=[rows])"
    ).ok()
    kernel.run("%%agent echo -t sales --new\nThe orders of May").ok()
    kernel.run("%%agent echo -t weather --new\nRain in Oslo", cell_id="cell-7").ok()
    return kernel


def test_the_form_of_a_question_is_that_of_the_live_view():
    kept = Path(__file__).parents[3] / "labextension" / "src" / "panel" / "question.ts"
    assert kept.read_text("utf-8") == question(), "run `python -m lumos_nb.notebook.lab.typescript …/protocol.ts`"


def titles(page: LabPage, **wanted: object) -> list[str]:
    return [row["title"] for row in page.ask("threads.list", **wanted)["rows"]]


def test_threads_are_found_by_title_agent_and_words_of_their_messages(booked, page):
    assert titles(page)[:2] == ["weather", "sales"]
    assert titles(page, words="SALE") == ["sales"]
    assert titles(page, words="orders may") == ["sales"]
    assert set(titles(page, words="echo")) == {"sales", "weather"}
    assert titles(page, words="orders oslo") == []
    found = page.ask("threads.list", words="oslo")
    assert (found["n_found"], found["rows"][0]["n_runs"], found["rows"][0]["agent"]) == (1, 1, "echo")


def test_a_thread_is_renamed_forked_archived_used_and_deleted(booked, page):
    thread_id = page.ask("threads.list", words="sales")["rows"][0]["thread_id"]
    page.ask("threads.rename", thread_id=thread_id, title="  Orders\n <b>of</b> 2026 ")
    page.until_changed("threads")
    assert titles(page)[0] == "Orders <b>of</b> 2026"
    fork = page.ask("threads.fork", thread_id=thread_id)["thread_id"]
    assert fork != thread_id and titles(page)[0] == "Orders <b>of</b> 2026 (fork)"
    page.ask("threads.archive", thread_id=fork, is_archived=True)
    assert "Orders <b>of</b> 2026 (fork)" not in titles(page)
    assert titles(page, archived=True) == ["Orders <b>of</b> 2026 (fork)"]
    page.ask("threads.archive", thread_id=fork, is_archived=False)
    page.ask("threads.use", thread_id=thread_id)
    assert next(row for row in page.ask("threads.list")["rows"] if row["is_current"])["thread_id"] == thread_id
    page.ask("threads.delete", thread_id=fork)
    assert fork not in [row["thread_id"] for row in page.ask("threads.list")["rows"]]


def test_what_cannot_be_done_to_a_thread_is_said(booked, page):
    thread_id = page.ask("threads.list", words="rain")["rows"][0]["thread_id"]
    for asked, given, said in (
        ("threads.rename", {"thread_id": thread_id, "title": "  "}, "needs a name"),
        ("threads.rename", {"thread_id": thread_id, "title": "x" * 201}, "at most 200"),
        ("threads.delete", {"thread_id": "weather"}, "no thread 'weather'"),
        ("threads.use", {"thread_id": "thread_gone"}, "no thread 'thread_gone'"),
        ("threads.list", {"limit": 100_000}, "no page of 100000"),
        ("threads.list", {"offset": -1}, "no page"),
        ("threads.list", {"words": 7}, "Expected `str`"),
    ):
        with pytest.raises(Problem, match=said):
            page.ask(asked, **given)


def test_runs_are_found_by_words_agent_and_thread_with_their_cells(booked, page):
    run = page.ask("runs.list", words="rain")["rows"][0]
    assert (run["agent"], run["status"], run["thread"], run["cell_id"]) == ("echo", "completed", "weather", "cell-7")
    assert (run["prompt"], run["is_live"]) == ("Rain in Oslo", False)
    assert page.ask("runs.list", status="failed")["n_found"] == 0
    found = page.ask("runs.list", thread_id=run["thread_id"], agent="echo", limit=1)
    assert (found["n_found"], found["agents"]) == (1, ["echo"])
    with pytest.raises(Problem, match="The run has ended."):
        page.ask("runs.act", run_id=run["run_id"], t="stop")
    assert page.ask("runs.show", run_id=run["run_id"])["bundle"]["text/markdown"].startswith("Hi")
    assert "There is no run" in page.ask("runs.show", run_id="gone")["bundle"]["text/plain"]


def test_a_call_that_waits_is_answered_once_wherever_it_is_seen(booked, page, new_page):
    other = new_page().open()
    booked.run("asker = Agent('asker', model=ScriptedProvider(asks('{\"path\": \"a\"}')), tools=[clear])").ok()
    running = booked.send("%%agent asker -t asked --new\nClear it", cell_id="cell-9")
    page.until_changed("approvals")
    [waiting] = until_waiting(page)
    assert (waiting["name"], waiting["agent"], waiting["thread"]) == ("clear", "asker", "asked")
    assert json.loads(waiting["arguments"]) == {"path": "a"}
    assert [(f["name"], f["kind"]) for f in waiting["fields"]] == [("path", "line"), ("force", "boolean")]
    assert other.ask("runs.list", thread_id="")["rows"][0]["status"] == "waiting for you"
    call = {"run_id": waiting["run_id"], "call_id": waiting["call_id"]}
    for bad, said in (
        ({"t": "edit", "arguments": '{"path": 3}'}, "path"),
        ({"t": "edit", "arguments": "x" * 200_000}, "too long"),
        ({"t": "burn"}, "did not understand"),
        ({"t": "allow", "call_id": "c9"}, "no such call"),
    ):
        with pytest.raises(Problem, match=said):
            page.ask("runs.act", **{**call, **bad})
    answer = {"t": "edit", "arguments": '{"path": "b", "force": true}'}
    page.ask("runs.act", **call, **answer)
    with pytest.raises(Problem):
        other.ask("runs.act", **call, t="allow")
    running.wait().ok()
    assert running.cell.run["items"][0]["content"].startswith("removed b True")
    assert page.ask("approvals.list")["rows"] == []


def until_waiting(page: LabPage) -> list[dict]:
    while not (rows := page.ask("approvals.list")["rows"]):
        page.until_changed("approvals")
    return rows


def test_agents_are_listed_with_what_their_tools_may_do_and_what_was_allowed_is_revoked(booked, page):
    booked.run("lumos.settings.configure(permissions={'ro*': 'deny'})").ok()
    booked.run("keeper = Agent('keeper', model=ScriptedProvider(asks('{\"path\": \"a\"}')), tools=[clear, rows])").ok()
    page.ask("agents.use", name="keeper")
    running = booked.send("%%agent\nClear it")
    page.until_changed("approvals")
    [waiting] = until_waiting(page)
    page.ask("runs.act", run_id=waiting["run_id"], call_id=waiting["call_id"], t="allow_thread")
    running.wait().ok()
    agents = page.ask("agents.list")
    keeper = next(row for row in agents["rows"] if row["is_current"])
    assert keeper["name"] == "keeper" and keeper["model"].startswith("scripted/")
    tools = [(t["name"], t["permission"], t["is_allowed_here"]) for t in keeper["tools"]]
    assert tools == [("clear", "ask", True), ("rows", "deny", False)]
    assert next(row for row in agents["rows"] if row["name"] == "echo")["instructions"] == "Say it."
    assert agents["allowed"] == ["clear"]
    page.ask("agents.revoke", thread_id=agents["thread_id"], tool="clear")
    assert page.ask("agents.list")["allowed"] == []
    with pytest.raises(Problem, match="not allowed"):
        page.ask("agents.revoke", thread_id=agents["thread_id"], tool="clear")
    with pytest.raises(Problem, match="no agent 'x'"):
        page.ask("agents.use", name="x")
    booked.run("lumos.settings.configure(permissions={})\n%agent use echo").ok()


def test_what_was_spent_is_shown_against_the_budget_and_the_unknown_is_unknown(booked, page):
    spent = page.ask("budget")
    assert spent["budget_usd"] is None
    assert spent["today"]["n_runs"] == spent["notebook"]["n_runs"] >= 3
    assert (spent["today"]["usd"], spent["today"]["n_unknown"]) == (0.0, spent["today"]["n_runs"])
    booked.run("lumos.settings.configure(budget_usd=2.5, prices={'scripted/script': {'input': 1e5, 'output': 0}})").ok()
    booked.run("%%agent echo\nWhat does it cost").ok()
    after = page.ask("budget")
    assert after["budget_usd"] == 2.5
    assert after["today"]["n_unknown"] == spent["today"]["n_unknown"]
    assert after["today"]["usd"] == after["thread"]["usd"] > 0


def test_a_live_run_is_steered_and_stopped_from_elsewhere(booked, page):
    booked.run("@tool\nasync def nap() -> None:\n    await asyncio.sleep(60)").ok()
    booked.run("naps = [ToolCall(id='n', name='nap', arguments='{}')]").ok()
    booked.run("slow = Agent('slow', model=ScriptedProvider([naps, 'Hi']), tools=[nap])").ok()
    running = booked.send("%%agent slow -t long --new\nSpeak")
    while not (live := [r for r in page.ask("runs.list")["rows"] if r["is_live"]]):
        page.until_changed("runs")
    assert live[0]["status"] == "running"
    with pytest.raises(Problem, match="A run goes on in thread 'long'"):
        page.ask("threads.delete", thread_id=live[0]["thread_id"])
    with pytest.raises(Problem, match="There is nothing to say."):
        page.ask("runs.act", run_id=live[0]["run_id"], t="steer", text=" ")
    page.ask("runs.act", run_id=live[0]["run_id"], t="steer", text="Shorter")
    page.ask("runs.act", run_id=live[0]["run_id"], t="stop")
    running.wait()
    assert page.ask("runs.list", words="speak")["rows"][0]["status"] == "cancelled"
