"""Cohere's chat format, version 2.

One idea: what a model says before it calls tools is a plan of its own (`tool_plan`), apart from what
it thinks; each goes back to where it stood.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lumos_nb.messages import FilePart, ImagePart, Message, ReasoningPart, TextPart, ToolCall
from lumos_nb.providers.base import ModelOptions
from lumos_nb.providers.wire.base import WireRequest
from lumos_nb.providers.wire.cohere_chat_stream import PLAN, Decoder
from lumos_nb.providers.wire.encoding import arguments_of, function_of, given, merged, results_of, without_place

__all__ = ["ACCEPT", "MODELS_PATH", "Decoder", "encode", "path"]

ACCEPT = "text/event-stream"
#: The list of models stands at version 1 alone.
MODELS_PATH = ""

_CHOICES = {"none": "NONE", "required": "REQUIRED"}
#: Tokens to think with; without one it thinks as long as it likes.
_BUDGETS = {"minimal": 512, "low": 2_048, "medium": 8_192}


def path(model: str) -> str:
    """Return the path of a model call."""
    return "/chat"


def encode(request: WireRequest) -> dict[str, Any]:
    """Return the body of a streaming request; it is ready for `json`.

    Example:
        >>> encode(WireRequest(model="m", messages=(Message(role="user", content="Hi"),)))
        {'model': 'm', 'messages': [{'role': 'user', 'content': 'Hi'}], 'stream': True}
    """
    options, quirks = request.options, request.quirks
    body: dict[str, Any] = {"model": request.model, "messages": list(_messages(request)), "stream": True}
    if request.tools:
        body["tools"] = [function_of(tool) for tool in request.tools]
        mode = request.choice.mode
        if mode in _CHOICES and mode in quirks.tool_choices:
            body["tool_choice"] = _CHOICES[mode]
    if options.output is not None:
        body["response_format"] = {"type": "json_object", "json_schema": options.output.schema}
    if options.reasoning is not None:
        body["thinking"] = _thinking(options.reasoning)
    return merged({**body, **_settings(options)}, quirks.body, options.extra)


def _thinking(reasoning: str) -> dict[str, Any]:
    if reasoning == "none":
        return {"type": "disabled"}
    budget = _BUDGETS.get(reasoning)
    return {"type": "enabled"} if budget is None else {"type": "enabled", "token_budget": budget}


def _settings(options: ModelOptions) -> dict[str, Any]:
    return given(
        temperature=options.temperature,
        p=options.top_p,
        max_tokens=options.max_tokens,
        seed=options.seed,
        stop_sequences=list(options.stop) if options.stop else None,
    )


def _messages(request: WireRequest) -> Iterator[dict[str, Any]]:
    for message in request.messages:
        # Nearly all messages of a long conversation are plain text: no call for those.
        if type(message.content) is str and message.role != "tool":
            yield {"role": message.role, "content": message.content}
        elif message.role == "tool":
            for result in results_of(message):
                yield {"role": "tool", "tool_call_id": result.call_id, "content": result.content}
        elif message.role == "assistant":
            yield _assistant(message, request)
        else:
            yield {"role": message.role, "content": _content(message)}


def _content(message: Message) -> str | list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    has_images = False
    for part in message.parts:
        if isinstance(part, TextPart):
            items.append({"type": "text", "text": part.text})
        elif isinstance(part, ImagePart):
            has_images = True
            items.append({"type": "image_url", "image_url": {"url": part.address()}})
        elif isinstance(part, FilePart):
            raise without_place(part, "Cohere's format", "Put its text into the message.")
    return items if has_images else message.text


def _assistant(message: Message, request: WireRequest) -> dict[str, Any]:
    """Return the model's words: beside calls the text is a plan; elsewhere a plan has no place."""
    calls = message.tool_calls
    content: list[dict[str, Any]] = []
    plan: list[str] = []
    has_thought = False
    for part in message.parts:
        if isinstance(part, TextPart) and calls:
            plan.append(part.text)
        elif isinstance(part, TextPart):
            content.append({"type": "text", "text": part.text})
        elif isinstance(part, ReasoningPart) and request.is_own(part):
            if part.signature != PLAN:
                has_thought = True
                content.append({"type": "thinking", "thinking": part.text})
            elif calls:
                plan.append(part.text)
    body: dict[str, Any] = {"role": "assistant"}
    if has_thought or not calls:
        body["content"] = content if has_thought else message.text
    if plan := [text for text in plan if text]:
        body["tool_plan"] = "\n".join(plan)
    if calls:
        body["tool_calls"] = [_call(call) for call in calls]
    return body


def _call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": arguments_of(call)}
    return {"id": call.id, "type": "function", "function": function}
