"""What a recorded run was asked, answered and given, to do it again.

One idea: the log has the conversation, the model's answers and what the tools gave. Played again,
each of them can be the real one or the recorded one.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from lumos_nb.context import RuntimeContext
from lumos_nb.errors import LumosError, ToolError
from lumos_nb.events import AgentStep, RunStart
from lumos_nb.memory.exchanges import read_exchanges
from lumos_nb.memory.runs import find_run, read_run
from lumos_nb.memory.snapshots import read_config
from lumos_nb.messages import Message, ToolCall, ToolSpec, decode_message
from lumos_nb.stores import Store, default_store
from lumos_nb.stores.reading import read_rows
from lumos_nb.tools import Tool
from lumos_nb.tools.function import tool_of

NO_MORE = "The log has no further answer."
"""What stands for the answer that a run never got."""


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """A recorded run, as inputs of another one. `recorded` makes it."""

    run_id: str
    #: As the run had them; empty where that was not recorded.
    instructions: str
    #: The conversation before its first answer: that of its thread, then the prompt.
    prompt: tuple[Message, ...]
    #: The conversation before its last model call.
    messages: tuple[Message, ...]
    #: Whether more was sent than `messages`: a run that failed in its first step keeps only the text asked last,
    #: no pictures, no files, and no conversation that was handed in with it.
    is_partial: bool
    #: What the model answered, a line for `ScriptedProvider` each: a text, or tool calls.
    answers: tuple[Any, ...]
    #: JSON schema that the answer had to fit, or None.
    output: dict[str, Any] | None
    #: Names of its tools.
    names: tuple[str, ...]
    #: What the model knew of its tools; empty where that was not recorded.
    specs: tuple[ToolSpec, ...]
    #: Each tool call with what the model was told: name, arguments, text, whether it is an error.
    results: tuple[tuple[str, str, str, bool], ...]

    def tools(self, *real: Tool | Callable[..., Any]) -> list[Tool]:
        """Return the run's tools: those given, which run, and for all others what they gave in the run.

        Args:
            real: Functions or tools that are to run anew, by their own names.
        """
        given = {one.name: one for one in map(tool_of, real)}
        specs = {spec.name: spec for spec in self.specs}
        names = dict.fromkeys([*given, *self.names])
        return [
            given.get(name) or RecordedTool(specs.get(name) or _any_arguments(name), self.results) for name in names
        ]

    def __repr__(self) -> str:
        return f"<Recording of {self.run_id}: {len(self.messages)} messages, {len(self.answers)} answers>"


class RecordedTool(Tool):
    """A tool that gives what it gave in a run, and does nothing.

    Args:
        spec: What the model knows of it.
        results: Tool calls of the run with what the model was told.
    """

    def __init__(self, spec: ToolSpec, results: Iterable[tuple[str, str, str, bool]]) -> None:
        self._recorded = spec
        self._given: dict[str, deque[tuple[str, bool]]] = defaultdict(deque)
        for name, arguments, content, is_error in results:
            if name == spec.name:
                self._given[arguments].append((content, is_error))
        super().__init__(self._play, name=spec.name)

    @property
    def spec(self) -> ToolSpec:
        """Name, description and JSON schema, as recorded."""
        return self._recorded

    def arguments(self, call: ToolCall, context: RuntimeContext) -> dict[str, Any]:
        """Return the arguments as the model wrote them: they are looked up, not read."""
        return {"arguments": call.arguments}

    def _play(self, arguments: str) -> str:
        given = self._given.get(arguments)
        if not given:
            raise ToolError(
                f"{self.name!r} was not called with these arguments in the recorded run.",
                hint="Pass the real tool to Recording.tools() to run it.",
            )
        content, is_error = given.popleft() if len(given) > 1 else given[0]
        if is_error:
            raise ToolError(content)
        return content


def _any_arguments(name: str) -> ToolSpec:
    return ToolSpec(name=name, parameters={"type": "object", "properties": {}})


def recorded(run: str = "last", store: Store | None = None) -> Recording:
    """Return a recorded run as inputs of another one: the cells of `lumos.diagnose` use it.

    Args:
        run: Its id, a beginning or end of it, or `last`.
        store: Where to look; the default database if None.

    Raises:
        UsageError: There is no such run, or there are several.
        StoreError: The database cannot be read.

    Example:
        >>> from lumos_nb import Agent; from lumos_nb.testing import ScriptedProvider
        >>> result = Agent(model=ScriptedProvider(["Noon."])).generate_sync("What time is it?")
        >>> recorded(result.run_id).answers
        ('Noon.',)
    """
    store = store or default_store()
    run_id = find_run(store, run)
    columns = ["thread_id", "started_at", "config_hash", "prompt_preview"]
    row = next(read_rows(store, "runs", columns, where=[("run_id", "=", run_id)]))
    said, steps, results, names = _conversation(store, run_id, row["prompt_preview"] or "")
    first, last = (steps[0], steps[-1]) if steps else (None, None)
    starts = store.select("events", ["step"], where=[("run_id", "=", run_id), ("kind", "=", "step_start")])
    asked = max((n or 0 for (n,) in starts), default=0)
    is_answered = last is not None and last.index >= asked
    history = _history(store, row["thread_id"], row["started_at"] or 0)
    config = read_config(store, row["config_hash"]) or {}
    return Recording(
        run_id=run_id,
        instructions=config.get("instructions") or "",
        prompt=(*history, *_before(said, first)),
        messages=(*history, *(_before(said, last) if is_answered else said)),
        is_partial=not steps and _is_partial(store, run_id, len(history) + len(said)),
        answers=tuple(_line(step) for step in steps),
        output=((config.get("options") or {}).get("output") or {}).get("schema"),
        names=names,
        specs=tuple(msgspec.convert(config.get("tools") or [], list[ToolSpec])),
        results=results,
    )


Results = tuple[tuple[str, str, str, bool], ...]


def _conversation(
    store: Store, run_id: str, prompt: str
) -> tuple[list[Message], list[AgentStep], Results, tuple[str, ...]]:
    """Return what was said in a run, its steps, what its tools gave, and their names."""
    try:
        saved = read_run(store, run_id)
    except LumosError:  # an event of a later version: the prompt is in the row
        return [Message(role="user", content=prompt)], [], (), ()
    steps = [*saved.steps, *([saved.open_step] if saved.open_step else [])]
    said = [each.message for each in saved.said] + ([saved.answer] if saved.answer else [])
    if not any(message.role == "user" for message in said):
        asked = next((e.prompt for e, _ in saved.timed if isinstance(e, RunStart)), prompt)
        said = [Message(role="user", content=asked), *said]
    calls = {(call.id): call for step in steps for call in step.tool_calls}
    given = [result for step in saved.steps for result in step.tool_results] + list(saved.results.values())
    told = {r.call_id: r for r in given if r.call_id in calls}
    results = tuple((r.name, calls[id].arguments, r.content, r.is_error) for id, r in told.items())
    return said, steps, results, saved.tools


_MEDIA = re.compile(rb'"(?:image_url|image|images|inline_?data|input_image|input_audio|input_file|document|file)"\s*:')


def _is_partial(store: Store, run_id: str, n_messages: int) -> bool:
    """Return whether the request that was sent held more messages than these, or something else than text."""
    sent = read_exchanges(store, run_id)
    body = sent[-1].request_body if sent else b""
    has_system = b'"system"' in body or b'"developer"' in body
    return bool(_MEDIA.search(body)) or body.count(b'"role"') > n_messages + has_system


def _before(said: list[Message], step: AgentStep | None) -> list[Message]:
    """Return what was said before a step's answer; all of it if that is not found."""
    if step is None:
        return said
    for n in range(len(said) - 1, -1, -1):
        message = said[n]
        if message.role == "assistant" and message.text == step.text and message.tool_calls == step.tool_calls:
            return said[:n]
    return [m for m in said if m.role != "assistant"][:1] if step.index == 1 else said


def _line(step: AgentStep) -> Any:
    return step.tool_calls if step.tool_calls else step.text


def _history(store: Store, thread_id: str | None, started_at: int) -> list[Message]:
    if thread_id is None:
        return []
    where = [("thread_id", "=", thread_id), ("created_at", "<", started_at)]
    found = []
    for (content,) in store.select("messages", ["content_json"], where=where, order=["idx"]):
        try:
            found.append(decode_message(content))
        except msgspec.MsgspecError:  # a part of a later version: what can be read is played
            continue
    return found
