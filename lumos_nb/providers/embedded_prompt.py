"""What a very small model needs said for it.

One idea: the model is good at finishing a sentence and poor at deciding, so rules decide (which
tool, which facts) and the model words the answer. Everything here is a pure function.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain
from typing import Any

import msgspec

from lumos_nb.messages import Message, ToolResult
from lumos_nb.providers.base import ToolSpec

SYSTEM = "You are a helpful assistant."
"""With the template's own default the answers are nonsense; with this they are sensible."""

_STOP_WORDS = """
a an and are as at be by can do does for from get give how i in is it its let like list me my new now of on or our
please show so tell that the their them then there these this those to use want was we what when where which who
will with would you your return value data name number text string
"""
_STOP = frozenset(_STOP_WORDS.split())
_THRESHOLD = 2
_TOOL_CHARS = 2_000
_BUDGET_CHARS = 9_000


def words(text: str) -> set[str]:
    """Return the telling words of a text, with endings cut off.

    Example:
        >>> sorted(words("What is the average_order of the Regions?"))
        ['averag', 'order', 'region']
    """
    split = re.sub(r"([a-z])([A-Z])", r"\1 \2", text).replace("_", " ").lower()
    return {_stem(w) for w in re.findall(r"[^\W\d_]+", split) if w not in _STOP and len(w) > 1}


def _stem(word: str) -> str:
    for ending in ("ations", "ation", "ings", "ing", "ies", "es", "ed", "s", "e", "y"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def pick_tool(messages: Sequence[Message], tools: Sequence[ToolSpec]) -> ToolSpec | None:
    """Return the tool that the last user message asks for, or None.

    A tool that ran since that message is not picked again, and the words that asked for it no
    longer count.

    Example:
        >>> sales = ToolSpec(name="average_order", description="Average order value of a region.")
        >>> pick_tool([Message(role="user", content="What is the average order in the South?")], [sales]).name
        'average_order'
        >>> pick_tool([Message(role="user", content="Good morning!")], [sales]) is None
        True
    """
    at = _last_user(messages)
    if at is None:
        return None
    text = messages[at].text
    asked = words(text)
    done = {call.name for message in messages[at + 1 :] for call in message.tool_calls}
    for tool in tools:
        if tool.name in done:
            asked -= words(tool.name) | words(tool.description) | _enum_words(tool)
    best = max((t for t in tools if t.name not in done), key=lambda t: _score(asked, text, t), default=None)
    return best if best is not None and _score(asked, text, best) >= _THRESHOLD else None


def _score(asked: set[str], text: str, tool: ToolSpec) -> int:
    name = words(tool.name)
    properties: dict[str, Any] = tool.parameters.get("properties", {})
    about = words(tool.description) | words(" ".join(properties))
    enums = _enum_words(tool)
    score = 2 * len(asked & name) + len(asked & about - name) + 2 * len(asked & enums - name)
    numeric = [n for n in tool.parameters.get("required", ()) if properties.get(n, {}).get("type") in _NUMBERS]
    # "2 plus 3" names no tool, but only a tool that takes two numbers can want it.
    if len(numeric) > 1 and len(re.findall(r"\d+", text)) >= len(numeric):
        score += 2
    return score + (4 if tool.name in text else 0)


_NUMBERS = ("integer", "number")


def _enum_words(tool: ToolSpec) -> set[str]:
    rows = tool.parameters.get("properties", {}).values()
    return words(" ".join(str(v) for v in chain.from_iterable(row.get("enum", ()) for row in rows)))


def envelope(tool: ToolSpec, text: str) -> dict[str, Any]:
    """Return the JSON schema of a call of `tool`, narrowed by what the user's text says.

    Example:
        >>> properties = {"region": {"enum": ["North", "South"]}}
        >>> tool = ToolSpec(name="f", parameters={"type": "object", "properties": properties})
        >>> envelope(tool, "in the south")["properties"]["arguments"]["properties"]
        {'region': {'enum': ['South']}}
    """
    schema = dict(tool.parameters)
    definitions = schema.pop("$defs", None)
    required = schema.get("required", [])
    kept: dict[str, Any] = {}
    for name, row in schema.get("properties", {}).items():
        row = dict(row)
        named = [v for v in row.get("enum", ()) if str(v).lower() in text.lower()]
        if len(named) == 1:
            row["enum"] = named
        # An optional argument that the text does not speak of would be made up.
        if name in required or named or words(name) & words(text):
            kept[name] = row
    arguments = {**schema, "type": "object", "properties": kept, "required": list(kept)}
    outer: dict[str, Any] = {
        "type": "object",
        "properties": {"name": {"const": tool.name}, "arguments": arguments},
        "required": ["name", "arguments"],
    }
    return outer | ({"$defs": definitions} if definitions else {})


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
    at = _last_user(messages)
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
    at = _last_user(cut) or 0
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


def _last_user(messages: Sequence[Message]) -> int | None:
    return next((i for i in range(len(messages) - 1, -1, -1) if messages[i].role == "user"), None)
