"""The fiddly parts of an Anthropic Messages stream: blocks, tool calls, usage.

One idea: figures that come later replace those that came first, and nothing is ever added up but the
iterations of one answer.
"""

from __future__ import annotations

from typing import Any

import msgspec

from lumos_nb.events import TokenUsage
from lumos_nb.messages import ToolCall


class Block(msgspec.Struct):
    """The beginning of a content block; what kinds that are not known put into a key may be anything."""

    type: Any = None
    id: Any = None
    name: Any = None
    input: Any = None
    text: Any = None
    thinking: Any = None
    signature: Any = None
    data: Any = None

    def text_of(self, key: str) -> str:
        """Return a field if it is a text.

        Example:
            >>> Block(text="Hi").text_of("text"), Block(text=None).text_of("text")
            ('Hi', '')
        """
        value = getattr(self, key)
        return value if isinstance(value, str) else ""


class _Open(msgspec.Struct):
    block: Block
    pieces: list[str]


class Calls:
    """Collects the blocks that call tools. Pieces for other blocks are skipped: those tools run at the server.

    Example:
        >>> calls = Calls()
        >>> calls.begin(1, Block(id="a", name="f")); calls.add(1, '{"x":'); calls.add(1, "1}"); calls.add(2, "?")
        >>> [(call.id, call.name, call.arguments) for call in calls.complete("")]
        [('a', 'f', '{"x":1}')]
    """

    def __init__(self) -> None:
        self._order: list[_Open] = []
        self._by_index: dict[int, _Open] = {}

    def begin(self, index: int, block: Block) -> None:
        """Begin a call."""
        self._by_index[index] = _Open(block, [])
        self._order.append(self._by_index[index])

    def end(self, index: int) -> None:
        """Take no more for the block that had this index: another has begun under it."""
        self._by_index.pop(index, None)

    def add(self, index: int, piece: str) -> None:
        """Take in a piece of a call's arguments."""
        if (call := self._by_index.get(index)) is not None:
            call.pieces.append(piece)

    def complete(self, response_id: str) -> list[ToolCall]:
        """Return the calls in the order in which they began."""
        return [
            ToolCall(
                # An id that is missing is made from the response's own: the same bytes give the same id.
                id=str(call.block.id or "") or "_".join(filter(None, ("call", response_id[-12:], str(n)))),
                name=call.block.text_of("name"),
                arguments="".join(call.pieces) or _whole(call.block.input),
            )
            for n, call in enumerate(self._order)
        ]


def _whole(input: Any) -> str:
    """Return arguments that came with the beginning of a block, as some servers send them."""
    if isinstance(input, str):
        return input or "{}"
    return msgspec.json.encode(input or {}).decode()


class _Details(msgspec.Struct):
    thinking_tokens: float | None = None


class Usage(msgspec.Struct):
    """The `usage` object; every field may be missing or null."""

    type: Any = None
    input_tokens: float | None = None
    output_tokens: float | None = None
    cache_read_input_tokens: float | None = None
    cache_creation_input_tokens: float | None = None
    output_tokens_details: _Details | None = None
    iterations: list[Usage] | None = None

    def updated(self, later: Usage | None) -> Usage:
        """Return it with what `later` says: figures are cumulative, so the last ones count.

        Example:
            >>> Usage(input_tokens=9, output_tokens=1).updated(Usage(output_tokens=5)).total()
            TokenUsage(input_tokens=9, output_tokens=5, cache_read_tokens=0, cache_write_tokens=0, reasoning_tokens=0)
        """
        if later is None:
            return self
        said = {f: value for f in self.__struct_fields__ if (value := getattr(later, f)) is not None}
        return msgspec.structs.replace(self, **said)

    def total(self) -> TokenUsage:
        """Return it in our terms, where input includes what the cache held."""
        if any(one.type == "compaction" for one in self.iterations or ()):
            # Where the server shortened the conversation on the way, the outer figures are the last part's alone.
            parts = [one.total() for one in self.iterations or ()]
            whole = sum(parts[1:], parts[0])
            return msgspec.structs.replace(whole, reasoning_tokens=self._reasoning)
        read, write = int(self.cache_read_input_tokens or 0), int(self.cache_creation_input_tokens or 0)
        return TokenUsage(
            input_tokens=int(self.input_tokens or 0) + read + write,
            output_tokens=int(self.output_tokens or 0),
            cache_read_tokens=read,
            cache_write_tokens=write,
            reasoning_tokens=self._reasoning,
        )

    @property
    def _reasoning(self) -> int:
        return int((self.output_tokens_details and self.output_tokens_details.thinking_tokens) or 0)
