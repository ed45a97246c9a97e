"""Chat Completions: the format of OpenAI and of nearly every other server.

One idea: be strict in what is sent and forgiving in what is read. The rules come from recorded
streams of a dozen vendors; each has its test.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from lumos_nb.errors import UsageError
from lumos_nb.messages import ImagePart, Message, ReasoningPart, TextPart, ToolCall, ToolResult
from lumos_nb.providers.base import ToolSpec
from lumos_nb.providers.wire.base import Quirks, WireRequest
from lumos_nb.providers.wire.openai_chat_stream import Decoder

__all__ = ["ACCEPT", "MODELS_PATH", "Decoder", "encode", "path"]

ACCEPT = "text/event-stream"
MODELS_PATH = "/models"


def path(model: str) -> str:
    """Return the path of a model call."""
    return "/chat/completions"


def encode(request: WireRequest) -> dict[str, Any]:
    """Return the body of a streaming request; it is ready for `json`.

    Example:
        >>> encode(WireRequest(model="m", messages=(Message(role="user", content="Hi"),)))["messages"]
        [{'role': 'user', 'content': 'Hi'}]
    """
    quirks, options = request.quirks, request.options
    body: dict[str, Any] = {"model": request.model, "messages": _messages(request.messages, quirks), "stream": True}
    if quirks.has_stream_options:
        body["stream_options"] = {"include_usage": True}
    if request.tools:
        # Without tools, `tools` and `tool_choice` are refused by several servers: they are left out.
        body["tools"] = [_tool(tool) for tool in request.tools]
    if options.temperature is not None:
        body["temperature"] = options.temperature
    if options.max_tokens is not None:
        body[quirks.max_tokens_key] = options.max_tokens
    if options.seed is not None:
        body[quirks.seed_key] = options.seed
    if options.stop:
        body["stop"] = list(options.stop)
    return {**body, **quirks.body, **options.extra}


def _tool(tool: ToolSpec) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}


def _messages(messages: tuple[Message, ...], quirks: Quirks) -> list[dict[str, Any]]:
    out: list[dict[str, Any]] = []
    for message in messages:
        # Nearly all messages of a long conversation are plain text: no call for those.
        if type(message.content) is str and message.role != "tool":
            out.append({"role": message.role, "content": message.content})
        elif message.role == "tool":
            out.extend(_tool_results(message, quirks))
        elif message.role == "assistant":
            out.append(_assistant(message, quirks))
        else:
            out.append({"role": message.role, "content": _content(message)})
    return out


def _content(message: Message) -> str | list[dict[str, Any]]:
    if not any(isinstance(part, ImagePart) for part in message.parts):
        return message.text
    parts: list[dict[str, Any]] = []
    for part in message.parts:
        if isinstance(part, TextPart):
            parts.append({"type": "text", "text": part.text})
        elif isinstance(part, ImagePart):
            parts.append({"type": "image_url", "image_url": {"url": _image_url(part)}})
    return parts


def _image_url(part: ImagePart) -> str:
    if part.data is None:
        if part.url is None:
            raise UsageError("An image has neither data nor a url.", hint="Give ImagePart one of the two.")
        return part.url
    return f"data:{part.media_type};base64,{base64.b64encode(part.data).decode()}"


def _assistant(message: Message, quirks: Quirks) -> dict[str, Any]:
    text = message.text
    calls = message.tool_calls
    body: dict[str, Any] = {"role": "assistant", "content": text if text or not calls else None}
    if calls:
        body["tool_calls"] = [_call(call, quirks) for call in calls]
        if quirks.returns_reasoning:
            # An empty one must be sent too: the key's absence is refused.
            body["reasoning_content"] = "".join(p.text for p in message.parts if isinstance(p, ReasoningPart))
    return body


def _call(call: ToolCall, quirks: Quirks) -> dict[str, Any]:
    # Servers read the arguments again and refuse what is not JSON; the tool's result says what was wrong.
    function = {"name": call.name, "arguments": call.arguments if _is_json(call.arguments) else "{}"}
    return {"id": _call_id(call.id, quirks), "type": "function", "function": function}


def _is_json(text: str) -> bool:
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return False
    return True


def _tool_results(message: Message, quirks: Quirks) -> Iterator[dict[str, Any]]:
    results = [part for part in message.parts if isinstance(part, ToolResult)]
    if not results:
        raise UsageError(
            "A message with the role 'tool' has no ToolResult.",
            hint="Give it as content=(ToolResult(call_id=…, name=…, content=…),).",
        )
    for result in results:
        body = {"role": "tool", "tool_call_id": _call_id(result.call_id, quirks), "content": result.content}
        if quirks.names_tool_results:
            body["name"] = result.name
        yield body


def _call_id(call_id: str, quirks: Quirks) -> str:
    if not quirks.has_short_call_ids or re.fullmatch("[a-zA-Z0-9]{9}", call_id):
        return call_id
    # A thread may have begun at another vendor, whose ids this one refuses: same id in, same id out.
    return hashlib.sha256(call_id.encode()).hexdigest()[:9]
