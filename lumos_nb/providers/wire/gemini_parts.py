"""The fiddly parts of a Gemini stream: calls, whole or in pieces, and usage.

One idea: a call in pieces is a list of small changes to its arguments, each with a path to where it belongs.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import msgspec

from lumos_nb.events import TokenUsage
from lumos_nb.messages import ToolCall
from lumos_nb.providers.wire.decoding import made_id

_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\[['\"]([^'\"]*)['\"]\]")


class PartialArg(msgspec.Struct, rename="camel", gc=False):
    """A change to the arguments of a call."""

    json_path: str = "$"
    string_value: Any = None
    number_value: Any = None
    bool_value: Any = None
    #: More of this text follows.
    will_continue: Any = None

    @property
    def value(self) -> Any:
        """The value; None also stands for `nullValue`."""
        return next((v for v in (self.string_value, self.number_value, self.bool_value) if v is not None), None)


class FunctionCall(msgspec.Struct, rename="camel", gc=False):
    """A call as it stands in a part: whole, or a piece of one."""

    id: Any = None
    name: Any = None
    #: As text, so that the arguments stay as the model wrote them.
    args: msgspec.Raw = msgspec.Raw()
    partial_args: list[PartialArg] | None = None
    will_continue: Any = None


class OpenCall(msgspec.Struct, eq=False):
    """A call while its pieces arrive."""

    id: str
    name: str
    #: The arguments as JSON text, if they came whole.
    text: str = ""
    pieces: dict[str, Any] = {}
    signature: str | None = None
    #: Paths of the texts of which more follows.
    open_paths: set[str] = set()
    is_open: bool = False

    @classmethod
    def begin(cls, call: FunctionCall) -> OpenCall:
        """Return the call that a first piece begins."""
        return cls(str(call.id or ""), str(call.name or ""))

    def add(self, call: FunctionCall, signature: Any) -> None:
        """Take in a piece, which may be all of it."""
        self.id = self.id or str(call.id or "")
        self.signature = self.signature or (str(signature) if signature else None)
        self.text = bytes(call.args).decode(errors="replace") or self.text
        for change in call.partial_args or ():
            is_more = change.json_path in self.open_paths
            put(self.pieces, change.json_path, change.value, is_more=is_more)
            (self.open_paths.add if change.will_continue else self.open_paths.discard)(change.json_path)
        self.is_open = bool(call.will_continue)

    def done(self, response_id: str, n: int) -> ToolCall:
        """Return the whole call."""
        id = self.id or made_id(response_id, n)
        is_whole = self.text not in ("", "null", "{}") and not self.pieces
        arguments = self.text if is_whole else msgspec.json.encode(self.pieces).decode()
        return ToolCall(id=id, name=self.name, arguments=arguments, signature=self.signature)


def put(target: dict[str, Any], path: str, value: Any, *, is_more: bool = False) -> None:
    """Put a value where a path points to, and make what is missing on the way.

    Args:
        target: The arguments.
        path: As `$.rows[0].name`.
        value: The value.
        is_more: It is text that continues what is there.

    Example:
        >>> target = {}
        >>> put(target, "$.rows[0].name", "Bos"); put(target, "$.rows[0].name", "ton", is_more=True)
        >>> put(target, "$.rows[1]['a.b']", 2); target
        {'rows': [{'name': 'Boston'}, {'a.b': 2}]}
    """
    steps = [int(index) if index else name or quoted for name, index, quoted in _STEP.findall(path)]
    if not steps or not isinstance(steps[0], str):
        return
    here: Any = target
    for step, after in pairwise(steps):
        inner = _at(here, step)
        if not isinstance(inner, list if isinstance(after, int) else dict):
            inner = [] if isinstance(after, int) else {}
            _set(here, step, inner)
        here = inner
    before = _at(here, steps[-1])
    is_text = is_more and isinstance(before, str) and isinstance(value, str)
    _set(here, steps[-1], before + value if is_text else value)


def _at(container: Any, step: int | str) -> Any:
    if isinstance(container, list):
        return container[step] if isinstance(step, int) and step < len(container) else None
    return container.get(step)


def _set(container: Any, step: int | str, value: Any) -> None:
    if isinstance(container, list) and isinstance(step, int) and step >= len(container):
        # Items come in order; a number far behind the end would only waste memory.
        container.append(value)
    else:
        container[step] = value


class Usage(msgspec.Struct, rename="camel", gc=False):
    """The `usageMetadata` object; every field may be missing or null."""

    prompt_token_count: float | None = None
    tool_use_prompt_token_count: float | None = None
    cached_content_token_count: float | None = None
    candidates_token_count: float | None = None
    thoughts_token_count: float | None = None

    @property
    def has_counts(self) -> bool:
        """Whether it says anything about tokens."""
        return bool(self.prompt_token_count or self.candidates_token_count or self.thoughts_token_count)

    def total(self) -> TokenUsage:
        """Return it in our terms, where output includes reasoning.

        Example:
            >>> Usage(prompt_token_count=2, candidates_token_count=3, thoughts_token_count=4).total().output_tokens
            7
        """
        reasoning = self.thoughts_token_count or 0
        return TokenUsage(
            input_tokens=int((self.prompt_token_count or 0) + (self.tool_use_prompt_token_count or 0)),
            output_tokens=int((self.candidates_token_count or 0) + reasoning),
            cache_read_tokens=int(self.cached_content_token_count or 0),
            reasoning_tokens=int(reasoning),
        )
