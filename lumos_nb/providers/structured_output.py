"""Answers that keep to a form, from models that cannot be held to one.

One idea: whatever the way, what comes back is the JSON text of the answer, as text. A format's own
way needs nothing from here; the others are a tool whose arguments are the answer, or words.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import msgspec

from lumos_nb.events import Finish, ModelEvent, ModelToolCall, ReasoningDelta, Restart, TextDelta
from lumos_nb.messages import Message, ToolChoice, ToolSpec
from lumos_nb.providers.base import Ask, OutputSchema

_IN_WORDS = "Answer with one JSON object that fits this JSON schema, and with nothing else:\n"


def adapt(ask: Ask, way: str) -> tuple[Ask, AnswerFilter | None]:
    """Return the call in which the form of the answer is asked for in a way, and the filter of its answer.

    Args:
        ask: A call with `options.output`.
        way: `schema`, `json`, `tool` or `prompt`; see `Quirks.structured`.

    Example:
        >>> from lumos_nb.providers.base import ModelOptions
        >>> options = ModelOptions(output=OutputSchema(schema={"type": "object"}))
        >>> ask, _ = adapt(Ask(messages=(Message(role="user", content="Hi"),), options=options), "tool")
        >>> ask.tools[0].name, ask.options.tool_choice.name
        ('answer', 'answer')
    """
    output = ask.options.output
    if output is None or way == "schema":
        return ask, None
    if way == "tool":
        return _by_tool(ask, output)
    words = Message(role="system", content=_IN_WORDS + json.dumps(output.schema, ensure_ascii=False))
    options = ask.options if way == "json" else msgspec.structs.replace(ask.options, output=None)
    system = [m for m in ask.messages if m.role == "system"]
    others = [m for m in ask.messages if m.role != "system"]
    return msgspec.structs.replace(ask, messages=(*system, words, *others), options=options), None


def _by_tool(ask: Ask, output: OutputSchema) -> tuple[Ask, AnswerFilter]:
    name, taken = output.name, {tool.name for tool in ask.tools}
    while name in taken:
        name += "_"
    tool = ToolSpec(name=name, description="Give your final answer with this, once.", parameters=output.schema)
    choice = ToolChoice("required") if ask.tools else ToolChoice("tool", name)
    options = msgspec.structs.replace(ask.options, output=None, tool_choice=choice)
    return msgspec.structs.replace(ask, tools=(*ask.tools, tool), options=options), AnswerFilter(name)


class AnswerFilter:
    """Turns the call of the answer's tool into text; what is said beside it counts as reasoning.

    Example:
        >>> from lumos_nb.messages import ToolCall
        >>> call = ModelToolCall(ToolCall(id="1", name="answer", arguments='{"n": 1}'))
        >>> AnswerFilter("answer").feed([TextDelta("Here:"), call, Finish("tool_calls")])[:2]
        [ReasoningDelta(delta='Here:'), TextDelta(delta='{"n": 1}')]
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._said: list[str] = []
        self._answer = ""
        self._others: list[ModelEvent] = []

    def feed(self, batch: Sequence[ModelEvent]) -> list[ModelEvent]:
        """Return what is certain by now: text only at the end, for it may turn out not to be the answer."""
        out: list[ModelEvent] = []
        for event in batch:
            match event:
                case TextDelta():
                    self._said.append(event.delta)
                case ModelToolCall() if event.name == self._name:
                    self._answer = event.arguments
                case ModelToolCall():
                    self._others.append(event)
                case Restart():
                    self._said, self._answer, self._others = [], "", []
                    out.append(event)
                case Finish():
                    out += self._end(event)
                case _:
                    out.append(event)
        return out

    def flush(self) -> list[ModelEvent]:
        """Return the text that was held back."""
        said, self._said = "".join(self._said), []
        return [TextDelta(said)] if said else []

    def _end(self, finish: Finish) -> list[ModelEvent]:
        if self._others:  # it works on: an answer beside other calls came too early
            return [*self.flush(), *self._others, finish]
        if not self._answer:
            return [*self.flush(), finish]
        said = "".join(self._said)
        reason = "stop" if finish.reason == "tool_calls" else finish.reason
        thought = [ReasoningDelta(said)] if said else []
        return [*thought, TextDelta(self._answer), msgspec.structs.replace(finish, reason=reason)]
