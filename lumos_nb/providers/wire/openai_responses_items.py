"""What a server of Responses sends: events, items, usage.

One idea: only the fields that are used are read, and those that a server may get wrong are of any type.
"""

from __future__ import annotations

from typing import Any

import msgspec

from lumos_nb.events import TokenUsage
from lumos_nb.messages import ToolCall
from lumos_nb.providers.wire.decoding import made_id


class Item(msgspec.Struct, gc=False):
    """An item of the output: reasoning, a message, a call, or something that is skipped."""

    type: Any = None
    id: Any = None
    status: Any = None
    call_id: Any = None
    name: Any = None
    arguments: Any = None
    phase: Any = None
    encrypted_content: Any = None
    summary: Any = None
    content: Any = None

    @property
    def signature(self) -> str:
        """An item of reasoning as it is sent back; empty if the server would not know it again.

        Example:
            >>> Item(type="reasoning", id="rs_1", encrypted_content="gAAA").signature
            '{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"gAAA"}'
            >>> Item(type="reasoning", id="rs_1").signature
            ''
        """
        contents = [{"type": "reasoning_text", "text": text} for text in texts(self.content)]
        if not self.encrypted_content and not contents:
            return ""
        back: dict[str, Any] = {"type": "reasoning", "id": str(self.id or "")}
        back["summary"] = [{"type": "summary_text", "text": text} for text in texts(self.summary)]
        if contents:
            back["content"] = contents
        if self.encrypted_content:
            back["encrypted_content"] = self.encrypted_content
        return msgspec.json.encode(back).decode()


def texts(contents: Any) -> list[str]:
    """Return the texts of an item's content or summary, whatever its parts are called.

    Example:
        >>> texts([{"type": "output_text", "text": "a"}, {"type": "refusal", "refusal": "b"}, {"type": "new"}])
        ['a', 'b']
    """
    parts = [part for part in contents if isinstance(part, dict)] if isinstance(contents, list) else []
    found = (part.get("text") or part.get("refusal") for part in parts)
    return [text for text in found if isinstance(text, str) and text]


class OpenCall(msgspec.Struct, eq=False):
    """A call while its fragments arrive."""

    item: Item
    pieces: list[str] = []
    #: The server has sent the whole item.
    is_done: bool = False

    def is_same(self, item: Item) -> bool:
        """Return whether an item is this call, as far as ids tell."""
        if self.item.call_id and item.call_id:
            return bool(self.item.call_id == item.call_id)
        return bool(item.id and self.item.id == item.id)

    def done(self, response_id: str, n: int) -> ToolCall:
        """Return the whole call."""
        text = "".join(self.pieces)
        arguments = self.item.arguments if self.is_done and self.item.arguments else text or self.item.arguments
        if arguments and not isinstance(arguments, str):
            arguments = msgspec.json.encode(arguments).decode()
        id = str(self.item.call_id or "") or made_id(response_id, n)
        return ToolCall(id=id, name=str(self.item.name or ""), arguments=arguments or "{}")


class _InputDetails(msgspec.Struct, gc=False):
    cached_tokens: float | None = None
    cache_write_tokens: float | None = None


class _OutputDetails(msgspec.Struct, gc=False):
    reasoning_tokens: float | None = None


class Usage(msgspec.Struct, gc=False):
    """The `usage` object; every field may be missing or null."""

    input_tokens: float | None = None
    output_tokens: float | None = None
    total_tokens: float | None = None
    input_tokens_details: _InputDetails | None = None
    output_tokens_details: _OutputDetails | None = None

    def total(self) -> TokenUsage:
        """Return it in our terms, where output includes reasoning.

        Example:
            >>> Usage(input_tokens=2, output_tokens=3).total().output_tokens
            3
        """
        n_input, n_output = self.input_tokens or 0, self.output_tokens or 0
        details = self.input_tokens_details or _InputDetails()
        reasoning = (self.output_tokens_details and self.output_tokens_details.reasoning_tokens) or 0
        # Where the reasoning is left out of the output, the total gives it away.
        if reasoning and self.total_tokens == n_input + n_output + reasoning:
            n_output += reasoning
        return TokenUsage(
            input_tokens=int(n_input),
            output_tokens=int(n_output),
            cache_read_tokens=int(details.cached_tokens or 0),
            cache_write_tokens=int(details.cache_write_tokens or 0),
            reasoning_tokens=int(reasoning),
        )


class Incomplete(msgspec.Struct, gc=False):
    """Why an answer is not whole."""

    reason: Any = None


class Response(msgspec.Struct, gc=False):
    """The response itself, as it stands in the first and the last events."""

    id: Any = None
    model: Any = None
    status: Any = None
    error: Any = None
    incomplete_details: Incomplete | None = None
    output: list[Item] | None = None
    usage: Usage | None = None


class Event(msgspec.Struct, gc=False):
    """One event of the stream."""

    type: str | None = None
    delta: Any = None
    arguments: Any = None
    item_id: Any = None
    output_index: Any = None
    summary_index: Any = None
    content_index: Any = None
    item: Item | None = None
    response: Response | None = None
    error: Any = None
    #: In an answer that was not streamed: `response`; in some errors: `error`.
    object: Any = None

    @property
    def place(self) -> int | str:
        """What tells items apart: the ids differ between the events of one item at some servers."""
        if isinstance(self.output_index, int):
            return self.output_index
        return str(self.item_id or (self.item and self.item.id) or "")
