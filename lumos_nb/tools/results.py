"""From what a tool returned to what the model is told and what a person is shown.

One idea: a result is never lost and never too long. The model gets text of bounded length
that says what was cut; a person gets the richest form the value has.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import traceback
from types import TracebackType
from typing import Any

import msgspec

from lumos_nb import settings
from lumos_nb.errors import LumosError, ToolError
from lumos_nb.messages import ToolCall, ToolResult, valid_text

_RICH = {"_repr_html_": "text/html", "_repr_markdown_": "text/markdown", "_repr_svg_": "image/svg+xml"}
_BYTES = {"_repr_png_": "image/png", "_repr_jpeg_": "image/jpeg"}


def from_value(call: ToolCall, value: Any, display: dict[str, Any] | None = None) -> ToolResult:
    """Return the result of a call that went well.

    Args:
        call: The call.
        value: What the tool returned; a `ToolResult` is passed on.
        display: A MIME bundle to show, where the caller has a better one.

    Example:
        >>> from_value(ToolCall(id="1", name="mean"), {"mean": 42.1}).content
        '{"mean": 42.1}'
    """
    if isinstance(value, ToolResult):  # for this call, whichever it was made for
        return msgspec.structs.replace(value, call_id=call.id, name=call.name)
    text = valid_text(as_text(value))
    config = settings.current()
    return ToolResult(
        call_id=call.id,
        name=call.name,
        content=cut(text, config.tool_result_chars),
        display=_bounded(display if display is not None else as_display(value), config.tool_result_bytes),
        size_bytes=len(text.encode()),
    )


def from_error(call: ToolCall, error: BaseException) -> ToolResult:
    """Return the result of a call that raised: its type and message for the model, the trace for a person."""
    try:
        message = str(error)
    except Exception:  # the tool's own exception may do anything
        message = "its message cannot be shown"
    told = valid_text(message if isinstance(error, ToolError) else f"{type(error).__name__}: {message}".rstrip(": "))
    return ToolResult(
        call_id=call.id, name=call.name, content=cut(told, settings.current().tool_result_chars), is_error=True,
        size_bytes=len(told.encode()), error_type=type(error).__name__,
        traceback=None if isinstance(error, LumosError) else cut(f"{told}\n{_trace(error)}", 20_000),
    )  # fmt: skip


def _trace(error: BaseException) -> str:
    """Return the traceback from the tool's own first frame on; ours say nothing to who wrote the tool."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None and _is_ours(frame):
        frame = frame.tb_next
    return _CELL.sub(r"\1", valid_text("".join(traceback.format_exception(type(error), error, frame))))


_CELL = re.compile(r'(?<=File ")[^"\n]*[\\/]ipykernel_\d+[\\/](\d+\.py)')
"""The file that a kernel pretends a cell to be: named by its process, so another one each time."""


def _is_ours(frame: TracebackType) -> bool:
    return str(frame.tb_frame.f_globals.get("__name__", "")).startswith(("lumos_nb.", "asyncio.", "concurrent."))


def as_text(value: Any) -> str:
    """Return a value as text for a model: text as it is, tables as CSV, data as JSON, else its repr.

    Example:
        >>> as_text("done"), as_text(None), as_text([1, 2])
        ('done', 'no result', '[1, 2]')
    """
    if value is None:
        return "no result"
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return f"{len(value)} bytes of binary data"
    if hasattr(value, "to_csv") and hasattr(value, "shape"):  # a DataFrame or Series, whoever made it
        return _table(value)
    if hasattr(value, "model_dump_json"):
        return str(value.model_dump_json())
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=True)
    except (TypeError, ValueError, RecursionError):
        return _repr(value)


def _table(frame: Any) -> str:
    rows = frame.shape[0]
    head = frame.head(100)
    text = str(head.to_csv(index=not _plain_index(frame)))
    return text if rows <= 100 else f"{text}… the first 100 of {rows} rows\n"


def _plain_index(frame: Any) -> bool:
    return type(frame.index).__name__ == "RangeIndex"


def _repr(value: Any) -> str:
    try:
        return repr(value)
    except Exception as error:  # a tool's value may do anything in its repr; that is the tool's, not the run's
        return f"<{type(value).__name__} that cannot be shown: {type(error).__name__}: {error}>"


def as_display(value: Any) -> dict[str, Any]:
    """Return the MIME bundle of a value from its `_repr_…_` methods and its JSON form, as far as it has them."""
    if value is None or isinstance(value, str | bytes):
        return {}
    bundle: dict[str, Any] = {}
    for method, mime in (_RICH | _BYTES).items():
        shown = _call(value, method)
        if isinstance(shown, bytes):
            shown = base64.b64encode(shown).decode()
        if isinstance(shown, str):
            bundle[mime] = shown
    if isinstance(value, dict | list):
        with contextlib.suppress(TypeError, ValueError, RecursionError):
            bundle["application/json"] = json.loads(json.dumps(value))
    return bundle


def _call(value: Any, method: str) -> Any:
    if isinstance(value, type) or not callable(getattr(value, method, None)):
        return None
    try:
        return getattr(value, method)()
    except Exception:  # as above: fall back to the next form
        return None


def _bounded(bundle: dict[str, Any], limit: int) -> dict[str, Any]:
    """Leave out forms that are too large to keep; the text that the model got stays."""
    return {m: d for m, d in bundle.items() if len(d if isinstance(d, str) else json.dumps(d)) <= limit}


def cut(text: str, limit: int) -> str:
    """Return text of at most about `limit` characters, its middle cut out and said so.

    Example:
        >>> cut("a" * 10, 4)
        'aaa\\n… 6 of 10 characters left out …\\na'
    """
    if len(text) <= limit:
        return text
    head = limit * 3 // 4
    tail = limit - head
    return f"{text[:head]}\n… {len(text) - limit:,} of {len(text):,} characters left out …\n{text[len(text) - tail :]}"
