"""Responses: OpenAI's newer format, in which a conversation is a list of items.

One idea: nothing is kept at the server. What a model thought comes back encrypted and is sent again
right before what it led to; an item of reasoning never stands alone, for that is refused.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterator
from typing import Any

from lumos_nb.errors import UsageError
from lumos_nb.messages import FilePart, ImagePart, Message, ReasoningPart, TextPart, ToolCall
from lumos_nb.providers.base import OutputSchema, ToolSpec
from lumos_nb.providers.wire.base import WireRequest
from lumos_nb.providers.wire.encoding import (
    arguments_of,
    call_id_of,
    given,
    merged,
    object_of,
    results_of,
    system_of,
)
from lumos_nb.providers.wire.openai_responses_stream import Decoder
from lumos_nb.providers.wire.schemas import is_strict

__all__ = ["ACCEPT", "MODELS_PATH", "Decoder", "encode", "path"]

ACCEPT = "text/event-stream"
MODELS_PATH = "/models"

_Item = dict[str, Any]


def path(model: str) -> str:
    """Return the path of a model call.

    Example:
        >>> path("gpt-5.6-luna")
        '/responses'
    """
    return "/responses"


def encode(request: WireRequest) -> dict[str, Any]:
    """Return the body of a streaming request; it is ready for `json`.

    Example:
        >>> encode(WireRequest(model="m", messages=(Message(role="user", content="Hi"),)))["input"]
        [{'role': 'user', 'content': 'Hi'}]
    """
    body: dict[str, Any] = {
        "model": request.model,
        "input": [item for message in request.messages for item in _items(message, request)],
        "stream": True,
        "store": False,
        "include": ["reasoning.encrypted_content"],
    }
    if instructions := system_of(request.messages):
        body["instructions"] = instructions
    return merged(body, _tools(request), _options(request), request.quirks.body, request.options.extra)


def _tools(request: WireRequest) -> dict[str, Any]:
    if not request.tools:
        return {}
    body: dict[str, Any] = {"tools": [_tool(tool) for tool in request.tools]}
    choice, quirks, is_parallel = request.choice, request.quirks, request.options.parallel_tool_calls
    if choice.mode in quirks.tool_choices:
        body["tool_choice"] = {"type": "function", "name": choice.name} if choice.mode == "tool" else choice.mode
    if is_parallel is not None and quirks.has_parallel_switch:
        body["parallel_tool_calls"] = is_parallel
    return body


def _tool(tool: ToolSpec) -> _Item:
    # Left out, `strict` counts as true here, and every argument would have to be given.
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", **function, "strict": False}


def _options(request: WireRequest) -> dict[str, Any]:
    options = request.options
    body = given(temperature=options.temperature, top_p=options.top_p, max_output_tokens=options.max_tokens)
    if options.reasoning is not None and request.quirks.reasoning:
        effort = {"effort": options.reasoning}
        body["reasoning"] = effort if options.reasoning == "none" else {**effort, "summary": "auto"}
    if options.output is not None:
        body["text"] = {"format": _form(options.output)}
    return body


def _form(output: OutputSchema) -> _Item:
    # A schema that the strict mode does not take whole would be refused: then it is a strong hint only.
    name = re.sub(r"[^\w-]", "_", output.name, flags=re.ASCII)[:64] or "answer"
    return {"type": "json_schema", "name": name, "schema": output.schema, "strict": is_strict(output.schema)}


def _items(message: Message, request: WireRequest) -> Iterator[_Item]:
    match message.role:
        case "system":
            return
        case "user":
            yield {"role": "user", "content": _content(message)}
        case "assistant":
            yield from _answer(message, request)
        case "tool":
            yield from _tool_results(message)


def _content(message: Message) -> str | list[_Item]:
    if isinstance(message.content, str) or all(isinstance(part, TextPart) for part in message.content):
        return message.text
    items: list[_Item] = []
    for part in message.content:
        match part:
            case TextPart():
                items.append({"type": "input_text", "text": part.text})
            case ImagePart():
                items.append({"type": "input_image", "image_url": part.address()})
            case FilePart():
                items.append(_file(part))
    return items


def _file(part: FilePart) -> _Item:
    if part.kind == "audio":
        raise UsageError(
            "The format 'openai-responses' takes no audio in messages.",
            hint="Use a model of the format 'openai-chat' that hears, or send the words as text.",
        )
    if part.data is None:
        return {"type": "input_file", "file_url": part.address()}
    name = part.name or f"file{mimetypes.guess_extension(part.media_type) or ''}"
    return {"type": "input_file", "filename": name, "file_data": part.address()}


def _answer(message: Message, request: WireRequest) -> Iterator[_Item]:
    """Yield the items of an answer: what was said, then the calls, each behind the reasoning that led to it.

    Calls stand together, because DeepSeek refuses a message between two of them.
    """
    said: list[_Item] = []
    called: list[_Item] = []
    thought: list[_Item] = []
    for part in message.parts:
        match part:
            case ReasoningPart():
                # What has no reasoning item any more is as good as none.
                if (item := object_of(request.signature_of(part))) and item.get("type") == "reasoning":
                    thought.append(item)
            case TextPart() if part.text:
                said += [*thought, _said(part, request)]
                thought = []
            case ToolCall():
                called += [*thought, _call(part)]
                thought = []
    # Reasoning that is left over led to nothing that was kept: alone it is refused.
    yield from said
    yield from called


def _said(part: TextPart, request: WireRequest) -> _Item:
    # Without the type, llama.cpp's server does not know what it is.
    item = {"type": "message", "role": "assistant", "content": part.text}
    phase = (object_of(request.signature_of(part)) or {}).get("phase")
    return {**item, "phase": phase} if phase else item


def _call(call: ToolCall) -> _Item:
    return {
        "type": "function_call", "call_id": call_id_of(call.id), "name": call.name, "arguments": arguments_of(call)
    }  # fmt: skip


def _tool_results(message: Message) -> Iterator[_Item]:
    for result in results_of(message):
        yield {"type": "function_call_output", "call_id": call_id_of(result.call_id), "output": result.content}
