"""Tool calls that stand in content blocks and come in pieces.

One idea: a piece belongs to the call whose block has its index; pieces for other blocks are of tools
that run at the server, and are skipped.
"""

from __future__ import annotations

from typing import Any

import msgspec

from lumos_nb.messages import ToolCall
from lumos_nb.providers.wire.decoding import made_id
from lumos_nb.providers.wire.encoding import object_of


class _Open(msgspec.Struct, gc=False):
    id: str
    name: str
    pieces: list[str]
    #: What came with the beginning of the block; counts if no piece follows.
    whole: Any


class BlockCalls:
    """Collects the blocks that call tools.

    Example:
        >>> calls = BlockCalls()
        >>> calls.begin(1, "a", "f"); calls.add(1, '{"x":'); calls.add(1, "1}"); calls.add(2, "?")
        >>> [(call.id, call.name, call.arguments) for call in calls.complete("")]
        [('a', 'f', '{"x":1}')]
    """

    def __init__(self) -> None:
        self._order: list[_Open] = []
        self._by_index: dict[int, _Open] = {}

    def begin(self, index: int, id: Any, name: Any, input: Any = None) -> None:
        """Begin a call."""
        call = _Open(str(id or ""), name if isinstance(name, str) else "", [], input)
        self._by_index[index] = call
        self._order.append(call)

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
                id=call.id or made_id(response_id, n),
                name=call.name,
                arguments="".join(call.pieces) or _text_of(call.whole),
            )
            for n, call in enumerate(self._order)
        ]


def _text_of(input: Any) -> str:
    if isinstance(input, str):
        return input or "{}"
    return msgspec.json.encode(input or {}).decode()


def uncut(calls: list[ToolCall], reason: str) -> list[ToolCall]:
    """Return calls without a last one that the end of the answer cut: it would run with what it never was given.

    Example:
        >>> uncut([ToolCall(id="1", name="f", arguments='{"a": 1}'), ToolCall(id="2", name="drop")], "length")
        [ToolCall(id='1', name='f', arguments='{"a": 1}')]
    """
    return calls[:-1] if calls and reason == "length" and not object_of(calls[-1].arguments) else calls
