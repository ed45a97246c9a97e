"""Whether conversations only ever grow: a vendor's prompt cache holds as long as what was sent before stays the same.

One idea: a later request of a conversation begins with all that an earlier one said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from lumos_nb.tapes.asked import model_of, turns_of
from lumos_nb.tapes.canonical import canonical
from lumos_nb.tapes.changes import n_same
from lumos_nb.tapes.format import RequestLine


class _Prompt(msgspec.Struct, frozen=True, kw_only=True):
    request: RequestLine
    #: What stands before the turns: tools, instructions.
    head: Any
    turns: list[Any]


def broken_prefixes(requests: Iterable[RequestLine]) -> Iterator[tuple[RequestLine, str]]:
    """Yield the requests that change what their conversation said before, and in words what.

    A conversation is known by its model and its first question. A model that runs in the process has no cache that
    anybody pays for, and is left out.

    Example:
        >>> def of(i, *texts):
        ...     turns = [{"role": "user", "content": text} for text in texts]
        ...     return RequestLine(i=i, url="http://h/v1", body=msgspec.Raw(msgspec.json.encode({"messages": turns})))
        >>> [what for _, what in broken_prefixes([of(0, "a", "b"), of(1, "a", "x", "c")])]
        ['changes message 1 of request 0']
    """
    talks: defaultdict[str, list[_Prompt]] = defaultdict(list)
    for request in requests:
        prompt = _prompt(request) if request.url.startswith("http") else None
        if prompt is None:
            continue
        first = next((turn for turn in prompt.turns if _role(turn) not in {"system", "developer"}), None)
        earlier = talks[repr((request.url, model_of(request, canonical(request).get("body")), first))]
        shorter = [each for each in earlier if len(each.turns) < len(prompt.turns)]
        # Of conversations that began alike, the one that it goes on with.
        nearest = max(shorter, key=lambda each: n_same(each.turns, prompt.turns), default=None)
        earlier.append(prompt)
        if nearest is None:
            continue
        n = n_same(nearest.turns, prompt.turns)
        if n < len(nearest.turns):
            yield request, f"changes message {n} of request {nearest.request.i}"
        elif nearest.head != prompt.head:
            yield request, f"changes the tools or the instructions of request {nearest.request.i}"


def _prompt(request: RequestLine) -> _Prompt | None:
    body = canonical(request).get("body")
    if not isinstance(body, dict):
        return None
    turns = turns_of(body)
    head = [body.get(name) for name in ("tools", "toolConfig", "system", "instructions", "systemInstruction")]
    return _Prompt(request=request, head=_plain(head), turns=_plain(turns)) if isinstance(turns, list) else None


def _plain(value: Any) -> Any:
    """Return a value without marks for the cache, which move on with the conversation."""
    if isinstance(value, list):
        return [_plain(item) for item in value if not (isinstance(item, dict) and item.keys() == {"cachePoint"})]
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items() if name != "cache_control"}
    return value


def _role(turn: Any) -> Any:
    return turn.get("role") if isinstance(turn, dict) else None
