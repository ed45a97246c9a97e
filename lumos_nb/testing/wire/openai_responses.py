"""An answer as a stream of Responses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from lumos_nb.messages import ToolCall
from lumos_nb.testing.answers import Answer, count_words, fragments, split

PATH = re.compile(r"/responses$")
CONTENT_TYPE = "text/event-stream"
GARBAGE = b"event: response.output_text.delta\ndata: {this is not JSON\n\n"

_Item = dict[str, Any]
_Framed = Callable[..., bytes]


def error(message: str, code: str) -> bytes:
    """Return an error in the middle of a stream."""
    inner = {"type": code, "code": code, "message": message, "param": None}
    return _framed({"type": "error", "sequence_number": 2, "error": inner})


def events(answer: Answer, body: dict[str, Any]) -> Iterator[bytes]:
    """Yield the answer piece by piece, as bytes of the body."""
    numbers = count()

    def event(kind: str, **fields: Any) -> bytes:
        return _framed({"type": f"response.{kind}", "sequence_number": next(numbers), **fields})

    output: list[_Item] = []
    response = {
        "id": "resp_fake", "object": "response", "created_at": 1, "status": "in_progress", "error": None,
        "incomplete_details": None, "model": body.get("model", "fake-model"), "output": [], "usage": None,
        "parallel_tool_calls": True, "tool_choice": "auto", "tools": [],
    }  # fmt: skip
    yield event("created", response=response)
    yield event("in_progress", response=response)
    if answer.reasoning or answer.signature:
        yield from _reasoning(answer, event, output)
    if answer.pieces():
        yield from _message(answer, event, output)
    for call in answer.tool_calls:
        yield from _call(call, event, output)
    usage = _usage(answer, body)
    why = {"length": "max_output_tokens", "content_filter": "content_filter"}.get(answer.reason)
    if why is None:
        yield event("completed", response={**response, "status": "completed", "output": output, "usage": usage})
    else:
        cut = {"status": "incomplete", "incomplete_details": {"reason": why}, "output": output, "usage": usage}
        yield event("incomplete", response={**response, **cut})


def _reasoning(answer: Answer, event: _Framed, output: list[_Item]) -> Iterator[bytes]:
    index = len(output)
    item: _Item = {"id": f"rs_fake_{index}", "type": "reasoning", "summary": []}
    at = {"item_id": item["id"], "output_index": index, "summary_index": 0}
    yield event("output_item.added", output_index=index, item=item)
    part = {"type": "summary_text", "text": answer.reasoning}
    if answer.reasoning:
        yield event("reasoning_summary_part.added", **at, part={**part, "text": ""})
        for piece in split(answer.reasoning):
            yield event("reasoning_summary_text.delta", **at, delta=piece)
        yield event("reasoning_summary_text.done", **at, text=answer.reasoning)
        yield event("reasoning_summary_part.done", **at, part=part)
        item = {**item, "summary": [part]}
    if answer.signature:
        item = {**item, "encrypted_content": answer.signature}
    output.append(item)
    yield event("output_item.done", output_index=index, item=item)


def _message(answer: Answer, event: _Framed, output: list[_Item]) -> Iterator[bytes]:
    index, text = len(output), "".join(answer.pieces())
    item: _Item = {"id": f"msg_fake_{index}", "type": "message", "role": "assistant", "status": "in_progress"}
    at = {"item_id": item["id"], "output_index": index, "content_index": 0}
    part = {"type": "output_text", "annotations": [], "logprobs": [], "text": text}
    yield event("output_item.added", output_index=index, item={**item, "content": []})
    yield event("content_part.added", **at, part={**part, "text": ""})
    for piece in answer.pieces():
        yield event("output_text.delta", **at, delta=piece, logprobs=[])
    yield event("output_text.done", **at, text=text, logprobs=[])
    yield event("content_part.done", **at, part=part)
    output.append({**item, "status": "completed", "content": [part]})
    yield event("output_item.done", output_index=index, item=output[-1])


def _call(call: ToolCall, event: _Framed, output: list[_Item]) -> Iterator[bytes]:
    index = len(output)
    item = {"id": f"fc_fake_{index}", "type": "function_call", "call_id": call.id, "name": call.name, "arguments": ""}
    at = {"item_id": item["id"], "output_index": index}
    yield event("output_item.added", output_index=index, item={**item, "status": "in_progress"})
    for piece in fragments(call.arguments):
        yield event("function_call_arguments.delta", **at, delta=piece)
    yield event("function_call_arguments.done", **at, arguments=call.arguments, name=call.name)
    output.append({**item, "status": "completed", "arguments": call.arguments})
    yield event("output_item.done", output_index=index, item=output[-1])


def _usage(answer: Answer, body: dict[str, Any]) -> _Item:
    asked = body.get("input", [])
    items = asked if isinstance(asked, list) else [{"content": asked}]
    usage = answer.counted(count_words(items))
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read_tokens, "cache_write_tokens": usage.cache_write_tokens,
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.total_tokens,
    }  # fmt: skip


def _framed(event: _Item) -> bytes:
    data = json.dumps(event, separators=(",", ":"), ensure_ascii=False)
    return f"event: {event['type']}\ndata: {data}\n\n".encode()
