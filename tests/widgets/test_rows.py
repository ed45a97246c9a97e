# ruff: noqa: E501 (texts and scripts of pages stand on one line)
"""What stays in the saved output of questions, decisions, and words of the person."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lumos_nb.events import ApprovalRequested, Error, ErrorInfo
from lumos_nb.messages import ToolCall
from lumos_nb.transcript import Transcript
from lumos_nb.widgets.bundle import static_bundle
from lumos_nb.widgets.rows import tool_row


def document(items: list[dict[str, Any]]) -> dict[str, Any]:
    return {**Transcript("t").doc, "status": "completed", "started_at": 0.0, "items": items}


def tool(**fields: Any) -> dict[str, Any]:
    return {
        "kind": "tool", "call_id": "c", "name": "rows", "arguments": "{}", "status": "ok", "started_at": 0.0, "duration_s": 0.03,
        "content": "", "display": {}, "size_bytes": 0, "error_type": None, "traceback": None, "output": [], **fields,
    }  # fmt: skip


DECISIONS = [
    ({"decision": "allow", "by": "person"}, "ok", "✓ 0.03 s, allowed by you"),
    ({"decision": "allow", "by": "policy"}, "ok", "✓ 0.03 s, allowed by policy"),
    ({"decision": "allow_thread", "by": "person"}, "ok", "✓ 0.03 s, allowed in this thread"),
    ({"decision": "edit", "by": "person", "asked": '{"limit": 9999}'}, "error", "✗ 0.03 s, changed by you"),
    ({"decision": "deny", "by": "person", "reason": "not on a Friday"}, "denied", "denied by you: not on a Friday"),
    (
        {"decision": "deny", "by": "policy", "reason": "Nobody was there."},
        "denied",
        "denied by policy: Nobody was there.",
    ),
    ({"decision": "deny", "by": "person", "reason": ""}, "denied", "denied by you"),
]


@pytest.mark.parametrize(("decision", "status", "said"), DECISIONS)
def test_a_decision_stays_to_be_read(decision: dict[str, str], status: str, said: str) -> None:
    bundle = static_bundle(document([tool(decision=decision, status=status, arguments='{"limit": 5}', content="x")]))
    assert f"[rows(limit=5)] {said}" in bundle["text/plain"] and f"`rows(limit=5)` {said}" in bundle["text/markdown"]
    assert said.rpartition(", ")[2] in bundle["text/html"]
    assert ("9999" in bundle["text/html"]) is ("asked" in decision), "what was asked before it was changed"
    if status == "denied":
        assert (
            "--jp-error-color1" not in bundle["text/html"] and '<details data-lumos="tool" style' in bundle["text/html"]
        )


@pytest.mark.parametrize("status", ["cancelled", "failed"])
def test_a_run_that_ended_before_an_answer_says_how_to_be_asked_again(status: str) -> None:
    transcript = Transcript()
    transcript.apply([ApprovalRequested(ToolCall(id="c", name="rows", arguments="{}"), "it writes"),
                      Error(error=ErrorInfo(type="Stopped", message="m"), status=status)])  # fmt: skip
    bundle = static_bundle(transcript.doc)
    for form in ("text/html", "text/markdown", "text/plain"):
        assert "was waiting for you" in bundle[form] and "%agent resume" in bundle[form]
    assert 'data-lumos="tool" open' in bundle["text/html"]


def test_what_a_person_said_stands_where_it_was_said() -> None:
    doc = document(
        items=[
            {"kind": "text", "text": "One"},
            {"kind": "user", "text": "Not <b>so</b>\nfast"},
            {"kind": "text", "text": "Two"},
        ]
    )
    bundle = static_bundle(doc)
    assert "One\n\nYou: Not <b>so</b>\nfast\n\nTwo" in bundle["text/plain"]
    assert "> **You:** Not <b>so</b>\n> fast\n\nTwo" in bundle["text/markdown"]
    assert "Not &lt;b&gt;so&lt;/b&gt;\nfast" in bundle["text/html"] and 'data-lumos="user"' in bundle["text/html"]


def test_a_long_argument_scrolls_in_its_row() -> None:
    long = tool(name="write_file", arguments=json.dumps({"text": "a line\n" * 500}), status="waiting")
    html = tool_row(long).html()
    block = html[html.index("a line\n") - 400 :]
    assert "max-height" in block[:400], "five hundred lines push the question out of the page"


def test_a_head_has_no_empty_place_at_its_end() -> None:
    denied = tool(status="denied", decision={"decision": "deny", "by": "person", "reason": ""})
    assert tool_row(denied).head.endswith("denied by you</span></span>")


def test_why_a_call_was_denied_can_be_read_in_full() -> None:
    reason = "The south has to stay as it is, for the sake of the audit, " * 3
    denied = tool(status="denied", decision={"decision": "deny", "by": "person", "reason": reason})
    assert reason.strip() in "".join(tool_row(denied).parts)
