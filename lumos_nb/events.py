"""What happens in a run, as typed events: the one stream that everything else reads.

One idea: the agent loop produces events and does nothing else; the view, the store, the
trace and the DataFrames are readers. An event is immutable, has a snake_case `type`, and
serialises by itself. The format is versioned (`EVENT_VERSION`).

Two unions: a provider yields `ModelEvent`s, an agent `AgentEvent`s. The deltas are the same
objects in both, so that a token costs nothing to pass on.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import msgspec

from lumos_nb._callable import as_frame
from lumos_nb.messages import Message, ToolCall, ToolResult

EVENT_VERSION = 1
"""Version of the stored form of an event. Additions keep it; anything else raises it."""


class TokenUsage(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Tokens of one or more model calls, as integers.

    `input_tokens` counts all input, cached or not; `output_tokens` all output, reasoning
    included. The others are parts of these two.

    Example:
        >>> (TokenUsage(input_tokens=1) + TokenUsage(input_tokens=2, output_tokens=3)).total_tokens
        6
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0

    @property
    def total_tokens(self) -> int:
        """Input and output together."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: TokenUsage) -> TokenUsage:
        return TokenUsage(**{f: getattr(self, f) + getattr(other, f) for f in self.__struct_fields__})


class _Event(msgspec.Struct, frozen=True, tag_field="type", tag=True, gc=False):
    type: ClassVar[str]


class TextDelta(_Event, frozen=True, tag="text_delta"):
    """A piece of the answer, as it arrived."""

    type: ClassVar[str] = "text_delta"
    delta: str


class ReasoningDelta(_Event, frozen=True, tag="reasoning_delta"):
    """A piece of the model's reasoning."""

    type: ClassVar[str] = "reasoning_delta"
    delta: str


# ---- what a provider yields -----------------------------------------------------------


class ModelToolCall(_Event, frozen=True, tag="tool_call"):
    """A whole tool call of the model: its arguments are complete, though not validated."""

    type: ClassVar[str] = "tool_call"
    call: ToolCall

    @property
    def id(self) -> str:
        """Id of the call; a result refers to it."""
        return self.call.id

    @property
    def name(self) -> str:
        """Name of the tool."""
        return self.call.name

    @property
    def arguments(self) -> str:
        """JSON text as the model wrote it."""
        return self.call.arguments


class PartEnd(_Event, frozen=True, tag="part_end"):
    """A part of the answer is complete; `signature` is opaque data that the vendor wants back with it.

    It ends the last part of its kind that is open; where there is none, it stands for one whose text
    is hidden. Most formats need no such event. Tool calls carry their signature with them.
    """

    type: ClassVar[str] = "part_end"
    #: Empty: nothing to keep, only an end.
    signature: str = ""
    #: reasoning or text.
    part: str = "reasoning"


class Restart(_Event, frozen=True, tag="restart"):
    """The answer broke off and is asked for anew: what came of it so far does not count."""

    type: ClassVar[str] = "restart"


class Finish(_Event, frozen=True, tag="finish"):
    """The end of a model's answer. `reason`: stop, length, tool_calls, content_filter, other."""

    type: ClassVar[str] = "finish"
    reason: str
    usage: TokenUsage = TokenUsage()
    #: The model as the server names it; empty if it does not say.
    model: str = ""


ModelEvent = TextDelta | ReasoningDelta | PartEnd | ModelToolCall | Restart | Finish


# ---- what an agent yields -------------------------------------------------------------


class AgentStep(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One model answer and the tool calls that it asked for."""

    #: From 1.
    index: int
    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_results: tuple[ToolResult, ...] = ()
    usage: TokenUsage = TokenUsage()
    #: In US dollars; None where the price is not known.
    cost_usd: float | None = None
    provider: str = ""
    model: str = ""
    stop_reason: str = ""
    #: Unix time in seconds.
    started_at: float = 0.0
    #: Of the model call alone, in seconds; tools are not in it.
    duration_s: float = 0.0
    #: Request sent to first text, reasoning or tool call, in seconds.
    ttft_s: float | None = None
    #: Text and reasoning deltas that arrived.
    n_chunks: int = 0
    #: Which try of the model call this was, from 1.
    attempt: int = 1
    #: Part of `duration_s` in which it waited before a further try, or for its turn.
    waited_s: float = 0.0
    #: Name of the tape that the answer was played from, which then cost nothing; empty: it came from a model.
    tape: str = ""

    @property
    def tokens_per_s(self) -> float | None:
        """Output tokens by the seconds from the first token to the last."""
        if self.ttft_s is None or self.n_chunks < 2 or self.usage.output_tokens < 2 or self.duration_s <= self.ttft_s:
            return None
        return (self.usage.output_tokens - 1) / (self.duration_s - self.ttft_s)


def total_cost_usd(steps: Iterable[AgentStep]) -> float | None:
    """Return what steps cost together, in US dollars; None if the price of one is not known.

    Example:
        >>> total_cost_usd([AgentStep(index=1, cost_usd=0.5), AgentStep(index=2, cost_usd=0.25)])
        0.75
        >>> total_cost_usd([AgentStep(index=1, cost_usd=0.5), AgentStep(index=2)]) is None
        True
    """
    total = 0.0
    for step in steps:
        if step.cost_usd is None:
            return None
        total += step.cost_usd
    return total


class AgentGenerateResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a run gave: the answer, its steps, and what they cost."""

    response: str
    output: Any = None
    steps: tuple[AgentStep, ...] = ()
    usage: TokenUsage = TokenUsage()
    #: In US dollars; None where a price is not known.
    cost_usd: float | None = None
    #: stop, length, max_steps, max_cost, content_filter …
    stop_reason: str = "stop"
    run_id: str = ""
    thread_id: str | None = None
    agent: str = ""
    model: str = ""
    duration_s: float = 0.0
    #: The messages that this run added to the conversation.
    messages: tuple[Message, ...] = ()

    def __str__(self) -> str:
        return self.response

    def __repr__(self) -> str:
        shown = self.response if len(self.response) <= 60 else f"{self.response[:57]}…"
        n = len(self.steps)
        return f"<{shown!r} by {self.agent}: {self.stop_reason}, {n} steps, {self.usage.total_tokens} tokens>"


class ErrorInfo(msgspec.Struct, frozen=True, kw_only=True):
    """An error as data: its type name, what happened, and what to do."""

    type: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class RunStart(_Event, frozen=True, tag="run_start", kw_only=True):
    """A run begins."""

    type: ClassVar[str] = "run_start"
    run_id: str
    thread_id: str | None
    agent: str
    provider: str
    model: str
    prompt: str
    #: Unix time in seconds.
    started_at: float
    #: Names of the tools that it has.
    tools: tuple[str, ...] = ()


class StepStart(_Event, frozen=True, tag="step_start"):
    """A request goes out to the model."""

    type: ClassVar[str] = "step_start"
    #: From 1.
    index: int


class ToolCallStart(_Event, frozen=True, tag="tool_call_start"):
    """A tool is about to run. It is in the log before the tool runs."""

    type: ClassVar[str] = "tool_call_start"
    call: ToolCall
    #: none, idempotent or unsafe, as the tool is marked; empty if it is not.
    side_effect: str = ""


class ToolOutput(_Event, frozen=True, tag="tool_output"):
    """What a tool printed or displayed while it ran: a MIME bundle, or a stream's text."""

    type: ClassVar[str] = "tool_output"
    call_id: str
    #: stdout, stderr, display, update of a display, clear, or state: what the tool waits for before it begins.
    kind: str
    #: Of a display its id, if it can be updated; of clear "wait" or nothing.
    text: str = ""
    data: dict[str, Any] = {}


class ToolCallComplete(_Event, frozen=True, tag="tool_call_complete"):
    """A tool has ended, well or not."""

    type: ClassVar[str] = "tool_call_complete"
    call_id: str
    result: ToolResult
    duration_s: float
    #: ok, error, denied, cancelled.
    status: str = "ok"
    #: Seconds from its start event to the start of its work: another tool may have had the thread until then.
    queue_s: float = 0.0


class ApprovalRequested(_Event, frozen=True, tag="approval_requested"):
    """A tool call waits for a person. It is in the log before the person is asked."""

    type: ClassVar[str] = "approval_requested"
    call: ToolCall
    reason: str = ""
    #: JSON schema of the arguments, for a form to change them.
    schema: dict[str, Any] = {}


class ApprovalDecided(_Event, frozen=True, tag="approval_decided", kw_only=True):
    """Somebody decided about a call that had to wait."""

    type: ClassVar[str] = "approval_decided"
    call_id: str
    #: allow, allow_thread, edit, deny.
    decision: str
    #: person, or policy where nobody could be asked.
    by: str = "person"
    #: The arguments that the call runs with, as JSON text, if the person changed them.
    arguments: str | None = None
    #: Why it was denied, as the model is told.
    reason: str = ""


class UserMessage(_Event, frozen=True, tag="user_message"):
    """A person said something while the agent works; the model reads it in its next step."""

    type: ClassVar[str] = "user_message"
    text: str


class Checkpoint(_Event, frozen=True, tag="checkpoint", kw_only=True):
    """What a run needs to go on after an interrupt or a restart. It is in the log before tools begin."""

    type: ClassVar[str] = "checkpoint"
    #: What the conversation gained since the last checkpoint, up to the answer whose tools begin now, if it has any.
    messages: tuple[Message, ...]
    #: The step so far: its answer and calls, not their results; one without calls is over.
    step: AgentStep


class StepComplete(_Event, frozen=True, tag="step_complete"):
    """A model answer and its tool calls are done."""

    type: ClassVar[str] = "step_complete"
    step: AgentStep


class GenerationComplete(_Event, frozen=True, tag="generation_complete"):
    """The run is done; always the last event of a run that ended well."""

    type: ClassVar[str] = "generation_complete"
    result: AgentGenerateResult


class Error(_Event, frozen=True, tag="error", kw_only=True):
    """The run failed or was cancelled; always its last event. The text so far is kept."""

    type: ClassVar[str] = "error"
    error: ErrorInfo
    #: failed or cancelled.
    status: str = "failed"


class MemoryUpdate(_Event, frozen=True, tag="memory_update"):
    """Messages were read from or written to the thread."""

    type: ClassVar[str] = "memory_update"
    #: loaded or saved.
    action: str
    n_messages: int


class Metadata(_Event, frozen=True, tag="metadata"):
    """Something worth knowing that is not part of the answer, such as a retry and its reason."""

    type: ClassVar[str] = "metadata"
    data: dict[str, Any]


AgentEvent = (
    RunStart
    | StepStart
    | TextDelta
    | ReasoningDelta
    | ToolCallStart
    | ToolOutput
    | ToolCallComplete
    | ApprovalRequested
    | ApprovalDecided
    | UserMessage
    | Checkpoint
    | StepComplete
    | GenerationComplete
    | Error
    | MemoryUpdate
    | Metadata
)


def plain(value: Any) -> Any:
    """Return a value that JSON does not know in a form that it does: a pydantic model as a dict, others as `repr`."""
    dump = getattr(value, "model_dump", None)
    return dump(mode="json") if callable(dump) else repr(value)


_encoder = msgspec.json.Encoder(enc_hook=plain)
_decoder = msgspec.json.Decoder(AgentEvent)


def encode_event(event: AgentEvent) -> bytes:
    """Return the event as JSON bytes, in the stored form.

    Example:
        >>> encode_event(TextDelta("Hi"))
        b'{"type":"text_delta","delta":"Hi"}'
    """
    return _encoder.encode(event)


def decode_event(data: bytes | str) -> AgentEvent:
    """Return the event that `encode_event` wrote; unknown keys are ignored.

    Example:
        >>> decode_event('{"type":"text_delta","delta":"Hi"}')
        TextDelta(delta='Hi')
    """
    event: AgentEvent = _decoder.decode(data)
    return event


as_frame(__name__)
