"""Which parts of two runs belong together.

One idea: what was called says what a step was for; its number, and what it said, do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any

from lumos_nb.telemetry.traces.steps import TraceStep

_MOST_COMPARED = 1_000_000
"""Longer runs are taken step by step: to align them would take minutes."""


def aligned(a: Sequence[TraceStep], b: Sequence[TraceStep]) -> list[tuple[TraceStep | None, TraceStep | None]]:
    """Return the steps of two runs in pairs: those that called the same tools belong together, in their order.

    Example:
        >>> aligned([], [])
        []
    """
    keys = [[tuple(sorted(call.tool for call in step.tool_calls)) for step in steps] for steps in (a, b)]
    return paired(a, b, *keys)


def paired(a: Sequence[Any], b: Sequence[Any], a_keys: Sequence[Any], b_keys: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Return two lists in pairs by their keys, in order; None where one has nothing that fits.

    Example:
        >>> paired("ab", "b", "ab", "b")
        [('a', None), ('b', 'b')]
    """
    if len(a) * len(b) > _MOST_COMPARED:
        return list(zip_longest(a, b))
    pairs: list[tuple[Any, Any]] = []
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, a_keys, b_keys, autojunk=False).get_opcodes():
        n = min(i2 - i1, j2 - j1) if kind in {"equal", "replace"} else 0
        pairs += zip(a[i1 : i1 + n], b[j1 : j1 + n], strict=True)
        pairs += [(one, None) for one in a[i1 + n : i2]]
        pairs += [(None, one) for one in b[j1 + n : j2]]
    return pairs
