"""An answer as a stream of Gemini."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from lumos_nb.providers.wire.encoding import object_of
from lumos_nb.testing.answers import Answer, split

PATH = re.compile(r":streamGenerateContent$")
CONTENT_TYPE = "text/event-stream"
GARBAGE = b"data: {this is not JSON\n\n"

_REASONS = {"length": "MAX_TOKENS", "content_filter": "SAFETY", "other": "OTHER"}


def error(message: str, code: str) -> bytes:
    """Return an error in the middle of a stream."""
    return _framed({"error": {"code": 503, "message": message, "status": code}})


def events(answer: Answer, body: dict[str, Any]) -> Iterator[bytes]:
    """Yield the answer piece by piece, as bytes of the body."""
    counts = _usage(answer, body)

    def chunk(part: dict[str, Any], **more: Any) -> bytes:
        candidate = {"content": {"parts": [part], "role": "model"}, "index": 0, **more}
        model = body.get("model", "fake-model")
        return _framed(
            {"candidates": [candidate], "usageMetadata": counts, "modelVersion": model, "responseId": "fake"}
        )

    signed = {"thoughtSignature": answer.signature} if answer.signature else {}
    for piece in split(answer.reasoning):
        yield chunk({"text": piece, "thought": True})
    for piece in answer.pieces():
        yield chunk({"text": piece})
    for call in answer.tool_calls:
        # The arguments come whole, and of several calls the first alone is signed.
        yield chunk(
            {"functionCall": {"id": call.id, "name": call.name, "args": object_of(call.arguments) or {}}, **signed}
        )
        signed = {}
    yield chunk({"text": "", **signed}, finishReason=_REASONS.get(answer.reason, "STOP"))


def _usage(answer: Answer, body: dict[str, Any]) -> dict[str, int]:
    parts = [part for content in body.get("contents", []) for part in content.get("parts", [])]
    usage = answer.counted(sum(len(str(part.get("text", "")).split()) for part in parts))
    return {
        "promptTokenCount": usage.input_tokens,
        "cachedContentTokenCount": usage.cache_read_tokens,
        "candidatesTokenCount": usage.output_tokens - usage.reasoning_tokens,
        "thoughtsTokenCount": usage.reasoning_tokens,
        "totalTokenCount": usage.total_tokens,
    }


def _framed(chunk: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(chunk, ensure_ascii=False).encode() + b"\r\n\r\n"
