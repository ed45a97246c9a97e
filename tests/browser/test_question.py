# ruff: noqa: E501 (texts and scripts of pages stand on one line)
"""The question in a tool's row: answered by mouse and by keyboard, in one tab and in two, with the kernel there and gone."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from conftest import Notebook, ready, set_theme

RUN = 'view = await play([*start(), *tokens("I will export the orders. ", 400), *ask("q1"), *tool("q1", {}, name="export", wait=1.0), *tokens("Done. ", 400), *finish()])\nprint(view.actions)'


def asked(nb: Any, index: int = 1) -> Any:
    """Run a cell and return its row once it asks."""
    nb.run(index)
    row = nb.output(index).locator("details[data-lumos=tool]").first
    row.get_by_role("button", name="Allow once").wait_for(timeout=15_000)
    return row


def printed(nb: Any, index: int = 1) -> list[dict[str, str]]:
    """Return the actions that a cell printed at its end."""
    nb.wait_done(index)
    found: list[dict[str, str]] = eval(nb.output(index).locator("pre").last.inner_text())
    return found


@pytest.mark.parametrize(
    ("how", "action", "said"),
    [
        ("Allow once", {"t": "allow"}, "allowed by you"),
        ("Allow in this thread", {"t": "allow_thread"}, "allowed in this thread"),
        ("a", {"t": "allow"}, "allowed by you"),
        ("t", {"t": "allow_thread"}, "allowed in this thread"),
    ],
)
def test_a_call_is_allowed_by_click_and_by_key(open_notebook: Any, how: str, action: dict[str, str], said: str) -> None:
    nb = ready(open_notebook, "allow.ipynb", RUN)
    row = asked(nb)
    if len(how) > 1:
        row.get_by_role("button", name=how).click()
    else:
        row.locator("summary").focus()
        nb.page.keyboard.press(how)
    row.get_by_text(said).wait_for(timeout=5_000)
    row.get_by_role("button", name="Allow once").wait_for(state="detached")
    assert printed(nb) == [{**action, "call_id": "q1"}]
    assert nb.output(1).get_by_text(said).is_visible(), "the saved row says it too"


def test_a_call_is_denied_with_a_reason(open_notebook: Any) -> None:
    nb = ready(open_notebook, "deny.ipynb", RUN)
    row = asked(nb)
    heard = nb.output(1).locator("[aria-live=polite]").first
    assert heard.inner_text() == "export waits for you. It writes files."
    heard.evaluate(
        "node => { window.said = []; new MutationObserver(() => said.push(node.textContent)).observe(node, {childList: true}); }"
    )
    row.get_by_text("It writes files.").first.wait_for()
    nb.page.wait_for_function("/waiting for you 0:0[1-9]/.test(document.querySelector('.lumos summary').textContent)")
    nb.shot("question_light")
    row.get_by_role("button", name="Allow once").focus()
    nb.page.keyboard.press("d")
    reason = row.get_by_label("Why, as the model is told")
    assert reason.evaluate("node => node === document.activeElement")
    nb.shot("question_deny_light")
    nb.page.keyboard.press("Escape")
    row.get_by_role("button", name="Allow once").wait_for()
    assert nb.output(1).get_by_role("button", name="Stop").is_visible(), "Esc closed the form, not the run"
    nb.page.keyboard.press("d")
    nb.page.keyboard.type("a day too late")
    nb.page.keyboard.press("Enter")
    row.get_by_text("denied by you: a day too late").first.wait_for(timeout=5_000)
    nb.page.wait_for_function("said.some((text) => text.includes('denied by you: a day too late'))")
    assert printed(nb) == [{"t": "deny", "call_id": "q1", "reason": "a day too late"}]
    nb.shot("question_denied_light")


def test_arguments_are_changed_in_a_form_that_keeps_what_is_wrong(open_notebook: Any) -> None:
    nb = ready(open_notebook, "edit.ipynb", RUN)
    row = asked(nb)
    row.locator("summary").focus()
    nb.page.keyboard.press("e")
    table = row.get_by_label("table", exact=False).first
    assert table.evaluate("node => node === document.activeElement")
    assert row.get_by_label("sql").evaluate("node => node.tagName") == "TEXTAREA"
    assert row.get_by_label("dry_run").is_checked()
    nb.shot("question_form_light")
    row.get_by_label("limit").fill("many")
    nb.page.keyboard.press("Control+Enter")
    row.get_by_role("alert").get_by_text("limit: many is not a number.").wait_for()
    row.get_by_label("limit").fill("1.5")
    row.get_by_role("button", name="Allow with these arguments").click()
    row.get_by_role("alert").get_by_text("limit").wait_for()
    nb.shot("question_problem_light")
    assert nb.output(1).get_by_role("button", name="Stop").is_visible(), "the run still waits"
    row.get_by_label("limit").fill("50")
    row.get_by_label("dry_run").uncheck()
    row.get_by_label("form").select_option("parquet")
    row.get_by_label("columns_to_write").fill("null")
    nb.page.keyboard.press("Control+Enter")
    row.get_by_text("changed by you").wait_for(timeout=5_000)
    actions = printed(nb)
    assert [a["t"] for a in actions] == ["edit", "edit"]
    assert json.loads(actions[1]["arguments"]) == {
        "table": "orders", "sql": "select *\nfrom orders", "limit": 50, "dry_run": False, "form": "parquet", "columns_to_write": None,
    }  # fmt: skip
    nb.output(1).locator("summary", has_text="export").click()
    assert nb.output(1).get_by_text("500", exact=True).is_visible(), "what was asked before"
    assert nb.output(1).get_by_text("50", exact=True).is_visible()
    time.sleep(0.5)
    nb.shot("question_changed_light")


def test_all_controls_are_reached_by_tab_and_the_focus_stays_in_the_row(open_notebook: Any) -> None:
    nb = ready(open_notebook, "tab.ipynb", RUN)
    row = asked(nb)
    row.locator("summary").focus()
    seen = []
    for _ in range(5):
        nb.page.keyboard.press("Tab")
        seen.append(nb.page.evaluate("document.activeElement.textContent || document.activeElement.placeholder"))
    assert seen == ["Allow once", "Allow in this thread", "Edit…", "Deny…", "Say something to the agent"]
    row.get_by_role("button", name="Allow once").focus()
    nb.page.keyboard.press("Enter")
    row.get_by_text("allowed by you").wait_for(timeout=5_000)
    assert nb.page.evaluate("document.activeElement.tagName") == "SUMMARY", "or the next D would delete the cell"
    nb.wait_done(1)


def test_arguments_that_are_no_object_are_edited_as_they_stand(open_notebook: Any) -> None:
    run = RUN.replace('ask("q1")', """ask("q1", '{"table": "ord')""")
    nb = ready(open_notebook, "broken.ipynb", run)
    row = asked(nb)
    row.get_by_role("button", name="Edit…").click()
    whole = row.get_by_label("Arguments, as JSON")
    assert whole.input_value() == '{"table": "ord'
    whole.fill('{"table": "orders"}')
    nb.shot("question_json_light")
    nb.page.keyboard.press("Control+Enter")
    assert printed(nb) == [{"t": "edit", "call_id": "q1", "arguments": '{"table": "orders"}'}]


def test_two_views_in_one_page_show_one_question(open_notebook: Any) -> None:
    nb = ready(open_notebook, "views.ipynb", RUN)
    asked(nb)
    nb.output(1).locator(".lumos-head").click(button="right")
    nb.page.get_by_role("menuitem", name="Create New View for Cell Output").click()
    buttons = nb.page.get_by_role("button", name="Allow once")
    buttons.nth(1).wait_for(timeout=10_000)
    clocks = nb.page.locator(".lumos-figures").evaluate_all(
        "nodes => nodes.map(n => parseFloat(n.textContent.slice(2)))"
    )
    assert abs(clocks[0] - clocks[1]) < 0.3, "a view that comes later knows since when the run goes"
    nb.shot("question_two_views")
    buttons.nth(1).click()
    nb.page.wait_for_function("!document.querySelector('.lumos-question')")
    assert printed(nb) == [{"t": "allow", "call_id": "q1"}]


def test_two_tabs_show_one_question(open_notebook: Any, browser: Any) -> None:
    nb = ready(open_notebook, "tabs.ipynb", RUN)
    first = asked(nb)
    nb.save()
    context = browser.new_context(viewport={"width": 1100, "height": 850})
    other = Notebook(context.new_page(), nb.lab, nb.name)
    other.page.goto(f"{nb.lab.url}/doc/workspaces/other/tree/{nb.name}?reset")
    second = other.output(1).locator("details[data-lumos=tool]").first
    second.get_by_role("button", name="Deny…").click(timeout=30_000)
    second.get_by_label("Why, as the model is told").fill("no")
    first.get_by_role("button", name="Allow once").click()
    for row in (first, second):
        row.get_by_text("allowed by you").wait_for(timeout=5_000)
        row.locator(".lumos-question").wait_for(state="detached")
    assert printed(nb) == [{"t": "allow", "call_id": "q1"}]
    context.close()


def test_a_whole_state_that_comes_meanwhile_costs_nothing_of_what_is_typed(open_notebook: Any) -> None:
    run = RUN.replace("await play([", "await play([(0, Resync()), ").replace("*tool(", "(0, Answered('q1')), *tool(", 1)
    resync = """
import threading
class Resync: pass
import script
before = script.outcome
def outcome(view, event):
    if not isinstance(event, Resync): return before(view, event)
    def push():  # numbers jump as if messages were lost, and all comes anew
        while True:
            time.sleep(1.0)
            if view.transcript.doc["state"] == "waiting for you":
                view._seq += 3; view._wanted = True; view._wake.set()
                return
    threading.Thread(target=push, daemon=True).start()
    return []
script.outcome = outcome
"""
    nb = ready(open_notebook, "whole.ipynb", resync, run)
    nb.run(1)
    nb.wait_done(1)
    row = asked(nb, 2)
    row.locator("summary").evaluate("node => { node.mark = 'old'; }")
    row.get_by_role("button", name="Deny…").click()
    row.get_by_label("Why, as the model is told").fill("half a reason")
    nb.page.wait_for_function("!document.querySelector('.lumos summary').mark", timeout=10_000)
    assert row.get_by_label("Why, as the model is told").input_value() == "half a reason"
    row.get_by_role("button", name="Deny", exact=True).click()
    row.get_by_text("denied by you: half a reason").first.wait_for(timeout=5_000)
    nb.wait_done(2)


def test_a_late_click_learns_that_the_call_is_decided(open_notebook: Any) -> None:
    late = RUN.replace('*ask("q1"),', '*ask("q1", wait=False), (6, StepStart(1)),')
    nb = ready(
        open_notebook,
        "late.ipynb",
        "import script; script.decide = lambda view, **_: 'This call is already decided.'",
        late,
    )
    nb.run(1)
    nb.wait_done(1)
    row = asked(nb, 2)
    row.get_by_role("button", name="Allow once").click()
    row.get_by_role("alert").get_by_text("already decided").wait_for(timeout=3_000)
    nb.wait_done(2)


def test_a_page_that_is_reloaded_asks_again_and_its_buttons_work(open_notebook: Any) -> None:
    nb = ready(open_notebook, "reload_question.ipynb", RUN)
    asked(nb).get_by_role("button", name="Edit…").click()
    nb.save()
    nb.page.reload()
    row = nb.output(1).locator("details[data-lumos=tool]").first
    row.get_by_label("limit").fill("7", timeout=30_000)  # the form is open, as it was
    row.get_by_role("button", name="Allow with these arguments").click()
    row.get_by_text("changed by you").wait_for(timeout=5_000)
    nb.output(1).get_by_text("Done.").wait_for(timeout=10_000)


def test_the_form_of_a_kernel_that_is_gone_says_so(open_notebook: Any) -> None:
    nb = ready(open_notebook, "gone.ipynb", RUN)
    row = asked(nb)
    row.get_by_role("button", name="Edit…").click()
    nb.lab.restart_kernel(nb.name)
    for _ in range(2):  # and can be used again
        row.get_by_role("button", name="Allow with these arguments").click()
        clicked = time.monotonic()
        row.get_by_role("alert").get_by_text("%agent resume").wait_for(timeout=10_000)
        print(f"said after {time.monotonic() - clicked:.2f} s")
    nb.shot("question_gone_light")
    nb.output(1).get_by_role("button", name="Stop").click()
    nb.output(1).get_by_text("The kernel does not answer.").nth(1).wait_for(timeout=10_000)
    assert nb.output(1).get_by_role("button", name="Stop", exact=True).is_visible()


def test_a_restart_is_told_at_once_and_the_new_kernel_is_left_alone(open_notebook: Any) -> None:
    nb = ready(
        open_notebook,
        "restarted.ipynb",
        RUN,
        "import time\nfor _ in range(40): time.sleep(0.1)\nprint('slept', 'well')",
    )
    row = asked(nb)
    nb.page.get_by_role("menuitem", name="Kernel").click()
    nb.page.locator(".lm-Menu-itemLabel", has_text="Restart Kernel…").click()
    nb.page.get_by_role("button", name="Confirm Kernel Restart").click()
    nb.output(1).locator(".lumos-foot").get_by_text("The kernel was restarted").wait_for(timeout=10_000)
    row.get_by_role("button", name="Allow once").click()
    row.get_by_role("alert").get_by_text("%agent resume").wait_for(timeout=3_000)
    nb.run(2)
    nb.output(1).get_by_role("button", name="Stop", exact=True).click()
    nb.wait_done(2)
    nb.output(2).get_by_text("slept well").wait_for(timeout=3_000)
    nb.shot("question_restarted_light")


def test_how_a_question_looks(open_notebook: Any) -> None:
    nb = ready(open_notebook, "looks_question.ipynb", RUN)
    for name, dark, width in (("dark", True, 1100), ("narrow", True, 400)):
        if width == 1100:
            set_theme(nb.page, dark)
        nb.page.set_viewport_size({"width": width, "height": 850})
        row = asked(nb)
        nb.shot(f"question_{name}")
        row.get_by_role("button", name="Edit…").click()
        row.get_by_label("limit").fill("x")
        nb.page.keyboard.press("Control+Enter")
        row.get_by_role("alert").get_by_text("not a number").wait_for()
        nb.shot(f"question_form_{name}")
        assert row.evaluate("node => node.scrollWidth <= node.clientWidth + 1"), "nothing stands out of the row"
        nb.page.keyboard.press("Escape")
        nb.page.keyboard.press("d")
        nb.page.keyboard.type("not before the numbers of the last month are in, and not without the customers' consent")
        nb.shot(f"question_deny_{name}")
        nb.page.keyboard.press("Enter")
        nb.wait_done(1)
        time.sleep(0.7)
        nb.shot(f"question_denied_{name}")
