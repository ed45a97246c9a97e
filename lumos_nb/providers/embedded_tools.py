"""Tools for a model that cannot choose one.

One idea: rules pick the tool and what its arguments may be, a JSON schema holds the model to it,
and a grammar holds its answer to the result. Everything here is a pure function.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import chain
from typing import Any

from lumos_nb.messages import Message, ToolResult
from lumos_nb.providers.base import ToolSpec
from lumos_nb.providers.embedded_prompt import last_user

_STOP_WORDS = """
a an and are as at be by can do does for from get give how i in is it its let like list me my new now of on or our
please show so tell that the their them then there these this those to use want was we what when where which who
will with would you your return value data name number text string
"""
_STOP = frozenset(_STOP_WORDS.split())
_THRESHOLD = 2


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
    at = last_user(messages)
    if at is None:
        return None
    text = messages[at].text
    asked = words(text)
    done = {call.name for message in messages[at + 1 :] for call in message.tool_calls}
    for tool in tools:
        if tool.name in done:
            asked -= words(tool.name) | words(tool.description) | _enum_words(tool)
    if done:
        # What is left of the message asks for a second tool only by its words, not by numbers already used.
        text = ""
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
    return score + (4 if re.search(rf"\b{re.escape(tool.name)}\b", text) else 0)


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
        elif "enum" not in row and (said := _said(name, row, tool, text)):
            row["enum"] = said
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


_FREE_WORDS = "body code command content expression message prompt query question sql text"
_FREE = frozenset(_FREE_WORDS.split())


def _said(name: str, row: dict[str, Any], tool: ToolSpec, text: str) -> list[Any]:
    """Return the values for an argument that the text offers; empty: anything goes."""
    if row.get("type") == "integer":
        return list(dict.fromkeys(int(n) for n in re.findall(r"-?\b\d{1,15}\b", text)))
    if row.get("type") != "string" or len(text) > 300 or _FREE & set(re.findall("[a-z]+", name.lower())):
        return []
    others = " ".join(tool.parameters.get("properties", {}))
    taken = words(f"{tool.name} {tool.description} {others} {row.get('description', '')}") | _enum_words(tool)
    phrases = re.findall(r"[A-Z]\w+(?: [A-Z]\w+)+", text)
    single = [w for w in re.findall(r"[^\W\d]\w*", text) if words(w) and not words(w) & taken]
    return list(dict.fromkeys([*phrases, *single]))


_VERBS = frozenset(["get", "fetch", "find", "list", "read", "show", "compute", "calculate"])


def answer_grammar(messages: Sequence[Message]) -> str:
    """Return the grammar of an answer that states a short tool result as it is; empty: no grammar.

    Left alone the model "corrects" results (42 becomes 67): it may choose the words around one, no more.

    Example:
        >>> from lumos_nb.messages import ToolCall
        >>> call = ToolCall(id="1", name="average_order", arguments='{"region": "South"}')
        >>> result = ToolResult(call_id="1", name="average_order", content="42.1")
        >>> asked = Message(role="user", content="What is the average order in the South?")
        >>> said = Message(role="tool", content=(result,))
        >>> print(answer_grammar([asked, Message(role="assistant", content=(call,)), said]))
        root ::= ("The average order" ("" | (" in " | " for " | " of ") ("" | "the ") ("South"))) " is " "42.1" "."
    """
    at = last_user(messages)
    results = [p for m in messages[-1:] if m.role == "tool" for p in m.parts if isinstance(p, ToolResult)]
    if at is None or len(results) != 1 or results[0].is_error:
        return ""
    result = results[0].content.strip().rstrip(".")
    if not result or len(result) > 120 or "\n" in result or result[0] in "{[<(":
        return ""
    noun = [w for w in results[0].name.replace("_", " ").lower().split() if w not in _VERBS]
    stated = f'" is " {json.dumps(result, ensure_ascii=False)} "."'
    about = _text_arguments(messages[at:])
    subject = words(" ".join(noun))
    # A name of one word may be a verb ("add"), and then makes no sentence.
    if len(noun) + len(about) < 2 or not subject or not subject <= words(messages[at].text):
        return f'root ::= ("The answer" | "The result") {stated}'
    where = f' ("" | (" in " | " for " | " of ") ("" | "the ") ({" | ".join(about)}))' if about else ""
    return f'root ::= ("The {" ".join(noun)}"{where}) {stated}'


def _text_arguments(messages: Sequence[Message]) -> list[str]:
    calls = [call for message in messages for call in message.tool_calls][-1:]
    try:
        values = [v for call in calls for v in call.parsed().values()]
    except ValueError:
        return []
    return [json.dumps(v, ensure_ascii=False) for v in values if isinstance(v, str) and 0 < len(v) <= 40]
