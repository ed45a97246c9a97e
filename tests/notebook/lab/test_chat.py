"""The chat beside a notebook, as the kernel keeps it."""

import pytest

from lumos_nb.transcript import MIME
from tests.kernels import Kernel
from tests.notebook.lab.labpage import LabPage, Problem
from tests.notebook.lab.test_panel import CLEAR, until_waiting

WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(scope="module")
def booked(kernel: Kernel) -> Kernel:
    kernel.run(CLEAR).ok()
    kernel.run(
        "model = ScriptedProvider(lambda messages: f'{len(messages)}: {messages[-1].text}')\n"
        "talker = Agent('talker', model=model)\n%agent use talker\nprice = 42"
    ).ok()
    return kernel


def ended(page: LabPage) -> dict:
    return page.until(lambda data: data.get("news") == "chat.shown" and not data["with"]["is_running"])["with"]


def said(turn: dict) -> str:
    return turn["bundle"][MIME]["items"][0]["text"]


def test_a_chat_and_the_cells_speak_on_one_thread(booked, page):
    assert page.ask("chat.history") == {
        "thread_id": "", "thread": "", "agent": "talker", "turns": [], "has_more": False,
    }  # fmt: skip
    turn = page.ask("chat.send", text="What is {{ price }}?")
    assert (turn["prompt"], turn["agent"], turn["is_running"]) == ("What is 42?", "talker", True)
    assert WIDGET in turn["bundle"]
    end = ended(page)
    assert (end["turn"], said(end)) == (turn["turn"], "1: What is 42?")
    assert booked.run("%%agent\nAnd now?", cell_id="cell-3").ok().run["items"][0]["text"] == "3: And now?"
    page.ask("chat.send", text="Last")
    assert said(ended(page)) == "5: Last"
    history = page.ask("chat.history")
    assert [turn["prompt"] for turn in history["turns"]] == ["What is 42?", "And now?", "Last"]
    assert [turn["cell_id"] for turn in history["turns"]] == ["", "cell-3", ""]
    assert history["turns"][0]["run_id"] == end["run_id"]
    assert not history["has_more"]


def test_older_turns_come_page_by_page_and_a_fork_has_those_of_its_source(booked, page):
    history = page.ask("chat.history", limit=2)
    assert ([turn["prompt"] for turn in history["turns"]], history["has_more"]) == (["And now?", "Last"], True)
    older = page.ask("chat.history", limit=2, before=history["turns"][0]["run_id"])
    assert ([turn["prompt"] for turn in older["turns"]], older["has_more"]) == (["What is 42?"], False)
    fork = page.ask("threads.fork", thread_id=history["thread_id"])["thread_id"]
    assert len(page.ask("chat.history", thread_id=fork)["turns"]) == 3
    page.ask("chat.send", text="Aside", thread_id=fork)
    assert ended(page)["thread_id"] == fork
    assert len(page.ask("chat.history", thread_id=fork)["turns"]) == 4
    assert len(page.ask("chat.history")["turns"]) == 3


def test_a_run_of_a_chat_is_a_run_without_a_cell(booked, page):
    booked.run("1 + 1", cell_id="cell-before").ok()
    page.ask("chat.send", text="Hello")
    end = ended(page)
    run = page.ask("runs.list", words="hello")["rows"][0]
    assert (run["run_id"], run["cell_id"]) == (end["run_id"], "")


def test_a_recorded_turn_has_the_times_and_the_thread_of_its_run(booked, page):
    def recorded() -> dict:
        return page.ask("chat.history")["turns"][0]["bundle"][MIME]

    assert recorded() == recorded()  # whenever it is read
    assert recorded()["thread"] == page.ask("status")["thread"]


def test_a_chat_answers_while_a_cell_blocks_the_kernel(booked, page):
    running = booked.send("print('began', flush=True)\ntime.sleep(3)\nprint('ended')")
    running.until(lambda r: "began" in r.cell.stdout)
    page.ask("chat.send", text="Are you there?")
    assert "Are you there?" in said(ended(page))
    assert "ended" not in running.cell.stdout
    running.wait().ok()


def test_a_question_of_a_chat_waits_for_a_person_and_a_page_that_comes_later_sees_it(booked, page, new_page):
    booked.run("asker = Agent('asker', model=ScriptedProvider(asks('{\"path\": \"a\"}')), tools=[clear])").ok()
    booked.run("%agent use asker\n%thread new asked").ok()
    turn = page.ask("chat.send", text="Clear it")
    [waiting] = until_waiting(page)
    later = new_page().open()
    [open_] = later.ask("chat.history")["turns"]
    assert (open_["turn"], open_["is_running"]) == (turn["turn"], True) and WIDGET in open_["bundle"]
    act = {"run_id": waiting["run_id"], "call_id": waiting["call_id"], "t": "allow"}
    later.ask("runs.act", **act)
    end = ended(later)
    assert end["bundle"][MIME]["items"][0]["content"] == "removed a False"
    assert end["bundle"][MIME]["status"] == "completed"


def test_a_turn_is_steered_and_stopped(booked, page):
    booked.run("@tool\nasync def nap() -> None:\n    await asyncio.sleep(60)").ok()
    booked.run("naps = [ToolCall(id='n', name='nap', arguments='{}')]").ok()
    booked.run("sleeper = Agent('sleeper', model=ScriptedProvider([naps, 'Hi']), tools=[nap])\n%agent use sleeper").ok()
    turn = page.ask("chat.send", text="Sleep")["turn"]
    page.ask("chat.act", turn=turn, t="steer", text="Be quick")
    run_id = page.ask("runs.list")["rows"][0]["run_id"]
    while not page.ask("runs.show", run_id=run_id)["bundle"][MIME]["items"]:
        continue  # until its tool has begun
    page.ask("chat.act", turn=turn, t="stop")
    assert ended(page)["bundle"][MIME]["status"] == "cancelled"
    with pytest.raises(Problem, match="The run has ended"):
        page.ask("chat.act", turn=turn, t="stop")
    kept = page.ask("chat.history")["turns"][-1]["bundle"][MIME]
    assert (kept["status"], kept["items"][0]["name"]) == ("cancelled", "nap")


def test_what_cannot_be_said_begins_no_run(booked, page):
    for text, thread, problem in (
        (" ", "", "prompt is empty"),
        ("{{ nothing_there }}", "", "nothing_there"),
        ("Hi", "thread_gone", "no thread 'thread_gone'"),
    ):
        with pytest.raises(Problem, match=problem):
            page.ask("chat.send", text=text, thread_id=thread)
    assert booked.run("%agent").ok().text.startswith("Nothing runs")


def test_a_run_of_another_process_or_version_does_not_hide_the_others(booked, page):
    booked.run("%agent use talker\n%thread new odd").ok()
    for word in ("one", "two"):
        page.ask("chat.send", text=word)
        ended(page)
    first = page.ask("chat.history")["turns"][0]["run_id"]
    booked.run(
        "from lumos_nb.memory import Memory\nfrom lumos_nb.stores import Update\n"
        f"newer = Update('events', {{'run_id': {first!r}}}, {{'payload_json': '{{\"type\": \"later\"}}'}})\n"
        "Memory().store.write([newer])"
    ).ok()
    turns = page.ask("chat.history")["turns"]
    assert turns[0]["bundle"][MIME]["error"]["type"] == "StoreError"
    assert "two" in said(turns[1])
