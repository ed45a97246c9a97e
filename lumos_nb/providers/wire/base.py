"""What every wire format shares: the request it encodes, the decoder it gives, and quirks.

One idea: in what a vendor differs from its format is data, `Quirks`, and never a branch on a
vendor's name.
"""

from __future__ import annotations

from typing import Any, Literal, Protocol

import msgspec

from lumos_nb.events import ModelEvent
from lumos_nb.messages import Message, ReasoningPart, TextPart, ToolCall, ToolChoice
from lumos_nb.providers.base import ModelOptions, ToolSpec


class Quirks(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
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
    #: A user may speak right behind the results of tools, as where a run was stopped there.
    takes_user_after_tool: bool = True
    #: How the wish for reasoning is written: `effort` (`reasoning_effort`), `thinking` (an object beside it),
    #: `enable_thinking` (a bool), `nested` (`reasoning.effort`), or empty: it is not sent.
    reasoning: Literal["effort", "thinking", "enable_thinking", "nested", ""] = "effort"
    #: Word for the tool choice `required`.
    required_choice: str = "required"
    #: Tool choices beyond `auto` that are understood; the others are sent as `auto`.
    tool_choices: tuple[str, ...] = ("none", "required", "tool")
    #: `parallel_tool_calls` may be sent.
    has_parallel_switch: bool = True
    #: How an answer gets a form: `schema` (the format's own), `json` (JSON mode, the schema in the prompt),
    #: `tool` (a tool whose arguments are the answer), `prompt` (asked for in words).
    structured: Literal["schema", "json", "tool", "prompt"] = "schema"
    #: The format's own way also works while there are tools; else it is done by a tool then.
    is_structured_beside_tools: bool = True
    #: Keys that every request body has.
    body: dict[str, Any] = {}


class WireRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One model call, before it is put into a format."""

    model: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    options: ModelOptions = ModelOptions()
    quirks: Quirks = Quirks()
    #: Where it goes: parts whose `provider` is another lose their signature; see `signature_of`.
    origin: str = ""

    def signature_of(self, part: TextPart | ReasoningPart | ToolCall) -> str | None:
        """Return the opaque data of a part if it came from where this request goes, else None.

        Example:
            >>> request = WireRequest(model="m", messages=(), origin="anthropic")
            >>> request.signature_of(ReasoningPart("hm", signature="s", provider="anthropic"))
            's'
            >>> request.signature_of(ReasoningPart("hm", signature="s", provider="google"))
        """
        return part.signature if self.is_own(part) else None

    def is_own(self, part: TextPart | ReasoningPart | ToolCall) -> bool:
        """Return whether a part came from where this request goes; one that does not say counts as such."""
        return part.provider is None or part.provider == self.origin

    @property
    def declared(self) -> tuple[ToolSpec, ...]:
        """The tools; without any, the names that earlier turns called, which some servers refuse undeclared."""
        if self.tools:
            return self.tools
        talked = (message for message in self.messages if type(message.content) is not str)
        return tuple(ToolSpec(name=name) for name in dict.fromkeys(c.name for m in talked for c in m.tool_calls))

    @property
    def choice(self) -> ToolChoice:
        """Whether tools may, must or must not be called."""
        return ToolChoice.of(self.options.tool_choice)


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
    """What a module of this package offers.

    It may also have `HEADERS`, further headers of every request, and `KEY_HEADER`, the header of the key
    where this is not the vendor's usual format; and `holds(schema)`, whether its own way can hold an answer
    to a schema, where that is not so for all.
    """

    #: Media type of the stream, for the header `accept`.
    ACCEPT: str
    #: Path of the list of models behind the base URL; empty: there is none.
    MODELS_PATH: str

    def path(self, model: str) -> str:
        """Return the path of a model call behind the base URL."""
        ...

    def encode(self, request: WireRequest) -> dict[str, Any]:
        """Return the request body."""
        ...

    def Decoder(self, quirks: Quirks) -> Decoder:
        """Return a decoder for one response."""
        ...
