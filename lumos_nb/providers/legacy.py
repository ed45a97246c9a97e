"""Tools for models without function calling: described in the prompt, called in the text.

One idea: the model writes `<tool_call>{"name": …, "arguments": {…}}</tool_call>`, and whoever reads
the stream sees the same tool calls as from any other model. No more text is held back than could
still become a call.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from lumos_nb.events import Finish, ModelEvent, ModelToolCall, Restart, TextDelta
from lumos_nb.messages import Message, Part, TextPart, ToolCall, ToolChoice, ToolResult, ToolSpec, valid_text
from lumos_nb.providers.base import Ask

_OPENERS = {"<tool_call>": "</tool_call>", "```tool_call": "```", "```json": "```"}
_LONGEST = max(map(len, _OPENERS))
_OPENER = re.compile("|".join(map(re.escape, _OPENERS)))
_QUOTE = re.compile(r'(?<!\\)(?:\\\\)*"')
#: What stands around and between the calls of one block: white space, and tags that a model wrote once too often.
_BETWEEN = re.compile(r"(?:\s|</?tool_call>|```(?:json|tool_call)?)*")
_NAME = re.compile(r'"name"\s*:\s*"([^"]+)"')

_HOW = """You can use the tools below. To use one, write its call in this form and nothing else after it:
<tool_call>{"name": "NAME", "arguments": {…}}</tool_call>
Several calls may follow one another. The results come in the next message; then go on.

Tools, each with the JSON schema of its arguments:
"""


def adapt(ask: Ask) -> tuple[Ask, CallFilter]:
    """Return the call with its tools in words, and the filter that finds calls in the answer.

    Example:
        >>> ask, _ = adapt(Ask(messages=(Message(role="user", content="Hi"),), tools=(ToolSpec(name="now"),)))
        >>> ask.tools, ask.messages[0].role, "now" in ask.messages[0].text
        ((), 'system', True)
    """
    choice = ToolChoice.of(ask.options.tool_choice)
    tools = () if choice.mode == "none" else ask.tools
    messages = [_in_words(message) for message in ask.messages]
    if tools:
        given = [m.text for m in messages if m.role == "system"]
        system = Message(role="system", content="\n\n".join([*given, _description(tools, choice)]))
        messages = [system, *(m for m in messages if m.role != "system")]
    # A model that goes on by making up the result of its own call is stopped there.
    stop = (*(ask.options.stop or ()), "<tool_result")
    options = msgspec.structs.replace(
        ask.options, tool_choice=None, parallel_tool_calls=None, stop=stop if tools else ask.options.stop
    )
    return Ask(messages=tuple(messages), options=options), CallFilter(tools)


def _description(tools: Sequence[ToolSpec], choice: ToolChoice) -> str:
    rows = [json.dumps(msgspec.to_builtins(tool), ensure_ascii=False) for tool in tools]
    must = {"required": "\n\nYou must call a tool now.", "tool": f"\n\nYou must call {choice.name} now."}
    return _HOW + "\n".join(rows) + must.get(choice.mode, "")


def _in_words(message: Message) -> Message:
    """Return a message with its calls and results as text."""
    if isinstance(message.content, str):
        return message
    if message.role == "tool":
        results = [_result(part) for part in message.content if isinstance(part, ToolResult)]
        return Message(role="user", content="\n".join(results))
    parts: list[Part] = [TextPart(_call(p)) if isinstance(p, ToolCall) else p for p in message.content]
    return Message(role=message.role, content=tuple(parts))


def _call(call: ToolCall) -> str:
    try:
        arguments: Any = call.parsed()
    except (ValueError, RecursionError):
        arguments = {}
    return f"\n<tool_call>{json.dumps({'name': call.name, 'arguments': arguments}, ensure_ascii=False)}</tool_call>"


def _result(result: ToolResult) -> str:
    kind = ' error="true"' if result.is_error else ""
    return f'<tool_result name="{result.name}"{kind}>\n{result.content}\n</tool_result>'


class CallFilter:
    """Finds calls in the text of an answer as it streams.

    Example:
        >>> calls = CallFilter([ToolSpec(name="now")])
        >>> calls.feed([TextDelta("Let me see. <tool"), TextDelta('_call>{"name": "now"}</tool_call>')])
        [TextDelta(delta='Let me see. ')]
        >>> [event.type for event in calls.feed([Finish("stop")])]
        ['tool_call', 'finish']
    """

    def __init__(self, tools: Sequence[ToolSpec]) -> None:
        self._names = {tool.name for tool in tools}
        self._held = ""
        self._closer = ""
        self._space = ""
        self._calls: list[ToolCall] = []

    def feed(self, batch: Sequence[ModelEvent]) -> list[ModelEvent]:
        """Return what is certain by now; the calls come before `Finish`."""
        out: list[ModelEvent] = []
        for event in batch:
            if isinstance(event, TextDelta):
                self._held += event.delta
                self._scan(out)
            elif isinstance(event, Finish):
                self._end(out)
                out += map(ModelToolCall, self._calls)
                reason = "tool_calls" if self._calls and event.reason in {"stop", "other"} else event.reason
                out.append(msgspec.structs.replace(event, reason=reason))
            else:
                if isinstance(event, Restart):
                    self._held, self._closer, self._space, self._calls = "", "", "", []
                out.append(event)
        return out

    def flush(self) -> list[ModelEvent]:
        """Return the text that was held back: half a call is no call."""
        held, self._held, self._closer = self._held, "", ""
        return [TextDelta(held)] if held else []

    def _scan(self, out: list[ModelEvent]) -> None:
        while True:
            if self._closer:
                if not self._take_block(out):
                    return
            elif not self._take_text(out):
                return

    def _take_text(self, out: list[ModelEvent]) -> bool:
        """Pass on what cannot be the beginning of a call; return whether a call has begun."""
        found = _OPENER.search(self._held)
        if found:
            self._say(self._held[: found.start()], out)
            self._held, self._closer = self._held[found.start() :], _OPENERS[found[0]]
            return True
        keep = next((n for n in range(min(_LONGEST, len(self._held)), 0, -1) if self._is_start(self._held[-n:])), 0)
        said, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        self._say(said, out)
        return False

    def _take_block(self, out: list[ModelEvent], *, is_last: bool = False) -> bool:
        """Take a whole block: a call, or text that only looked like one. Return whether there was one."""
        opener = _OPENER.match(self._held)
        begin = opener.end() if opener else 0
        end = _end_of_block(self._held, begin, self._closer)
        if end < 0 and is_last:  # a quote was forgotten
            end = self._held.find(self._closer, begin)
        if end < 0:
            return False
        block, self._held = self._held[: end + len(self._closer)], self._held[end + len(self._closer) :]
        self._closer = ""
        self._take(block, block[begin:end].strip(), out)
        return True

    def _take(self, block: str, inner: str, out: list[ModelEvent]) -> None:
        calls = self._calls_in(inner, is_certain=block.startswith("<"))
        self._calls += calls
        if not calls:
            self._say(block, out)

    def _calls_in(self, text: str, *, is_certain: bool) -> list[ToolCall]:
        try:
            values = _values(text)
        except (ValueError, RecursionError):
            # Not JSON, and yet meant as a call: the tool's answer says what is wrong with it.
            name = _NAME.search(text)
            return [self._made(name[1], text)] if is_certain and name else []
        rows = [_bare(row) for value in values for row in (value if isinstance(value, list) else [value])]
        good = [row for row in rows if isinstance(row, dict) and isinstance(row.get("name"), str)]
        if not is_certain:  # a block of JSON may be part of an answer
            good = [row for row in good if row["name"] in self._names and {"arguments", "parameters"} & row.keys()]
        return [self._made(row["name"], _text_of(row)) for row in good]

    def _made(self, name: str, arguments: str) -> ToolCall:
        n, name, arguments = len(self._calls), valid_text(name), valid_text(arguments)
        digest = hashlib.sha256(f"{n}{name}{arguments}".encode()).hexdigest()[:8]
        return ToolCall(id=f"call_{digest}", name=name, arguments=arguments)

    def _end(self, out: list[ModelEvent]) -> None:
        """Take what is left: a call whose end tag was forgotten, or text."""
        while self._closer and self._take_block(out, is_last=True):
            self._scan(out)
        opener = _OPENER.match(self._held)
        if self._closer and opener:
            block, self._held = self._held, ""
            self._take(block, block[opener.end() :].strip(), out)
        self._say(self._held, out)
        self._held, self._closer = "", ""

    def _say(self, text: str, out: list[ModelEvent]) -> None:
        if self._calls:
            # White space between calls and behind them is left out; in front of further text it is kept.
            text = self._space + text
            self._space = text[len(text.rstrip()) :]
            text = text.rstrip()
        if text:
            out.append(TextDelta(text))

    def _is_start(self, text: str) -> bool:
        return any(opener.startswith(text) for opener in _OPENERS)


def _end_of_block(text: str, begin: int, closer: str) -> int:
    """Return where a block's end tag begins, or -1; one in a JSON string is part of the call.

    Example:
        >>> _end_of_block('{"a": "</x>"}</x>', 0, "</x>")
        13
    """
    at, is_inside, end = begin, False, text.find(closer, begin)
    while end >= 0:
        is_inside ^= len(_QUOTE.findall(text, at, end)) % 2 == 1
        if not is_inside:
            return end
        at, end = end, text.find(closer, end + 1)
    return -1


def _values(text: str) -> list[Any]:
    """Return the JSON values that follow one another in a text.

    Raises:
        ValueError: Something else stands there too.

    Example:
        >>> _values('{"a": 1}\\n<tool_call>{"a": 2}')
        [{'a': 1}, {'a': 2}]
    """
    values, at = [], _after_marks(text, 0)
    while at < len(text):
        value, at = _json.raw_decode(text, at)
        values.append(value)
        at = _after_marks(text, at)
    return values


_json = json.JSONDecoder()


def _after_marks(text: str, at: int) -> int:
    found = _BETWEEN.match(text, at)
    return found.end() if found else at


def _bare(row: Any) -> Any:
    """Return a call without the `function` that some models put around it, as in Chat Completions."""
    inner = row.get("function") if isinstance(row, dict) else None
    return inner if isinstance(inner, dict) else row


def _text_of(row: dict[str, Any]) -> str:
    arguments = row.get("arguments", row.get("parameters")) or {}
    return arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
