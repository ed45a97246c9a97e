"""An answer as a stream of Ollama."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from lumos_nb.messages import ToolCall
from lumos_nb.testing.answers import Answer, count_words, split

PATH = re.compile(r"/api/chat$")
CONTENT_TYPE = "application/x-ndjson"
GARBAGE = b"{this is not JSON\n"


def error(message: str, code: str) -> bytes:
    """Return an error in the middle of a stream; the format has no place for a code."""
    return _line({"error": message})


def events(answer: Answer, body: dict[str, Any]) -> Iterator[bytes]:
    """Yield the answer piece by piece, as bytes of the body.

    The format counts input and output tokens, and nothing apart.
    """
    row = {"model": body.get("model", "fake-model"), "created_at": "2026-01-01T00:00:00.123456Z"}

    def part(done: bool = False, **message: Any) -> dict[str, Any]:
        return {**row, "message": {"role": "assistant", "content": "", **message}, "done": done}

    for piece in split(answer.reasoning):
        yield _line(part(thinking=piece))
    for piece in answer.pieces():
        yield _line(part(content=piece))
    for index, call in enumerate(answer.tool_calls):
        function = {"index": index, "name": call.name, "arguments": _arguments(call)}
        yield _line(part(tool_calls=[{"id": call.id, "function": function}]))
    usage = answer.counted(count_words(body.get("messages", [])))
    # Calls do not show in the reason.
    end = {"done_reason": "stop" if answer.reason == "tool_calls" else answer.reason}
    durations = {"total_duration": 171946792, "load_duration": 38473250, "prompt_eval_duration": 27608250}
    counts = {"prompt_eval_count": usage.input_tokens, "eval_count": usage.output_tokens, "eval_duration": 105611917}
    yield _line({**part(done=True), **end, **durations, **counts})


def _arguments(call: ToolCall) -> Any:
    """Return an object, as the real server does; text that is none goes out as it is, for tests of just that."""
    try:
        return call.parsed()
    except ValueError:
        return call.arguments


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
