"""What the page says of a run is what the kernel says: `src/run/words.test.ts` reads the same samples."""

import json
from pathlib import Path
from typing import Any

from lumos_nb.transcript import Transcript
from lumos_nb.widgets import words
from lumos_nb.widgets.bundle import run_markdown

SAMPLES = Path(__file__).parents[2] / "samples" / "lab" / "runs.json"


def tool(**more: Any) -> dict[str, Any]:
    return {
        "kind": "tool", "call_id": "c", "name": "rows", "arguments": '{"table": "orders", "limit": 5}', "status": "ok",
        "started_at": 1.0, "duration_s": 0.031, "content": "3 rows\nmore", "display": {}, "size_bytes": 0,
        "error_type": None, "traceback": None, "output": [], **more,
    }  # fmt: skip


def decided(decision: str, by: str = "person", reason: str = "", **more: Any) -> dict[str, Any]:
    return {"decision": {"decision": decision, "by": by, "reason": reason}, **more}


ITEMS = [
    {"kind": "text", "text": " **Hello** "},
    {"kind": "reasoning", "text": "Hm", "duration_s": 75.2},
    {"kind": "reasoning", "text": "Hm", "duration_s": None},
    {"kind": "user", "text": "go\non"},
    tool(),
    tool(arguments='{"a": [1.0, 12345678901234567890, {"b": null}], "é": true, "text": "' + "x" * 80 + '"}'),
    tool(arguments="no `JSON`\nat all"),
    tool(arguments=""),
    tool(status="error", traceback="ValueError: no\nTraceback", content="no"),
    tool(status="running", state="compiling"),
    tool(status="running"),
    tool(status="waiting", question={"reason": "", "schema": {}, "asked_at": 2.0}),
    tool(status="cancelled", question={"reason": "", "schema": {}, "asked_at": 2.0}),
    tool(status="cancelled"),
    tool(status="denied", **decided("deny", reason="not on a Friday\nor ever")),
    tool(**decided("allow", by="policy")),
    tool(**decided("allow_thread")),
    tool(**decided("edit")),
]
USAGE = {"input_tokens": 12_812, "output_tokens": 412}
RUNS: list[dict[str, Any]] = [
    {"status": "completed", "n_steps": 2, "n_tool_calls": 1, "duration_s": 4.1, "usage": USAGE, "cost_usd": 0.0042},
    {"status": "completed", "n_steps": 1, "n_retries": 2, "in_place_of": ["a", "m"], "model": "m", "cost_usd": 1.5},
    {"status": "failed", "error": {"type": "E", "message": "No key.", "hint": "Set KEY."}, "n_retries": 1},
    {"status": "cancelled", "n_steps": 1200, "tokens_per_s": 61.3, "ttft_s": 0.52, "cost_usd": 0.00001},
    {"status": "completed", "n_steps": 2, "n_replayed": 1, "stop_reason": "length", "cost_usd": 0},
    {"status": "completed", "n_steps": 2, "n_replayed": 2, "duration_s": 3661, "items": ITEMS, "thread": "sales"},
]


def told(run: dict[str, Any]) -> dict[str, Any]:
    doc = {**Transcript().doc, "started_at": 1.0, "agent": "analyst", **run}
    tools = [item for item in doc["items"] if item["kind"] == "tool"]
    return {
        "doc": doc, "title": words.title(doc), "summary": words.summary(doc), "failure": words.failure(doc),
        "states": [words.tool_state(item) for item in tools], "decisions": [words.decision(item) for item in tools],
        "outcomes": [words.outcome(item) for item in tools],
        "arguments": [words.short_arguments(item) for item in tools],
        "reasoning": [words.reasoning_state(item) for item in doc["items"] if item["kind"] == "reasoning"],
        "markdown": run_markdown(doc),
    }  # fmt: skip


def test_the_samples_of_the_page_are_what_the_kernel_says():
    expected = json.loads(json.dumps([told(run) for run in RUNS]))
    if not SAMPLES.exists():
        SAMPLES.write_text(json.dumps(expected, indent=1, ensure_ascii=False) + "\n", "utf-8")
    assert json.loads(SAMPLES.read_text("utf-8")) == expected, f"delete {SAMPLES.name} to write it anew"
