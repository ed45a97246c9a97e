# ruff: noqa: E501 (scripts and texts stand on one line)
"""Two runs beside each other: what was said apart from what it took."""

from __future__ import annotations

import json
import re

import pandas as pd
import pytest

from lumos_nb import tool
from lumos_nb.events import TokenUsage
from lumos_nb.telemetry import diff_traces, load_trace
from lumos_nb.telemetry.diff.aligning import aligned
from lumos_nb.telemetry.diff.diff import Change, TraceDiff, _changed
from lumos_nb.telemetry.diff.view import change_lines, diff_html
from lumos_nb.telemetry.traces.steps import TraceStep, TraceTool
from lumos_nb.testing import Answer
from tests.telemetry.recording import call, database, recorded
from tests.telemetry.test_waterfall import check


@tool
def rows(table: str, limit: int = 5, order: str = "") -> str:
    """The first rows, in an order."""
    return f"{limit} rows"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    script = [
        Answer(text="I'll look.", tool_calls=[call("x1", "rows", '{"limit": 3, "table": "orders"}')]),
        Answer(text="And again.", tool_calls=[call("x2", "rows", '{"table": "clients"}')]),
        Answer(text="Done."),
    ]
    with database(tmp_path_factory.mktemp("diff") / "lumos.db") as store:
        a = recorded()
        again = recorded()
        b = recorded(prompt="Tidy up.", instructions="Be careful.\nBe brief.", script=script, tools=(rows,))
        yield a, again, b, store


def test_what_changed_is_told_by_place(runs):
    a, _, b, store = runs
    diff = diff_traces(a, b, store)
    found = {(change.where, change.what): change for change in diff.changes}
    told = {(where, what): change.kind for (where, what), change in found.items()}
    assert told[("run", "prompt")] == told[("run", "instructions")] == "changed"
    assert told[("run", "tool drop")] == "removed"
    assert told[("run", "tool rows: description")] == told[("run", "tool rows: parameters")] == "changed"
    # Both called `rows` first, by other ids and in another order: what counts is what it was called with.
    assert found[("step 1", "rows: arguments")].b == '{\n  "limit": 3,\n  "table": "orders"\n}'
    assert told[("step 1", "rows: status")] == "changed"
    assert told[("step 1", "call of rows")] == "removed"
    assert found[("step 3", "answer")].b == "Done."
    assert [(f.name, f.a, f.b) for f in diff.figures if f.name in {"steps", "tool_calls"}] == [
        ("steps", 3, 3),
        ("tool_calls", 4, 2),
    ]


def test_of_two_like_runs_nothing_differs_but_figures(runs):
    a, again, _, store = runs
    diff = diff_traces(a, again, store)
    assert diff.changes == () and "Nothing differs in what was said, called and decided." in repr(diff)
    assert "Both are the same run." in repr(diff_traces(a, a, store)) and "the same run" not in repr(diff)
    assert {figure.name for figure in diff.figures} >= {"duration_s", "input_tokens", "output_tokens"}
    assert re.search(r"input_tokens +71 +71 +same", repr(diff))


def test_it_is_data_too(runs):
    a, _, b, store = runs
    diff = diff_traces(load_trace(a, store), load_trace(b, store))
    frame = pd.DataFrame(diff.rows())
    assert list(frame.columns) == ["where", "what", "kind", "a", "b"] and len(frame) == len(diff.changes) + len(
        diff.figures
    )
    data = json.loads(json.dumps(diff.to_dict()))
    assert data["v"] == 1 and (data["a"], data["b"]) == (a, b) and data["changes"][0]["what"] == "prompt"


def test_it_reads_as_text_and_as_html(runs):
    a, _, b, store = runs
    bundle = diff_traces(a, b, store)._repr_mimebundle_()
    assert "instructions · changed\n   Be careful.\n  +Be brief." in bundle["text/plain"]
    assert "+Be brief.</ins>" in bundle["text/html"]
    check(bundle["text/html"])


def step(n: int, *tools: str) -> TraceStep:
    calls = tuple(TraceTool(tool_call_id=f"c{n}{i}", tool=t, arguments="{}", status="ok") for i, t in enumerate(tools))
    return TraceStep(
        step=n, provider="p", model="m", status="completed", stop_reason="stop", usage=TokenUsage(), tool_calls=calls
    )


def test_runs_of_different_length_are_aligned_by_the_tools_that_they_called():
    a = [step(1, "look"), step(2, "plot"), step(3)]
    b = [step(1, "search"), step(2, "look"), step(3, "look"), step(4, "plot"), step(5)]
    pairs = [(x and x.step, y and y.step) for x, y in aligned(a, b)]
    assert (2, 4) in pairs and (3, 5) in pairs and len(pairs) == 5
    assert sorted(x for x, _ in pairs if x) == [1, 2, 3] and sorted(y for _, y in pairs if y) == [1, 2, 3, 4, 5]


def test_thousands_of_steps_are_compared_one_by_one():
    many = [step(n, "look") for n in range(1, 3_001)]
    assert len(aligned(many, many[:-1])) == 3_000


def test_giant_texts_are_told_by_their_first_difference():
    a, b = "x" * 400_000 + "a", "x" * 400_000 + "b"
    (change,) = _changed("step 1", "answer", a, b)
    assert change_lines(change)[0] == "400,001 characters, now 400,001; the first difference is at character 400,000:"
    html = diff_html(TraceDiff(a="1", b="2", changes=(change,), figures=()))
    assert len(html) < 5_000


def test_hostile_texts_are_text():
    change = Change(where="<b>", what="\x1b[31m", kind="changed", a="</script>\u202e", b="'\" onclick=x()")
    diff = TraceDiff(a="<a>", b="\ud800", changes=(change,), figures=())
    check(diff_html(diff))
    assert "\x1b" not in repr(diff) and "\u202e" not in repr(diff)


def test_keys_are_masked():
    secret = "sk-ant-api03-abcdefghij0123456789"
    (change,) = _changed("run", "prompt", f"my key: {secret}", f"my key is {secret}")
    assert secret not in "\n".join(change_lines(change))
