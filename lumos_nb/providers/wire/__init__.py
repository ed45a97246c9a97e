"""Wire formats: one pure module each.

A format is two things: `encode(request) -> dict`, and a `Decoder` whose `feed(bytes)` gives the
events of one response. All state of a response is in its decoder.
"""

from __future__ import annotations

from importlib import import_module
from typing import cast

from lumos_nb.errors import UsageError, nearest
from lumos_nb.providers.wire.base import Decoder, Quirks, WireFormat, WireRequest

__all__ = ["FORMATS", "Decoder", "Quirks", "WireFormat", "WireRequest", "load_format"]

FORMATS = {
    name: f"lumos_nb.providers.wire.{name.replace('-', '_')}"
    for name in (
        "openai-chat",
        "openai-responses",
        "anthropic-messages",
        "gemini",
        "cohere-chat",
        "ollama-chat",
        "bedrock-converse",
    )
}
"""Name of each wire format and the module that speaks it."""


def load_format(name: str) -> WireFormat:
    """Return the module of a wire format.

    Raises:
        UsageError: There is no such format.

    Example:
        >>> load_format("openai-chat").path("m")
        '/chat/completions'
    """
    if name not in FORMATS:
        raise UsageError(f"There is no wire format {name!r}.", hint=nearest(name, FORMATS))
    return cast(WireFormat, import_module(FORMATS[name]))
