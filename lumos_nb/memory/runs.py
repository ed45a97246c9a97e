"""A recorded run, read again: to be found by a short name, and to be taken up where it stopped.

One idea: the log is the truth. What a run needs to go on (its conversation, the answer whose tools
were at work, which of them had begun and what they gave) is folded from its events.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from lumos_nb.errors import StoreError, UsageError, nearest
from lumos_nb.events import (
    AgentEvent,
    AgentStep,
    ApprovalRequested,
    Checkpoint,
    Error,
    Metadata,
    ReasoningDelta,
    RunStart,
    StepComplete,
    StepStart,
    TextDelta,
    ToolCallComplete,
    ToolCallStart,
    ToolOutput,
    UserMessage,
    decode_event,
)
from lumos_nb.memory.said import Said
from lumos_nb.messages import Message, ToolCall, ToolResult
from lumos_nb.stores import Store
from lumos_nb.stores.base import Condition
from lumos_nb.stores.reading import read_rows


def find_run(store: Store, name: str = "last") -> str:
    """Return the id of a run: of the `last` one, or of the one that has this id, or a beginning or end of it.

    A run within a tool of another is not the last one: that other is.

    Raises:
        UsageError: There is no such run, or there are several.
    """
    if not isinstance(name, str):
        hint = "Give its .run_id." if hasattr(name, "run_id") else "Give its id, a beginning or end of it, or last."
        raise UsageError(f"{type(name).__name__!r} is no name of a run.", hint=hint)
    if name == "last":
        where = [("parent_run_id", "=", None)]
        for (run_id,) in store.select("runs", ["run_id"], where=where, order=["-started_at", "-run_id"], limit=1):
            return str(run_id)
        raise UsageError("There is no run yet.", hint="Run a %%agent cell first.")
    ids = [r[0] for r in store.select("runs", ["run_id"], where=[("run_id", "contains", name)], limit=50)]
    found = [i for i in ids if i == name] or [i for i in ids if i.startswith(name) or i.endswith(name)]
    if len(found) == 1:
        return str(found[0])
    if found:
        raise UsageError(f"{name!r} fits {len(found)} runs.", hint="Give more of the id.")
    recent = [r[0] for r in store.select("runs", ["run_id"], order=["-started_at", "-run_id"], limit=5)]
    raise UsageError(f"There is no run {name!r}.", hint=f"{_near(name, recent)} %trace df shows all runs.")


def _near(name: str, recent: Sequence[str]) -> str:
    """Suggest a run: one of nearly this id, else the last one; a list of ids says nothing to anybody."""
    near = nearest(name, recent)
    return near if "Did you mean" in near or not recent else f"The last run is {recent[0]!r}."


_COLUMNS = (
    "run_id", "thread_id", "agent", "provider", "model", "status", "process", "prompt_preview", "started_at", "tape",
    "cost_source", "notebook", "cell_id", "execution_count", "root_run_id", "trace_id",
)  # fmt: skip


class SavedRun:
    """A run as its log has it.

    Attributes:
        row: What its row says, by column.
        timed: The events of all of it with their times, in nanoseconds since 1970.
        steps: Steps that are over.
        open_step: The step whose tools were at work, or None.
        results: What calls of it gave, by id.
        begun: Calls of it that had begun and not ended, by id.
        tools: Names of the tools that it had.
    """

    def __init__(self, row: dict[str, Any], timed: list[tuple[AgentEvent, int]]) -> None:
        self.row = row
        self.timed = timed
        self.steps: list[AgentStep] = []
        self.open_step: AgentStep | None = None
        self.results: dict[str, ToolResult] = {}
        self.begun: dict[str, ToolCall] = {}
        self.tools: tuple[str, ...] = ()
        #: Number of the last exchange that is kept.
        self.n_exchanges = 0
        self._kept: list[Said] = []
        #: What came since the last checkpoint; the next one has it too.
        self._since: list[Said] = []
        for event, ns in timed:
            self._fold(event, ns / 1e9)

    @property
    def said(self) -> list[Said]:
        """What its conversation gained, the prompt first; without the answer of an open step."""
        return self._kept[:-1] if self.open_step is not None else [*self._kept, *self._since]

    @property
    def answer(self) -> Message | None:
        """The answer of the open step, with its calls."""
        return self._kept[-1].message if self.open_step is not None else None

    @property
    def unkept(self) -> list[Message]:
        """What of it no checkpoint has."""
        return [] if self.open_step is not None else [said.message for said in self._since]

    @property
    def can_go_on(self) -> bool:
        """Whether there is anything to take up: a run that had not come to a tool is simply run again."""
        return bool(self._kept)

    @property
    def last_at(self) -> float:
        """When anything was last heard of it, in Unix seconds."""
        return self.timed[-1][1] / 1e9 if self.timed else float(self.row["started_at"]) / 1e9

    @property
    def away_s(self) -> float:
        """How long nobody worked at it, all times that it was stopped together, in seconds."""
        found = [e.data for e, _ in self.timed if isinstance(e, Metadata) and e.data.get("kind") == "resumed"]
        return float(sum(data["away_s"] for data in found))

    def shown(self) -> list[AgentEvent]:
        """Return the events that a view of it needs: of what was broken off, only what counts."""
        shown: list[AgentEvent] = []
        for event, _ in self.timed:
            if isinstance(event, Error):
                shown = _firm(shown)
            else:
                shown.append(event)
        return [event for event in _firm(shown) if not self._comes_again(event)]

    def _comes_again(self, event: AgentEvent) -> bool:
        """Whether the run tells this anew: a question without an answer, the output of a tool that had not ended."""
        match event:
            case ToolOutput():
                return event.call_id in self.begun
            case ApprovalRequested():
                calls = self.open_step.tool_calls if self.open_step else ()
                return event.call in calls and event.call.id not in {*self.results, *self.begun}
        return False

    def _fold(self, event: AgentEvent, at: float) -> None:
        match event:
            case RunStart():
                self.tools = event.tools
            case Checkpoint():
                self._kept += [Said(message, event.step.index, at) for message in event.messages]
                self.open_step = event.step if event.step.tool_calls else None
                self._since, self.results, self.begun = [], {}, {}
            case ToolCallStart():
                self.begun[event.call.id] = event.call
            case ToolCallComplete():
                self.begun.pop(event.call_id, None)
                self.results[event.call_id] = event.result
            case UserMessage():
                self._since.append(Said(Message(role="user", content=event.text), None, at))
            case StepComplete():
                self._end_step(event.step, at)
            case _:
                pass

    def _end_step(self, step: AgentStep, at: float) -> None:
        results = tuple(self.results[call.id] for call in step.tool_calls if call.id in self.results)
        self.steps.append(msgspec.structs.replace(step, tool_results=results))
        if results:
            self._since.append(Said(Message(role="tool", content=results), step.index, at))
            self.open_step = None
        elif step.text:  # the whole answer is in the next checkpoint, if there is one
            self._since.append(Said(Message(role="assistant", content=step.text), step.index, at))


def _firm(events: list[AgentEvent]) -> list[AgentEvent]:
    """Return events without the text of a step that did not come to its tools or its end: it is asked for again."""
    end = len(events)
    while end and isinstance(events[end - 1], TextDelta | ReasoningDelta | StepStart | Metadata):
        end -= 1
    return events[:end]


def read_run(store: Store, run_id: str) -> SavedRun:
    """Return a run with its events.

    Raises:
        StoreError: An event is of a kind that this version does not know.
    """
    where = [("run_id", "=", run_id)]
    row = next(read_rows(store, "runs", _COLUMNS, where=where))
    rows = store.select("events", ["payload_json", "ts"], where=where, order=["run_seq"])
    try:
        saved = SavedRun(row, [(decode_event(payload), ts) for payload, ts in rows])
    except msgspec.MsgspecError as error:
        raise StoreError(
            f"Run {run_id!r} cannot be read: {error}.",
            hint="It may come from a newer Lumos: upgrade with `pip install -U lumos-nb`.",
        ) from None
    saved.n_exchanges = max((n for (n,) in store.select("exchanges", ["n"], where=where)), default=0)
    return saved


def last_stopped(store: Store, notebook: str | None, but: Iterable[str] = ()) -> str | None:
    """Return the id of the last run that has not ended well, of a notebook if one is given, or None."""
    where: list[Condition] = [("status", "!=", "completed"), ("parent_run_id", "=", None)]
    if notebook is not None:
        where.append(("notebook", "=", notebook))
    others = set(but)
    found = store.select("runs", ["run_id"], where=where, order=["-started_at", "-run_id"], limit=50)
    return next((str(run_id) for (run_id,) in found if run_id not in others), None)
