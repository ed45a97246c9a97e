"""Rows of the tables, made from messages, events and steps. Pure: values in, dicts out."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from lumos_nb.errors import StoreError
from lumos_nb.events import AgentEvent, AgentStep, GenerationComplete, Metadata, StepComplete, TokenUsage, plain
from lumos_nb.ids import new_id
from lumos_nb.messages import (
    FilePart,
    ImagePart,
    Message,
    Part,
    ReasoningPart,
    TextPart,
    ToolCall,
    ToolResult,
    decode_message,
    valid,
    valid_text,
)
from lumos_nb.providers.windows import context_window
from lumos_nb.traceparent import span_id

PREVIEW_CHARS = 200
TOKEN_COLUMNS = TokenUsage.__struct_fields__


def nanoseconds(seconds: float) -> int:
    """Return Unix seconds as the integer nanoseconds of a `time` column."""
    return int(seconds * 1e6) * 1000


def preview(text: str, chars: int = PREVIEW_CHARS) -> str:
    """Return the beginning of a text, with an ellipsis if there is more.

    Example:
        >>> preview("one two three", 8)
        'one two…'
    """
    text = valid_text(text)
    return text if len(text) <= chars else text[: chars - 1].rstrip() + "…"


def to_json(value: Any) -> str:
    """Return JSON text of any value; what JSON does not know is shown by its `repr`."""
    try:
        return msgspec.json.encode(value, enc_hook=plain).decode()
    except UnicodeEncodeError:
        return msgspec.json.encode(valid(msgspec.to_builtins(value, enc_hook=plain))).decode()


def n_chars(part: Part) -> int:
    """Return the length of what a model reads of a part; 0 for a picture or a file."""
    match part:
        case TextPart() | ReasoningPart():
            return len(part.text)
        case ToolCall():
            return len(part.arguments)
        case ToolResult():
            return len(part.content)
        case ImagePart() | FilePart():
            return 0


def message_row(message: Message, *, thread_id: str, idx: int, created_at: int) -> dict[str, Any]:
    """Return the row of a message; its `message_id` is the message's id, which must be set."""
    return {
        "created_at": created_at,
        "idx": idx,
        "role": message.role,
        "text": valid_text(message.text),
        "n_parts": len(message.parts),
        "n_chars": sum(map(n_chars, message.parts)),
        "thread_id": thread_id,
        "message_id": message.id,
        "content_json": to_json(message),
    }


def message_of(content: str, message_id: str) -> Message:
    """Return the message of a row.

    Raises:
        StoreError: It is of a kind that this version does not know.
    """
    try:
        return msgspec.structs.replace(decode_message(content), id=message_id)
    except msgspec.MsgspecError as error:
        raise StoreError(
            f"Message {message_id!r} cannot be read: {error}.",
            hint="It may come from a newer Lumos: upgrade with `pip install -U lumos-nb`.",
        ) from None


def event_row(event: AgentEvent, *, ts: int, step: int | None, run_seq: int, run_id: str) -> dict[str, Any]:
    """Return the row of an event. What stands in earlier events of the run is not kept twice."""
    match event:
        case GenerationComplete():
            event = GenerationComplete(msgspec.structs.replace(event.result, steps=(), messages=()))
        case StepComplete():
            event = StepComplete(msgspec.structs.replace(event.step, tool_results=()))
    payload = to_json(event).encode()
    call = getattr(event, "call", None) or getattr(event, "result", None)
    return {
        "ts": ts,
        "kind": event.type,
        "name": event.data.get("kind") if isinstance(event, Metadata) else getattr(call, "name", None),
        "step": step,
        "run_seq": run_seq,
        "span_id": _span(event, step, run_id),
        "status": getattr(event, "status", None),
        "dur_s": _duration(event),
        "size_bytes": len(payload),
        "run_id": run_id,
        "event_id": new_id("event"),
        "payload_sha256": hashlib.sha256(payload).hexdigest(),
        "payload_json": payload.decode(),
    }


def _span(event: AgentEvent, step: int | None, run_id: str) -> str:
    """Return the id of the span that an event belongs to: its tool call's, its model call's, or the run's."""
    call = getattr(event, "call", None)
    call_id = getattr(event, "call_id", None) if call is None else call.id
    return span_id(run_id, call_id or step or "")


def _duration(event: AgentEvent) -> float | None:
    match event:
        case StepComplete():
            return event.step.duration_s
        case GenerationComplete():
            return event.result.duration_s
        case Metadata():
            return event.data.get("wait_s") or event.data.get("away_s")
    return getattr(event, "duration_s", None)


def step_row(step: AgentStep, *, status: str, run_id: str, ended_at: int) -> dict[str, Any]:
    """Return the row of a step whose model call is over; its tools may still be at work."""
    return {
        "step": step.index,
        "kind": "model",
        "started_at": nanoseconds(step.started_at) if step.started_at else ended_at,
        "provider": step.provider or None,
        "model": step.model or None,
        "status": status,
        "duration_s": step.duration_s,
        "working_s": max(0.0, step.duration_s - step.waited_s),
        "ttft_s": step.ttft_s,
        "n_chunks": step.n_chunks,
        "tokens_per_s": step.tokens_per_s,
        **tokens(step.usage),
        "context_tokens": step.usage.input_tokens,
        "context_window": context_window(step.provider, step.model),
        "cost_usd": step.cost_usd,
        "n_tool_calls": len(step.tool_calls),
        "stop_reason": step.stop_reason or None,
        "attempt": step.attempt,
        "ended_at": ended_at,
        "span_id": span_id(run_id, step.index),
        "run_id": run_id,
    }


def tokens(usage: TokenUsage) -> dict[str, int]:
    """Return the five token columns.

    Example:
        >>> tokens(TokenUsage(input_tokens=1))["input_tokens"]
        1
    """
    return {name: getattr(usage, name) for name in TOKEN_COLUMNS}


def result_columns(result: ToolResult, status: str, duration_s: float) -> dict[str, Any]:
    """Return the columns of a tool call that its end sets."""
    return {
        "status": status,
        "duration_s": duration_s,
        "result_preview": preview(result.content),
        "error_type": result.error_type,
        "error_message": preview(result.content) if result.is_error else None,
        "result_bytes": result.size_bytes or len(valid_text(result.content).encode()),
        "result_json": to_json(result),
    }
