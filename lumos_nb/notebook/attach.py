"""`--image EXPR`: a value of the notebook as a part of a message.

One idea: whatever the notebook shows as a picture can be sent as one.
"""

from __future__ import annotations

import io
import mimetypes
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lumos_nb.errors import UsageError, nearest
from lumos_nb.messages import FilePart, ImagePart

_KINDS = {
    b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif", b"RIFF": "image/webp",
    b"%PDF": "application/pdf", b"ID3": "audio/mpeg",
}  # fmt: skip


def evaluated(expression: str, namespace: Mapping[str, Any]) -> ImagePart | FilePart:
    """Return the part that an expression of the notebook stands for, or a file of that name.

    Args:
        expression: Python, or the path of a file.
        namespace: Names that it may use.

    Raises:
        UsageError: It is neither, or gives nothing that can be sent.

    Example:
        >>> evaluated("picture", {"picture": b"GIF89a"})
        ImagePart(media_type='image/gif', data=b'GIF89a', url=None)
    """
    if Path(expression).expanduser().is_file():
        return attachment(Path(expression).expanduser())
    try:
        value = eval(expression, dict(namespace))  # noqa: S307 - a cell runs what its person wrote
    except Exception as error:
        hint = nearest(expression, [n for n in namespace if not n.startswith("_")]) if expression.isidentifier() else ""
        raise UsageError(
            f"--image {expression!r} is neither a file nor a value of the notebook: {type(error).__name__}: {error}.",
            hint=hint or "Give a path without spaces, or a variable.",
        ) from None
    return attachment(value)


def attachment(value: Any) -> ImagePart | FilePart:
    """Return a picture, a document or a sound as a part: bytes, a path, an address, a figure, a Pillow image.

    Raises:
        UsageError: It is none of these, or the file cannot be read.
    """
    if isinstance(value, ImagePart | FilePart):
        return value
    if isinstance(value, str) and value.startswith(("http://", "https://")):
        return _part(mimetypes.guess_type(value)[0] or "image/png", url=value)
    if isinstance(value, str | Path):
        return _from_file(Path(value).expanduser())
    if hasattr(value, "savefig"):  # a figure of matplotlib
        return _drawn(lambda file: value.savefig(file, format="png"))
    if hasattr(value, "get_figure"):  # axes, as a plot of pandas gives them
        return attachment(value.get_figure())
    if hasattr(value, "save") and hasattr(value, "mode"):  # an image of Pillow
        return _drawn(lambda file: value.save(file, format="PNG"))
    data = getattr(value, "data", value)  # IPython.display.Image keeps its bytes there
    if isinstance(data, bytes | bytearray):
        return _part(_kind(bytes(data)), data=bytes(data))
    raise UsageError(
        f"A value of type {type(value).__name__!r} is no picture.",
        hint="Give bytes, a path, an address, a figure of matplotlib, or an image of Pillow.",
    )


def _drawn(save: Callable[[io.BytesIO], object]) -> ImagePart:
    file = io.BytesIO()
    save(file)
    return ImagePart(data=file.getvalue())


def _from_file(path: Path) -> ImagePart | FilePart:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"The file {str(path)!r} cannot be read: {error.strerror}.",
            hint="Check the path.",
        ) from None
    return _part(mimetypes.guess_type(path.name)[0] or _kind(data), data=data, name=path.name)


def _part(
    media_type: str, *, data: bytes | None = None, url: str | None = None, name: str = ""
) -> ImagePart | FilePart:
    if media_type.startswith("image/"):
        return ImagePart(media_type=media_type, data=data, url=url)
    return FilePart(media_type=media_type, data=data, url=url, name=name)


def _kind(data: bytes) -> str:
    if data[8:12] == b"WAVE":
        return "audio/wav"
    found = next((kind for start, kind in _KINDS.items() if data.startswith(start)), None)
    if found is None:
        raise UsageError("These bytes are no picture, PDF or sound that is known.", hint="Give a path with its ending.")
    return found
