"""The fiddly parts of a Chat Completions stream: tool calls, usage, lists of content.

One idea: one accumulator that reads every shape of tool call seen in recordings, so that no
vendor needs its own.
"""

from __future__ import annotations

from typing import Any

import msgspec

from lumos_nb.events import TokenUsage
from lumos_nb.messages import ToolCall
from lumos_nb.providers.wire.decoding import made_id


class _Function(msgspec.Struct, gc=False):
    name: str | None = None
    #: Text as a rule; an object from a few servers.
    arguments: Any = None


class CallPart(msgspec.Struct, gc=False):
    """A whole tool call or a fragment of one, as it stands in a delta."""

    index: int | None = None
    id: Any = None
    function: _Function | None = None


class _Open(msgspec.Struct, gc=False):
    id: str
    name: str
    pieces: list[str]


class Calls:
    """Collects fragments into tool calls.

    Example:
        >>> calls = Calls()
        >>> calls.add(CallPart(0, "a", _Function("f", ""))); calls.add(CallPart(0, "", _Function(None, "{}")))
        >>> calls.complete("")
        [ToolCall(id='a', name='f', arguments='{}')]
    """

    def __init__(self) -> None:
        self._order: list[_Open] = []
        self._by_index: dict[int, _Open] = {}

    def add(self, part: CallPart) -> None:
        """Take in one entry of `tool_calls`."""
        call_id = str(part.id) if part.id is not None else ""
        name = (part.function and part.function.name) or ""
        call = self._find(part.index, call_id, name)
        # Ids and names are repeated by some servers and empty in later fragments of others:
        # the first that says something is kept, and nothing is ever joined.
        call.id = call.id or call_id
        call.name = call.name or name
        arguments = part.function and part.function.arguments
        if arguments is not None and arguments != "":
            call.pieces.append(arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode())

    def complete(self, response_id: str) -> list[ToolCall]:
        """Return the calls in the order in which they began."""
        return [
            ToolCall(
                id=call.id or made_id(response_id, n),
                name=call.name,
                arguments="".join(call.pieces) or "{}",
            )
            for n, call in enumerate(self._order)
        ]

    def _find(self, index: int | None, call_id: str, name: str) -> _Open:
        if index is None:
            if call_id:
                found = next((c for c in self._order if c.id == call_id), None)
            else:
                # A fragment without id and name belongs to the last call; one with a name begins a call.
                found = self._order[-1] if self._order and not name else None
            return found or self._begin(None)
        found = self._by_index.get(index)
        if found is not None and call_id and found.id and found.id != call_id:
            found = None
        return found or self._begin(index)

    def _begin(self, index: int | None) -> _Open:
        call = _Open("", "", [])
        self._order.append(call)
        if index is not None:
            self._by_index[index] = call
        return call


class _PromptDetails(msgspec.Struct, gc=False):
    cached_tokens: float | None = None
    cache_write_tokens: float | None = None


class _CompletionDetails(msgspec.Struct, gc=False):
    reasoning_tokens: float | None = None


class Usage(msgspec.Struct, gc=False):
    """The `usage` object; every field may be missing or null."""

    prompt_tokens: float | None = None
    completion_tokens: float | None = None
    total_tokens: float | None = None
    #: At Together; elsewhere in the details.
    cached_tokens: float | None = None
    prompt_cache_hit_tokens: float | None = None
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None

    def total(self) -> TokenUsage:
        """Return it in our terms, where output includes reasoning.

        Example:
            >>> Usage(prompt_tokens=2, completion_tokens=3).total().output_tokens
            3
        """
        prompt, output = self.prompt_tokens or 0, self.completion_tokens or 0
        details = self.prompt_tokens_details or _PromptDetails()
        reasoning = (self.completion_tokens_details and self.completion_tokens_details.reasoning_tokens) or 0
        # xAI leaves reasoning out of completion_tokens; the total gives it away.
        if reasoning and self.total_tokens == prompt + output + reasoning:
            output += reasoning
        cached = details.cached_tokens or self.prompt_cache_hit_tokens or self.cached_tokens or 0
        return TokenUsage(
            input_tokens=int(prompt),
            output_tokens=int(output),
            cache_read_tokens=int(cached),
            cache_write_tokens=int(details.cache_write_tokens or 0),
            reasoning_tokens=int(reasoning),
        )


def split_content(content: Any) -> tuple[str, str]:
    """Return reasoning and text of a content that is a list of parts.

    Example:
        >>> split_content([{"type": "thinking", "thinking": "a"}, {"type": "text", "text": "b"}])
        ('a', 'b')
    """
    thoughts: list[str] = []
    texts: list[str] = []
    for part in content if isinstance(content, list) else [content]:
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, dict) and part.get("type") == "thinking":
            inner = part.get("thinking")
            thoughts.append(inner if isinstance(inner, str) else "".join(split_content(inner)))
        elif isinstance(part, dict) and isinstance(part.get("text"), str):
            texts.append(part["text"])
    return "".join(thoughts), "".join(texts)


def joined_details(rows: list[Any]) -> str:
    """Return the fragments of `reasoning_details` as the JSON text of whole rows.

    Fragments of one row share its type and index; their texts follow one another, and whatever else
    they say is kept.

    Example:
        >>> joined_details([{"type": "reasoning.text", "text": "a"}, {"type": "reasoning.text", "text": "b"}])
        '[{"type":"reasoning.text","text":"ab"}]'
    """
    whole: list[dict[str, Any]] = []
    for row in rows:
        if not isinstance(row, dict):
            continue
        last = whole[-1] if whole else {}
        if whole and all(last.get(key) == row.get(key) for key in ("type", "index")):
            for key, value in row.items():
                joins = key in {"text", "summary", "data"} and isinstance(value, str) and isinstance(last.get(key), str)
                last[key] = last[key] + value if joins else value if value is not None else last.get(key)
        else:
            whole.append(dict(row))
    return msgspec.json.encode(whole).decode()
