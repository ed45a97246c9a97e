"""How fast a run goes, while it goes.

One idea: providers tell the tokens at the end of a step, so until then a chunk counts as a token,
and the figure says that it is an estimate.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from lumos_nb.events import AgentEvent, ReasoningDelta, StepComplete, StepStart, TextDelta
from lumos_nb.phrases import price


class Pace:
    """Counts chunks of the step under way.

    Example:
        >>> pace = Pace()
        >>> pace.apply([TextDelta("a"), TextDelta("b")])
        >>> pace.figures({"usage": {"output_tokens": 10}})
        '~12 tok'
    """

    def __init__(self) -> None:
        self._chunks = 0
        self._first_at = 0.0

    def apply(self, events: Iterable[AgentEvent]) -> None:
        """Count these events."""
        for event in events:
            if isinstance(event, TextDelta | ReasoningDelta):
                self._first_at = self._first_at or time.monotonic()
                self._chunks += 1
            elif isinstance(event, StepStart | StepComplete):
                self._chunks, self._first_at = 0, 0.0

    def figures(self, doc: dict[str, Any]) -> str:
        """Say tokens, speed and cost so far."""
        exact = (doc.get("usage") or {}).get("output_tokens") or 0
        n, elapsed = exact + self._chunks, time.monotonic() - self._first_at
        about = "~" if self._chunks else ""
        speed = doc.get("tokens_per_s") or 0
        if self._chunks > 1 and elapsed > 0.3:
            speed = self._chunks / elapsed
        cost = price(doc.get("cost_usd")) if doc.get("n_steps") else ""
        parts = (f"{about}{n:,} tok" if n else "", f"{speed:,.0f} tok/s" if speed else "", cost)
        return " · ".join(p for p in parts if p)
