"""A run in a terminal, and one that is shown at its end."""

from __future__ import annotations

import io
from typing import Any

import pytest

from lumos_nb.events import (
    AgentGenerateResult,
    ApprovalDecided,
    ApprovalRequested,
    Error,
    ErrorInfo,
    GenerationComplete,
    ReasoningDelta,
    StepStart,
    TextDelta,
    ToolCallComplete,
    ToolCallStart,
    ToolOutput,
    UserMessage,
)
from lumos_nb.messages import ToolCall, ToolResult
from lumos_nb.widgets import open_view
from lumos_nb.widgets.plain import PlainView, StaticView

CALL = ToolCall(id="c", name="rows", arguments='{"table": "orders", "limit": 5}')
OTHER = ToolCall(id="d", name="drop", arguments="{}")
RUN = [
    ReasoningDelta("a"), ReasoningDelta("b"), TextDelta("I'll "), TextDelta("look."), ToolCallStart(CALL),
    ToolOutput("c", "stdout", "reading\n"), ToolCallComplete("c", ToolResult("c", "rows", "3 rows\nmore"), 0.03),
    TextDelta("Done."), GenerationComplete(AgentGenerateResult(response="", duration_s=4.1)),
]  # fmt: skip


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_text_and_one_line_a_tool() -> None:
    stream = io.StringIO()
    view = PlainView("sales", stream)
    view.open()
    for event in RUN:
        view.on_events([event])
    view.close()
    view.close()
    assert stream.getvalue() == (
        'thinking …\nI\'ll look.\n→ rows(table="orders", limit=5)\nreading\n✓ rows 0.03 s  3 rows…\nDone.\n'
        "✓ 0 steps · 1 tool · 4.1 s · sales\n"
    )


def test_what_another_model_call_says_begins_on_a_line_of_its_own() -> None:
    stream = io.StringIO()
    PlainView("", stream).on_events([StepStart(1), TextDelta("Oslo"), StepStart(2), TextDelta("[7]")])
    assert stream.getvalue() == "Oslo\n[7]"


def test_a_decision_and_a_word_of_the_person_are_a_line_each() -> None:
    stream = io.StringIO()
    PlainView("", stream).on_events(
        [
            TextDelta("Wait."),
            ApprovalRequested(CALL, "it writes"),
            ApprovalDecided(call_id="c", decision="edit", arguments='{"table": "orders", "limit": 1}'),
            ToolCallStart(ToolCall(id="c", name="rows", arguments='{"table": "orders", "limit": 1}')),
            UserMessage("Be quick."),
            ToolCallComplete("c", ToolResult("c", "rows", "1 row"), 0.03),
            ApprovalRequested(OTHER),
            ApprovalDecided(call_id="d", decision="deny", by="policy", reason="nobody was there"),
            ToolCallComplete("d", ToolResult("d", "drop", "Denied.", is_error=True), 0.0, "denied"),
        ]
    )
    assert stream.getvalue() == (
        'Wait.\n? rows(table="orders", limit=5) waits for you. it writes\n'
        "- rows changed by you  rows(orders, limit=1)\n"
        '→ rows(table="orders", limit=1)\nYou: Be quick.\n✓ rows 0.03 s  1 row\n'
        "? drop() waits for you.\n- drop denied by policy: nobody was there\n"
    )


def test_a_denial_that_was_never_a_question_is_said_too() -> None:
    stream = io.StringIO()
    denied = ToolCallComplete("d", ToolResult("d", "drop", "Not allowed here.", is_error=True), 0.0, "denied")
    PlainView("", stream).on_events([ToolCallStart(OTHER), denied])
    assert stream.getvalue() == "→ drop()\n- drop denied  Not allowed here.\n"


def test_colours_are_for_terminals_only() -> None:
    for stream, coloured in ((Terminal(), True), (io.StringIO(), False)):
        view = PlainView("", stream)
        view.on_events(RUN)
        view.close()
        assert ("\x1b[" in stream.getvalue()) is coloured


def test_an_error_is_two_sentences() -> None:
    stream = io.StringIO()
    view = PlainView("", stream)
    view.on_events([TextDelta("Partial"), Error(error=ErrorInfo(type="E", message="No key.", hint="Set KEY."))])
    view.close()
    assert stream.getvalue().startswith("Partial\nNo key. Set KEY.\n✗ Failed")


def test_the_static_view_displays_once_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    import IPython.display

    shown: list[Any] = []
    monkeypatch.setattr(IPython.display, "display", lambda data, raw: shown.append(data))
    view = StaticView("sales")
    view.open()
    view.on_events(RUN)
    assert shown == []
    view.close()
    view.close()
    assert len(shown) == 1 and "Done." in shown[0]["text/plain"]


def test_an_unknown_view_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'tui'.*live, static and plain"):
        open_view("tui")
