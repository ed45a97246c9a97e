"""Several models as one: the next takes over where one cannot answer.

One idea: only as long as nothing of an answer has been seen; half an answer of one model is never
continued by another.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from lumos_nb.errors import ContextLengthError, CredentialError, LumosError, ProviderError, RateLimitError, UsageError
from lumos_nb.events import ModelEvent
from lumos_nb.messages import Message, ToolSpec
from lumos_nb.providers.base import UNWATCHED, BatchedProvider, LlmProvider, ModelOptions, Watch
from lumos_nb.providers.prices import cost_source

_ELSEWHERE = {404}
"""Statuses that say nothing of the request: another model may take it."""


class FallbackProvider(BatchedProvider):
    """Asks the first model, and the next ones where it cannot answer; `llm(["a/x", "b/y"])` makes one.

    The next takes over when the one before has no key or a refused one, no credit, too many
    requests, too small a window, does not know the model, is overloaded or cannot be reached. A
    request that is itself wrong is not sent again.

    Args:
        models: At least one, the preferred first.

    Example:
        >>> from lumos_nb.providers import llm
        >>> llm(["openai/gpt-5.6-luna", "local/smollm2"])
        <FallbackProvider openai/gpt-5.6-luna, then local/smollm2>
    """

    def __init__(self, models: Sequence[BatchedProvider]) -> None:
        if not models:
            raise UsageError("A fallback needs at least one model.", hint='Write llm(["openai/x", "anthropic/y"]).')
        self.models = tuple(models)
        self.provider, self.model = models[0].provider, models[0].model
        self._is_of_run = False

    @property
    def origin(self) -> str:
        """The first model's; a caller is told when another takes over."""
        return self.models[0].origin

    def for_run(self) -> FallbackProvider:
        """Return one that stays with the model that took over."""
        own = FallbackProvider(self.models)
        own._is_of_run = True
        return own

    def _stay_with(self, model: BatchedProvider) -> None:
        if self._is_of_run:
            self.models = self.models[self.models.index(model) :]
            self.provider, self.model = model.provider, model.model

    def __repr__(self) -> str:
        return f"<FallbackProvider {', then '.join(map(_name, self.models))}>"

    async def generate_batches(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[ToolSpec] = (),
        options: ModelOptions | None = None,
        watch: Watch = UNWATCHED,
    ) -> AsyncGenerator[list[ModelEvent], None]:
        """Yield the events of the first model that answers; see `BatchedProvider.generate_batches`."""
        passed: list[str] = []
        for model, following in zip(self.models, [*self.models[1:], None], strict=True):
            has_begun = False
            try:
                answer = model.generate_batches(messages, tools=tools, options=options, watch=watch)
                async with aclosing(answer) as batches:
                    async for batch in batches:
                        has_begun = True
                        yield batch
                return
            except LumosError as error:
                failure = error
            if has_begun or following is None or not allows_another(failure):
                raise _after(failure, passed)
            passed.append(f"{_name(model)}: {failure.message}")
            if watch.on_wait is not None:
                watch.on_wait(_taking_over(following, failure))
            self._stay_with(following)

    async def aclose(self) -> None:
        """Close the connections of all models."""
        for model in self.models:
            await model.aclose()


def in_turn(models: Sequence[LlmProvider]) -> LlmProvider:
    """Return one provider that asks these in turn.

    Raises:
        UsageError: One of them is a provider of one's own that cannot tell of its waits.
    """
    batched = [model for model in models if isinstance(model, BatchedProvider)]
    if len(batched) != len(models):
        odd = next(model for model in models if not isinstance(model, BatchedProvider))
        raise UsageError(f"{odd!r} cannot be one of several models.", hint="Make it a BatchedProvider.")
    return FallbackProvider(batched)


def allows_another(error: LumosError) -> bool:
    """Return whether another model may answer what this one could not.

    Example:
        >>> allows_another(ProviderError("Busy.", is_temporary=True)), allows_another(ProviderError("Bad tool."))
        (True, False)
    """
    if isinstance(error, CredentialError | ContextLengthError | RateLimitError):
        return True
    return isinstance(error, ProviderError) and (error.is_temporary or error.status in _ELSEWHERE)


def _after(failure: LumosError, passed: Sequence[str]) -> LumosError:
    """Return the last failure, with the ones before it in its hint."""
    if passed:
        failure.hint = f"{failure.hint} Asked before: {'; '.join(passed)}".strip()
    return failure


def _taking_over(model: BatchedProvider, failure: LumosError) -> dict[str, str | None]:
    return {
        "kind": "fallback",
        "state": f"{_name(model)} takes over: {failure.message}",
        "model": _name(model),
        "origin": model.origin,
        "cost_source": cost_source(model.provider, model.model),
        "error": type(failure).__name__,
    }


def _name(model: BatchedProvider) -> str:
    return f"{model.provider}/{model.model}"
