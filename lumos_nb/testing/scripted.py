"""A model with a script, in memory.

One idea: it records what it is asked and plays what it is told, so that a test of an agent needs
no network and says both sides of the conversation.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from lumos_nb.errors import UsageError
from lumos_nb.events import Finish, ModelEvent, ModelToolCall, ReasoningDelta, TextDelta
from lumos_nb.messages import Message, ToolCall
from lumos_nb.providers.base import LlmProvider, ModelOptions, ToolSpec
from lumos_nb.testing.answers import Answer, split

Scripted = Any
"""A line of a script: str, Answer, ToolCall or several, an exception, or a function that returns one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest:
    """One model call as the provider received it."""

    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...]
    options: ModelOptions | None


class ScriptedProvider(LlmProvider):
    """A provider that plays one line of its script for each model call.

    Args:
        script: One entry a model call: a text, an `Answer`, a `ToolCall` or several, an error to
            raise, or a function of the messages that returns one of these. A function in place of
            the list serves every call.
        model: Its name.

    Attributes:
        requests: What it was asked, call by call.

    Example:
        >>> import asyncio
        >>> model = ScriptedProvider([ToolCall(id="1", name="rows", arguments="{}"), "Done."])
        >>> asyncio.run(model.generate([Message(role="user", content="Go")])).tool_calls[0].name
        'rows'
        >>> model.requests[0].messages[-1].text
        'Go'
    """

    provider = "scripted"

    def __init__(
        self, script: Iterable[Scripted] | Callable[[Sequence[Message]], Scripted], *, model: str = "script"
    ) -> None:
        self.model = model
        self._every = script if callable(script) else None
        self._script = [] if callable(script) else list(script)
        self.requests: list[ModelRequest] = []

    async def generate_stream(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[ToolSpec] = (),
        options: ModelOptions | None = None,
    ) -> AsyncGenerator[ModelEvent, None]:
        """Yield the events of the next line of the script.

        Raises:
            UsageError: The script has no more lines.
        """
        self.requests.append(ModelRequest(messages=tuple(messages), tools=tuple(tools), options=options))
        answer = as_answer(self._next(messages), messages)
        for n, event in enumerate(_deltas(answer)):
            if answer.error is not None and n == answer.error_after:
                raise answer.error
            # Also without a pause: a real stream gives other tasks a turn.
            await asyncio.sleep(answer.pause_s)
            yield event
        if answer.error is not None:
            raise answer.error
        for call in answer.tool_calls:
            yield ModelToolCall(call)
        yield Finish(answer.reason, answer.counted(sum(len(m.text.split()) for m in messages)), self.model)

    def _next(self, messages: Sequence[Message]) -> Scripted:
        if self._every is not None:
            return self._every(messages)
        n = len(self.requests)
        if n > len(self._script):
            raise UsageError(
                f"The script has {len(self._script)} answers, and this is model call {n}.",
                hint="Add an answer to ScriptedProvider([...]), or pass a function that serves every call.",
            )
        return self._script[n - 1]


def as_answer(line: Scripted, messages: Sequence[Message] = ()) -> Answer:
    """Return a line of a script as an `Answer`.

    Example:
        >>> as_answer("Hi").text
        'Hi'
    """
    match line:
        case Answer():
            return line
        case str():
            return Answer(text=line)
        case ToolCall():
            return Answer(tool_calls=(line,))
        case BaseException():
            return Answer(error=line)
        case list() | tuple() if all(isinstance(entry, ToolCall) for entry in line):
            return Answer(tool_calls=tuple(line))
    if callable(line):
        return as_answer(line(messages), messages)
    raise UsageError(
        f"A script cannot hold {type(line).__name__!r}.",
        hint="Use a text, an Answer, tool calls, an error or a function.",
    )


def _deltas(answer: Answer) -> list[ModelEvent]:
    return [*map(ReasoningDelta, split(answer.reasoning)), *map(TextDelta, answer.pieces())]
