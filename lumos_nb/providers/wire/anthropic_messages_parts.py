"""The fiddly parts of an Anthropic Messages stream: blocks and usage.

One idea: figures that come later replace those that came first, and nothing is ever added up but the
iterations of one answer.
"""

from __future__ import annotations

from typing import Any

import msgspec

from lumos_nb.events import TokenUsage


class Block(msgspec.Struct, gc=False):
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


class _Details(msgspec.Struct, gc=False):
    thinking_tokens: float | None = None


class Usage(msgspec.Struct, gc=False):
    """The `usage` object; every field may be missing or null."""

    type: Any = None
    input_tokens: float | None = None
    output_tokens: float | None = None
    cache_read_input_tokens: float | None = None
    cache_creation_input_tokens: float | None = None
    output_tokens_details: _Details | None = None
    iterations: list[Usage] | None = None

    def updated(self, value: Any) -> Usage:
        """Return it with what a later `usage` says: figures are cumulative, so the last ones count.

        One that cannot be read is left out: an answer is not lost for a figure.

        Example:
            >>> Usage(input_tokens=9, output_tokens=1).updated({"output_tokens": 5}).total()
            TokenUsage(input_tokens=9, output_tokens=5, cache_read_tokens=0, cache_write_tokens=0, reasoning_tokens=0)
        """
        try:
            later = msgspec.convert(value or {}, Usage, strict=False)
        except msgspec.ValidationError:
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
