"""What the page says is what the kernel says: `run/words.test.ts` and `phrases.test.ts` read the same samples."""

import json
from pathlib import Path
from typing import Any

from lumos_nb import phrases
from lumos_nb.transcript import Transcript
from lumos_nb.widgets import words
from lumos_nb.widgets.bundle import run_markdown

SAMPLES = Path(__file__).parents[2] / "samples" / "lab"


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


def is_kept(name: str, said: Any) -> bool:
    expected, kept = json.loads(json.dumps(said)), SAMPLES / name
    if not kept.exists():
        kept.write_text(json.dumps(expected, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return bool(json.loads(kept.read_text("utf-8")) == expected)


def test_the_samples_of_the_page_are_what_the_kernel_says():
    assert is_kept("runs.json", [told(run) for run in RUNS]), "delete it to write it anew"


def test_the_phrases_of_the_page_are_those_of_the_kernel():
    said = {
        "seconds": [(v, phrases.seconds(v)) for v in (None, 0, 0.031, 0.996, 4.12, 75.2, 7300)],
        "price": [(v, phrases.price(v)) for v in (None, 0, 0.00001, 0.0042, 0.05, 0.1, 1.5, 12.345, 1200)],
        "size": [(v, phrases.size(v)) for v in (0, 120, 204_800, 52_428_800)],
        "count": [(v, phrases.count(v, "step")) for v in (0, 1, 2, 1200)],
    }
    assert is_kept("phrases.json", said), "delete it to write it anew"
