"""An answer as a Chat Completions stream."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from lumos_nb.testing.answers import Answer, count_words, fragments, split

PATH = re.compile(r"/chat/completions$")
CONTENT_TYPE = "text/event-stream"
GARBAGE = b"data: {this is not JSON\n\n"


def error(message: str, code: str) -> bytes:
    """Return an error in the middle of a stream."""
    return _framed(json.dumps({"error": {"message": message, "code": code}}))


def events(answer: Answer, body: dict[str, Any]) -> Iterator[bytes]:
    """Yield the answer piece by piece, as bytes of the body."""

    def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
        row = {"id": "chatcmpl-fake", "object": "chat.completion.chunk", "model": body.get("model", "fake-model")}
        choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
        return _framed(json.dumps({**row, "choices": choices, **more}, separators=(",", ":"), ensure_ascii=False))

    for piece in split(answer.reasoning):
        yield chunk({"reasoning_content": piece})
    for piece in answer.pieces():
        yield chunk({"content": piece})
    for index, call in enumerate(answer.tool_calls):
        function = {"name": call.name, "arguments": ""}
        yield chunk({"tool_calls": [{"index": index, "id": call.id, "type": "function", "function": function}]})
        for piece in fragments(call.arguments):
            part = {"index": index, "function": {"arguments": piece}}
            yield chunk({"tool_calls": [part]})
    yield chunk({}, answer.reason)
    usage = answer.counted(count_words(body.get("messages", [])))
    counts = {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read_tokens, "cache_write_tokens": usage.cache_write_tokens,
        },
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }  # fmt: skip
    yield chunk({}, choices=[], usage=counts)
    yield _framed("[DONE]")


def _framed(data: str) -> bytes:
    return b"data: " + data.encode() + b"\n\n"
