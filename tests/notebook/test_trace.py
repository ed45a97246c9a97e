"""`%trace` in a real kernel."""

from __future__ import annotations

import json

import pytest

from lumos_nb.telemetry.traces.trace import TRACE_MIME
from tests.kernels import Kernel
from tests.telemetry.test_waterfall import check

AGENTS = """
@tool
def rows(table: str) -> str:
    "First rows of a table."
    return "3 rows of " + table

def asks(table):
    call = ToolCall(id="c1", name="rows", arguments='{"table": "' + table + '"}')
    return ScriptedProvider(lambda messages: "Done." if messages[-1].role == "tool" else [call])

a = Agent("analyst", model=asks("orders"), tools=[rows])
b = Agent("analyst", model=asks("clients"), tools=[rows], instructions="Be brief.")
"""


@pytest.fixture(scope="module")
def kernel(kernel: Kernel) -> Kernel:
    kernel.run(AGENTS).ok()
    kernel.run("%%agent a --new -t sales\nLook.").ok()
    kernel.run("%%agent b -t sales\nLook.").ok()
    kernel.run("ids = list(lumos.runs().run_id)").ok()
    return kernel


@pytest.mark.parametrize("line", ["%trace", "%trace last", "%trace {ids[1]}", "%trace {ids[1][-12:]}"])
def test_a_run_is_shown_as_a_waterfall_with_a_tree_beside_it(kernel, line):
    (output,) = kernel.run(line).ok().outputs
    assert set(output) == {"text/plain", "text/html", TRACE_MIME}
    assert output["text/plain"].startswith("analyst · scripted")
    assert "rows(table='clients')" in output["text/plain"]
    check(output["text/html"])


def test_a_thread_shows_its_runs_one_below_the_other(kernel):
    (output,) = kernel.run("%trace sales").ok().outputs
    plain = output["text/plain"]
    assert plain.index("rows(table='orders')") < plain.index("rows(table='clients')")
    assert output["text/html"].count("rows(table=") == 2


def test_a_trace_is_found_by_its_trace_id(kernel):
    kernel.run("t = %trace last").ok()
    shown = kernel.run("%trace {t.spans[0].trace_id}").ok().text
    assert "rows(table='clients')" in shown


def test_two_runs_are_compared(kernel):
    (output,) = kernel.run("%trace diff {ids[0]} {ids[1]}").ok().outputs
    assert "step 1 · rows: arguments · changed" in output["text/plain"]
    assert '-  "table": "orders"' in output["text/plain"]
    assert "instructions · " in output["text/plain"]
    check(output["text/html"])
    assert "Nothing differs" in kernel.run("%trace diff {ids[1]}").ok().text


@pytest.mark.parametrize("name", ["t.json", "t.html", "t.txt html"])
def test_a_trace_is_written_as_the_ending_or_a_word_says(kernel, name):
    assert kernel.run(f"%trace export sales {name}").ok().text == f"Written to {name.split()[0]}."
    text = (kernel.folder / name.split()[0]).read_text()
    if name == "t.json":
        assert len(json.loads(text)["traces"]) == 2
    else:
        assert text.startswith("<!doctype html>")


def test_all_runs_are_a_frame(kernel):
    assert kernel.run("x = %trace df\nprint(len(x), x.agent.iloc[-1])").ok().stdout == "2 analyst\n"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("%trace foo", "There is no run 'foo', and no thread or trace of that name."),
        ("%trace my sales", "%trace 'my sales'"),
        ("%trace salse", "Did you mean 'sales'?"),
        ("%trace dif x y", "Did you mean 'diff'?"),
        ("%trace exprot", "Did you mean 'export'?"),
        ("%trace diff", "Use: %trace diff A [B]"),
        ("%trace diff foo", "There is no run 'foo'"),
        ("%trace diff sales", "means 2 runs"),
        ("%trace export last", "Use: %trace export NAME PATH [FORM]"),
        ("%trace export last t.txt", "End it with .json, .otlp.json or .html"),
        ("%trace export last t.txt htlm", "Did you mean 'html'?"),
        ("%trace export last no/such/folder/t.json", "cannot be written"),
    ],
)
def test_a_mistake_says_what_to_do(kernel, line, says):
    cell = kernel.run(line)
    assert cell.status == "error"
    assert says in cell.error
    assert len(cell.error.splitlines()) <= 6
