"""The fiddly parts of a request of Responses: pictures and files.

One idea: what can be said of one part alone stands here, so that the format's own file reads as a list.
"""

from __future__ import annotations

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
    return {"type": "input_image", "image_url": part.address()}


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
        return {"type": "input_file", "filename": name, "file_data": part.address()}
    return {"type": "input_file", "file_url": part.address()}
