"""What a model is to the rest of Lumos.

One idea: a provider turns messages into a stream of `ModelEvent`s and keeps no state of a
response on itself, so two streams of one provider never mix.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import Any

import msgspec

from lumos_nb import clock
from lumos_nb.errors import UsageError, nearest
from lumos_nb.events import Finish, ModelEvent, ModelToolCall, ReasoningDelta, Restart, TextDelta, TokenUsage
from lumos_nb.messages import Message, ToolCall, ToolChoice, ToolSpec
from lumos_nb.providers.exchange import Exchange

__all__ = [
    "Ask",
    "BatchedProvider",
    "LlmProvider",
    "ModelOptions",
    "ModelResponse",
    "OnWait",
    "OutputSchema",
    "ToolSpec",
    "Watch",
]

OnWait = Callable[[dict[str, Any]], None]
"""Is told of what holds a call up: `{"kind": "retry", "state": "retrying in 2 s: …", "wait_s": 2.0, "attempt": 1 …}`.

`kind` is retry, fallback (`model` is then the next one, `origin` its origin), queued (it waited `wait_s` for a free
request), or missing."""


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """Who is told what happens around a model call, and what the server is told beside it."""

    on_wait: OnWait | None = None
    #: Is given each request with its answer when it is over, also one that failed or was cancelled.
    on_exchange: Callable[[Exchange], None] | None = None
    #: Sent along as the header of that name; empty: none is.
    traceparent: str = ""


UNWATCHED = Watch()

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""How much a model may think first."""


class OutputSchema(msgspec.Struct, frozen=True, kw_only=True):
    """The form that an answer must have: a JSON schema, and a name for it."""

    #: A JSON schema of type `object`.
    schema: dict[str, Any]
    name: str = "answer"


class ModelOptions(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Options of one model call; None leaves the server's default."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    stop: tuple[str, ...] | None = None
    #: How much a model thinks first: one of `EFFORTS`.
    reasoning: str | None = None
    #: Whether tools may, must or must not be called: `auto`, `none`, `required`, or a tool's name.
    tool_choice: ToolChoice | str | None = None
    #: Whether one answer may hold several tool calls.
    parallel_tool_calls: bool | None = None
    #: Ask again also if an answer breaks off after some of it was seen; a `restart` event then says so.
    retry_broken: bool = False
    #: The answer must be JSON of this form.
    output: OutputSchema | None = None
    #: Further keys of the request body, sent as they are.
    extra: dict[str, Any] = {}

    def __post_init__(self) -> None:
        if self.reasoning is not None and self.reasoning not in EFFORTS:
            hint = f"{nearest(str(self.reasoning), EFFORTS)} There is: {', '.join(EFFORTS)}.".strip()
            raise UsageError(f"reasoning cannot be {self.reasoning!r}.", hint=hint)


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """One model call: what is asked, with which tools, how."""

    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    options: ModelOptions = ModelOptions()


class ModelResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A whole answer, collected from a stream."""

    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str = "stop"
    usage: TokenUsage = TokenUsage()
    duration_s: float = 0.0


class LlmProvider:
    """A model behind one interface. Subclass it and write `generate_stream`.

    Attributes:
        provider: Vendor id, such as `openai`.
        model: The model's name at that vendor.
        supports_function_calling: Whether `tools` reach the model.
    """

    provider: str = ""
    model: str = ""
    supports_function_calling: bool = True

    @property
    def origin(self) -> str:
        """What signatures of this model's answers are bound to; see `ReasoningPart.provider`."""
        return self.provider

    def generate_stream(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[ToolSpec] = (),
        options: ModelOptions | None = None,
    ) -> AsyncIterator[ModelEvent]:
        """Yield events as the answer arrives; the last one is `finish`.

        Raises:
            CredentialError: There is no key, or it was refused.
            ProviderError: The server could not be reached, refused, or broke off.
        """
        raise NotImplementedError

    async def generate(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[ToolSpec] = (),
        options: ModelOptions | None = None,
    ) -> ModelResponse:
        """Return the whole answer of one model call."""
        text: list[str] = []
        reasoning: list[str] = []
        calls: list[ToolCall] = []
        finish = Finish("stop")
        started = clock.perf_counter()
        async for event in self.generate_stream(messages, tools=tools, options=options):
            match event:
                case TextDelta():
                    text.append(event.delta)
                case ReasoningDelta():
                    reasoning.append(event.delta)
                case ModelToolCall():
                    calls.append(event.call)
                case Restart():
                    text, reasoning, calls = [], [], []
                case Finish():
                    finish = event
        return ModelResponse(
            text="".join(text),
            reasoning="".join(reasoning),
            tool_calls=tuple(calls),
            finish_reason=finish.reason,
            usage=finish.usage,
            duration_s=clock.perf_counter() - started,
        )

    def for_run(self) -> LlmProvider:
        """Return the provider for one run: itself, unless it learns something in a run that the next must not know."""
        return self

    async def aclose(self) -> None:
        """Close connections. A closed provider opens new ones when it is used again."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.provider}/{self.model}>"


class BatchedProvider(LlmProvider):
    """A provider that gets many events with one read. Subclass it and write `generate_batches`."""

    def generate_batches(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[ToolSpec] = (),
        options: ModelOptions | None = None,
        watch: Watch = UNWATCHED,
    ) -> AsyncGenerator[list[ModelEvent], None]:
        """Yield the events of each read together: cheaper where tokens come many at a time.

        What the model lacks, function calling or a form, the provider makes up for itself.

        Args:
            messages: The conversation.
            tools: What the model may call.
            options: Temperature, length and the like.
            watch: Who is told of each wait before a further try, and given what was on the wire.
        """
        raise NotImplementedError

    async def generate_stream(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[ToolSpec] = (),
        options: ModelOptions | None = None,
    ) -> AsyncGenerator[ModelEvent, None]:
        """Yield events as the answer arrives; see `LlmProvider.generate_stream`.

        `tools` may also be what `@tool` made.
        """
        specs = [getattr(tool, "spec", tool) for tool in tools]
        async with aclosing(self.generate_batches(messages, tools=specs, options=options)) as batches:
            async for batch in batches:
                for event in batch:
                    yield event
