"""What a very small model needs said for it.

One idea: the model is good at finishing a sentence and poor at deciding, so rules decide (which
facts, how much of the conversation) and the model words the answer. Everything here is a pure function.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from lumos_nb.messages import Message, ToolResult

SYSTEM = "You are a helpful assistant."
"""With the template's own default the answers are nonsense; with this they are sensible."""

_TOOL_CHARS = 2_000
_BUDGET_CHARS = 9_000


class Recall(msgspec.Struct, frozen=True):
    """A question of the user about themselves: what they said, and how the answer begins."""

    prompt: str
    beginning: str


_OPENINGS = (
    (re.compile(r"\bwho am i\b", re.I), "You are"),
    (re.compile(r"\bhow old am i\b", re.I), "You are"),
    (re.compile(r"\b(?:where|what|which \w+|who) (?:do|did) i (\w+)\b(?: (in|at|on|for|as|to)\b)?", re.I), "You {}"),
    (re.compile(r"\bmy ((?:favou?rite |first |last )?[^\W\d_]+)", re.I), "Your {} is"),
)
_ABOUT_ME = re.compile(r"\b(?:my|i|i'm|i've|me)\b", re.I)
_ASKS = re.compile(r"\?\s*$|^\s*(?:what|who|where|when|which|how|do you|can you|tell me|say|repeat)\b", re.I)


def recall(messages: Sequence[Message]) -> Recall | None:
    """Return how to ask what the user told earlier, if that is what the last message asks.

    With the plain history the model mixes itself up with the user (3 of 12 right); with the user's
    own words as context and the answer's first words given, 12 of 12.

    Example:
        >>> said = [Message(role="user", content="My name is Ada."), Message(role="user", content="What is my name?")]
        >>> recall(said).beginning
        'Your name is'
    """
    at = last_user(messages)
    if at is None or at != len(messages) - 1:
        return None
    question = messages[at].text.strip()
    if len(question) > 200 or not _ASKS.search(question) or not _ABOUT_ME.search(question):
        return None
    opening = next(((m, form) for rule, form in _OPENINGS if (m := rule.search(question))), None)
    facts = _facts(messages[:at], question)
    if opening is None or not facts:
        return None
    match, form = opening
    said = form.format(" ".join(g for g in match.groups() if g) if match.groups() else "").strip()
    prompt = f"Context: {' '.join(facts)}\nQuestion: {question}\nAnswer in one short sentence using the context."
    return Recall(prompt, said)


def _facts(messages: Sequence[Message], question: str) -> list[str]:
    said = [m.text.strip() for m in messages if m.role == "user"]
    own = [t for t in said if _ABOUT_ME.search(t) and not _ASKS.search(t) and len(t) < 400]
    asked = set(re.findall(r"\w{3,}", question.lower())) - {"what", "where", "who", "know", "you", "tell"}
    near = [t for t in own if asked & set(re.findall(r"\w{3,}", t.lower()))]
    return (near or own)[-4:]


def fit(messages: Sequence[Message], budget_chars: int = _BUDGET_CHARS) -> list[Message]:
    """Return the messages that fit the window: long tool results cut, the oldest messages dropped.

    The last user message and what follows it are always kept.

    Example:
        >>> [m.text for m in fit([Message(role="user", content="a" * 99), Message(role="user", content="b")], 50)]
        ['b']
    """
    cut = [_cut_results(m) for m in messages if m.role != "system"]
    at = last_user(cut) or 0
    start, size = at, sum(map(_size, cut[at:]))
    while start > 0 and size + _size(cut[start - 1]) <= budget_chars:
        start -= 1
        size += _size(cut[start])
    # A conversation cannot begin with the result of a call that was dropped.
    while start < at and cut[start].role != "user":
        start += 1
    return cut[start:]


def _size(message: Message) -> int:
    return len(message.text) + sum(len(getattr(p, "content", getattr(p, "arguments", ""))) for p in message.parts) + 20


def _cut_results(message: Message) -> Message:
    if message.role != "tool":
        return message
    parts = tuple(
        msgspec.structs.replace(p, content=_middle_cut(p.content)) if isinstance(p, ToolResult) else p
        for p in message.parts
    )
    return msgspec.structs.replace(message, content=parts)


def _middle_cut(text: str, limit: int = _TOOL_CHARS) -> str:
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n… {len(text) - 2 * half:,} characters cut …\n{text[-half:]}"


def last_user(messages: Sequence[Message]) -> int | None:
    """Return where the last message of the user stands."""
    return next((i for i in range(len(messages) - 1, -1, -1) if messages[i].role == "user"), None)
