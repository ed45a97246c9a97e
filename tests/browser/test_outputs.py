# ruff: noqa: E501 (texts and scripts of pages stand on one line)
"""What a tool prints, updates and displays, seen as in a cell; widgets in it are alive."""

from __future__ import annotations

import time
from typing import Any

from conftest import ready, set_theme

RUN = """
import ipywidgets
pressed = []
press = ipywidgets.Button(description="Press me"); press.on_click(lambda _: pressed.append(1))
slide = ipywidgets.IntSlider(value=3, max=9, description="Width")
def shown(widget, **more):
    data = widget._repr_mimebundle_()
    return {**(data[0] if isinstance(data, tuple) else data), **more}
call = ToolCall(id="c1", name="rows", arguments="{}")
out = lambda kind, text="", data={}: ToolOutput("c1", kind, text, data)
view = await play([
    *start(), (0, ToolCallStart(call)),
    *[(0.02, out("stderr", f"\\r{i:4d} of 50 |{'#' * (i // 5):10}|")) for i in range(51)], (0, out("stderr", "\\n")),
    (0, out("stdout", "\\x1b[1;32mready\\x1b[0m for \\x1b[34mmore\\x1b[0m\\n")),
    (0, out("display", "d1", {"text/plain": "first state"})),
    (0.2, out("display", "", shown(press))), (0, out("display", "", shown(slide))),
    (0.5, out("update", "d1", {"text/html": "<b>second state</b>"})),
    *[(0.1, out("stdout", f"line {i}\\n")) for i in range(25)], (0, Until(lambda view: len(pressed) == 2 and slide.value == 4)),
    (0, ToolCallComplete("c1", ToolResult("c1", "rows", "3 rows"), 0.1)), *tokens("Done. " * 20, 40), *finish()])
print(len(pressed), slide.value)
"""


def opened(nb: Any) -> Any:
    row = nb.output(1).locator("details[data-lumos=tool]")
    row.locator("summary").first.click(timeout=15_000)
    return row


def test_a_tools_output_is_that_of_a_cell_and_its_widgets_are_alive(open_notebook: Any) -> None:
    nb = ready(open_notebook, "outputs.ipynb", RUN)
    nb.run(1)
    row = opened(nb)
    button = row.get_by_role("button", name="Press me")
    button.wait_for(timeout=10_000)
    button.evaluate("node => { node.mark = 'the same'; }")
    row.get_by_text("line 5", exact=False).first.wait_for(timeout=10_000)
    button.click()
    row.get_by_text("line 20", exact=False).first.wait_for(timeout=10_000)
    button.click()
    assert button.evaluate("node => node.mark") == "the same", "it was not drawn anew with each line"
    assert row.get_by_text("second state").is_visible() and row.get_by_text("first state").count() == 0
    assert row.inner_text().count("of 50") == 1 and "50 of 50" in row.inner_text()
    assert "\x1b" not in row.inner_text()
    nb.shot("outputs_light")
    row.locator(".noUi-handle").focus()
    row.get_by_text("line 24", exact=False).first.wait_for(timeout=10_000)
    nb.page.keyboard.press("ArrowRight")  # what was printed meanwhile did not take the focus away
    nb.wait_done(1)
    nb.output(1).get_by_text("2 4", exact=True).wait_for(timeout=5_000)
    nb.page.wait_for_function("!document.querySelector('.lumos')")
    assert nb.output(1).get_by_text("second state").is_visible()
    set_theme(nb.page, True)
    time.sleep(0.5)
    nb.shot("outputs_saved_dark")
    nb.save()
    assert "widget-view" not in str(nb.lab.read("outputs.ipynb")["cells"][1]["outputs"][0]["data"].keys())


def test_widgets_in_a_tools_output_come_back_with_the_page(open_notebook: Any) -> None:
    nb = ready(open_notebook, "outputs_reload.ipynb", RUN)
    nb.run(1)
    opened(nb).get_by_role("button", name="Press me").wait_for(timeout=10_000)
    nb.save()
    nb.page.reload()
    nb.output(1).locator("details[data-lumos=tool]").get_by_role("button", name="Press me").wait_for(timeout=30_000)
