"""What a run has to work with, and what it has done so far.

One idea: whenever a run is cut off, what stands here is a conversation that a model accepts.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from lumos_nb import clock
from lumos_nb.agent.approval import Permits
from lumos_nb.agent.control import RunControl
from lumos_nb.agent.home import Home
from lumos_nb.agent.output import OutputType
from lumos_nb.agent.step import StepDraft
from lumos_nb.agent.toolcalls import ToolCalls
from lumos_nb.context import RuntimeContext
from lumos_nb.errors import OutputError
from lumos_nb.events import AgentEvent, AgentStep, Checkpoint, ModelEvent, TokenUsage, UserMessage
from lumos_nb.memory import Said
from lumos_nb.messages import Message, ToolCall, ToolChoice
from lumos_nb.providers.base import LlmProvider, ModelOptions
from lumos_nb.providers.exchange import Exchange
from lumos_nb.tools import ToolRegistry

OUTPUT_TRIES = 3
"""Answers that may miss the form asked for before the run fails."""

Price = Callable[[str, str, TokenUsage], float | None]
"""Vendor, model and usage to US dollars, or None where the price is not known."""


@dataclass(slots=True, kw_only=True)
class LoopState:
    """What a run has to work with, and what it has done so far."""

    provider: LlmProvider
    messages: list[Message]
    tools: ToolRegistry
    context: RuntimeContext
    home: Home
    options: ModelOptions | None
    max_steps: int
    max_cost_usd: float | None
    price: Price
    output_type: OutputType | None
    permits: Permits
    control: RunControl
    #: Whether model servers are told which trace they are part of.
    propagates: bool = False
    #: The answer as a value of `output_type`.
    output: Any = None
    steps: list[AgentStep] = field(default_factory=list)
    #: What the conversation gained.
    said: list[Said] = field(default_factory=list)
    #: Hears at once of what happens while a step waits, such as a retry.
    notify: Callable[[list[AgentEvent]], None] = lambda events: None
    #: Is given what was on the wire; None where nobody keeps it.
    on_exchange: Callable[[Exchange], None] | None = None
    draft: StepDraft | None = None
    #: Calls of the draft that had begun before the run was stopped; see `ToolCalls`.
    begun: Mapping[str, ToolCall] = field(default_factory=dict)
    n_refused: int = 0
    #: Messages that no checkpoint has yet, the prompt first; None where nobody keeps checkpoints.
    unkept: list[Message] | None = None

    def call_options(self) -> ModelOptions | None:
        """Return the options of the next step: a tool that must be called must be so once, or a run never ends."""
        options = self.options
        if self.output_type is not None:
            options = msgspec.structs.replace(options or ModelOptions(), output=self.output_type.schema)
        is_forced = options is not None and ToolChoice.of(options.tool_choice).mode in {"required", "tool"}
        if options is not None and is_forced and self.steps and any(step.tool_calls for step in self.steps):
            return msgspec.structs.replace(options, tool_choice=None)
        return options

    def check_output(self, *, is_last: bool) -> bool:
        """Return whether the last step ends the run: its answer has the form asked for. If not, ask again.

        Args:
            is_last: No further step may be made.

        Raises:
            OutputError: It still has not after all tries.
        """
        if self.output_type is None:
            return True
        try:
            self.output = self.output_type.parsed(self.steps[-1].text)
        except OutputError as error:
            self.n_refused += 1
            if is_last or self.n_refused >= OUTPUT_TRIES:
                raise _never_in_form(error, self.steps[-1]) from None
            words = f"{error.message} Answer again: one JSON object of the form asked for, and nothing else."
            self._say(Message(role="user", content=words))
            return False
        return True

    def _say(self, message: Message, step: int | None = None) -> None:
        self._add(message, step, clock.time())
        self._note(message)

    def _add(self, message: Message, step: int | None, at: float) -> None:
        self.said.append(Said(message, step, at))
        self.messages.append(message)

    def _note(self, message: Message) -> None:
        if self.unkept is not None:
            self.unkept.append(message)

    def listen(self) -> list[AgentEvent]:
        """Take what a person has said meanwhile into the conversation."""
        said = self.control.take()
        for text in said:
            self._say(Message(role="user", content=text))
        return [UserMessage(text) for text in said]

    def begin_step(self) -> StepDraft:
        """Begin a step; its calls get other ids than those that there are."""
        known_ids = {call.id for m in self.messages if type(m.content) is not str for call in m.tool_calls}
        self.draft = StepDraft(len(self.steps) + 1, self.provider, known_ids)
        return self.draft

    def asked(self, draft: StepDraft) -> AsyncGenerator[list[ModelEvent], None]:
        """Ask the model; return what arrives, a list a read."""
        traceparent = self.context.of_step(draft.index) if self.propagates else ""
        return draft.asked(self.messages, [tool.spec for tool in self.tools], self.call_options(), self.notify,
                            self.on_exchange, traceparent)  # fmt: skip

    def checkpoint_before_tools(self, draft: StepDraft) -> list[AgentEvent]:
        """Return what would be needed to go on from here, with the answer whose tools begin now, if any do."""
        answer = draft.message() if draft.calls else None
        return [] if answer is None else self._checkpoint(draft.done(self._cost_usd(draft)), answer)

    def checkpoint_between_steps(self) -> list[AgentEvent]:
        """Return the same behind a step that had no tools, and after which the run goes on."""
        step = self.steps[-1]
        return [] if step.tool_calls else self._checkpoint(step)

    def _checkpoint(self, step: AgentStep, *answer: Message) -> list[AgentEvent]:
        if self.unkept is None:
            return []
        event = Checkpoint(messages=(*self.unkept, *answer), step=step)
        self.unkept = []
        return [event]

    def run_calls(self, draft: StepDraft) -> AsyncGenerator[list[AgentEvent], None]:
        """Run the calls of a step that have no result yet; return what comes."""
        calls = ToolCalls(self.tools, self.context, self.home, self.permits, self.begun, bool(draft.tape))
        return calls.run([call for call in draft.calls if call.id not in draft.results])

    def end_step(self, draft: StepDraft) -> AgentStep:
        """Take a step with its results into what was done, and return it."""
        step = draft.done(self._cost_usd(draft))
        self.steps.append(step)
        self.settle()
        return step

    def was_answered(self) -> bool:
        """Return whether the run, taken up again, has its last answer already; see `is_done`."""
        has_answer = bool(self.steps) and self.draft is None and self.messages[-1].role == "assistant"
        return has_answer and self.is_done()

    def is_done(self) -> bool:
        """Return whether the last step ends the run; its answer may be refused, and then it is asked again."""
        if self.steps[-1].tool_calls:
            return False
        is_last = not self.may_ask()
        return self.check_output(is_last=is_last) and (is_last or not self.control.has_said)

    def may_ask(self) -> bool:
        """Return whether the run may make another model call."""
        return len(self.steps) < self.max_steps and not self._has_spent()

    def _has_spent(self) -> bool:
        """Whether what is known to be spent has come to what may be."""
        limit = self.max_cost_usd
        return limit is not None and bool(self.steps) and sum(s.cost_usd or 0.0 for s in self.steps) >= limit

    def settle(self) -> None:
        """Move what the step in work has so far into what was said, as a valid conversation."""
        draft, self.draft, self.begun = self.draft, None, {}
        if draft is None:
            return
        answer, results = draft.message(), draft.results_message()
        if answer is not None:
            self._add(answer, draft.index, draft.started_at)
        if results is not None:  # the answer is in the checkpoint that was made before its tools began
            self._say(results, draft.index)
        elif answer is not None:
            self._note(answer)

    def _cost_usd(self, draft: StepDraft) -> float | None:
        """Return what a step's model call cost, or None where the price is not known; a tape costs nothing."""
        if draft.tape:
            return 0.0
        return self.price(draft.vendor, draft.model, draft.finish.usage if draft.finish else TokenUsage())

    @property
    def stop_reason(self) -> str:
        """Why the run stopped: the last step's reason; if it wanted to go on `max_cost` or `max_steps`."""
        if not self.steps:
            return "stop"
        wanted_on = self.steps[-1].stop_reason == "tool_calls" or self.steps[-1].tool_calls
        if not wanted_on:
            return self.steps[-1].stop_reason
        return "max_cost" if self._has_spent() else "max_steps"


def _never_in_form(error: OutputError, step: AgentStep) -> OutputError:
    hint = "Use a larger model, or a simpler type."
    if step.stop_reason == "length":
        hint = "The answer was cut: allow more max_tokens."
    return OutputError(error.message, hint=hint, text=error.text)
