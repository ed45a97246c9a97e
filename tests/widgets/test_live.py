"""The feed of the live view: order, pace and weight of what is sent; no page needed."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lumos_nb.events import (
    AgentGenerateResult,
    ApprovalDecided,
    ApprovalRequested,
    Error,
    ErrorInfo,
    GenerationComplete,
    RunStart,
    TextDelta,
    ToolCallComplete,
    ToolCallStart,
    ToolOutput,
    UserMessage,
)
from lumos_nb.messages import ToolCall, ToolResult
from lumos_nb.transcript import Transcript
from lumos_nb.widgets.bundle import static_bundle
from lumos_nb.widgets.feed import Feed
from lumos_nb.widgets.widget import PARTS, STATIC

CALL = ToolCall(id="c", name="rows", arguments='{"table": "orders"}')
START = RunStart(run_id="r", thread_id="t", agent="a", provider="p", model="m", prompt="q", started_at=time.time())
END = GenerationComplete(AgentGenerateResult(response="", duration_s=1.0))


class Page:
    """Does with operations what the page does."""

    def __init__(self) -> None:
        self.seq, self.rows, self.footer = -1, [], ""  # type: int, list[dict[str, Any]], str

    def receive(self, message: dict[str, Any]) -> bool:
        if message.get("whole"):
            if message["s"] <= self.seq:
                return True
            self.rows, self.footer = [], ""
        elif message["s"] != self.seq + 1:
            return False
        self.seq = message["s"]
        for op in message["o"]:
            self.apply(*op)
        return True

    def apply(self, what: str, i: Any, *rest: Any) -> None:
        if what == "r":
            assert i == len(self.rows)
            self.rows.append({"kind": rest[0], "head": "", "parts": [], "open": False})
        elif what == "h":
            self.rows[i]["head"] = cut(self.rows[i]["head"], rest[0]) + rest[1]
        elif what == "p":
            j, keep, tail = rest
            parts = self.rows[i]["parts"]
            parts.extend([""] * (j + 1 - len(parts)))
            parts[j] = cut(parts[j], keep) + tail
        elif what == "o":
            self.rows[i]["open"] = rest[0]
        elif what == "f":
            self.footer = i

    def html(self) -> str:
        return "".join(row["head"] + "".join(row["parts"]) for row in self.rows)


def cut(text: str, units: int) -> str:
    """Slice as JavaScript does: by UTF-16 units."""
    return text.encode("utf-16-le")[: units * 2].decode("utf-16-le")


def say(view: Any, **content: Any) -> None:
    view._widget.callback(view._widget, content, [])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(["a", "é😀", "**b**", "\n\n", "```py\n", "```\n", "| a |\n", "- x\n", "$x$"]), max_size=40
    ),
    st.integers(1, 9),
)
def test_the_page_has_what_the_saved_output_has(pieces: list[str], step: int) -> None:
    transcript, feed, page = Transcript("t"), Feed(), Page()
    events = [START, *map(TextDelta, pieces), ToolCallStart(CALL), ToolOutput("c", "stdout", "out"),
              ToolCallComplete("c", ToolResult("c", "rows", "x"), 0.1), *map(TextDelta, pieces), END]  # fmt: skip
    for i in range(0, len(events), step):
        transcript.apply(events[i : i + step])
        for op in feed.ops(transcript.doc):
            page.apply(*op)
    rows = feed.final_rows(transcript.doc)
    assert page.html() == "".join(row.head + "".join(row.parts) for row in rows)
    assert all(part in static_bundle(transcript.doc, rows)["text/html"] for row in page.rows for part in row["parts"])
    late = Page()
    for op in feed.snapshot():
        late.apply(*op)
    assert (late.rows, late.footer) == (page.rows, page.footer)


def test_a_long_answer_is_light_and_few_messages(view: Any) -> None:
    view.on_events([START])
    say(view, t="ready", page="p1")  # or the whole is pushed as often as a busy machine takes seconds
    text = ("word " * 19 + "end.\n\n") * 140  # 14 kB
    began = time.monotonic()
    for i in range(0, len(text), 40):
        view.on_events([TextDelta(text[i : i + 4]) for i in range(i, min(i + 40, len(text)), 4)])
        time.sleep(0.002)
    took = time.monotonic() - began
    view.on_events([END])
    view.close()
    sent = view._widget.sent
    assert len(sent) <= took * 24 + 6
    assert sum(len(json.dumps(m)) for m in sent) < 3 * len(text)
    page = Page()
    assert all(page.receive(m) for m in sent)
    assert page.html().count("word") == text.count("word")


def test_sequence_numbers_have_no_gap_and_a_resync_brings_all(view: Any) -> None:
    for i in range(6):
        view.on_events([TextDelta(f"{i} ")])
        time.sleep(0.08)
    sent = view._widget.sent
    assert [m["s"] for m in sent if not m.get("whole")] == list(range(sent[0]["s"], sent[-1]["s"] + 1))
    page = Page()
    assert not page.receive(sent[-1])
    say(view, t="resync", page="p1")
    time.sleep(0.2)
    whole = [m for m in view._widget.sent if m.get("whole")]
    assert page.receive(whole[-1]) and page.html() == "<p>0 1 2 3 4 5</p>\n"


def test_the_whole_state_is_pushed_until_a_page_has_answered(view: Any) -> None:
    view.on_events([TextDelta("x")])
    time.sleep(0.5)
    assert [m for m in view._widget.sent if m.get("whole")], "a push after 0.3 s"


def test_on_events_never_waits(view: Any) -> None:
    big = [TextDelta("word " * 10) for _ in range(2000)]
    began = time.monotonic()
    view.on_events(big)
    assert time.monotonic() - began < 0.02


def test_rows_that_a_person_opened_are_open_in_the_saved_output(view: Any) -> None:
    view.on_events([ToolCallStart(CALL), ToolCallComplete("c", ToolResult("c", "rows", "x"), 0.1)])
    time.sleep(0.15)
    say(view, t="open", row=0, open=True)
    say(view, t="open", row=7, open=True)
    view.close()
    assert 'data-lumos="tool" open' in view._spot.handle.bundle["text/html"]


@pytest.mark.parametrize(("messages", "closed"), [
    ([{"t": "ready", "page": "p1"}], True),
    ([], True),
    ([{"t": "ready", "page": "p1"}, {"t": "ready", "page": "p2"}], False),
    ([{"t": "ready", "page": "p1"}, {"t": "gone"}], False),
])  # fmt: skip
def test_the_widget_stays_open_if_the_page_went_away(view: Any, messages: list[dict[str, str]], closed: bool) -> None:
    for content in messages:
        say(view, **content)
    view.on_events([Error(error=ErrorInfo(type="E", message="m"))])
    view.close()
    assert view._widget.closed is closed
    assert view._spot.handle.bundle is not None


def test_a_tool_that_prints_without_end_is_not_sent_anew_each_time() -> None:
    transcript, feed = Transcript(), Feed()
    transcript.apply([ToolCallStart(CALL)])
    sent = 0
    for _ in range(400):
        transcript.apply([ToolOutput("c", "stdout", "x" * 999 + "\n")])
        sent += len(json.dumps(feed.ops(transcript.doc)))
    assert sent < 3 * 400_000


def test_a_waiting_call_asks_and_its_answer_takes_the_question_away() -> None:
    transcript, feed, late = Transcript(), Feed(), Page()
    transcript.apply([ApprovalRequested(CALL, "it writes", {"properties": {"table": {"type": "string"}}})])
    (asked,) = [op for op in feed.ops(transcript.doc) if op[0] == "a"]
    assert (asked[2]["call_id"], asked[2]["reason"]) == ("c", "it writes")
    assert [(f["name"], f["kind"], f["text"]) for f in asked[2]["fields"]] == [("table", "line", "orders")]
    assert transcript.doc["state"] == "waiting for you"
    assert asked in feed.snapshot(), "a page that comes later is asked too"
    transcript.apply([ApprovalDecided(call_id="c", decision="allow")])
    assert ["a", 0, None] in feed.ops(transcript.doc)
    assert not [op for op in feed.snapshot() if op[0] == "a"]
    for op in feed.snapshot():
        late.apply(*op)
    assert "allowed by you" in late.rows[0]["head"]


def test_an_output_changes_alone() -> None:
    transcript, feed = Transcript(), Feed()
    shown = [
        ToolOutput("c", "display", "a", {"text/plain": "one"}),
        ToolOutput("c", "display", "b", {"text/plain": "two"}),
    ]
    transcript.apply([ToolCallStart(CALL), *shown])
    feed.ops(transcript.doc)
    transcript.apply([ToolOutput("c", "stdout", "more")])
    (printed,) = feed.ops(transcript.doc)
    transcript.apply([ToolOutput("c", "update", "b", {"text/plain": "three"})])
    (updated,) = feed.ops(transcript.doc)
    assert printed[2] == updated[2] + 1, "a widget in another output keeps its place, and the focus in it"


def test_what_changes_in_place_reaches_the_page() -> None:
    transcript, feed, page = Transcript(), Feed(), Page()

    def seen(*events: Any) -> str:
        transcript.apply(events)
        for op in feed.ops(transcript.doc):
            page.apply(*op)
        return page.html()

    assert "10 %" in seen(ToolCallStart(CALL), ToolOutput("c", "stdout", "10 %"))
    assert "20 %" in seen(ToolOutput("c", "stdout", "\r20 %"))
    assert "first" in seen(ToolOutput("c", "display", "p", {"text/plain": "first"}))
    assert "other" in seen(ToolOutput("c", "update", "p", {"text/plain": "other"})) and "first" not in page.html()
    assert "other" not in seen(ToolOutput("c", "clear")) and "20 %" not in page.html()
    assert "waits for the cell" in seen(ToolOutput("c", "state", "waits for the cell that runs"))
    assert "waits for the cell" not in seen(ToolOutput("c", "state", ""))
    assert "You" in seen(UserMessage("only the <north>")) and "only the &lt;north&gt;" in page.html()


def test_the_module_for_the_page_is_small_and_has_all_parts() -> None:
    assert {path.name for path in STATIC.iterdir()} == {*PARTS, "live.css"}
    assert sum(len(f.read_bytes()) for f in STATIC.iterdir()) < 32_000
