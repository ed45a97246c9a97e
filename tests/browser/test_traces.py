"""Traces in a real browser: a waterfall whose bars open, a cell that does a run again, results that are stale."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import set_theme

from lumos_nb.messages import ToolCall
from lumos_nb.testing import Answer, FakeServer, Reply

SETUP = """%load_ext lumos_nb
import asyncio
import pandas as pd
import lumos_nb as lumos
from lumos_nb import Agent, llm, tool

orders = pd.DataFrame({"region": ["north", "south"], "amount": [40.2, 42.1]})
researcher = Agent("researcher", model=llm("mine/small", base_url=BASE_URL))

@tool
async def mean_order(region: str) -> float:
    "Average order of a region."
    await asyncio.sleep(0.3)
    return float(orders[orders.region == region].amount.mean())

@tool
async def research(question: str) -> str:
    "Ask a colleague."
    return (await researcher.generate(question)).response

@tool(permission="ask")
def send_report(to: str) -> str:
    "Send the report."
    return f"sent to {to}"

@tool
def total(region: str) -> float:
    "Sum of the orders."
    return orders[orders.rgion == region].amount.sum()

analyst = Agent("analyst", model=llm("mine/large", base_url=BASE_URL), tools=[mean_order, research, send_report])
adder = Agent("adder", model=llm("mine/add", base_url=BASE_URL), tools=[total])
"""
ASK = "%%agent analyst --new\nCompare {{ ', '.join(orders.region) }} and report."


def call(n: int, name: str, **arguments: str) -> ToolCall:
    return ToolCall(id=f"call_{n}", name=name, arguments=json.dumps(arguments))


FIRST = Answer(
    text="I look them up.", delay_s=0.05,
    tool_calls=[call(1, "mean_order", region="north"), call(2, "mean_order", region="south"),
                call(3, "research", question="Why is the south ahead?")],
)  # fmt: skip
REFUSED = Reply(status=429, body='{"error": {"message": "Slow down."}}', headers={"retry-after": "0.4"})
LARGE = [FIRST, REFUSED, Answer(text="Now the report.", delay_s=0.05, tool_calls=[call(4, "send_report", to="Ada")]),
         Answer(text="The south leads by 1.90, and Ada has the report.", delay_s=0.06)]  # fmt: skip
SMALL = [Answer(text="It has the larger customers.", delay_s=0.08)]
ADD = [Answer(tool_calls=[call(1, "total", region="south")]), "I could not add them."]


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer({"large": LARGE, "small": SMALL, "add": ADD}) as server:
        yield server


def test_a_waterfall_tells_what_happened_and_its_bars_open(open_notebook: Any, server: FakeServer) -> None:
    cells = [SETUP.replace("BASE_URL", repr(server.base_url)), ASK, "%trace last"]
    nb = open_notebook("traces.ipynb", cells)
    nb.run(0)
    nb.wait_done(0)
    nb.run(1)
    nb.output(1).get_by_role("button", name="Allow once").click(timeout=30_000)
    nb.wait_done(1)
    nb.run(2)
    nb.wait_done(2)
    shown = nb.output(2)
    text = shown.inner_text()
    for words in ("analyst", "researcher", "mean_order", "send_report", "large", "small"):
        assert words in text, words
    assert shown.locator("svg").count() >= 1
    nb.page.mouse.move(0, 0)
    nb.shot_cell(2, "trace-light")
    set_theme(nb.page, dark=True)
    nb.shot_cell(2, "trace-dark")
    set_theme(nb.page, dark=False)
    bar = shown.locator("summary").filter(has_text="step 1").first
    bar.click()
    shown.locator("summary").filter(has_text="Body").first.click()
    opened = shown.inner_text()
    assert "Compare north, south and report." in opened and "/v1/chat/completions" in opened
    nb.shot_cell(2, "trace-open")
    bar.click()
    nb.page.set_viewport_size({"width": 620, "height": 900})
    nb.shot("trace-narrow")


def test_a_run_with_a_broken_tool_is_explained_and_a_cell_does_it_again(open_notebook: Any, server: FakeServer) -> None:
    cells = [SETUP.replace("BASE_URL", repr(server.base_url)), "%%agent adder --new\nSum of the south?", "%agent fix"]
    nb = open_notebook("fixed.ipynb", cells)
    for n in (0, 1, 2):
        nb.run(n)
        nb.wait_done(n)
    assert "rgion" in nb.output(2).inner_text()
    nb.shot_cell(2, "fix-light")
    added = nb.page.locator(".jp-CodeCell").nth(3)
    assert "tools=[total]" in added.inner_text()
    nb.run(3)
    nb.wait_done(3)
    assert "I could not add them." in nb.output(3).inner_text()


def test_a_result_is_stale_after_its_data_changed(open_notebook: Any, server: FakeServer) -> None:
    asked = "%%agent researcher --new\nWhat of {{ len(orders) }} orders?"
    cells = [SETUP.replace("BASE_URL", repr(server.base_url)), asked, "lumos.stale()", "orders = orders.head(1)",
             "lumos.stale()"]  # fmt: skip
    nb = open_notebook("stale.ipynb", cells)
    for n in range(5):
        nb.run(n)
        nb.wait_done(n)
    assert "input changed" not in nb.output(2).inner_text()
    assert "input changed" in nb.output(4).inner_text() and "orders" in nb.output(4).inner_text()
