"""What every wire format shares: the request it encodes, the decoder it gives, and quirks.

One idea: in what a vendor differs from its format is data, `Quirks`, and never a branch on a
vendor's name.
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from lumos_nb.events import ModelEvent
from lumos_nb.messages import Message
from lumos_nb.providers.base import ModelOptions, ToolSpec


class Quirks(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """In what one vendor differs from others that speak the same format."""

    #: Key of the longest answer: `max_tokens`, or `max_completion_tokens`.
    max_tokens_key: str = "max_tokens"
    #: Key of the seed.
    seed_key: str = "seed"
    #: Ask for the usage with `stream_options`; off where unknown keys are refused.
    has_stream_options: bool = True
    #: Reasoning may stand in the text, between `<think>` tags.
    has_think_tags: bool = False
    #: The assistant's reasoning must be sent back with its tool calls.
    returns_reasoning: bool = False
    #: Tool messages carry the tool's name.
    names_tool_results: bool = False
    #: Call ids must have nine letters or digits.
    has_short_call_ids: bool = False
    #: Keys that every request body has.
    body: dict[str, Any] = {}


class WireRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One model call, before it is put into a format."""

    model: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    options: ModelOptions = ModelOptions()
    quirks: Quirks = Quirks()


class Decoder(Protocol):
    """Turns the bytes of one response into events."""

    #: The format's end was seen, or an error: nothing more will come.
    is_done: bool

    def feed(self, chunk: bytes) -> list[ModelEvent]:
        """Return the events of these bytes. Never raises: what was read before an error counts."""
        ...

    def close(self) -> list[ModelEvent]:
        """Return the last events at the end of the body.

        Raises:
            StreamError: The answer is not whole, or held an error.
        """
        ...


class WireFormat(Protocol):
    """What a module of this package offers."""

    #: Path behind the base URL.
    PATH: str

    def encode(self, request: WireRequest) -> dict[str, Any]:
        """Return the request body."""
        ...

    def Decoder(self, quirks: Quirks) -> Decoder:
        """Return a decoder for one response."""
        ...
