"""Gemini: the format of Google's models.

One idea: a message is a list of parts, and a signature belongs to the very part on which it came; so
parts go back as they came, none joined and none left out.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

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
from lumos_nb.providers.wire.base import WireRequest
from lumos_nb.providers.wire.decoding import MADE_ID
from lumos_nb.providers.wire.encoding import base64_of, given, input_of, merged, results_of, system_of
from lumos_nb.providers.wire.gemini_stream import Decoder

__all__ = ["ACCEPT", "MODELS_PATH", "Decoder", "encode", "path"]

ACCEPT = "text/event-stream"
MODELS_PATH = "/models?pageSize=1000"

#: Stands for the signature of a call that has none, because another model made it.
_NO_SIGNATURE = "skip_thought_signature_validator"
_BUDGETS = {"minimal": 512, "low": 1024, "medium": 8192, "high": 24_576}
_LEVELS = {"low": "LOW", "medium": "MEDIUM", "high": "HIGH", "xhigh": "HIGH", "max": "HIGH"}

_Json = dict[str, Any]


def path(model: str) -> str:
    """Return the path of a streaming model call.

    Example:
        >>> path("gemini-3.6-flash")
        '/models/gemini-3.6-flash:streamGenerateContent?alt=sse'
    """
    return f"/models/{quote(model.removeprefix('models/'), safe='')}:streamGenerateContent?alt=sse"


def encode(request: WireRequest) -> dict[str, Any]:
    """Return the body of a streaming request; it is ready for `json`.

    Example:
        >>> encode(WireRequest(model="m", messages=(Message(role="user", content="Hi"),)))
        {'contents': [{'role': 'user', 'parts': [{'text': 'Hi'}]}]}
    """
    body: _Json = {"contents": _contents(request)}
    if instruction := system_of(request.messages):
        body["systemInstruction"] = {"parts": [{"text": instruction}]}
    if config := _config(request):
        body["generationConfig"] = config
    return merged(body, _tools(request), request.quirks.body, request.options.extra)


def _tools(request: WireRequest) -> _Json:
    if not request.tools:
        return {}
    declared = [
        {"name": t.name, "description": t.description, "parametersJsonSchema": t.parameters} for t in request.tools
    ]
    body: _Json = {"tools": [{"functionDeclarations": declared}]}
    choice = request.choice
    if choice.mode in request.quirks.tool_choices:
        calling: _Json = {"mode": "NONE" if choice.mode == "none" else "ANY"}
        if choice.mode == "tool":
            calling["allowedFunctionNames"] = [choice.name]
        body["toolConfig"] = {"functionCallingConfig": calling}
    return body


def _config(request: WireRequest) -> _Json:
    options = request.options
    config: _Json = {
        "temperature": options.temperature,
        "topP": options.top_p,
        "maxOutputTokens": options.max_tokens,
        "seed": options.seed,
        "stopSequences": list(options.stop) if options.stop else None,
    }
    if options.output is not None:
        config |= {"responseMimeType": "application/json", "responseJsonSchema": options.output.schema}
    if options.reasoning is not None and request.quirks.reasoning:
        config["thinkingConfig"] = _thinking(request.model, options.reasoning)
    return given(**config)


def _thinking(model: str, effort: str) -> _Json:
    """Return how much to think: a number of tokens for Gemini 2.5, a word for those after it."""
    is_pro, shown = "pro" in model, {} if effort == "none" else {"includeThoughts": True}
    if "gemini-2.5" in model:
        # Pro cannot be kept from thinking; 128 tokens are its least.
        least, most = (128, 32_768) if is_pro else (0, 24_576)
        return {**shown, "thinkingBudget": least if effort == "none" else _BUDGETS.get(effort, most)}
    return {**shown, "thinkingLevel": _LEVELS.get(effort, "LOW" if is_pro else "MINIMAL")}


def _contents(request: WireRequest) -> list[_Json]:
    """Return the messages, those of one role after another as one: the roles must take turns."""
    contents: list[_Json] = []
    first_of_turn = _first_of_turn(request.messages) if _needs_signatures(request.model) else len(request.messages)
    for n, message in enumerate(request.messages):
        if message.role == "system":
            continue
        parts = _tool_results(message) if message.role == "tool" else _parts(message, request)
        if n > first_of_turn:
            _sign_first_call(parts)
        role = "model" if message.role == "assistant" else "user"
        if contents and contents[-1]["role"] == role:
            contents[-1]["parts"] += parts
        elif parts:
            contents.append({"role": role, "parts": parts})
    return contents


def _needs_signatures(model: str) -> bool:
    """Return whether a model refuses calls without a signature: Gemini from the third on, also by its newest's name."""
    version = re.search(r"gemini-(\d+)", model)
    return int(version[1]) >= 3 if version else bool(re.search(r"gemini-.*latest", model))


def _first_of_turn(messages: tuple[Message, ...]) -> int:
    """Return where the current turn begins: at the last thing a user said that does not stand with tool results."""
    for n in range(len(messages) - 1, -1, -1):
        if messages[n].role == "user" and (n == 0 or messages[n - 1].role != "tool"):
            return n
    return -1


def _sign_first_call(parts: list[_Json]) -> None:
    first = next((part for part in parts if "functionCall" in part), None)
    if first is not None:
        first.setdefault("thoughtSignature", _NO_SIGNATURE)


def _parts(message: Message, request: WireRequest) -> list[_Json]:
    return [encoded for part in message.parts if (encoded := _part(part, request)) is not None]


def _part(part: Part, request: WireRequest) -> _Json | None:
    match part:
        case TextPart():
            signature = request.signature_of(part)
            return _signed({"text": part.text}, signature) if part.text or signature else None
        case ReasoningPart():
            # Thoughts without a signature tell the model nothing.
            signature = request.signature_of(part)
            return _signed({"text": part.text, "thought": True}, signature) if signature else None
        case ToolCall():
            call = {"name": part.name, "args": input_of(part)}
            return _signed({"functionCall": {**call, **_id(part.id)}}, request.signature_of(part))
        case ImagePart() | FilePart():
            return _media(part)
        case _:
            return None


def _signed(part: _Json, signature: str | None) -> _Json:
    return {**part, "thoughtSignature": signature} if signature else part


def _id(call_id: str) -> _Json:
    """Return a call's id as it is sent, if the server gave it: before Gemini 3 it gives none."""
    return {} if not call_id or call_id.startswith(MADE_ID) else {"id": call_id}


def _media(part: ImagePart | FilePart) -> _Json:
    if part.data is not None:
        return {"inlineData": {"mimeType": part.media_type, "data": base64_of(part.data)}}
    if part.url is None:
        raise without_source(part)
    return {"fileData": {"mimeType": part.media_type, "fileUri": part.url}}


def _tool_results(message: Message) -> list[_Json]:
    return [_tool_result(result) for result in results_of(message)]


def _tool_result(result: ToolResult) -> _Json:
    response = {"error" if result.is_error else "result": result.content}
    return {"functionResponse": {"name": result.name, "response": response, **_id(result.call_id)}}
