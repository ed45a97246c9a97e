"""Ollama's own chat format.

One idea: it is the format of a server on your own machine, so what it knows is little: options stand
in an object of their own, arguments of calls are objects, and there is no choice of tools.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lumos_nb.errors import UsageError
from lumos_nb.messages import FilePart, ImagePart, Message, ReasoningPart, ToolCall, without_source
from lumos_nb.providers.base import ModelOptions
from lumos_nb.providers.wire.base import WireRequest
from lumos_nb.providers.wire.encoding import base64_of, function_of, given, input_of, merged, results_of, without_place
from lumos_nb.providers.wire.ollama_chat_stream import Decoder

__all__ = ["ACCEPT", "MODELS_PATH", "Decoder", "encode", "path"]

ACCEPT = "application/x-ndjson"
MODELS_PATH = "/api/tags"

#: Models that take a level; the others take yes or no. It is the format's rule, by name.
_LEVELLED = "gpt-oss"
_LEVELS = {"minimal": "low", "low": "low", "medium": "medium"}


def path(model: str) -> str:
    """Return the path of a model call."""
    return "/api/chat"


def encode(request: WireRequest) -> dict[str, Any]:
    """Return the body of a streaming request; it is ready for `json`.

    Example:
        >>> encode(WireRequest(model="m", messages=(Message(role="user", content="Hi"),)))
        {'model': 'm', 'messages': [{'role': 'user', 'content': 'Hi'}], 'stream': True}
    """
    options = request.options
    body: dict[str, Any] = {"model": request.model, "messages": list(_messages(request)), "stream": True}
    if request.tools:
        body["tools"] = [function_of(tool) for tool in request.tools]
    if options.reasoning is not None:
        body["think"] = _think(request.model, options.reasoning)
    if options.output is not None:
        body["format"] = options.output.schema
    if settings := _settings(options):
        body["options"] = settings
    return merged(body, request.quirks.body, options.extra)


def _think(model: str, reasoning: str) -> bool | str:
    if reasoning == "none":
        return False
    return _LEVELS.get(reasoning, "high") if model.startswith(_LEVELLED) else True


def _settings(options: ModelOptions) -> dict[str, Any]:
    return given(
        temperature=options.temperature,
        top_p=options.top_p,
        num_predict=options.max_tokens,
        seed=options.seed,
        stop=list(options.stop) if options.stop else None,
    )


def _messages(request: WireRequest) -> Iterator[dict[str, Any]]:
    for message in request.messages:
        # Nearly all messages of a long conversation are plain text: no call for those.
        if type(message.content) is str and message.role != "tool":
            yield {"role": message.role, "content": message.content}
        elif message.role == "tool":
            for result in results_of(message):
                yield {
                    "role": "tool", "tool_name": result.name, "tool_call_id": result.call_id, "content": result.content,
                }  # fmt: skip
        elif message.role == "assistant":
            yield _assistant(message, request)
        else:
            yield _with_images(message)


def _with_images(message: Message) -> dict[str, Any]:
    body: dict[str, Any] = {"role": message.role, "content": message.text}
    for part in message.parts:
        if isinstance(part, FilePart):
            raise without_place(part, "Ollama's format", "Put its text into the message.")
    if images := [_image(part) for part in message.parts if isinstance(part, ImagePart)]:
        body["images"] = images
    return body


def _image(part: ImagePart) -> str:
    if part.data is not None:
        return base64_of(part.data)
    if part.url is None:
        raise without_source(part)
    raise UsageError(
        "Ollama fetches no images from addresses.", hint="Fetch it first and give ImagePart its bytes as data=…."
    )


def _assistant(message: Message, request: WireRequest) -> dict[str, Any]:
    body: dict[str, Any] = {"role": "assistant", "content": message.text}
    if calls := message.tool_calls:
        thoughts = [p.text for p in message.parts if isinstance(p, ReasoningPart) and request.is_own(p)]
        if thought := "".join(thoughts):
            body["thinking"] = thought
        body["tool_calls"] = [_call(call, index) for index, call in enumerate(calls)]
    return body


def _call(call: ToolCall, index: int) -> dict[str, Any]:
    return {"id": call.id, "function": {"index": index, "name": call.name, "arguments": input_of(call)}}
