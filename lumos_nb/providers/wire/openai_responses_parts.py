"""The fiddly parts of a request of Responses: pictures, files, schemas.

One idea: what can be said of one part alone stands here, so that the format's own file reads as a list.
"""

from __future__ import annotations

import base64
import mimetypes
from typing import Any

from lumos_nb.errors import UsageError
from lumos_nb.messages import FilePart, ImagePart


def image_item(part: ImagePart) -> dict[str, Any]:
    """Return a picture as an item of a user's message.

    Raises:
        UsageError: It has neither data nor a url.

    Example:
        >>> image_item(ImagePart(url="https://example.com/a.png"))
        {'type': 'input_image', 'image_url': 'https://example.com/a.png'}
    """
    if part.data is None and part.url is None:
        raise UsageError("An image has neither data nor a url.", hint="Give ImagePart one of the two.")
    return {"type": "input_image", "image_url": part.url if part.data is None else _data_url(part)}


def file_item(part: FilePart) -> dict[str, Any]:
    """Return a document as an item of a user's message.

    Raises:
        UsageError: It has neither data nor a url, or is a sound.

    Example:
        >>> file_item(FilePart(url="https://example.com/a.pdf"))
        {'type': 'input_file', 'file_url': 'https://example.com/a.pdf'}
    """
    if part.kind == "audio":
        raise UsageError(
            "The format 'openai-responses' takes no audio in messages.",
            hint="Use a model of the format 'openai-chat' that hears, or send the words as text.",
        )
    if part.data is not None:
        name = part.name or f"file{mimetypes.guess_extension(part.media_type) or ''}"
        return {"type": "input_file", "filename": name, "file_data": _data_url(part)}
    if part.url is None:
        raise UsageError("A file has neither data nor a url.", hint="Give FilePart one of the two.")
    return {"type": "input_file", "file_url": part.url}


def _data_url(part: ImagePart | FilePart) -> str:
    return f"data:{part.media_type};base64,{base64.b64encode(part.data or b'').decode()}"


#: What the strict mode takes beside objects; a keyword that is not here is refused or may be.
_STRICT_KEYS = {
    "type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf",
    "$defs", "description", "title",
}  # fmt: skip


def is_strict(schema: dict[str, Any]) -> bool:
    """Return whether the strict mode takes a schema: closed objects, all properties required, few keywords.

    Example:
        >>> closed = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
        >>> is_strict({**closed, "additionalProperties": False}), is_strict(closed)
        (True, False)
    """
    return schema.get("type") == "object" and "anyOf" not in schema and _is_strict(schema)


def _is_strict(schema: Any) -> bool:
    if not isinstance(schema, dict):
        return False
    if "$ref" in schema:
        return len(schema) == 1 and str(schema["$ref"]).startswith("#")
    if not schema.keys() <= _STRICT_KEYS or not schema.keys() & {"type", "anyOf", "enum", "const"}:
        return False
    properties, definitions = schema.get("properties") or {}, schema.get("$defs") or {}
    inner = [*properties.values(), *definitions.values(), *(schema.get("anyOf") or ())]
    if "items" in schema:
        inner.append(schema["items"])
    return _is_closed(schema) and all(map(_is_strict, inner))


def _is_closed(schema: dict[str, Any]) -> bool:
    types = schema.get("type")
    if types == "array" or (isinstance(types, list) and "array" in types):
        return "items" in schema
    if types != "object" and not (isinstance(types, list) and "object" in types):
        return True
    required, properties = schema.get("required") or [], schema.get("properties") or {}
    return schema.get("additionalProperties") is False and set(required) == set(properties)
