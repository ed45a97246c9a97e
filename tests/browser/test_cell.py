"""The main job in a real browser: a `%%agent` cell, its tool, its thread, its stop, its saved notebook."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import Notebook, set_theme
from lab import REPO

from lumos_nb.messages import ToolCall
from lumos_nb.testing import Answer, FakeServer

ANSWER = """The average order in the south is **$42.10**, five percent above the target.

| region | orders | mean |
|:-------|-------:|-----:|
| north  |    312 | 40.2 |
| south  |    892 | 42.1 |

The mean is $\\bar x = \\frac{1}{n} \\sum_i x_i$ over all orders of the year:

```python
orders.groupby("region").amount.mean()
```

Ask again for a month, or for one customer.
"""

SETUP = """%load_ext lumos_nb
import json
import time
import pandas as pd
import lumos_nb as lumos
from lumos_nb import Agent, llm, tool

orders = pd.DataFrame({"region": ["north", "south", "east"], "amount": [40.2, 42.1, 38.9], "orders": [312, 892, 77]})

@tool
def rows(table: str, limit: int = 5) -> pd.DataFrame:
    "First rows of a table."
    print(f"{len(orders)} rows in {table}")
    return orders.head(limit)

@tool
def wait(seconds: float) -> str:
    "Block the notebook."
    time.sleep(seconds)
    return "awake"

analyst = Agent("analyst", model=llm("mine/sales-model", base_url=BASE_URL), tools=[rows, wait])
"""


def script(request: Any) -> Any:
    messages = request.body["messages"]
    asked = next(m["content"] for m in reversed(messages) if m["role"] == "user")
    if "for ever" in asked:
        return Answer(text="On and on " * 2000, tokens_per_s=20)
    if messages[-1]["role"] == "tool":
        return Answer(text=ANSWER, tokens_per_s=25, reasoning="The user wants a mean. I have the rows now.")
    if "block" in asked:
        return ToolCall(id="w1", name="wait", arguments='{"seconds": 30}')
    if "name" in asked:
        names = [m["content"] for m in messages if m["role"] == "user" and "I am" in str(m["content"])]
        return f"You said: {names[-1]}"
    return Answer(
        text="I'll look at the orders first.",
        tool_calls=[ToolCall(id="r1", name="rows", arguments='{"table": "orders", "limit": 2}')],
    )


@pytest.fixture(scope="module")
def server() -> Iterator[FakeServer]:
    with FakeServer(script) as served:
        yield served


@pytest.fixture
def notebook(open_notebook: Any, server: FakeServer) -> Any:
    def make(name: str, *cells: str) -> Notebook:
        nb: Notebook = open_notebook(name, [SETUP.replace("BASE_URL", repr(server.base_url)), *cells])
        nb.run(0)
        nb.wait_done(0)
        return nb

    return make


def test_the_main_job(notebook: Any) -> None:
    nb = notebook(
        "main_job.ipynb",
        "%%agent analyst --new -t sales\nI am Ada. What is the average order in the south?",
        "%%agent analyst -t sales\nWhat is my name?",
        "r = lumos.runs(); r = r[r.notebook.str.endswith('main_job.ipynb')]\n"
        "print(r.status.tolist(), r.cell_id.nunique(), r.notebook.iloc[0][-14:])",
    )
    nb.run(1)
    view = nb.output(1)
    view.get_by_text("I'll look at the orders first.").wait_for(timeout=15_000)
    view.get_by_text("The average order in the south").wait_for(timeout=15_000)
    assert nb.prompt(1) == "[*]:", "text was to be on the page before the run is over"
    row = view.locator("summary", has_text="rows")
    row.click()
    assert view.get_by_text("892").first.is_visible()
    assert view.get_by_text("3 rows in orders").is_visible()
    nb.shot("cell-running-light")
    nb.wait_done(1)
    view.get_by_text("✓ 2 steps").wait_for()
    assert view.get_by_text("892").first.is_visible(), "the row that a person opened is still open"
    nb.shot_cell(1, "cell-light")
    set_theme(nb.page, dark=True)
    nb.shot_cell(1, "cell-dark")
    set_theme(nb.page, dark=False)
    for index in (2, 3):
        nb.run(index)
        nb.wait_done(index)
    assert nb.output(2).get_by_text("You said: I am Ada.").is_visible()
    assert nb.output(3).inner_text().strip() == "['completed', 'completed'] 2 main_job.ipynb"
    nb.save()
    output = nb.lab.read("main_job.ipynb")["cells"][1]["outputs"]
    assert [sorted(o["data"]) for o in output] == [
        ["application/vnd.lumos.run+json", "text/html", "text/markdown", "text/plain"]
    ]
    nb.lab.shut_down_kernels()
    nb.open()
    assert nb.output(1).get_by_text("The average order in the south").is_visible()
    assert nb.output(1).get_by_text("892").first.is_visible()


@pytest.mark.parametrize("how", ["stop", "escape", "interrupt"])
@pytest.mark.parametrize("prompt", ["Go on for ever", "Please block"])
def test_a_run_stops_when_told_to_and_keeps_what_it_said(notebook: Any, how: str, prompt: str) -> None:
    nb = notebook(f"stop-{how}-{prompt[-5:].strip()}.ipynb", f"%%agent analyst --new\n{prompt}", "print('next cell')")
    nb.run(1)
    shown = "On and on" if "ever" in prompt else "wait"
    nb.output(1).get_by_text(shown).first.wait_for(timeout=15_000)
    time.sleep(0.7)
    clicked = time.monotonic()
    if how == "stop":
        nb.output(1).get_by_role("button", name="Stop").click()
    elif how == "escape":
        nb.output(1).get_by_role("button", name="Stop").focus()
        nb.page.keyboard.press("Escape")
    else:
        nb.page.locator("[data-command='notebook:interrupt-kernel']").first.click()
    nb.wait_done(1, timeout_s=15)
    print(f"{how} during {prompt!r}: {time.monotonic() - clicked:.2f} s to the prompt")
    nb.output(1).get_by_text("Interrupted: the run was stopped").wait_for(timeout=5_000)
    assert nb.output(1).get_by_text(shown).first.is_visible()
    nb.run(2)
    nb.wait_done(2)
    assert nb.output(2).get_by_text("next cell").is_visible()


def test_a_mistake_is_two_sentences(notebook: Any) -> None:
    nb = notebook("mistake.ipynb", "%%agent analist\nHello")
    nb.run(1)
    nb.wait_done(1)
    assert "Did you mean 'analyst'?" in nb.output(1).inner_text()
    assert nb.output(1).bounding_box()["height"] < 120
    nb.shot("mistake-light")


def test_the_notebook_of_approvals_with_a_person(open_notebook: Any) -> None:
    book = json.loads((REPO / "notebooks" / "02_approvals.ipynb").read_text())
    cells = ["".join(c["source"]) for c in book["cells"] if c["cell_type"] == "code"]
    nb = open_notebook("orders.ipynb", cells[:5])
    for index in (0, 1):
        nb.run(index)
        nb.wait_done(index)
    nb.run(2)
    nb.output(2).get_by_role("button", name="Allow in this thread").wait_for(timeout=60_000)
    nb.shot_cell(2, "approval-light")
    set_theme(nb.page, dark=True)
    nb.shot_cell(2, "approval-dark")
    set_theme(nb.page, dark=False)
    nb.output(2).get_by_role("button", name="Allow in this thread").click()
    nb.wait_done(2)
    nb.output(2).get_by_text("allowed in this thread").first.wait_for()
    for index in (3, 4):
        nb.run(index)
        nb.wait_done(index)
    assert "south" not in nb.output(4).inner_text()
