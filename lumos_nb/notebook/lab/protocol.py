"""How a page and the kernel talk: requests in both directions, answers, and news.

One idea: the schema is the code. What a page may ask is what rooms answer (`asked`); what the kernel may
ask of a page (`PageAsk`) and tell it (`News`) is declared once, with its types. Each message is one JSON
object on a comm of the target `lumos_nb`:

```
page to kernel   {"id": 1, "ask": "threads.list", "with": {…}}
kernel to page   {"id": 1, "answer": {…}}
             or  {"id": 1, "problem": {"type", "message", "hint"}}
kernel to page   {"id": 1, "ask": "cells.list", "with": {…}}, and the page answers in the same way
kernel to page   {"news": "changed", "with": {…}}
```

The page opens the comm with `{"v": PROTOCOL_VERSION, "page": id of the browser tab}`. A version only gains
names and fields; who meets a newer one ignores what it does not know.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import msgspec

from lumos_nb.widgets.clicks import LAB

PROTOCOL_VERSION = 1
TARGET = LAB
"""Target of the comms, and how a page finds out that the extension is loaded in a kernel."""

T = TypeVar("T")
A = TypeVar("A")
F = TypeVar("F", bound=Callable[..., Any])


class Nothing(msgspec.Struct, frozen=True):
    """A request or an answer that says nothing."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request was not done: the error's class, what happened, and what to do."""

    type: str
    message: str
    hint: str = ""


class PageAsk(Generic[T, A]):
    """What the kernel asks of a page.

    Example:
        >>> PageAsk("cells.count", Nothing, int).name
        'cells.count'
    """

    def __init__(self, name: str, given: type[T], answer: type[A]) -> None:
        self.name, self.given, self.answer = name, given, answer


class News(Generic[T]):
    """What the kernel tells every page, unasked."""

    def __init__(self, name: str, given: type[T]) -> None:
        self.name, self.given = name, given


class Request(msgspec.Struct, frozen=True):
    """A method of a room that a page may ask for."""

    name: str
    method: str
    given: Any
    answer: Any


def asked(name: str) -> Callable[[F], F]:
    """Mark a room's method as what answers the page's request of that name.

    It takes one struct, or nothing but itself, and returns what msgspec can write. It is called on a worker
    thread. What it raises is told to the page as a `Problem`.
    """

    def mark(fn: F) -> F:
        fn.__lumos_asked__ = name  # type: ignore[attr-defined]
        return fn

    return mark


def requests_of(room: type) -> list[Request]:
    """Return what a page may ask of a class of rooms, in the order of its methods."""
    found = []
    for method, fn in vars(room).items():
        name = getattr(fn, "__lumos_asked__", None)
        if name is None:
            continue
        hints = typing.get_type_hints(fn)
        answer = hints.pop("return", type(None))
        given = next(iter(hints.values()), Nothing) if len(inspect.signature(fn).parameters) > 1 else Nothing
        found.append(Request(name, method, given, Nothing if answer is type(None) else answer))
    return found
