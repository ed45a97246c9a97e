"""Runs in the background in a page: each in its own cell, while other cells work; Stop ends its own."""

from __future__ import annotations

from typing import Any

SETUP = """%load_ext lumos_nb
import asyncio, time
import matplotlib.pyplot as plt
from tqdm.notebook import tqdm
from lumos_nb import Agent, tool
from lumos_nb.messages import ToolCall
from lumos_nb.testing import Answer, ScriptedProvider

@tool
def draw() -> str:
    "Draw, with a bar of progress."
    for i in tqdm(range(5), desc="drawing"):
        time.sleep(0.05)
    print("drawn")
    plt.plot([1, 3, 2])
    return "a figure"

@tool
def block() -> str:
    "Keep the notebook's thread."
    print("blocking")
    time.sleep(60)
    return "done"

def asks(name):
    calls = (ToolCall(id="c1", name=name, arguments="{}"),)
    return ScriptedProvider(lambda m: Answer(text="Here it is. " * 20, delay_s=0.02) if m[-1].role == "tool" else
        Answer(text="Let me draw it.", delay_s=0.05, tool_calls=calls))

painter = Agent("painter", model=asks("draw"), tools=[draw, block])
blocker = Agent("blocker", model=asks("block"), tools=[draw, block])"""


def test_it_goes_on_in_its_own_cell_while_others_run(open_notebook: Any) -> None:
    cell = "%%agent painter --new --background -o painted\nDraw."
    nb = open_notebook("background.ipynb", [SETUP, cell, "time.sleep(2); print('slept')", "painted.response[:11]"])
    for i in (0, 1, 2):
        nb.run(i)
        nb.wait_done(i)
        if i == 1:
            assert nb.output(1).get_by_text("2 steps").count() == 0
    nb.shot("background_waits")
    nb.output(1).get_by_text("2 steps").wait_for(timeout=20_000)
    nb.output(1).locator("details[data-lumos=tool] summary").first.click()
    nb.output(1).locator("img").first.wait_for(timeout=10_000)
    assert nb.output(1).get_by_text("drawn", exact=True).is_visible()
    assert nb.output(2).inner_text().strip() == "slept"
    nb.run(3)
    nb.wait_done(3)
    assert "Here it is." in nb.output(3).inner_text()
    nb.shot_cell(1, "background")


def test_stop_ends_a_tool_that_has_the_notebooks_thread(open_notebook: Any) -> None:
    nb = open_notebook("background_stop.ipynb", [SETUP, "%%agent blocker --new --background\nBlock.", "1 + 1"])
    nb.run(0)
    nb.wait_done(0)
    nb.run(1)
    nb.wait_done(1)
    view = nb.output(1)
    view.get_by_text("block", exact=True).first.wait_for(timeout=10_000)
    nb.page.wait_for_timeout(1000)
    view.get_by_role("button", name="Stop").click()
    view.get_by_text("Stopped", exact=False).first.wait_for(timeout=5_000)
    nb.run(2)
    nb.wait_done(2, timeout_s=5)
    nb.shot("background_stopped")
