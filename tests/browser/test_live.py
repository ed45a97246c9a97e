# ruff: noqa: E501 (texts and scripts of pages stand on one line)
"""The live view in a real JupyterLab, from the first token to the reopened file."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from conftest import ready, set_theme

HOSTILE = "<script>window.__pwned=1</script><img src=x onerror='window.__pwned=2'>"
HOSTILE_RUN = f"""
bad = {HOSTILE!r} + "[x](javascript:window.__pwned=3) <svg onload=window.__pwned=4> "
bad_args = json_text = __import__("json").dumps({{bad: bad, "code": bad + chr(10) + bad}})
await play([*start(), (0, ReasoningDelta(bad)), *tokens(bad + chr(10)*2 + "```html" + chr(10) + bad + chr(10) + "```" + chr(10), 500),
  *tool("h1", {{"text/html": bad + TABLE}}, bad_args, bad, output=[ToolOutput("h1", "stdout", bad), ToolOutput("h1", "display", data={{"text/html": bad}}),
        ToolOutput("h1", "display", data={{"image/svg+xml": "<svg xmlns='http://www.w3.org/2000/svg' onload='window.__pwned=5'><script>window.__pwned=6</script></svg>"}}),
        ToolOutput("h1", "display", data={{"text/markdown": bad}}), ToolOutput("h1", "display", data={{"application/json": {{"a": bad}}}})]),
  *tool("h2", {{}}, bad, bad, status="error", content=bad, traceback=bad + chr(10) + bad),
  (0, ApprovalDecided(call_id="h2", decision="deny", reason=bad, by=bad)), (0, UserMessage(bad)),
  (0, ToolOutput("h2", "stderr", chr(27) + "[31m" + bad)), (0, ToolOutput("h2", "display", data={{"application/vnd.jupyter.widget-view+json": {{"model_id": bad}}, "text/plain": bad}})),
  (0, ApprovalRequested(ToolCall(id="h3", name=bad, arguments=bad_args), bad, {{"properties": {{bad: {{"type": "string", "description": bad, "enum": [bad]}}}}}})),
  (2.5, Error(error=ErrorInfo(type=bad, message=bad, hint=bad)))], thread=bad)
"""  # fmt: skip


def open_all(nb: Any) -> None:
    nb.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")


def test_text_is_on_the_page_before_the_run_is_over_and_one_bundle_is_saved(open_notebook: Any) -> None:
    nb = ready(open_notebook, "live.ipynb", "view = await play(story(40))")
    nb.run(1)
    nb.page.wait_for_selector(".lumos", timeout=15_000)
    nb.output(1).get_by_text("Thought for").wait_for(timeout=10_000)
    nb.output(1).get_by_text("The average order is").wait_for(timeout=10_000)
    assert nb.prompt(1) == "[*]:"
    nb.shot("live_light")
    nb.wait_done(1)
    nb.output(1).get_by_text("✓ 1 step").wait_for()
    nb.page.wait_for_function("!document.querySelector('.lumos')")
    time.sleep(0.5)
    nb.shot("static_light")
    nb.save()
    output = nb.lab.read("live.ipynb")["cells"][1]["outputs"]
    assert [sorted(o["data"]) for o in output] == [
        ["application/vnd.lumos.run+json", "text/html", "text/markdown", "text/plain"]
    ]
    nb.lab.shut_down_kernels()
    nb.open()
    assert nb.output(1).get_by_text("The average order is").is_visible()
    nb.output(1).locator("summary", has_text="rows").first.click()
    assert nb.output(1).get_by_text("Grace").is_visible()
    time.sleep(0.5)
    nb.shot("reopened_light")


def test_a_row_opens_by_click_and_by_keyboard_and_stays_open_in_the_saved_output(open_notebook: Any) -> None:
    nb = ready(
        open_notebook,
        "rows.ipynb",
        'view = await play([*start(), *tool("c1", {"text/html": TABLE}), *tool("c2", {}, name="second"), *tokens("word " * 400, 100), *finish()])',
    )
    nb.run(1)
    rows = nb.output(1).locator("details[data-lumos=tool]")
    rows.nth(1).wait_for(timeout=15_000)
    nb.output(1).get_by_text("word word").wait_for()
    rows.nth(0).locator("summary").click()
    assert nb.output(1).get_by_text("Grace").is_visible()
    rows.nth(1).locator("summary").focus()
    nb.page.keyboard.press("Enter")
    assert rows.nth(1).get_attribute("open") is not None
    assert nb.output(1).locator(".lumos").count() == 1, "the run was to be still going"
    nb.wait_done(1)
    nb.page.wait_for_function("!document.querySelector('.lumos')")
    assert [rows.nth(i).get_attribute("open") is not None for i in (0, 1)] == [True, True]
    rows.nth(1).locator("summary").focus()
    nb.page.keyboard.press("Enter")
    assert rows.nth(1).get_attribute("open") is None


@pytest.mark.parametrize("how", ["click", "escape"])
def test_stop_ends_the_run_and_keeps_the_text(open_notebook: Any, how: str) -> None:
    nb = ready(
        open_notebook, f"stop_{how}.ipynb", 'view = await play([*start(), *tokens("word " * 2000, 50), *finish()])'
    )
    nb.run(1)
    nb.output(1).get_by_text("word word").wait_for(timeout=15_000)
    if how == "click":
        nb.output(1).get_by_role("button", name="Stop").click()
    else:
        nb.output(1).get_by_role("button", name="Stop").focus()
        nb.page.keyboard.press("Escape")
    nb.wait_done(1, 3)
    nb.output(1).get_by_text("- Stopped").wait_for()
    assert nb.output(1).get_by_text("word word").is_visible()


def test_stop_is_heard_while_the_cell_blocks(open_notebook: Any) -> None:
    nb = ready(open_notebook, "blocked.ipynb", 'block([*start(), *tokens("word " * 2000, 50), *finish()])')
    nb.run(1)
    nb.output(1).get_by_text("word word").wait_for(timeout=15_000)
    nb.output(1).get_by_role("button", name="Stop").click()
    nb.wait_done(1, 3)
    nb.output(1).get_by_text("- Stopped").wait_for()


def test_a_page_that_comes_later_sees_the_whole_run_and_nothing_is_lost(open_notebook: Any) -> None:
    nb = ready(
        open_notebook,
        "reload.ipynb",
        'view = await play([*start(), *tokens("early " * 20 + "later " * 400, 60), *finish()])',
    )
    nb.run(1)
    nb.output(1).get_by_text("early early").wait_for(timeout=15_000)
    nb.save()
    nb.page.reload()
    nb.page.wait_for_selector(".lumos", timeout=30_000)
    nb.output(1).get_by_text("early early").wait_for(timeout=15_000)
    nb.output(1).get_by_text("✓ 1 step").wait_for(timeout=30_000)  # the widget was left open
    text = nb.output(1).locator("[data-lumos=text]").inner_text()
    assert (text.count("early"), text.count("later")) == (20, 400)


def test_nothing_hostile_runs(open_notebook: Any) -> None:
    nb = ready(open_notebook, "hostile.ipynb", HOSTILE_RUN)
    nb.run(1)
    nb.output(1).get_by_role("button", name="Edit…").click(timeout=15_000)
    nb.shot("hostile_form_light")
    nb.wait_done(1)
    nb.page.wait_for_function("!document.querySelector('.lumos')")
    open_all(nb)
    time.sleep(0.5)
    nb.shot("hostile_light")
    assert nb.page.evaluate("window.__pwned") is None
    nb.save()
    nb.open()  # what is saved, too
    time.sleep(1)
    assert nb.page.evaluate("window.__pwned") is None


def test_nothing_hostile_runs_in_nbconvert_and_it_reads_well(open_notebook: Any, tmp_path: Path) -> None:
    from nbconvert import HTMLExporter

    nb = ready(open_notebook, "convert.ipynb", HOSTILE_RUN, "view = await play(story(400))")
    for i in (1, 2):
        nb.run(i)
        nb.wait_done(i)
    nb.page.wait_for_function("!document.querySelector('.lumos')")
    nb.save()
    html, _ = HTMLExporter().from_filename(str(nb.lab.root / "convert.ipynb"))
    (tmp_path / "page.html").write_text(html)
    assert "model not found" not in html
    nb.page.route("**/*", lambda route: route.continue_() if route.request.url.startswith("file:") else route.abort())
    nb.page.goto(f"file://{tmp_path}/page.html")
    open_all(nb)
    nb.page.get_by_text("The average order is").scroll_into_view_if_needed()
    time.sleep(0.5)
    nb.shot("nbconvert")
    assert nb.page.evaluate("window.__pwned") is None


def test_both_themes_and_a_narrow_window(open_notebook: Any) -> None:
    nb = ready(
        open_notebook, "looks.ipynb", "view = await play(story(120))",
        'view = await play([*start(), *tokens("Partial text stays. ", 200), *failure()])',
        "view = await play([*start(), *finish(cost=None)])",
        'view = await play([*start(), (1.2, Metadata({"state": "rate-limited, again in 4 s"})), (2.5, TextDelta("x")), *failure("cancelled")])',
    )  # fmt: skip
    for dark in (False, True):
        name = "dark" if dark else "light"
        set_theme(nb.page, dark)
        for i in (1, 2, 3, 4):
            nb.run(i)
            if i == 1:
                nb.output(1).get_by_text("The deviation is").wait_for(timeout=15_000)
                nb.shot(f"looks_live_{name}")
            if i == 4:
                nb.output(4).get_by_text("rate-limited").last.wait_for(timeout=5_000)
                time.sleep(1.2)
                nb.shot(f"looks_waiting_{name}")
            nb.wait_done(i)
        for summary in nb.output(1).locator("summary").all()[:2]:
            summary.click()
        nb.output(1).scroll_into_view_if_needed()
        time.sleep(0.7)
        nb.shot(f"looks_static_{name}")
        nb.output(4).scroll_into_view_if_needed()
        time.sleep(0.3)
        nb.shot(f"looks_ends_{name}")
    nb.page.set_viewport_size({"width": 400, "height": 850})
    nb.run(1)
    nb.output(1).get_by_text("The deviation is").wait_for(timeout=15_000)
    nb.shot("looks_live_narrow")
    nb.wait_done(1)
    time.sleep(0.7)
    nb.shot("looks_static_narrow")


def test_the_saved_output_takes_the_place_of_the_view_without_a_jump(open_notebook: Any) -> None:
    # The last words are given half a second to be seen: in one frame with the replacement they are growth, no jump.
    end = "view = await play(story(200), close=False); await asyncio.sleep(0.5); view.close()"
    nb = ready(open_notebook, "jump.ipynb", end)
    nb.page.evaluate("""() => {
        window.heights = [];
        const look = () => {
            const run = document.querySelector('[data-lumos=run]');
            if (run) {
                const formulas = run.querySelectorAll('mjx-container').length;
                heights.push([run.classList.contains('lumos'), run.offsetHeight, formulas]);
            }
            requestAnimationFrame(look);
        };
        look();
    }""")
    nb.run(1)
    nb.wait_done(1)
    nb.page.wait_for_function("!document.querySelector('.lumos')")
    time.sleep(0.7)
    heights = nb.page.evaluate("heights")
    last_live = [h for live, h, _ in heights if live][-1]
    static = [h for live, h, _ in heights if not live]
    print("live", last_live, "static", static[0], "…", static[-1])
    assert abs(static[-1] - last_live) <= 4
    live = [h for is_live, h, _ in heights if is_live]
    assert sum(max(0, a - b) for a, b in zip(live, live[1:], strict=False)) <= 40, "height only grows"


def test_an_untrusted_notebook_is_still_readable(lab: Any, page: Any) -> None:
    import nbformat
    from conftest import Notebook
    from script import story

    from lumos_nb.transcript import Transcript
    from lumos_nb.widgets.bundle import static_bundle

    path = lab.write("untrusted.ipynb", ["1"])
    transcript = Transcript("sales")
    transcript.apply(event for _, event in story())
    notebook = nbformat.read(path, 4)
    notebook.cells[0].outputs = [nbformat.v4.new_output("display_data", static_bundle(transcript.doc))]
    nbformat.write(notebook, path)
    nb = Notebook(page, lab, "untrusted.ipynb").open()
    nb.output(0).get_by_text("The average order is").wait_for()
    nb.output(0).locator("summary", has_text="rows").first.click()
    assert nb.output(0).get_by_text("Grace").is_visible()
    time.sleep(0.7)
    nb.shot("untrusted_light")
