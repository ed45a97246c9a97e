"""A person answers by real clicks: in every kernel that is about, in both front ends, with `%%agent` itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import Lab, Notebook, Notebook7

from lumos_nb.widgets.clicks import APART, POLLED
from tests.kernels import VERSIONS

SETUP = """%load_ext lumos_nb
import time
import ipykernel
from lumos_nb import Agent, tool
from lumos_nb.messages import ToolCall
from lumos_nb.testing import ScriptedProvider

@tool(permission="ask")
def run_python(code: str) -> str:
    "Run code."
    return "ran"

@tool
def wait(seconds: float = 60.0) -> str:
    "Block the notebook."
    time.sleep(seconds)
    return "awake"

def calling(name, arguments="{}"):
    call = ToolCall(id="q1", name=name, arguments=arguments)
    model = ScriptedProvider(lambda messages: "All done." if messages[-1].role == "tool" else call)
    return Agent("a", model=model, tools=[run_python, wait])

asks, waits = calling("run_python", '{"code": "1 + 1"}'), calling("wait")
print(ipykernel.__version__)
"""
CELLS = {
    "doctor": "found = %lumos doctor\nprint(found[found.what == 'answers'].value.item())",
    "allow": "%%agent asks --new\nGo",
    "blocked": "%%time\n%%agent asks --new\nGo",
    "deny": "%%agent asks --new\nGo",
    "edit": "%%agent asks --new\nGo",
    "two tabs": "%%agent asks --new\nGo",
    "stop": "%%agent waits --new\nGo",
    "interrupt": "%%agent asks --new\nGo",
    "resume": "%agent resume",
    "reload": "%%agent asks --new\nGo",
    "reload blocked": "%%time\n%%agent asks --new\nGo",
    "restart": "%%agent asks --new\nGo",
    "resume again": "%agent resume",
}
PLACES = [(version, front) for version in VERSIONS for front in (Notebook, Notebook7)]


@pytest.fixture(scope="module", params=PLACES, ids=lambda place: f"{place[0]}-{place[1].__name__}")
def notebook(request: pytest.FixtureRequest, lab: Lab, browser: Any) -> Iterator[Notebook]:
    """One notebook for each kernel and front end, with a cell for each test."""
    version, front = request.param
    place = f"{version}-{front.__name__}"
    if not {version, place} & set(os.environ.get("LUMOS_KERNELS", version).split()):
        pytest.skip(f"LUMOS_KERNELS leaves {place} out")
    name = f"matrix/{version}-{front.__name__}.ipynb"  # beside it is the database of its runs
    lab.write(name, [SETUP, *CELLS.values()], version)
    context = browser.new_context(viewport={"width": 1100, "height": 850})
    nb = front(context.new_page(), lab, name).open()
    nb.run(0)
    nb.wait_done(0)
    assert nb.output(0).inner_text().strip() == version
    yield nb
    context.close()
    lab.shut_down_kernels()


def is_read_apart(nb: Notebook) -> bool:
    """Whether the notebook's kernel reads its messages with a thread that no cell blocks."""
    return not nb.name.startswith("matrix/6.")


def begun(nb: Notebook, cell: str) -> tuple[int, Any]:
    """Run a cell, and return its number and its output."""
    index = 1 + list(CELLS).index(cell)
    nb.run(index)
    return index, nb.output(index)


def test_the_doctor_asks_the_page_before_there_was_a_run(notebook: Notebook) -> None:
    index, output = begun(notebook, "doctor")
    notebook.wait_done(index, 10)
    expected = APART if is_read_apart(notebook) else POLLED
    assert output.inner_text().strip() == f"clicks, {expected}"


@pytest.mark.parametrize("cell", ["allow", "blocked"])
def test_a_call_is_allowed_by_a_click(notebook: Notebook, cell: str) -> None:
    index, output = begun(notebook, cell)
    output.get_by_role("button", name="Allow once").click(timeout=15_000)
    notebook.wait_done(index, 10)
    output.get_by_text("All done.").wait_for()
    assert output.get_by_text("allowed by you").is_visible()


def test_a_call_is_denied_with_a_reason(notebook: Notebook) -> None:
    index, output = begun(notebook, "deny")
    output.get_by_role("button", name="Deny…").click(timeout=15_000)
    output.get_by_label("Why, as the model is told").fill("not today")
    notebook.shot(notebook.name.removesuffix(".ipynb").replace("/", "-"))
    notebook.page.keyboard.press("Enter")
    notebook.wait_done(index, 10)
    output.get_by_text("denied by you: not today").first.wait_for()


def test_the_arguments_of_a_call_are_changed(notebook: Notebook) -> None:
    index, output = begun(notebook, "edit")
    output.get_by_role("button", name="Edit…").click(timeout=15_000)
    output.get_by_label("code").fill("2 + 2")
    output.get_by_role("button", name="Allow with these arguments").click()
    notebook.wait_done(index, 10)
    output.get_by_text("changed by you").first.wait_for()
    output.get_by_text("2 + 2").first.wait_for()


def test_one_of_two_tabs_answers_and_both_show_it(notebook: Notebook, browser: Any) -> None:
    index, output = begun(notebook, "two tabs")
    output.get_by_role("button", name="Allow once").wait_for(timeout=15_000)
    notebook.save()
    context = browser.new_context(viewport={"width": 1100, "height": 850})
    other = type(notebook)(context.new_page(), notebook.lab, notebook.name)
    other.page.goto(other.address)
    other.output(index).get_by_role("button", name="Deny…").wait_for(timeout=30_000)
    output.get_by_role("button", name="Allow once").click()
    other.output(index).get_by_text("allowed by you").first.wait_for(timeout=10_000)
    other.output(index).get_by_role("button", name="Deny…").wait_for(state="detached")
    notebook.wait_done(index, 10)
    context.close()


def test_what_waited_when_the_kernel_was_interrupted_is_asked_again(notebook: Notebook) -> None:
    index, output = begun(notebook, "interrupt")
    output.get_by_role("button", name="Allow once").wait_for(timeout=15_000)
    notebook.interrupt()
    notebook.wait_done(index, 10)
    output.get_by_text("Interrupted: the run was stopped").wait_for()
    resume(notebook, "resume")


def resume(notebook: Notebook, cell: str) -> None:
    index, output = begun(notebook, cell)
    output.get_by_role("button", name="Allow once").click(timeout=15_000)
    notebook.wait_done(index, 10)
    output.get_by_text("All done.").wait_for()


def test_stop_ends_a_tool_that_blocks_the_notebook(notebook: Notebook) -> None:
    index, output = begun(notebook, "stop")
    output.get_by_text("running").wait_for(timeout=15_000)
    output.get_by_role("button", name="Stop").click()
    notebook.wait_done(index, 10)
    output.get_by_text("Interrupted: the run was stopped").wait_for()


def test_a_page_that_is_reloaded_shows_the_question_and_its_buttons_work(notebook: Notebook) -> None:
    # Where a thread of its own reads, a cell that blocks is as good as one that is awaited.
    for cell in ["reload blocked"] if is_read_apart(notebook) else ["reload", "reload blocked"]:
        _, output = begun(notebook, cell)
        output.get_by_role("button", name="Allow once").wait_for(timeout=15_000)
        notebook.save()
        notebook.page.reload()
        output.get_by_role("button", name="Allow once").click(timeout=30_000)
        output.get_by_text("All done.").wait_for(timeout=10_000)


def test_what_waited_when_the_kernel_was_restarted_is_asked_again(notebook: Notebook) -> None:
    _, output = begun(notebook, "restart")
    output.get_by_role("button", name="Allow once").wait_for(timeout=15_000)
    notebook.lab.restart_kernel(notebook.name)
    output.get_by_text("%agent resume").first.wait_for(timeout=10_000)  # the kernel had time to say so
    notebook.run(0)
    notebook.wait_done(0)
    resume(notebook, "resume again")
