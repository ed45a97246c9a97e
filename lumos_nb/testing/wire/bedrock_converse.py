"""An answer as a stream of Bedrock Converse."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator
from typing import Any
from zlib import crc32

from lumos_nb.testing.answers import Answer, count_words, fragments, split

PATH = re.compile(r"/converse-stream$")
CONTENT_TYPE = "application/vnd.amazon.eventstream"

_REASONS = {
    "stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "content_filtered",
    "other": "malformed_model_output",
}  # fmt: skip


def framed(payload: bytes, **headers: str) -> bytes:
    """Return a message of an AWS event stream; `event_type="x"` is the header `:event-type`.

    Example:
        >>> len(framed(b"{}", event_type="messageStart"))
        45
    """
    head = b""
    for name, value in headers.items():
        key, text = f":{name.replace('_', '-')}".encode(), value.encode()
        head += bytes([len(key)]) + key + b"\x07" + struct.pack(">H", len(text)) + text
    prelude = struct.pack(">II", 16 + len(head) + len(payload), len(head))
    message = prelude + struct.pack(">I", crc32(prelude)) + head + payload
    return message + struct.pack(">I", crc32(message))


def error(message: str, code: str) -> bytes:
    """Return an error in the middle of a stream."""
    kind = "serviceUnavailableException" if code == "overloaded_error" else code
    body = json.dumps({"message": message}).encode()
    return framed(body, exception_type=kind, content_type="application/json", message_type="exception")


def events(answer: Answer, body: dict[str, Any]) -> Iterator[bytes]:
    """Yield the answer piece by piece, as bytes of the body."""
    usage = answer.counted(count_words(body.get("messages", [])))
    yield _event("messageStart", role="assistant")
    for index, block in enumerate(_blocks(answer)):
        for kind, fields in block:
            yield _event(kind, contentBlockIndex=index, **fields)
        yield _event("contentBlockStop", contentBlockIndex=index)
    yield _event("messageStop", stopReason=_REASONS.get(answer.reason, answer.reason))
    counts = {
        "inputTokens": usage.input_tokens - usage.cache_read_tokens - usage.cache_write_tokens,
        "outputTokens": usage.output_tokens,
        "totalTokens": usage.total_tokens,
        "cacheReadInputTokens": usage.cache_read_tokens,
        "cacheWriteInputTokens": usage.cache_write_tokens,
    }
    yield _event("metadata", usage=counts, metrics={"latencyMs": 1})


_Block = list[tuple[str, dict[str, Any]]]


def _blocks(answer: Answer) -> Iterator[_Block]:
    if answer.signature.startswith("{"):
        yield [_delta(reasoningContent=json.loads(answer.signature))]  # a hidden block, as the decoder keeps it
    elif answer.reasoning or answer.signature:
        block = [_delta(reasoningContent={"text": piece}) for piece in split(answer.reasoning)]
        yield block + ([_delta(reasoningContent={"signature": answer.signature})] if answer.signature else [])
    if pieces := answer.pieces():
        # A text has no event for its beginning.
        yield [_delta(text=piece) for piece in pieces]
    for call in answer.tool_calls:
        start = {"start": {"toolUse": {"toolUseId": call.id, "name": call.name}}}
        whole = "" if call.arguments == "{}" else call.arguments
        pieces = fragments(whole) or [""]
        yield [("contentBlockStart", start), *(_delta(toolUse={"input": piece}) for piece in pieces)]


def _delta(**fields: Any) -> tuple[str, dict[str, Any]]:
    return "contentBlockDelta", {"delta": fields}


def _event(kind: str, **fields: Any) -> bytes:
    # The real server pads each event to hide how long its text is.
    data = json.dumps({**fields, "p": "abcdefgh"}, separators=(",", ":"), ensure_ascii=False).encode()
    return framed(data, event_type=kind, content_type="application/json", message_type="event")


GARBAGE = framed(b"{this is not JSON", event_type="contentBlockDelta", message_type="event")
