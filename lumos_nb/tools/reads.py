"""Which names of a notebook a function reads, so that it is known what a result depends on.

One idea: only what the notebook itself wrote can be out of date: functions of packages are not looked into.
"""

from __future__ import annotations

import dis
import inspect
from collections.abc import Callable, Iterator
from functools import lru_cache
from types import CodeType, FunctionType
from typing import Any

_NOTEBOOK = "__main__"


def names_read(fn: Callable[..., Any]) -> frozenset[str]:
    """Return the notebook's names that a function reads, also through functions of the notebook that it calls.

    Example:
        >>> names_read(len)
        frozenset()
    """
    found: set[str] = set()
    waiting = [inspect.unwrap(fn)]
    while waiting:
        function = waiting.pop()
        if not isinstance(function, FunctionType) or function.__globals__.get("__name__") != _NOTEBOOK:
            continue
        for name in _globals_of(function.__code__) - found:
            if name in function.__globals__:
                found.add(name)
                waiting.append(inspect.unwrap(getattr(function.__globals__[name], "fn", function.__globals__[name])))
    return frozenset(found)


@lru_cache(256)
def _globals_of(code: CodeType) -> frozenset[str]:
    return frozenset(_loaded(code))


def _loaded(code: CodeType) -> Iterator[str]:
    for instruction in dis.get_instructions(code):
        if instruction.opname in {"LOAD_GLOBAL", "LOAD_NAME"}:
            yield str(instruction.argval)
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield from _loaded(part)
