"""Whether a server still answers as it did: the form of its answer, not its words.

One idea: a model never says the same twice, but what it says is read by the same code: the kinds of events, the tools
and the form of their arguments, the end, the status.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from itertools import groupby
from typing import Any

import msgspec

from lumos_nb.errors import LumosError, ProviderError
from lumos_nb.events import Finish, ModelEvent, ModelToolCall, TextDelta
from lumos_nb.tapes.asked import described
from lumos_nb.tapes.deck import Reads
from lumos_nb.tapes.format import Interaction, RequestLine
from lumos_nb.transport.base import Request, Response, Transport

_MOST_BYTES = 64_000_000
_REFUSED_FOR_NOW = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """The form of an answer; two are alike if they are equal."""

    status: int = 0
    #: Kinds of events in their order, repetitions left out.
    events: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    arguments: tuple[Any, ...] = ()
    #: Form of an answer that is JSON; else None.
    answer: Any = None
    finish: str = ""
    error: str = ""


async def note_drift(
    drifts: list[str],
    over: Transport,
    request: Request,
    line: RequestLine,
    found: Interaction | None,
    reads: Reads | None,
) -> None:
    """Send a request, and note in words in what the answer's form is not the recorded one's."""
    what = described(line if found is None else found.request)
    if found is None:
        drifts.append(f"{what} is not on the tape")
        return
    recorded = await _shape(_replayed(found), reads) if found.response is not None else None
    if recorded is None or recorded.status in _REFUSED_FOR_NOW or found.end.how in {"broken", "cancelled", "closed"}:
        return  # a bad day, or an answer that nobody wanted to the end, is no form that an answer must have
    try:
        async with over.open(request) as response:
            live = await _shape(response, reads)
    except ProviderError as error:
        live = Shape(error=type(error).__name__)
    drifts += [f"{what}: {each}" for each in differences(recorded, live)]


def differences(recorded: Shape, live: Shape) -> list[str]:
    """Return in words how two forms differ.

    Example:
        >>> differences(Shape(status=200, finish="stop"), Shape(status=200, finish="length"))
        ['finish reason stop → length']
    """
    if live.error or recorded.error:
        return (
            [] if live.error == recorded.error else [f"{recorded.error or 'an answer'} → {live.error or 'an answer'}"]
        )
    if recorded.status != live.status:
        return [f"status {recorded.status} → {live.status}"]
    fields = {
        "events": "events", "tools": "tools called", "arguments": "arguments of tools", "answer": "form of the answer",
        "finish": "finish reason",
    }  # fmt: skip
    pairs = ((words, getattr(recorded, name), getattr(live, name)) for name, words in fields.items())
    return [f"{words} {_said(old)} → {_said(new)}" for words, old, new in pairs if old != new]


def form_of(value: Any) -> Any:
    """Return the form of a JSON value: names of keys, kinds of values; what a list holds, once each.

    Example:
        >>> form_of({"a": 1, "b": ["x", "y"], "c": None})
        {'a': 'number', 'b': ['string'], 'c': 'null'}
    """
    match value:
        case dict():
            return {name: form_of(inner) for name, inner in sorted(value.items())}
        case list():
            forms = {json.dumps(form_of(inner)): form_of(inner) for inner in value}
            return [forms[name] for name in sorted(forms)]
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case None:
            return "null"
        case _:
            return "string"


async def _shape(response: Response, reads: Reads | None) -> Shape:
    if reads is None or response.status != 200:
        body = await response.read(_MOST_BYTES)
        return Shape(status=response.status, answer=_form_in(body.decode(errors="replace")))
    events: list[ModelEvent] = []
    try:
        async for batch in reads(response):
            events += batch
    except LumosError as error:
        return Shape(status=response.status, error=type(error).__name__)
    calls = [event.call for event in events if isinstance(event, ModelToolCall)]
    return Shape(
        status=response.status,
        events=tuple(kind for kind, _ in groupby(event.type for event in events)),
        tools=tuple(call.name for call in calls),
        arguments=tuple(_form_in(call.arguments) for call in calls),
        answer=_form_in("".join(event.delta for event in events if isinstance(event, TextDelta))),
        finish=next((event.reason for event in events if isinstance(event, Finish)), ""),
    )


def _replayed(interaction: Interaction) -> Response:
    async def chunks() -> AsyncGenerator[bytes, None]:
        for line in interaction.chunks:
            yield line.data

    assert interaction.response is not None
    head = interaction.response
    return Response(status=head.status, headers=head.headers, chunks=chunks())


def _form_in(text: str) -> Any:
    """Return the form of a JSON object or list; None: the text is neither."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return form_of(value) if isinstance(value, dict | list) else None


def _said(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return (text if len(text) <= 120 else f"{text[:120]}…") or "none"
