"""Bedrock Converse: one format for the models of all makers at AWS.

One idea: the format's own places are used and nothing of a single maker's; what only one of them knows
goes in as `extra={"additionalModelRequestFields": …}`.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

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
from lumos_nb.providers.wire.base import WireRequest
from lumos_nb.providers.wire.bedrock_converse_stream import Decoder
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

__all__ = ["ACCEPT", "MODELS_PATH", "Decoder", "encode", "holds", "path"]

ACCEPT = "application/vnd.amazon.eventstream"
#: The list of models is another service's, at another address.
MODELS_PATH = ""

_TITLE = "Bedrock Converse"
_IMAGES = {"image/png": "png", "image/jpeg": "jpeg", "image/jpg": "jpeg", "image/gif": "gif", "image/webp": "webp"}
_DOCUMENTS = {
    "application/pdf": "pdf",
    "text/csv": "csv",
    "text/html": "html",
    "text/plain": "txt",
    "text/markdown": "md",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
}


holds = is_closable
"""Whether an answer can be held to a schema: the grammar knows closed objects only."""


def path(model: str) -> str:
    """Return the path of a model call.

    Example:
        >>> path("amazon.nova-lite-v1:0")
        '/model/amazon.nova-lite-v1%3A0/converse-stream'
    """
    return f"/model/{quote(model, safe='')}/converse-stream"


def encode(request: WireRequest) -> dict[str, Any]:
    """Return the body of a streaming request; it is ready for `json`. The model stands in the path.

    Example:
        >>> encode(WireRequest(model="m", messages=(Message(role="user", content="Hi"),)))
        {'messages': [{'role': 'user', 'content': [{'text': 'Hi'}]}]}
    """
    options = request.options
    body: dict[str, Any] = {"messages": _messages(request)}
    if system := system_of(request.messages):
        body["system"] = [{"text": system}]
    if config := _inference(options):
        body["inferenceConfig"] = config
    if config := _tools(request):
        body["toolConfig"] = config
    if config := _output(options):
        body["outputConfig"] = config
    return merged(body, request.quirks.body, options.extra)


def _inference(options: ModelOptions) -> dict[str, Any]:
    return given(
        maxTokens=options.max_tokens,
        temperature=options.temperature,
        topP=options.top_p,
        stopSequences=list(options.stop) if options.stop else None,
    )


def _output(options: ModelOptions) -> dict[str, Any]:
    config: dict[str, Any] = {}
    if options.reasoning not in {None, "none"}:
        config["effort"] = "low" if options.reasoning == "minimal" else options.reasoning
    if options.output is not None:
        # The schema goes as text here.
        schema = json.dumps(closed(options.output.schema), ensure_ascii=False)
        structure = {"jsonSchema": {"schema": schema, "name": options.output.name}}
        config["textFormat"] = {"type": "json_schema", "structure": structure}
    return config


def _tools(request: WireRequest) -> dict[str, Any]:
    if not request.declared:
        return {}
    config: dict[str, Any] = {"tools": [_tool(tool) for tool in request.declared]}
    choice = request.choice
    if request.tools and choice.mode in request.quirks.tool_choices:
        if choice.mode == "required":
            config["toolChoice"] = {"any": {}}
        elif choice.mode == "tool":
            config["toolChoice"] = {"tool": {"name": choice.name}}
    return config


def _tool(tool: ToolSpec) -> dict[str, Any]:
    described = {"description": tool.description} if tool.description else {}
    return {"toolSpec": {"name": tool.name, **described, "inputSchema": {"json": tool.parameters}}}


def _messages(request: WireRequest) -> list[dict[str, Any]]:
    turns = turns_of(request.messages, lambda message: _blocks(message, request))
    names: set[str] = set()
    for turn in turns:
        turn["content"].sort(key=lambda block: "toolResult" not in block)
        for block in turn["content"]:
            if document := block.get("document"):
                document["name"] = _unused(document["name"], names)
    return turns


def _unused(name: str, names: set[str]) -> str:
    """Return a name that no document of this request has yet: two of one name are refused."""
    n, out = 1, name
    while out in names:
        n += 1
        out = f"{name} {n}"
    names.add(out)
    return out


def _blocks(message: Message, request: WireRequest) -> list[dict[str, Any]]:
    if message.role == "tool":
        return [_result(result) for result in results_of(message)]
    is_user = message.role == "user"
    blocks = (_block(part, request, is_user=is_user) for part in message.parts)
    # Reasoning at the very end is refused.
    return without_last([block for block in blocks if block is not None], {"reasoningContent"})


def _block(part: Part, request: WireRequest, *, is_user: bool) -> dict[str, Any] | None:
    """Return a part as a block, or None where it is left out."""
    match part:
        case TextPart():
            # A text of white space alone is refused.
            return {"text": part.text} if part.text.strip() else None
        case ReasoningPart():
            return _thought(part, request)
        case ToolCall():
            return {"toolUse": {"toolUseId": call_id_of(part.id), "name": part.name, "input": input_of(part)}}
        case ToolResult():
            return _result(part)
        case ImagePart() if is_user:
            return {"image": _image(part)}
        case FilePart() if is_user:
            return {"document": _document(part)}
    raise without_place(part, f"an assistant's message of {_TITLE}", "Put it into a user message.")


def _thought(part: ReasoningPart, request: WireRequest) -> dict[str, Any] | None:
    signature = request.signature_of(part)
    if not signature:
        return None
    if signature.startswith("{"):
        # A block that came without any text: it is kept whole, see the decoder.
        return {"reasoningContent": msgspec.json.decode(signature)}
    return {"reasoningContent": {"reasoningText": {"text": part.text, "signature": signature}}}


def _result(result: ToolResult) -> dict[str, Any]:
    # A result must have content, and an empty text is none.
    block = {"toolUseId": call_id_of(result.call_id), "content": [{"text": result.content or "(empty)"}]}
    return {"toolResult": {**block, "status": "error"} if result.is_error else block}


def _image(part: ImagePart) -> dict[str, Any]:
    if part.media_type not in _IMAGES:
        raise without_place(part, _TITLE, f"It takes {', '.join(_IMAGES)}: convert the picture.")
    return {"format": _IMAGES[part.media_type], "source": _source(part)}


def _document(part: FilePart) -> dict[str, Any]:
    if part.media_type not in _DOCUMENTS:
        raise without_place(part, _TITLE, f"It takes {', '.join(_DOCUMENTS.values())}: convert the file.")
    # Other characters than these, and two spaces in a row, are refused in names.
    name = " ".join(re.sub(r"[^a-zA-Z0-9\s\-()\[\]]", " ", part.name).split())[:180].rstrip()
    return {"format": _DOCUMENTS[part.media_type], "name": name or "document", "source": _source(part)}


def _source(part: ImagePart | FilePart) -> dict[str, Any]:
    if part.data is not None:
        return {"bytes": base64_of(part.data)}
    if part.url is None:
        raise without_source(part)
    if not part.url.startswith("s3://"):
        raise without_place(part, f"{_TITLE} by its address", "Give its data, or an address that begins with s3://.")
    return {"s3Location": {"uri": part.url}}
