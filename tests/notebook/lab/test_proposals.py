"""Agents that work on cells: what they propose, what a person decides, what comes of it."""

from collections.abc import Callable, Iterator

import pytest

from tests.kernels import Kernel, Running
from tests.notebook.lab.cellpage import CellPage
from tests.notebook.lab.labpage import Problem

SCRIPT = """
from lumos_nb import cell_tools
def call(name, **given):
    import json
    return [ToolCall(id="c1", name=name, arguments=json.dumps(given))]
writer = Agent("writer", model=ScriptedProvider({answers}), tools=cell_tools())
"""


@pytest.fixture
def open_page(kernel: Kernel) -> Iterator[Callable[..., CellPage]]:
    made: list[CellPage] = []

    def make(**cells: str) -> CellPage:
        made.append(CellPage(kernel, **cells))
        made[-1].open()
        return made[-1]

    yield make
    for page in made:
        page.close()


def asked(kernel: Kernel, *calls: str, line: str = "writer") -> Running:
    """Run a cell whose agent makes these calls, one a step."""
    answers = "[" + ", ".join([*calls, "'Done.'"]) + "]"
    kernel.run(SCRIPT.format(answers=answers)).ok()
    return kernel.send(f"%%agent {line} --new\nGo", cell_id="own")


def results(running: Running) -> list[str]:
    """Return what the model was told by its tools."""
    return [item["content"] for item in running.wait().run["items"] if item["kind"] == "tool"]


def test_an_accepted_cell_is_inserted_below_the_running_one_and_the_model_is_told_its_id(kernel, open_page):
    page = open_page(own="%%agent")
    running = asked(kernel, "call('insert_cell', source='x = 1')")
    proposal = page.proposals()[0]
    assert (proposal["kind"], proposal["cell_id"], proposal["source"]) == ("insert", "own", "x = 1")
    assert page.cells == {"own": "%%agent"}
    page.decide(proposal)
    page.until(lambda _: page.changes)
    change = page.changes[0]
    assert (change["after"], change["is_marked"]) == ("own", False)
    assert results(running) == [f"It is inserted as the cell {change['cell_id']}."]


def test_a_rejected_proposal_changes_nothing_and_the_model_hears_why(kernel, open_page):
    page = open_page(own="%%agent", a="x = 1")
    running = asked(kernel, "call('delete_cell', cell_id='a')")
    page.decide(page.proposals()[0], accepts=False, reason="I need it.")
    assert results(running) == ["The person denied this call: I need it."]
    assert page.changes == []


def test_what_cannot_be_done_in_one_page_waits_for_another_that_can(kernel, open_page):
    page, other = open_page(own="%%agent", a="x = 1"), open_page(b="another notebook of this kernel")
    running = asked(kernel, "call('delete_cell', cell_id='a')", "call('delete_cell', cell_id='a')")
    cannot = {"accepts": False, "reason": "There is no such cell.", "is_impossible": True}
    other.decide(page.proposals()[0], **cannot)
    page.decide(page.proposals()[0], reason="")
    page.until(lambda _: page.changes)
    for each in (other, page):
        each.decide(each.proposals()[0], **cannot)
    assert results(running) == ["It is deleted.", "The person denied this call: There is no such cell."]


def test_what_a_person_changed_first_is_what_is_done_and_told(kernel, open_page):
    page = open_page(own="%%agent", a="x = 1\ny = 2")
    running = asked(kernel, "call('edit_cell', cell_id='a', source='x = 3', old='x = 1')")
    proposal = page.proposals()[0]
    assert (proposal["old"], proposal["source"]) == ("x = 1", "x = 3")
    page.decide(proposal, source="x = 4\ny = 2", base="x = 1\ny = 2")
    page.until(lambda _: page.changes)
    assert page.cells["a"] == "x = 4\ny = 2"
    assert (page.changes[0]["old"], page.changes[0]["base"]) == (None, "x = 1\ny = 2")
    assert "The person changed the arguments" in results(running)[0]


def test_a_whole_text_is_replaced_only_where_it_was_read(kernel, open_page):
    page = open_page(own="%%agent", a="x = 1")
    edit = "call('edit_cell', cell_id='a', source='x = 2')"
    running = asked(kernel, edit, "call('read_cell', cell_id='a')", edit, line="writer --approve edit_cell")
    page.until(lambda _: page.changes)
    told = results(running)
    assert "has not been read" in told[0]
    assert "x = 1" in told[1] and "It is changed" in told[2]
    assert (page.changes[0]["base"], page.changes[0]["is_marked"]) == ("x = 1", True)


def test_cells_that_are_proposed_at_once_come_in_their_order_whichever_is_accepted_first(kernel, open_page):
    page = open_page(own="%%agent")
    calls = ("insert_cell", "one"), ("insert_cell", "two"), ("insert_cell", "three")
    made = ", ".join(f"ToolCall(id='p{n}', name='{t}', arguments=json.dumps({{'source': '{s}'}}))"
                     for n, (t, s) in enumerate(calls))  # fmt: skip
    kernel.run("import json").ok()
    running = asked(kernel, f"[{made}]")
    proposals = {p["source"]: p for p in page.proposals_of(3)}
    for n, source in enumerate(("three", "one", "two"), 1):
        page.decide(proposals[source])
        page.until(lambda _, n=n: len(page.changes) == n)
    running.wait().ok()
    ids = {c["source"]: c["cell_id"] for c in page.changes}
    assert {c["source"]: c["after"] for c in page.changes} == {"three": "own", "one": "own", "two": ids["one"]}


def test_an_agent_within_an_agents_tool_does_not_touch_the_cell_either(kernel, open_page):
    page = open_page(own="%%agent")
    kernel.run(SCRIPT.format(answers="[call('delete_cell', cell_id='own'), 'Done.']")).ok()
    kernel.run("""
@tool
async def ask_writer() -> str:
    result = await writer.generate("Go", approve="all")
    return result.messages[-2].parts[0].content
boss = Agent("boss", model=ScriptedProvider([[ToolCall(id="b", name="ask_writer", arguments="{}")], "Done."]),
             tools=[ask_writer])
""").ok()
    running = kernel.send("%%agent boss --new\nGo", cell_id="own")
    assert "is the one that you run in" in results(running)[0]
    assert page.changes == []


def test_the_cell_that_the_agent_runs_in_is_not_to_be_touched(kernel, open_page):
    page = open_page(own="%%agent")
    running = asked(kernel, "call('delete_cell', cell_id='own')", "call('run_cell', cell_id='own')")
    assert all("is the one that you run in" in told for told in results(running))
    assert page.changes == []


def test_a_cell_runs_in_the_midst_of_the_run_and_its_outputs_go_to_it(kernel, open_page):
    page = open_page(own="%%agent", a="print('hello')\nran = 6 * 7\nran")
    running = asked(kernel, "call('run_cell', cell_id='a')")
    page.decide(page.proposals()[0])
    page.until(lambda _: len(page.outputs) == 2)
    assert [o["is_running"] for o in page.outputs] == [True, False]
    kinds = [o["output_type"] for o in page.outputs[1]["outputs"]]
    assert kinds == ["stream", "display_data"]
    assert results(running) == ["It ran. Its outputs:\nhello\n\n42"]
    assert kernel.run("print(ran)").stdout == "42\n"


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("1 / 0", "It ran and failed. Its outputs:\nZeroDivisionError: division by zero"),
        ("import asyncio\nawait asyncio.sleep(0)\nprint('waited')", "It ran. Its outputs:\nwaited\n"),
        ("x = ", "It ran and failed. Its outputs:\nSyntaxError"),
        ("y = 1", "It ran. It put nothing out."),
    ],
)
def test_whatever_a_cell_does_the_model_is_told(kernel, open_page, source, told):
    page = open_page(own="%%agent", a=source)
    running = asked(kernel, "call('run_cell', cell_id='a')", line="writer --approve run_cell")
    page.until(lambda _: len(page.outputs) == 2)
    assert results(running)[0].startswith(told)


def test_in_the_background_the_page_runs_the_cell(kernel, open_page):
    page = open_page(own="%%agent", a="x = 1")
    running = asked(kernel, "call('run_cell', cell_id='a')", line="writer --background -o ended")
    page.decide(page.proposals()[0])
    page.until(lambda data: data.get("ask") == "cells.run")
    running.wait()
    done = kernel.run("import lumos_nb\nawait lumos_nb.wait()\nprint(ended.response)")
    assert "Done." in done.stdout


def test_the_first_of_two_tabs_decides_and_the_other_is_told(kernel, open_page):
    page, other = open_page(own="%%agent"), open_page(own="%%agent")
    running = asked(kernel, "call('insert_cell', source='x = 1')")
    proposal = page.proposals()[0]
    assert other.proposals() == [proposal]
    page.decide(proposal)
    with pytest.raises(Problem, match="decided"):
        other.decide(proposal)
    page.until(lambda _: page.changes)
    running.wait().ok()
    assert other.changes == []


def test_stop_takes_a_proposal_back(kernel, open_page):
    page = open_page(own="%%agent")
    running = asked(kernel, "call('insert_cell', source='x = 1')")
    page.proposals()
    kernel.manager.interrupt_kernel()
    assert running.wait().status == "error"
    assert page.ask("proposals.list") == {"proposals": []}


def test_tools_of_a_line_can_be_those_for_cells(kernel, open_page):
    page = open_page(own="%%agent", a="x = 1")
    kernel.run(SCRIPT.format(answers="[call('list_cells'), 'Done.']").replace("cell_tools()", "[]")).ok()
    running = kernel.send("%%agent writer --tools cells --new\nGo", cell_id="own")
    page.until(lambda data: data.get("ask") == "cells.list")
    assert "the cell that you run in" in results(running)[0]


def test_without_a_page_a_new_cell_comes_with_the_reply_of_the_cell(kernel):
    running = asked(kernel, "call('insert_cell', source='x = 1')", line="writer --approve insert_cell")
    assert "It comes below this cell" in results(running)[0]
    shown = running.cell.run["items"][0]["output"][0]["data"]["text/markdown"]
    assert shown == "A new cell\n\n```python\nx = 1\n```"


def test_without_a_page_an_edit_is_shown_for_the_person_to_paste(kernel):
    kernel.run("kept = 1", cell_id="noted").ok()
    edit = "call('edit_cell', cell_id='noted', source='2', old='1')"
    running = asked(kernel, "call('read_cell', cell_id='noted')", edit, line="writer --approve edit_cell")
    told = results(running)
    assert "kept = 1" in told[0] and "It is not done yet" in told[1]
    shown = running.cell.run["items"][1]["output"][0]["data"]["text/markdown"]
    assert "-kept = 1\n+kept = 2" in shown


def test_without_a_page_a_cell_runs_and_its_outputs_are_in_the_tools_row(kernel):
    kernel.run("print('again')", cell_id="printing").ok()
    running = asked(kernel, "call('run_cell', cell_id='printing')", line="writer --approve run_cell")
    assert results(running) == ["It ran. Its outputs:\nagain\n"]
    assert running.cell.run["items"][0]["output"] == [{"kind": "stdout", "text": "again\n"}]


def test_where_nobody_can_be_asked_nothing_is_done(kernel):
    running = asked(kernel, "call('insert_cell', source='x = 1')")
    assert "Nobody could be asked here" in results(running)[0]
