"""What a model is to the rest of Lumos.

One idea: a provider turns messages into a stream of `ModelEvent`s and keeps no state of a
response on itself, so two streams of one provider never mix.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec

from lumos_nb.events import Finish, ModelEvent, ModelToolCall, ReasoningDelta, TextDelta, TokenUsage
from lumos_nb.messages import Message, ToolCall, ToolSpec

__all__ = ["LlmProvider", "ModelOptions", "ModelResponse", "ToolSpec"]


class ModelOptions(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Options of one model call; None leaves the server's default."""

    temperature: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    stop: tuple[str, ...] | None = None
    #: Further keys of the request body, sent as they are.
    extra: dict[str, Any] = {}


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
        text, reasoning, calls, finish = [], [], [], Finish("stop")
        started = time.perf_counter()
        async for event in self.generate_stream(messages, tools=tools, options=options):
            match event:
                case TextDelta():
                    text.append(event.delta)
                case ReasoningDelta():
                    reasoning.append(event.delta)
                case ModelToolCall():
                    calls.append(event.call)
                case Finish():
                    finish = event
        return ModelResponse(
            text="".join(text),
            reasoning="".join(reasoning),
            tool_calls=tuple(calls),
            finish_reason=finish.reason,
            usage=finish.usage,
            duration_s=time.perf_counter() - started,
        )

    async def aclose(self) -> None:
        """Close connections. A closed provider opens new ones when it is used again."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.provider}/{self.model}>"
