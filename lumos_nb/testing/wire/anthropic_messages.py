"""An answer as a stream of Anthropic Messages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from lumos_nb.events import TokenUsage
from lumos_nb.testing.answers import Answer, count_words, fragments, split

PATH = re.compile(r"/messages$")
CONTENT_TYPE = "text/event-stream"
GARBAGE = b"event: content_block_delta\ndata: {this is not JSON\n\n"

_REASONS = {
    "stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal",
    "other": "pause_turn",
}  # fmt: skip
_Deltas = Iterable[dict[str, Any]]


def error(message: str, code: str) -> bytes:
    """Return an error in the middle of a stream."""
    return _framed("error", error={"type": code, "message": message}, request_id="req_fake")


def events(answer: Answer, body: dict[str, Any]) -> Iterator[bytes]:
    """Yield the answer piece by piece, as bytes of the body."""
    usage = answer.counted(count_words(body.get("messages", [])))
    yield _framed("message_start", message=_head(body, usage))
    for index, (block, deltas) in enumerate(_blocks(answer)):
        yield _framed("content_block_start", index=index, content_block=block)
        if index == 0:
            yield _framed("ping")
        for delta in deltas:
            yield _framed("content_block_delta", index=index, delta=delta)
        yield _framed("content_block_stop", index=index)
    delta = {"stop_reason": _REASONS.get(answer.reason, answer.reason), "stop_sequence": None}
    yield _framed("message_delta", delta=delta, usage=_counts(usage))
    yield _framed("message_stop")


def _blocks(answer: Answer) -> Iterator[tuple[dict[str, Any], _Deltas]]:
    if answer.signature.startswith("{"):
        yield json.loads(answer.signature), ()  # a redacted block, as the decoder keeps it
    elif answer.reasoning or answer.signature:
        deltas = [{"type": "thinking_delta", "thinking": piece} for piece in split(answer.reasoning)]
        if answer.signature:
            deltas.append({"type": "signature_delta", "signature": answer.signature})
        yield {"type": "thinking", "thinking": "", "signature": ""}, deltas
    if pieces := answer.pieces():
        yield {"type": "text", "text": ""}, ({"type": "text_delta", "text": piece} for piece in pieces)
    for call in answer.tool_calls:
        # The first piece is empty, and the only one where there are no arguments.
        whole = "" if call.arguments == "{}" else call.arguments
        pieces = ["", *fragments(whole)]
        yield (
            {"type": "tool_use", "id": call.id, "name": call.name, "input": {}},
            ({"type": "input_json_delta", "partial_json": piece} for piece in pieces),
        )


def _head(body: dict[str, Any], usage: TokenUsage) -> dict[str, Any]:
    row = {"id": "msg_fake", "type": "message", "role": "assistant", "model": body.get("model", "fake-model")}
    begun = {**_counts(usage), "output_tokens": 1, "output_tokens_details": None}
    return {**row, "content": [], "stop_reason": None, "stop_sequence": None, "usage": begun}


def _counts(usage: TokenUsage) -> dict[str, Any]:
    return {
        "input_tokens": usage.input_tokens - usage.cache_read_tokens - usage.cache_write_tokens,
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "cache_read_input_tokens": usage.cache_read_tokens,
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"thinking_tokens": usage.reasoning_tokens},
    }


def _framed(event: str, **fields: Any) -> bytes:
    data = json.dumps({"type": event, **fields}, separators=(",", ":"), ensure_ascii=False)
    return f"event: {event}\ndata: {data}\n\n".encode()
