"""`%agent fix`: the diagnosis in the cell, and below it the cell that does the run again."""

from __future__ import annotations

from tests.kernels import Kernel

SETUP = '''
@tool
def mean(values: list[float]) -> float:
    """Mean of numbers."""
    return sum(values) / len(values)

m = ScriptedProvider([ToolCall(id="c1", name="mean", arguments='{"values": []}'), "Sorry."])
'''


def next_input(kernel: Kernel, code: str) -> tuple[str, str]:
    """Run a cell; return what it shows as text, and the cell that it puts below."""
    running = kernel.send(code)
    running.until(lambda r: r.cell.seconds > 0)
    while True:
        reply = kernel.client.get_shell_msg(timeout=60)
        if reply["parent_header"].get("msg_id") == running.id:
            break
    assert reply["content"]["status"] == "ok", running.cell.error
    payload = [p for p in reply["content"]["payload"] if p["source"] == "set_next_input"]
    return running.cell.text, payload[0]["text"] if payload else ""


def test_fix_shows_what_went_wrong_and_the_cell_below_does_it_again_when_it_is_run(kernel):
    kernel.run(SETUP).ok()
    kernel.run("%%agent -m m --new --tools mean\nThe mean, please").ok()
    text, below = next_input(kernel, "%agent fix")
    assert "A tool raised (step 1, call 'c1' of 'mean')" in text
    assert "return sum(values) / len(values)" in text
    assert "mean(**{'values': []})" in below
    assert kernel.run("print(len(lumos.runs()))").stdout == "1\n", "nothing is run by looking"
    kernel.run(below).ok()
    assert kernel.run("print(lumos.diagnose().findings[0].kind)").stdout == "tool_bug\n"


def test_fix_takes_a_run_and_its_html_stands_alone(kernel):
    run_id = kernel.run("print(lumos.runs().iloc[0].run_id)").stdout.strip()
    cell = kernel.run(f"%agent fix {run_id[-12:]}").ok()
    html = cell.outputs[0]["text/html"]
    assert "<details>" in html and "<script" not in html and "class=" not in html
    assert "text/plain" in cell.outputs[0]


def test_fix_of_a_run_that_is_not_there_says_so(kernel):
    cell = kernel.run("%agent fix nonsense")
    assert cell.status == "error" and "There is no run 'nonsense'" in cell.error
