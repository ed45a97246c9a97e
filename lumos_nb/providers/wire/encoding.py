"""What the encoders of several formats share.

One idea: what a message may hold is checked the same way everywhere, and said in the same words.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from typing import Any

import msgspec

from lumos_nb.errors import UsageError
from lumos_nb.messages import FilePart, ImagePart, Message, Part, ToolCall, ToolResult, ToolSpec, from_json


def merged(body: dict[str, Any], *more: dict[str, Any]) -> dict[str, Any]:
    """Return a body with further keys over it; where both have an object, the two are put together.

    Example:
        >>> merged({"config": {"a": 1}, "b": 1}, {"config": {"c": 2}, "b": 2})
        {'config': {'a': 1, 'c': 2}, 'b': 2}
    """
    out = dict(body)
    for keys in more:
        for key, value in keys.items():
            old = out.get(key)
            out[key] = {**old, **value} if isinstance(old, dict) and isinstance(value, dict) else value
    return out


def given(**keys: Any) -> dict[str, Any]:
    """Return the keys that have a value: what nobody asked for is not sent.

    Example:
        >>> given(temperature=0.0, top_p=None)
        {'temperature': 0.0}
    """
    return {key: value for key, value in keys.items() if value is not None}


def function_of(tool: ToolSpec) -> dict[str, Any]:
    """Return a tool as Chat Completions has it, and the formats that took this over."""
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}


def object_of(text: str | None) -> dict[str, Any] | None:
    """Return the JSON object that a text holds, or None if it holds none.

    Example:
        >>> object_of('{"a": 1}'), object_of("[1]"), object_of('{"a": '), object_of(None)
        ({'a': 1}, None, None, None)
    """
    try:
        value = from_json(text or "null")
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def input_of(call: ToolCall) -> dict[str, Any]:
    """Return a call's arguments as an object; empty if they are none, for the tool's result says what was wrong.

    Example:
        >>> input_of(ToolCall(id="1", name="f", arguments='{"a": 1}'))
        {'a': 1}
        >>> input_of(ToolCall(id="2", name="f", arguments='{"a": '))
        {}
    """
    return object_of(call.arguments) or {}


def arguments_of(call: ToolCall) -> str:
    """Return a call's arguments as text that a server takes: what is no object would be refused.

    The tool's result says what was wrong with them.

    Example:
        >>> arguments_of(ToolCall(id="1", name="f", arguments='{"a": '))
        '{}'
    """
    return "{}" if object_of(call.arguments) is None else call.arguments


def call_id_of(id: str) -> str:
    """Return an id that every server takes: a thread may have begun at a vendor with ids of other letters.

    Example:
        >>> call_id_of("toolu_01"), call_id_of("functions.rows:0") == call_id_of("functions.rows:0")
        ('toolu_01', True)
    """
    # Same id in, same id out: a result must find its call in every request.
    return id if re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", id) else hashlib.sha256(id.encode()).hexdigest()[:32]


def with_valid_names(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Return messages in which each call has a name that servers take: models also call what does not exist.

    One odd name, if it were sent as it came, would make every further request of its thread refused.

    Example:
        >>> message = Message(role="assistant", content=(ToolCall(id="1", name="rows<|end|>"),))
        >>> with_valid_names((message,))[0].tool_calls[0].name
        'rows__end__'
    """
    odd = {id(m) for m in messages if type(m.content) is not str and _has_odd_name(m)}
    return tuple(_with_valid_names(m) if id(m) in odd else m for m in messages) if odd else messages


def _has_odd_name(message: Message) -> bool:
    return any(isinstance(part, ToolCall | ToolResult) and not _NAME.fullmatch(part.name) for part in message.content)


def _with_valid_names(message: Message) -> Message:
    parts = (
        msgspec.structs.replace(part, name=re.sub(r"[^a-zA-Z0-9_-]", "_", part.name)[:64] or "unknown")
        if isinstance(part, ToolCall | ToolResult)
        else part
        for part in message.parts
    )
    return msgspec.structs.replace(message, content=tuple(parts))


_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def without_last(blocks: list[dict[str, Any]], kinds: set[str]) -> list[dict[str, Any]]:
    """Return blocks without those of some kinds at the end: a run that was stopped leaves thoughts that led nowhere.

    Example:
        >>> without_last([{"type": "thinking"}, {"type": "text"}, {"type": "thinking"}], {"thinking"})
        [{'type': 'thinking'}, {'type': 'text'}]
    """
    n = len(blocks)
    while n and kinds & {blocks[n - 1].get("type"), *blocks[n - 1]}:
        n -= 1
    return blocks[:n]


def turns_of(
    messages: tuple[Message, ...], blocks_of: Callable[[Message], list[dict[str, Any]]]
) -> list[dict[str, Any]]:
    """Return messages as turns of user and assistant: neighbours of one role together, empty ones left out.

    Results of tools are the user's. System messages are not in it, see `system_of`.

    Example:
        >>> said = (Message(role="user", content="a"), Message(role="user", content="b"))
        >>> turns_of(said, lambda message: [{"text": message.text}])
        [{'role': 'user', 'content': [{'text': 'a'}, {'text': 'b'}]}]
    """
    out: list[dict[str, Any]] = []
    for message in messages:
        if message.role == "system":
            continue
        role = "assistant" if message.role == "assistant" else "user"
        blocks = blocks_of(message)
        if out and out[-1]["role"] == role:
            out[-1]["content"] += blocks
        elif blocks:
            out.append({"role": role, "content": blocks})
    return out


def results_of(message: Message) -> list[ToolResult]:
    """Return the results of a message with the role `tool`.

    Raises:
        UsageError: It has none.
    """
    results = [part for part in message.parts if isinstance(part, ToolResult)]
    if not results:
        raise UsageError(
            "A message with the role 'tool' has no ToolResult.",
            hint="Give it as content=(ToolResult(call_id=…, name=…, content=…),).",
        )
    return results


def system_of(messages: tuple[Message, ...]) -> str:
    """Return all system messages as one text.

    Example:
        >>> system_of((Message(role="system", content="Be brief."), Message(role="system", content="Be kind.")))
        'Be brief.\\n\\nBe kind.'
    """
    return "\n\n".join(m.text for m in messages if m.role == "system" and m.text)


def base64_of(data: bytes) -> str:
    """Return bytes as the text that stands for them in JSON.

    Example:
        >>> base64_of(b"%PDF")
        'JVBERg=='
    """
    return base64.b64encode(data).decode()


def without_place(part: Part, where: str, hint: str) -> UsageError:
    """Return the error of a part for which a format has no place.

    Example:
        >>> print(without_place(FilePart(media_type="audio/wav"), "Anthropic Messages", "Send its text."))
        A part of type 'file' (audio/wav) has no place in Anthropic Messages. Send its text.
    """
    media = f" ({part.media_type})" if isinstance(part, ImagePart | FilePart) else ""
    return UsageError(f"A part of type {part.type!r}{media} has no place in {where}.", hint=hint)
