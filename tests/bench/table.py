"""The rows of the table: what each is called, what it aims at, and how it is printed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf

import msgspec

from tests.bench.rows import Figures

Best = Mapping[str, Figures]
"""By contender, the least of each figure."""

RECORDED_GOAL = 1.5
"""What recording may cost beside the same run that is not recorded."""


class Row(msgspec.Struct, frozen=True):
    """One line. Its goal is a ratio to the bare loop, or a figure in its unit if `is_absolute`."""

    title: str
    #: The function in `rows` that takes a sample of it.
    sample: str
    unit: str
    goal: float
    figure: Callable[[Figures], float]
    is_absolute: bool = False

    def scores(self, best: Best) -> dict[str, float]:
        """Return what is compared with the goals and kept: ours and httpx to bare, recorded to ours."""
        values = {name: self.figure(figures) for name, figures in best.items()}
        base = 1.0 if self.is_absolute else values["bare"]
        scores = {"ours": values["aiohttp"] / base}
        if "httpx" in values:
            scores["httpx"] = values["httpx"] / base
        if "recorded" in values:
            scores["recorded"] = values["recorded"] / values["aiohttp"]
        return scores


def _of(name: str) -> Callable[[Figures], float]:
    return lambda figures: figures[name]


ROWS = (
    Row("streamed token, reads coalesced", "token_coalesced", "µs", 3, _of("us")),
    Row("streamed token, one a read", "token_single", "µs", 2, _of("us")),
    Row("small run", "small_run", "µs", 6, _of("us")),
    Row("tool run (two model calls)", "tool_run", "µs", 5, _of("us")),
    Row("one more tool call", "tool_call", "µs", 3, lambda f: (f["nine"] - f["one"]) / 8),
    Row("history, a message of 2,000", "history", "µs", 2, lambda f: (f["long"] - f["short"]) / 1_990),
    Row("1,000 runs at once, wall", "many_runs", "s", 1.4, _of("s")),
    Row("1,000 runs at once, p99 to one alone", "many_runs", "×", 1.6, _of("p99"), is_absolute=True),
    Row("1,000 runs at once, memory", "many_runs", "MB", 120, _of("mb"), is_absolute=True),
    Row("`import lumos_nb` and `Agent`", "importing", "ms", 1.6, _of("ms")),
    Row("the same, memory", "importing", "MB", 35, _of("mb"), is_absolute=True),
    Row("make an agent", "making", "µs", 8, _of("us"), is_absolute=True),
    Row("the same, memory held", "making", "KB", 3, _of("kb"), is_absolute=True),
)

HEAD = ("row", "bare", "ours", "ratio", "goal", "kept", "on httpx", "kept", "recorded ÷ ours", "kept")


def markdown(best: Mapping[str, Best], kept: Mapping[str, dict[str, float]]) -> str:
    """Return the table; `✗` marks what misses its goal, which is one of the default transport.

    Args:
        best: Of each kind of sample, the best figures of each contender.
        kept: The scores of an earlier day, by row.
    """
    lines = [f"| {' | '.join(HEAD)} |", "|---" * len(HEAD) + "|"]
    for row in ROWS:
        if row.sample in best:
            lines.append(f"| {' | '.join(_cells(row, best[row.sample], kept.get(row.title, {})))} |")
    return "\n".join(lines)


def _cells(row: Row, best: Best, kept: Mapping[str, float]) -> list[str]:
    scores = row.scores(best)
    unit = f" {row.unit}" if row.is_absolute else "×"

    def score(name: str, source: Mapping[str, float], goal: float, unit: str) -> str:
        if name not in source:
            return "–"
        return f"{source[name]:.2f}{unit}{' ✗' if source is scores and source[name] > goal else ''}"

    def figure(name: str) -> str:
        return f"{row.figure(best[name]):.4g} {row.unit}" if name in best else "–"

    return [
        row.title, figure("bare"), figure("aiohttp"), score("ours", scores, row.goal, unit), f"{row.goal:g}{unit}",
        score("ours", kept, 0, unit), score("httpx", scores, inf, unit), score("httpx", kept, 0, unit),
        score("recorded", scores, RECORDED_GOAL, "×"), score("recorded", kept, 0, "×"),
    ]  # fmt: skip
