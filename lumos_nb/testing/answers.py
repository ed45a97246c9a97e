"""What a scripted model says: one `Answer` a model call, and how it arrives.

One idea: the same answer serves the provider in memory and the server on a socket; `Reply` adds
what only HTTP can do wrong.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lumos_nb.events import TokenUsage
from lumos_nb.messages import ToolCall


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer of a model.

    Example:
        >>> Answer(text="Hello there").pieces()
        ['Hello ', 'there']
        >>> Answer(chunks=("He", "llo")).pieces()
        ['He', 'llo']
    """

    text: str = ""
    """What it says, sent word by word."""
    chunks: Sequence[str] = ()
    """What it says, in exactly these pieces; wins over `text`."""
    delay_s: float = 0.0
    """Seconds before each piece."""
    tokens_per_s: float = 0.0
    """Pieces a second; wins over `delay_s`."""
    reasoning: str = ""
    """What it thinks first, sent word by word."""
    signature: str = ""
    """Opaque data that goes with the reasoning, in formats that have it."""
    tool_calls: Sequence[ToolCall] = ()
    """Tools that it asks for, after the text."""
    usage: TokenUsage | None = None
    """Tokens; None: counted in words."""
    finish: str = ""
    """Finish reason; empty: `tool_calls` with calls, else `stop`."""
    error: BaseException | None = None
    """Raised by `ScriptedProvider` after `error_after` pieces."""
    error_after: int = 0
    """Pieces that come before `error`."""

    def pieces(self) -> list[str]:
        """Return the text in the pieces in which it is sent."""
        return list(self.chunks) or split(self.text)

    @property
    def pause_s(self) -> float:
        """Seconds before each piece."""
        return 1 / self.tokens_per_s if self.tokens_per_s else self.delay_s

    @property
    def reason(self) -> str:
        """The finish reason."""
        return self.finish or ("tool_calls" if self.tool_calls else "stop")

    def counted(self, n_input: int) -> TokenUsage:
        """Return the usage, counted in words if the script gives none."""
        if self.usage is not None:
            return self.usage
        n_reasoning = len(split(self.reasoning))
        n_output = len(self.pieces()) + n_reasoning + sum(len(c.arguments.split()) + 1 for c in self.tool_calls)
        return TokenUsage(input_tokens=n_input, output_tokens=n_output, reasoning_tokens=n_reasoning)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One HTTP answer of `FakeServer`, good or bad."""

    answer: Answer = field(default_factory=Answer)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | str | None = None
    """Sent as it is in place of the answer, with `content_type`."""
    content_type: str = ""
    """Empty: an event stream for an answer, JSON for a body."""
    first_byte_delay_s: float = 0.0
    """Seconds before the status line."""
    cut_after: int | None = None
    """Pieces after which the connection ends as `cut` says."""
    cut: str = "reset"
    """`reset` (TCP reset), `close` (clean end without [DONE]), `stall` (nothing more, until the client leaves)."""
    garbage_after: int | None = None
    """Pieces after which a line that is no JSON is sent."""
    error_after: int | None = None
    """Pieces after which an error object is sent in the stream, as some servers do."""


def split(text: str) -> list[str]:
    """Return words with the white space behind them."""
    return re.findall(r"\S+\s*|\s+", text)


def fragments(arguments: str) -> list[str]:
    """Return the arguments of a call in the pieces in which servers send them.

    Example:
        >>> fragments('{"city": "Oslo"}')
        ['{"city":', ' "Oslo"}']
    """
    return [arguments[start : start + 8] for start in range(0, len(arguments), 8)]


def count_words(messages: Sequence[Mapping[str, Any]]) -> int:
    """Return how many words the messages of a request have.

    Example:
        >>> count_words([{"role": "user", "content": "Hello there"}])
        2
    """
    return sum(len(str(message.get("content") or "").split()) for message in messages)


def markdown(n_words: int = 300) -> str:
    """Return an answer with headings, a table, code, lists and mathematics, about `n_words` long.

    Example:
        >>> len(markdown(500).split()) >= 500
        True
    """
    sections: list[str] = []
    size = 0
    while size < n_words:
        n = len(sections) + 1
        sections.append(_SECTION.format(n=n))
        size += len(sections[-1].split())
    return "\n".join(sections)


_SECTION = """## Region {n}

The **average order** in region {n} is *4{n}.1*, up from `3{n}.7`; see [the notes](https://example.com/{n}).

| month | orders | value |
|---|---:|---:|
| January | {n}20 | 4{n}.1 |
| February | {n}35 | 4{n}.9 |

1. Group by month.
2. Take the mean:
   - without refunds,
   - with tax.

```python
def average(orders: list[float]) -> float:
    return sum(orders) / len(orders)  # region {n}
```

> The mean is $\\bar x = \\frac{{1}}{{n}} \\sum_i x_i$.

"""
