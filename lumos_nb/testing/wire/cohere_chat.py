"""An answer as a stream of Cohere v2."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from lumos_nb.messages import ToolCall
from lumos_nb.testing.answers import Answer, count_words, fragments, split

PATH = re.compile(r"/v[12]/chat$")
CONTENT_TYPE = "text/event-stream"
GARBAGE = b"event: content-delta\ndata: {this is not JSON\n\n"

_REASONS = {"stop": "COMPLETE", "length": "MAX_TOKENS", "tool_calls": "TOOL_CALL"}


def error(message: str, code: str) -> bytes:
    """Return an error in the middle of a stream: the end of the message says it."""
    return _event("message-end", delta={"finish_reason": "ERROR", "error": message})


def events(answer: Answer, body: dict[str, Any]) -> Iterator[bytes]:
    """Yield the answer piece by piece, as bytes of the body.

    Reasoning whose `signature` is `tool_plan` is sent as the plan, other reasoning as thinking.
    """
    empty: dict[str, Any] = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    yield _event("message-start", id="35c028fc-0223-47b6-8fae-ebd3255e9a63", delta={"message": empty})
    thoughts, index = split(answer.reasoning), 0
    if answer.signature == "tool_plan":
        for piece in thoughts:
            yield _event("tool-plan-delta", delta={"message": {"tool_plan": piece}})
    elif thoughts:
        yield from _block(0, "thinking", thoughts)
        index = 1
    if pieces := answer.pieces():
        yield from _block(index, "text", pieces)
    for index, call in enumerate(answer.tool_calls):
        yield from _call(index, call)
    usage = answer.counted(count_words(body.get("messages", [])))
    counts = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
    billed = {**counts, "input_tokens": usage.input_tokens - usage.cache_read_tokens}
    totals = {"billed_units": billed, "tokens": counts, "cached_tokens": usage.cache_read_tokens}
    yield _event("message-end", delta={"finish_reason": _REASONS.get(answer.reason, "COMPLETE"), "usage": totals})
    yield b"data: [DONE]\n\n"


def _block(index: int, kind: str, pieces: list[str]) -> Iterator[bytes]:
    yield _event("content-start", index=index, delta={"message": {"content": {"type": kind, kind: ""}}})
    for piece in pieces:
        yield _event("content-delta", index=index, delta={"message": {"content": {kind: piece}}})
    yield _event("content-end", index=index)


def _call(index: int, call: ToolCall) -> Iterator[bytes]:
    begun = {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": ""}}
    yield _event("tool-call-start", index=index, delta={"message": {"tool_calls": begun}})
    for piece in fragments(call.arguments):
        part = {"function": {"arguments": piece}}
        yield _event("tool-call-delta", index=index, delta={"message": {"tool_calls": part}})
    yield _event("tool-call-end", index=index)


def _event(type: str, **fields: Any) -> bytes:
    data = json.dumps({"type": type, **fields}, separators=(",", ":"), ensure_ascii=False)
    return f"event: {type}\ndata: {data}\n\n".encode()
