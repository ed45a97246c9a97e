"""The embedded model: a real, very small one, with no key and no network.

One idea: rules choose the tool and the facts, the model fills in and words; to everything above
it is a provider like any other. What was measured is in `docs/design/` and the tests.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

import msgspec

from lumos_nb.errors import StreamError
from lumos_nb.events import Finish, ModelEvent, ModelToolCall, TextDelta, TokenUsage
from lumos_nb.messages import Message, ToolCall
from lumos_nb.providers.base import UNWATCHED, BatchedProvider, ModelOptions, ToolSpec, Watch
from lumos_nb.providers.embedded_prompt import SYSTEM, Recall, fit, recall
from lumos_nb.providers.embedded_server import MODELS, EmbeddedTransport, address, find_weights, has_runtime
from lumos_nb.providers.embedded_tools import answer_grammar, envelope, pick_tool
from lumos_nb.providers.http import HttpProvider
from lumos_nb.providers.vendors import VENDORS
from lumos_nb.transport import Transport

_DEFAULTS = ModelOptions(temperature=0.0, seed=1, max_tokens=400)

_NO_LOOPS = {"frequency_penalty": 0.3, "repeat_last_n": 256}


def is_installed(model: str = "smollm2") -> bool:
    """Return whether the embedded model and its runtime are installed."""
    return has_runtime() and find_weights(model) is not None


class EmbeddedProvider(BatchedProvider):
    """A small model that runs in this process; the weights are loaded on first use.

    Its facts and sums are not to be relied on. Tools work one at a time.

    Args:
        model: Name of the embedded model.
        transport: What carries the requests; None: the one that the process shares.

    Example:
        >>> EmbeddedProvider()
        <EmbeddedProvider local/smollm2>
    """

    provider = "local"

    def __init__(self, model: str = "smollm2", *, transport: Transport | None = None) -> None:
        find_weights(model)  # a name that does not exist fails here, not at the first question
        self.model = model
        self._transport = transport

    async def generate_batches(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[ToolSpec] = (),
        options: ModelOptions | None = None,
        watch: Watch = UNWATCHED,
    ) -> AsyncGenerator[list[ModelEvent], None]:
        """Yield the events of each read together; see `BatchedProvider.generate_batches`."""
        tool = pick_tool(messages, tools)
        has_form = options is not None and options.output is not None
        asked = None if tool or has_form else recall(messages)
        if tool is not None:
            answer = self._call(tool, messages, options, watch)
        elif asked is not None:
            answer = self._recalled(asked, messages, options, watch)
        elif has_form:
            answer = self._send([*_system(messages), *fit(messages)], options, watch)
        else:
            has_result = bool(messages) and messages[-1].role == "tool"
            grammar = answer_grammar(messages)
            # A result is to be copied as it is; elsewhere the model would say one sentence for ever.
            extra = ({"grammar": grammar} if grammar else {"stop": ["\n\n"]}) if has_result else _NO_LOOPS
            answer = self._send([*_system(messages), *fit(messages)], options, watch, **extra)
        async with aclosing(answer) as batches:
            async for batch in batches:
                yield batch

    async def aclose(self) -> None:
        """Close the connections of this event loop; the model stays loaded."""
        from lumos_nb.transport import default_transport

        await (self._transport or default_transport()).aclose()

    async def _send(
        self, messages: list[Message], options: ModelOptions | None, watch: Watch, **extra: Any
    ) -> AsyncGenerator[list[ModelEvent], None]:
        server = HttpProvider(
            VENDORS["local"], self.model, base_url=address(self.model), transport=EmbeddedTransport(self._transport)
        )
        async with aclosing(server.generate_batches(messages, options=_with(options, extra), watch=watch)) as batches:
            async for batch in batches:
                # The server names the model by the path of its file.
                yield [msgspec.structs.replace(e, model=self.model) if isinstance(e, Finish) else e for e in batch]

    async def _recalled(
        self, asked: Recall, messages: Sequence[Message], options: ModelOptions | None, watch: Watch
    ) -> AsyncGenerator[list[ModelEvent], None]:
        prompt = [Message(role="user", content=asked.prompt), Message(role="assistant", content=asked.beginning)]
        system = Message(role="system", content=SYSTEM)
        # One sentence is the answer; what such a model adds to it is made up.
        async with aclosing(self._send([system, *prompt], options, watch, stop=["\n", ". "])) as batches:
            text = ""
            async for batch in batches:
                if not text:  # the given words go out with the model's first, so that times are the model's
                    batch.insert(0, TextDelta(asked.beginning))
                text += "".join(e.delta for e in batch if isinstance(e, TextDelta))
                if isinstance(batch[-1], Finish) and not text.endswith((".", "!", "?")):
                    batch.insert(-1, TextDelta("."))
                yield batch

    async def _call(
        self, tool: ToolSpec, messages: Sequence[Message], options: ModelOptions | None, watch: Watch
    ) -> AsyncGenerator[list[ModelEvent], None]:
        users = [m for m in messages if m.role == "user"]
        text = users[-1].text
        system = Message(role="system", content=f"{SYSTEM} Use the tool {tool.name}: {tool.description}")
        schema = {"type": "json_schema", "json_schema": {"name": "call", "schema": envelope(tool, text)}}
        written: list[str] = []
        usage = TokenUsage()
        sent = self._send([system, users[-1]], options, watch, response_format=schema)
        async with aclosing(sent) as batches:
            async for batch in batches:
                for event in batch:
                    if isinstance(event, TextDelta):
                        written.append(event.delta)
                    elif isinstance(event, Finish):
                        usage = event.usage
        n_calls = sum(len(m.tool_calls) for m in messages)
        call = ToolCall(id=f"call_{n_calls + 1}", name=tool.name, arguments=_arguments("".join(written)))
        yield [ModelToolCall(call), Finish("tool_calls", usage, self.model)]


def _system(messages: Sequence[Message]) -> list[Message]:
    given = "\n".join(m.text for m in messages if m.role == "system").strip()
    return [Message(role="system", content=given or SYSTEM)]


def _with(options: ModelOptions | None, extra: dict[str, Any]) -> ModelOptions:
    """Return the caller's options over the defaults: without them the same question gets other answers."""
    given = msgspec.structs.asdict(options) if options is not None else {}
    chosen = {name: value for name, value in given.items() if value is not None and name != "extra"}
    return msgspec.structs.replace(_DEFAULTS, **chosen, extra={**extra, **given.get("extra", {})})


def _arguments(written: str) -> str:
    try:
        return json.dumps(json.loads(written)["arguments"], ensure_ascii=False)
    except (ValueError, KeyError, TypeError) as error:
        failure = str(error)
    raise StreamError(
        f"The embedded model did not finish its tool call: {failure}.",
        hint="Ask in fewer words, allow more max_tokens, or use a larger model.",
        provider="local",
    )


__all__ = ["MODELS", "EmbeddedProvider", "is_installed"]
