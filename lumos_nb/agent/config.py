"""What an agent is made of, checked when it is made.

One idea: a mistake in a definition shows at once and says how to mend it, not in the first run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypedDict

import msgspec

from lumos_nb.agent.approval import Approver
from lumos_nb.agent.control import RunControl
from lumos_nb.context import RuntimeContext
from lumos_nb.errors import UsageError
from lumos_nb.providers.base import LlmProvider, ModelOptions
from lumos_nb.tools import Tool

Instructions = str | Callable[[RuntimeContext], str]
_Named = str | LlmProvider
Model = _Named | Sequence[_Named] | Callable[[RuntimeContext], "_Named | Sequence[_Named]"] | None
Tools = Sequence[Tool | Callable[..., Any]] | Callable[[RuntimeContext], Sequence[Tool | Callable[..., Any]]]


class AgentConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Name, instructions, model and tools of an agent. Instructions, model and tools may be functions of the context.

    Example:
        >>> AgentConfig(name="analyst", model="openai/gpt-5.6-luna").name
        'analyst'
    """

    name: str
    instructions: Any = ""
    model: Any = None
    tools: Any = ()
    options: ModelOptions | None = None
    max_steps: int | None = None

    def __post_init__(self) -> None:
        self._check(isinstance(self.name, str) and bool(self.name.strip()), "name", "a text that is not empty")
        self._check(isinstance(self.instructions, str) or callable(self.instructions), "instructions",
                    "a text, or a function of the context that returns one")  # fmt: skip
        self._check(_is_model(self.model), "model",
                    'a text such as "openai/gpt-5.6-luna", a provider made by llm(…), or a list of these')  # fmt: skip
        ok = callable(self.tools) or (not isinstance(self.tools, str) and isinstance(self.tools, Sequence))
        self._check(ok, "tools", "a list of functions or tools")
        self._check(self.max_steps is None or self.max_steps >= 1, "max_steps", "1 or more")

    def _check(self, good: bool, name: str, expected: str) -> None:
        if not good:
            value = getattr(self, name)
            raise UsageError(f"{name} of an agent cannot be {value!r:.80}.", hint=f"It must be {expected}.")


def _is_model(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return bool(value) and all(isinstance(each, str | LlmProvider) for each in value)
    return value is None or isinstance(value, str | LlmProvider) or callable(value)


class MemoryOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a thread a run reads: the last `last_messages`, or all of them for None."""

    last_messages: int | None = None


class AgentGenerateOptions(TypedDict, total=False):
    """Options of one run, given as keywords to `generate` and `stream`."""

    #: The conversation to continue; made if it does not exist. None: the run stands alone.
    thread_id: str | None
    #: Whether the run's messages are added to the thread.
    save_to_memory: bool
    memory_options: MemoryOptions
    #: Temperature, length and the like, for each model call.
    model_options: ModelOptions
    #: Model calls before the run is stopped.
    max_steps: int
    #: No model call once the known prices of those before have come to this, in US dollars.
    max_cost_usd: float | None
    #: Values for tools and dynamic fields.
    context: RuntimeContext
    #: Other tools than the agent's own.
    tools: Sequence[Tool | Callable[..., Any]]
    #: Another model than the agent's own.
    model: str | LlmProvider
    #: Type of the answer, as for `Agent(output=…)`.
    output: Any
    #: Title of the thread if it is made; else the first words of the prompt.
    thread_title: str
    #: Tools that need no question, names and patterns, beside those of the setting `approve`.
    approve: str | Sequence[str]
    #: Who is asked about a tool that must be asked for; see `lumos_nb.agent.approval`. None: it is denied.
    on_approval: Approver | None
    #: To steer and to pause the run.
    control: RunControl
    #: Called with each list of events, also with those of a run that is cancelled; on the run's loop.
    on_events: Callable[[Sequence[Any]], None]
