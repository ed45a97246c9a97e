# ruff: noqa: E501 (texts and scripts of pages stand on one line)
"""What a person does while a run goes: stop it, whatever it is at, and say something to it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import ready

from lumos_nb.messages import ToolCall
from lumos_nb.testing import FakeServer

LONG = 'await play([*start(), *tokens("word " * 2000, 50), *finish()])'
AGENT = """%load_ext lumos_nb
from lumos_nb import Agent, llm, tool

@tool
def name_of(what: str) -> str:
    "Ask the person."
    return input(f"Name of the {what}? ")

asking = Agent("asking", model=llm("mine/model", base_url=BASE_URL), tools=[name_of])
"""


def stop(nb: Any, index: int = 1) -> Any:
    return nb.output(index).get_by_role("button", name="Stop", exact=True)


@pytest.fixture(scope="module")
def server() -> Iterator[FakeServer]:
    def answer(request: Any) -> Any:
        if request.body["messages"][-1]["role"] == "tool":
            return "Thank you."
        return ToolCall(id="n1", name="name_of", arguments='{"what": "ship"}')

    with FakeServer(answer) as served:
        yield served


@pytest.mark.parametrize("how", ["click", "escape"])
def test_stop_while_a_tool_waits_for_input_leaves_the_notebook_usable(
    open_notebook: Any, server: FakeServer, how: str
) -> None:
    cells = [
        AGENT.replace("BASE_URL", repr(server.base_url)),
        "%%agent asking --new\nName the ship.",
        "print('next', 'cell')",
    ]
    nb = open_notebook(f"input_{how}.ipynb", cells)
    nb.run(0)
    nb.wait_done(0)
    nb.run(1)
    nb.output(1).locator(".jp-Stdin-input").wait_for(timeout=15_000)
    if how == "click":
        stop(nb).click()
    else:
        stop(nb).focus()
        nb.page.keyboard.press("Escape")
    nb.wait_done(1, timeout_s=15)
    nb.output(1).get_by_text("Interrupted: the run was stopped").wait_for(timeout=5_000)
    nb.run(2)
    nb.wait_done(2)
    nb.output(2).get_by_text("next cell").wait_for(timeout=5_000)
    nb.shot(f"input_stopped_{how}")
    assert nb.page.get_by_text("pending input").count() == 0


DEAF = """import lumos_nb.widgets.live as live
live.route_clicks = lambda comm: False  # this kernel hears no clicks while a cell blocks
def deaf(**options):
    view, worker = begin([*start(), *tokens("word " * 400, 50), *finish()], "sales", **options)
    try:
        until = time.monotonic() + 8
        while worker.is_alive() and time.monotonic() < until: time.sleep(0.05)
    finally:
        print("interrupted" if worker.is_alive() and time.monotonic() < until else "ran to its end", view.actions)
"""


def test_stop_interrupts_a_kernel_that_hears_no_clicks(open_notebook: Any) -> None:
    nb = ready(open_notebook, "deaf.ipynb", DEAF, "deaf()", "deaf(is_background=True)")
    nb.run(1)
    nb.wait_done(1)
    nb.run(2)
    nb.output(2).get_by_text("word word").wait_for(timeout=15_000)
    stop(nb, 2).click()
    nb.output(2).get_by_role("button", name="Stopping").wait_for()
    nb.wait_done(2, 15)
    nb.output(2).get_by_text("interrupted []").wait_for()
    nb.run(3)
    nb.output(3).get_by_text("word word").wait_for(timeout=15_000)
    stop(nb, 3).click()
    nb.output(3).locator(".lumos-foot").get_by_text("The kernel does not answer").wait_for(timeout=10_000)
    nb.shot("reach_no_answer")
    nb.wait_done(3, 30)
    nb.output(3).get_by_text("ran to its end").wait_for()  # what another cell does was not hit


def test_stopping_is_shown_until_the_run_has_ended(open_notebook: Any) -> None:
    run = 'view, _ = begin([*start(), *tokens("word " * 600, 100), *finish()], "sales")\nview.on_action(lambda a: view.on_events([Metadata({"state": "stopping"})]))\nawait asyncio.sleep(6)\nview.close()'
    nb = ready(open_notebook, "stopping.ipynb", run)
    nb.run(1)
    nb.output(1).get_by_text("word word").wait_for(timeout=15_000)
    stop(nb).click()
    stopping = nb.output(1).get_by_role("button", name="Stopping")
    stopping.wait_for()
    nb.page.wait_for_timeout(2500)  # longer than an answer may take
    assert stopping.get_attribute("aria-disabled") == "true"
    nb.wait_done(1, 30)


def test_a_paused_run_says_so_and_nothing_else_moves(open_notebook: Any) -> None:
    run = 'await play([*start(), *tokens("word " * 20, 100), (0, Metadata({"state": "paused"})), (3, StepStart(2)), *finish()])'
    nb = ready(open_notebook, "paused.ipynb", run)
    nb.run(1)
    nb.output(1).locator(".lumos-foot").get_by_text("paused").wait_for(timeout=15_000)
    height = nb.output(1).locator(".lumos").bounding_box()["height"]
    nb.page.wait_for_timeout(1500)
    assert nb.output(1).locator(".lumos-foot").get_by_text("paused 1 s").is_visible()
    assert nb.output(1).locator(".lumos").bounding_box()["height"] == height
    nb.wait_done(1)


def test_what_a_person_says_is_shown_when_the_agent_has_it(open_notebook: Any) -> None:
    nb = ready(
        open_notebook,
        "say.ipynb",
        'view = await play([*start(), *tokens("word " * 200, 60), *finish()])\nprint(view.actions)',
    )
    nb.run(1)
    line = nb.output(1).get_by_label("Say something to the agent")
    line.click(timeout=15_000)
    nb.page.keyboard.type("Only the <north> and dd, please")
    nb.shot("say_light")
    nb.page.keyboard.press("Enter")
    said = nb.output(1).locator("[data-lumos=user]")
    said.get_by_text("Only the <north> and dd, please").wait_for(timeout=5_000)
    assert line.input_value() == ""
    nb.page.keyboard.type("half a word")
    nb.page.keyboard.press("Escape")
    assert nb.prompt(1) == "[*]:" and nb.output(1).get_by_role("button", name="Stopping").count() == 0
    nb.wait_done(1)
    assert said.is_visible() and nb.output(1).get_by_label("Say something to the agent").count() == 0
    nb.output(1).get_by_text("[{'t': 'steer', 'text': 'Only the <north> and dd, please'}]").wait_for()
    time.sleep(0.5)
    nb.shot("said_light")


def test_a_ping_is_answered_by_the_page(open_notebook: Any) -> None:
    run = """view, _ = begin([*start(), *tokens("word " * 100, 50), *finish()], "sales")
await asyncio.sleep(1); before = view.heard_at; view.ping(); await asyncio.sleep(1)
print("heard" if view.heard_at > before > 0 else "silent"); view.close()"""
    nb = ready(open_notebook, "ping.ipynb", run)
    nb.run(1)
    nb.output(1).get_by_text("heard", exact=True).wait_for(timeout=15_000)
