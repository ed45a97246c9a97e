"""What a recorded answer says, in short, whatever the vendor's format.

One idea: this is to be looked at. Members are known by the names that all formats give them; nothing is replayed here.
"""

from __future__ import annotations

import re

import msgspec

from lumos_nb.tapes.said import said_at

_TEXTS = ("content", "text", "delta", "response")
_CALLS = ("function", "functionCall", "toolUse", "tool_calls", "content_block", "item")
_INPUT = re.compile(r'"(?:prompt_tokens|input_tokens|promptTokenCount|inputTokens|prompt_eval_count)"\s*:\s*(\d+)')
_OUTPUT = re.compile(r'"(?:completion_tokens|output_tokens|candidatesTokenCount|outputTokens|eval_count)"\s*:\s*(\d+)')


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """An answer in short."""

    text: str = ""
    #: Names of the tools that it calls.
    calls: tuple[str, ...] = ()
    input_tokens: int | None = None
    output_tokens: int | None = None

    def __str__(self) -> str:
        calls = " ".join(f"→ {name}(…)" for name in self.calls)
        return f"{' '.join(self.text.split())} {calls}".strip()


def answered(body: str) -> Answered:
    """Return an answer in short.

    Example:
        >>> found = answered('{"choices": [{"message": {"content": "Hello."}}], "usage": {"prompt_tokens": 3}}')
        >>> str(found), found.input_tokens, found.output_tokens
        ('Hello.', 3, None)
    """
    texts = said_at(body)
    named: dict[str, str] = {}
    for path, text in texts.items():
        named[str(path[-1])] = named.get(str(path[-1]), "") + text
    calls = [text for path, text in texts.items() if path[-1] == "name" and any(part in _CALLS for part in path)]
    return Answered(
        text=next((named[name] for name in _TEXTS if named.get(name)), ""),
        calls=tuple(calls),
        input_tokens=_most(_INPUT, body),
        output_tokens=_most(_OUTPUT, body),
    )


def _most(pattern: re.Pattern[str], body: str) -> int | None:
    # A stream may count along.
    return max(map(int, pattern.findall(body)), default=None)
