"""Chat Completions: the format of OpenAI and of nearly every other server.

One idea: be strict in what is sent and forgiving in what is read. The rules come from recorded
streams of a dozen vendors; each has its test.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from lumos_nb.errors import UsageError
from lumos_nb.messages import FilePart, ImagePart, Message, ReasoningPart, TextPart, ToolCall
from lumos_nb.providers.base import OutputSchema
from lumos_nb.providers.wire.base import Quirks, WireRequest
from lumos_nb.providers.wire.encoding import arguments_of, base64_of, function_of, given, results_of
from lumos_nb.providers.wire.openai_chat_stream import Decoder
from lumos_nb.providers.wire.schemas import is_strict

__all__ = ["ACCEPT", "MODELS_PATH", "Decoder", "encode", "path"]

_SOUNDS = {"mpeg": "mp3", "x-wav": "wav", "wave": "wav", "vnd.wave": "wav", "mp4": "m4a", "x-m4a": "m4a"}
"""What a kind of sound is called here, where that is not its media type."""

_LONGEST_ID = 40
"""What OpenAI takes; the others do not say."""

ACCEPT = "text/event-stream"
MODELS_PATH = "/models"


def path(model: str) -> str:
    """Return the path of a model call."""
    return "/chat/completions"


def encode(request: WireRequest) -> dict[str, Any]:
    """Return the body of a streaming request; it is ready for `json`.

    Example:
        >>> body = encode(WireRequest(model="m", messages=(Message(role="user", content="Hi"),)))
        >>> msgspec.json.encode(body["messages"])
        b'[{"role":"user","content":"Hi"}]'
    """
    quirks, options = request.quirks, request.options
    body: dict[str, Any] = {"model": request.model, "messages": _messages(request), "stream": True}
    if quirks.has_stream_options:
        body["stream_options"] = {"include_usage": True}
    if request.tools:
        # Without tools, `tools` and `tool_choice` are refused by several servers: they are left out.
        body["tools"] = [function_of(tool) for tool in request.tools]
        body.update(_choice(request))
    settings = {
        "temperature": options.temperature,
        "top_p": options.top_p,
        quirks.max_tokens_key: options.max_tokens,
        quirks.seed_key: options.seed,
        "stop": list(options.stop) if options.stop else None,
    }
    body |= given(**settings)
    if options.reasoning is not None:
        body.update(_reasoning(options.reasoning, quirks.reasoning))
    if options.output is not None:
        body["response_format"] = _response_format(options.output, quirks)
    return {**body, **quirks.body, **options.extra}


def _choice(request: WireRequest) -> dict[str, Any]:
    quirks, choice = request.quirks, request.choice
    body: dict[str, Any] = {}
    if choice.mode in quirks.tool_choices:
        words = {"none": "none", "required": quirks.required_choice}
        named = {"type": "function", "function": {"name": choice.name}}
        body["tool_choice"] = words.get(choice.mode, named)
    if request.options.parallel_tool_calls is not None and quirks.has_parallel_switch:
        body["parallel_tool_calls"] = request.options.parallel_tool_calls
    return body


def _reasoning(effort: str, how: str) -> dict[str, Any]:
    is_on = effort != "none"
    match how:
        case "effort":
            return {"reasoning_effort": effort}
        case "nested":
            return {"reasoning": {"effort": effort}}
        case "thinking":
            switch = {"thinking": {"type": "enabled" if is_on else "disabled"}}
            return {**switch, "reasoning_effort": effort} if is_on else switch
        case "enable_thinking":
            return {"enable_thinking": is_on}
    return {}


def _response_format(output: OutputSchema, quirks: Quirks) -> dict[str, Any]:
    if quirks.structured == "json":
        return {"type": "json_object"}
    form: dict[str, Any] = {"name": output.name, "schema": output.schema}
    # A schema that the strict mode does not take whole would be refused.
    return {"type": "json_schema", "json_schema": {**form, "strict": True} if is_strict(output.schema) else form}


def _messages(request: WireRequest) -> list[Any]:
    out: list[Any] = []
    can_be_bytes = request.quirks.takes_user_after_tool
    for message in request.messages:
        # Nearly all messages of a long conversation are plain text: these are encoded once.
        if type(message.content) is str and message.role != "tool":
            out.append(message.as_json if can_be_bytes else {"role": message.role, "content": message.content})
        elif message.role == "tool":
            out.extend(_tool_results(message, request.quirks))
        elif message.role == "assistant":
            out.append(_assistant(message, request))
        else:
            out.append({"role": message.role, "content": _content(message)})
    return out if request.quirks.takes_user_after_tool else _answered(out)


def _answered(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return messages with a word of the model where a user speaks right behind results: that is refused."""
    out: list[dict[str, Any]] = []
    for message in messages:
        if message["role"] == "user" and out and out[-1]["role"] == "tool":
            out.append({"role": "assistant", "content": "…"})
        out.append(message)
    return out


def _content(message: Message) -> str | list[dict[str, Any]]:
    if not any(isinstance(part, ImagePart | FilePart) for part in message.parts):
        return message.text
    parts: list[dict[str, Any]] = []
    for part in message.parts:
        if isinstance(part, TextPart):
            parts.append({"type": "text", "text": part.text})
        elif isinstance(part, ImagePart):
            parts.append({"type": "image_url", "image_url": {"url": part.address()}})
        elif isinstance(part, FilePart):
            parts.append(_file(part))
    return parts


def _file(part: FilePart) -> dict[str, Any]:
    if part.data is None:
        raise UsageError(
            f"This server takes a {part.kind} as bytes, not as an address.", hint="Give FilePart(data=…) its bytes."
        )
    if part.kind == "audio":
        kind = part.media_type.partition("/")[2].partition(";")[0].strip().lower()
        sound = {"data": base64_of(part.data), "format": _SOUNDS.get(kind, kind)}
        return {"type": "input_audio", "input_audio": sound}
    return {"type": "file", "file": {"filename": part.name or "document.pdf", "file_data": part.address()}}


def _assistant(message: Message, request: WireRequest) -> dict[str, Any]:
    text = message.text
    calls = message.tool_calls
    body: dict[str, Any] = {"role": "assistant", "content": text if text or not calls else None}
    if calls:
        body["tool_calls"] = [_call(call, request.quirks) for call in calls]
    own = [part for part in message.parts if isinstance(part, ReasoningPart) and request.is_own(part)]
    if calls and request.quirks.returns_reasoning:
        # An empty one must be sent too: the key's absence is refused.
        body["reasoning_content"] = "".join(part.text for part in own)
    details = [row for part in own if part.signature for row in _rows(part.signature)]
    if details:
        body["reasoning_details"] = details
    return body


def _rows(signature: str) -> list[Any]:
    """Return the rows of `reasoning_details` as they came."""
    try:
        rows = msgspec.json.decode(signature)
    except msgspec.DecodeError:
        return []
    return rows if isinstance(rows, list) else []


def _call(call: ToolCall, quirks: Quirks) -> dict[str, Any]:
    function = {"name": call.name, "arguments": arguments_of(call)}
    return {"id": _call_id(call.id, quirks), "type": "function", "function": function}


def _tool_results(message: Message, quirks: Quirks) -> Iterator[dict[str, Any]]:
    for result in results_of(message):
        body = {"role": "tool", "tool_call_id": _call_id(result.call_id, quirks), "content": result.content}
        if quirks.names_tool_results:
            body["name"] = result.name
        yield body


def _call_id(call_id: str, quirks: Quirks) -> str:
    # A thread may have begun at another vendor, whose ids this one refuses: same id in, same id out.
    if quirks.has_short_call_ids:
        is_taken, length = re.fullmatch("[a-zA-Z0-9]{9}", call_id) is not None, 9
    else:
        is_taken, length = len(call_id) <= _LONGEST_ID, 32
    return call_id if is_taken else hashlib.sha256(call_id.encode()).hexdigest()[:length]
