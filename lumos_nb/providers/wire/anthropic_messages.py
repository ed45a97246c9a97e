"""Anthropic Messages: the format of Claude, and a second one of several other vendors.

One idea: a message is a list of blocks, and the blocks of an answer go back in their order with their
signatures, because the server checks them.
"""

from __future__ import annotations

from typing import Any

import msgspec

from lumos_nb.messages import (
    FilePart,
    ImagePart,
    Message,
    Part,
    ReasoningPart,
    TextPart,
    ToolCall,
    ToolResult,
    without_source,
)
from lumos_nb.providers.base import ModelOptions, ToolSpec
from lumos_nb.providers.wire.anthropic_messages_stream import Decoder
from lumos_nb.providers.wire.base import WireRequest
from lumos_nb.providers.wire.encoding import (
    base64_of,
    call_id_of,
    given,
    input_of,
    merged,
    results_of,
    system_of,
    turns_of,
    without_last,
    without_place,
)
from lumos_nb.providers.wire.schemas import closed, is_closable

__all__ = ["ACCEPT", "HEADERS", "KEY_HEADER", "MODELS_PATH", "Decoder", "encode", "holds", "path"]

ACCEPT = "text/event-stream"
MODELS_PATH = "/v1/models"
HEADERS = {"anthropic-version": "2023-06-01"}
"""Headers of every request in this format, whoever serves it."""
KEY_HEADER = "x-api-key"
"""Header of the key where this is not the vendor's usual format."""

#: The length must be given in each request; this is what every model allows.
_MAX_TOKENS = 8192
_TITLE = "Anthropic Messages"
_IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")


holds = is_closable
"""Whether an answer can be held to a schema: the grammar knows closed objects only."""


def path(model: str) -> str:
    """Return the path of a model call."""
    return "/v1/messages"


def encode(request: WireRequest) -> dict[str, Any]:
    """Return the body of a streaming request; it is ready for `json`.

    Example:
        >>> encode(WireRequest(model="m", messages=(Message(role="user", content="Hi"),)))
        {'model': 'm', 'max_tokens': 8192, 'stream': True, 'messages': [{'role': 'user', 'content': 'Hi'}]}
    """
    options = request.options
    body: dict[str, Any] = {"model": request.model, "max_tokens": options.max_tokens or _MAX_TOKENS, "stream": True}
    if system := system_of(request.messages):
        body["system"] = system
    body["messages"] = _messages(request)
    if tools := request.declared:
        body["tools"] = [_tool(tool) for tool in tools]
        if choice := _choice(request) if request.tools else {"type": "none"}:
            body["tool_choice"] = choice
    body |= given(
        temperature=options.temperature,
        top_p=options.top_p,
        stop_sequences=list(options.stop) if options.stop else None,
    )
    return merged(body, _thinking(options), _output(options), request.quirks.body, options.extra)


def _tool(tool: ToolSpec) -> dict[str, Any]:
    described = {"description": tool.description} if tool.description else {}
    return {"name": tool.name, **described, "input_schema": tool.parameters}


def _choice(request: WireRequest) -> dict[str, Any]:
    choice = request.choice
    mode = choice.mode if choice.mode in request.quirks.tool_choices else "auto"
    if mode == "none":
        return {"type": "none"}
    is_single = request.options.parallel_tool_calls is False and request.quirks.has_parallel_switch
    one: dict[str, Any] = {"disable_parallel_tool_use": True} if is_single else {}
    if mode == "auto":
        return {"type": "auto", **one} if one else {}
    return {"type": "any", **one} if mode == "required" else {"type": "tool", "name": choice.name, **one}


def _thinking(options: ModelOptions) -> dict[str, Any]:
    if options.reasoning is None:
        return {}
    if options.reasoning == "none":
        return {"thinking": {"type": "disabled"}}
    effort = "low" if options.reasoning == "minimal" else options.reasoning
    return {"thinking": {"type": "adaptive", "display": "summarized"}, "output_config": {"effort": effort}}


def _output(options: ModelOptions) -> dict[str, Any]:
    if options.output is None:
        return {}
    return {"output_config": {"format": {"type": "json_schema", "schema": closed(options.output.schema)}}}


def _messages(request: WireRequest) -> list[dict[str, Any]]:
    turns = turns_of(request.messages, lambda message: _blocks(message, request))
    return [{"role": turn["role"], "content": _ordered(turn["content"])} for turn in turns]


def _ordered(blocks: list[dict[str, Any]]) -> str | list[dict[str, Any]]:
    """Return content with the results of tools first, as the server wants it; a lone text as it is."""
    if len(blocks) == 1 and blocks[0]["type"] == "text":
        text: str = blocks[0]["text"]
        return text
    return sorted(blocks, key=lambda block: block["type"] != "tool_result")


def _blocks(message: Message, request: WireRequest) -> list[dict[str, Any]]:
    if message.role == "tool":
        return [_result(result) for result in results_of(message)]
    is_user = message.role == "user"
    blocks = (_block(part, request, is_user=is_user) for part in message.parts)
    # Thinking at the very end is refused.
    return without_last([block for block in blocks if block is not None], {"thinking", "redacted_thinking"})


def _block(part: Part, request: WireRequest, *, is_user: bool) -> dict[str, Any] | None:
    """Return a part as a block, or None where it is left out."""
    match part:
        case TextPart():
            # A text of white space alone is refused.
            return {"type": "text", "text": part.text} if part.text.strip() else None
        case ReasoningPart():
            return _thought(part, request)
        case ToolCall():
            return {"type": "tool_use", "id": call_id_of(part.id), "name": part.name, "input": input_of(part)}
        case ToolResult():
            return _result(part)
        case ImagePart() if is_user:
            return {"type": "image", "source": _image_source(part)}
        case FilePart() if is_user:
            return _document(part)
    raise without_place(part, f"an assistant's message of {_TITLE}", "Put it into a user message.")


def _thought(part: ReasoningPart, request: WireRequest) -> dict[str, Any] | None:
    signature = request.signature_of(part)
    if signature and signature.startswith("{"):
        # A block that came without any text: it is kept whole, see the decoder.
        block: dict[str, Any] = msgspec.json.decode(signature)
        return block
    if signature or (request.quirks.returns_reasoning and request.is_own(part)):
        return {"type": "thinking", "thinking": part.text, "signature": signature or ""}
    return None


def _result(result: ToolResult) -> dict[str, Any]:
    block: dict[str, Any] = {"type": "tool_result", "tool_use_id": call_id_of(result.call_id)}
    if result.content:
        block["content"] = result.content
    if result.is_error:
        block["is_error"] = True
    return block


def _image_source(part: ImagePart) -> dict[str, Any]:
    if part.data is None:
        if part.url is None:
            raise without_source(part)
        return {"type": "url", "url": part.url}
    media_type = "image/jpeg" if part.media_type == "image/jpg" else part.media_type
    if media_type not in _IMAGES:
        raise without_place(part, _TITLE, f"It takes {', '.join(_IMAGES)}: convert the picture.")
    return {"type": "base64", "media_type": media_type, "data": base64_of(part.data)}


def _document(part: FilePart) -> dict[str, Any]:
    if part.kind != "pdf":
        raise without_place(part, _TITLE, "It takes PDF documents: convert the file, or send its text.")
    if part.data is None and part.url is None:
        raise without_source(part)
    if part.data is None:
        source = {"type": "url", "url": part.url}
    else:
        source = {"type": "base64", "media_type": part.media_type, "data": base64_of(part.data)}
    return {"type": "document", "source": source, **({"title": part.name} if part.name else {})}
