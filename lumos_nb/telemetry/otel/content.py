"""What was said: prompts, answers, arguments and results, in OpenTelemetry's form of a message.

One idea: it leaves only where somebody asked for it, and never more of it than a collector takes: of what is
larger, a shortened form and the hash of the whole.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from lumos_nb.errors import LumosError
from lumos_nb.events import RunStart
from lumos_nb.memory.configs import read_config
from lumos_nb.memory.runs import SavedRun, read_run
from lumos_nb.memory.said import Said
from lumos_nb.messages import Message, ReasoningPart, TextPart, ToolCall, ToolResult, decode_message, valid
from lumos_nb.stores import Store
from lumos_nb.stores.base import Condition
from lumos_nb.telemetry.otel.spans import Attributes
from lumos_nb.telemetry.spans import Span

MAX_BYTES = 64_000
"""Longest attribute, in bytes."""
_SHORT_CHARS = 1_000
CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


def is_content_wanted() -> bool:
    """Return whether the standard variable asks for content on spans."""
    return os.environ.get(CAPTURE, "").strip().upper() in {"SPAN_ONLY", "SPAN_AND_EVENT", "TRUE"}


def content_of(store: Store, spans: Iterable[Span]) -> dict[str, Attributes]:
    """Return the content of spans by span id, each value one JSON text of at most `MAX_BYTES`.

    Example:
        >>> from lumos_nb.stores import default_store
        >>> content_of(default_store(), [])
        {}
    """
    runs: dict[str, list[Span]] = {}
    for span in spans:
        runs.setdefault(span.run_id, []).append(span)
    found: dict[str, Attributes] = {}
    for run_id, parts in runs.items():
        try:
            found |= _of_run(store, run_id, parts)
        except LumosError:  # recorded by a later version: its spans go without content
            continue
    return found


def _of_run(store: Store, run_id: str, spans: Sequence[Span]) -> dict[str, Attributes]:
    saved = read_run(store, run_id)
    history = _history(store, saved)
    config = read_config(store, spans[0].attributes.get("config_hash")) or {}
    results = {(step, call): text for step, call, text in store.select(
        "tool_calls", ["step", "tool_call_id", "result_json"], where=[("run_id", "=", run_id)])}  # fmt: skip
    found: dict[str, Attributes] = {}
    for span in spans:
        if span.op == "chat" and span.step is not None:
            before, answer = _around(saved.said, saved.answer, span.step)
            before = before if any(each["role"] == "user" for each in before) else [*_asked(saved), *before]
            values: dict[str, Any] = {"gen_ai.input.messages": [*history, *before], "gen_ai.output.messages": answer}
            found[span.span_id] = _attributes(_instructions(config) | values)
        elif span.op == "execute_tool":
            result = _decoded(results.get((span.step or 0, span.tool_call_id or "")))
            result = result.get("content") if isinstance(result, dict) else result
            values = {"gen_ai.tool.call.arguments": _decoded(span.attributes.get("args_json")),
                      "gen_ai.tool.call.result": result}  # fmt: skip
            found[span.span_id] = _attributes(values)
    return found


def _instructions(config: dict[str, Any]) -> dict[str, Any]:
    text = config.get("instructions")
    return {"gen_ai.system_instructions": [{"type": "text", "content": text}]} if text else {}


def _history(store: Store, saved: SavedRun) -> list[dict[str, Any]]:
    """Return what the thread had before the run, in its order."""
    if saved.row["thread_id"] is None:
        return []
    where: list[Condition] = [("thread_id", "=", saved.row["thread_id"]), ("created_at", "<", saved.row["started_at"])]
    rows = store.select("messages", ["content_json", "run_id"], where=where, order=["idx"])
    return [_message(decode_message(text)) for text, run_id in rows if run_id != saved.row["run_id"]]


def _asked(saved: SavedRun) -> list[dict[str, Any]]:
    """Return the prompt of a run that had no checkpoint, from its first event."""
    prompts = [event.prompt for event, _ in saved.timed[:1] if isinstance(event, RunStart) and event.prompt]
    return [_message(Message(role="user", content=prompt)) for prompt in prompts]


def _around(
    said: Sequence[Said], open_answer: Message | None, step: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return what a step was asked with, and what it answered."""
    before: list[dict[str, Any]] = []
    for each in said:
        if each.message.role == "assistant" and each.step == step:
            return before, [_message(each.message)]
        before.append(_message(each.message))
    return before, [_message(open_answer)] if open_answer is not None else []


def _message(message: Message) -> dict[str, Any]:
    return {"role": message.role, "parts": [_part(part) for part in message.parts]}


def _part(part: Any) -> dict[str, Any]:
    match part:
        case TextPart():
            return {"type": "text", "content": part.text}
        case ReasoningPart():
            return {"type": "reasoning", "content": part.text}
        case ToolCall():
            return {"type": "tool_call", "id": part.id, "name": part.name, "arguments": _decoded(part.arguments)}
        case ToolResult():
            return {"type": "tool_call_response", "id": part.call_id, "response": part.content}
    return {"type": type(part).__name__.removesuffix("Part").lower()}  # a picture or a file: that there was one


def _decoded(text: str | None) -> Any:
    try:
        return msgspec.json.decode(text) if text else None
    except msgspec.MsgspecError:
        return text


def _attributes(values: dict[str, Any]) -> Attributes:
    found: Attributes = {}
    for name, value in values.items():
        if value is None or value == []:
            continue
        text, digest = bounded(value)
        found[name] = text
        if digest:
            found[f"lumos.{name.removeprefix('gen_ai.')}.sha256"] = digest
    return found


def bounded(value: Any, max_bytes: int = MAX_BYTES) -> tuple[str, str]:
    """Return a value as JSON text of bounded length, and the hash of the whole text if it had to be shortened.

    Long texts lose their middle first, then a list its oldest entries.

    Example:
        >>> text, digest = bounded(["x" * 100_000, "end"])
        >>> len(text) < 64_000, len(digest), bounded(["end"])
        (True, 64, ('["end"]', ''))
    """
    whole = msgspec.json.encode(valid(value))
    if len(whole) <= max_bytes:
        return whole.decode(), ""
    digest, value = hashlib.sha256(whole).hexdigest(), _shortened(value)
    while isinstance(value, list) and len(value) > 1 and len(msgspec.json.encode(valid(value))) > max_bytes:
        value = value[(len(value) + 1) // 2 :]
    text = msgspec.json.encode(valid(value))
    if len(text) > max_bytes:
        text = msgspec.json.encode(whole.decode()[: max_bytes // 6])
    return text.decode(), digest


def _shortened(value: Any) -> Any:
    match value:
        case str() if len(value) > _SHORT_CHARS:
            half = _SHORT_CHARS // 2
            return f"{value[:half]} … {len(value) - 2 * half:,} characters … {value[-half:]}"
        case list():
            return [_shortened(each) for each in value]
        case dict():
            return {key: _shortened(each) for key, each in value.items()}
    return value
