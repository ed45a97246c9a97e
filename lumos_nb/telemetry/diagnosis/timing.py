"""Where the time of a run went.

One idea: each moment of a run counts once. Where several things went on at once, what the run
would have gone on with counts: tools before a person's answer, waits before the model call around them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median

from lumos_nb.phrases import count, seconds
from lumos_nb.stores import Store
from lumos_nb.telemetry.diagnosis.case import Case
from lumos_nb.telemetry.diagnosis.finding import Evidence, Finding
from lumos_nb.telemetry.span import Span

PHASES = {
    "away": "stopped, until it was taken up again",
    "pause": "paused",
    "rate_limit": "waiting its turn at the server",
    "retry": "waiting to ask again",
    "tools": "tools",
    "approval": "waiting for a person",
    "first_token": "waiting for the model's first token",
    "writing": "the model writing",
}
"""What a run may spend time with, the first counts where several go on at once."""

NOT_SLOW_S = 1.0
SLOW_TIMES = 3.0
SLOW_OF = 5
"""Slower than usual: three times the median of at least five others, and a second more."""

DOMINATES = 0.5
LONG_S = 5.0
"""What took half of a run of at least five seconds is worth a word."""


def phases(spans: Sequence[Span]) -> dict[str, float]:
    """Return the seconds that the parts of a run took, by phase, the longest first.

    Example:
        >>> chat = Span(trace_id="", span_id="1", parent_span_id=None, op="chat", name="", run_id="", status="ok",
        ...             start_ns=0, end_ns=3_000_000_000, ttft_s=1.0)
        >>> phases([chat])
        {'writing': 2.0, 'first_token': 1.0}
    """
    names = list(PHASES)
    edges = sorted(edge for span in spans for edge in _edges(span))
    open_ = [0] * len(names)
    took = [0] * len(names)
    before = 0
    for at, change, phase in edges:
        now = next((n for n, k in enumerate(open_) if k), None)
        if now is not None:
            took[now] += at - before
        open_[names.index(phase)] += change
        before = at
    by_length = sorted(zip(names, took, strict=True), key=lambda pair: -pair[1])
    return {name: ns / 1e9 for name, ns in by_length if ns > 0}


def _edges(span: Span) -> list[tuple[int, int, str]]:
    """Return when a span's phases begin (1) and end (-1)."""
    start, end = span.start_ns, span.end_ns
    if end is None or end <= start:
        return []
    match span.op:
        case "execute_tool":
            return _edge("tools", start, end)
        case "chat":
            first = end if span.ttft_s is None else min(end, start + round(max(0.0, span.ttft_s) * 1e9))
            return [*_edge("first_token", start, first), *_edge("writing", first, end)]
    return _edge(span.op, start, end) if span.op in PHASES else []


def _edge(phase: str, start: int, end: int) -> list[tuple[int, int, str]]:
    return [(start, 1, phase), (end, -1, phase)] if end > start else []


def slow_findings(case: Case, store: Store) -> list[Finding]:
    """Return whether the run was slower than its like, and what it spent its time with."""
    took = phases(case.spans)
    found = [*_slower(case, store, took)]
    total = case.duration_s
    is_over = case.run["status"] in {"completed", "cancelled"}  # one that failed has other worries
    if not found and is_over and took and total >= LONG_S and next(iter(took.values())) >= DOMINATES * total:
        found = [_dominated(case, took)]
    return found


def _slower(case: Case, store: Store, took: dict[str, float]) -> list[Finding]:
    run = case.run
    if run["status"] != "completed" or case.duration_s < NOT_SLOW_S:
        return []
    where = [("agent", "=", run["agent"]), ("model", "=", run["model"]), ("status", "=", "completed"),
             ("run_id", "!=", run["run_id"])]  # fmt: skip
    others = [d for (d,) in store.select("runs", ["duration_s"], where=where, order=["-started_at"], limit=100)]
    known = [float(d) for d in others if d is not None]
    usual = median(known) if len(known) >= SLOW_OF else None
    if usual is None or case.duration_s < SLOW_TIMES * usual or case.duration_s < usual + NOT_SLOW_S:
        return []
    return [
        Finding(
            kind="slow",
            severity="note",
            title=f"It took {seconds(case.duration_s)}; {count(len(known), 'other run')} of this agent with this model "
            f"took {seconds(usual)} (median).{_most(took, case.duration_s)}",
            suggestion=_do(case, took),
            evidence=(*_split(case, took), Evidence("runs.duration_s, median of others", f"{usual:.3f}")),
        )
    ]


def _dominated(case: Case, took: dict[str, float]) -> Finding:
    return Finding(
        kind="dominated",
        severity="note",
        title=f"It took {seconds(case.duration_s)}.{_most(took, case.duration_s)}",
        suggestion=_do(case, took),
        evidence=_split(case, took),
    )


def _most(took: dict[str, float], total: float) -> str:
    if not took:
        return ""
    name, longest = next(iter(took.items()))
    return f" Most of it was {PHASES[name]}: {seconds(longest)} of {seconds(total)}."


def _split(case: Case, took: dict[str, float]) -> tuple[Evidence, ...]:
    found = [Evidence(PHASES[name], f"{value:.3f} s") for name, value in took.items()]
    by_tool = [Evidence(f"tool {tool!r}", f"{value:.3f} s") for tool, value in _by_tool(case).most_common(5)]
    return (*found, *by_tool)


def _by_tool(case: Case) -> Counter[str]:
    """Return the seconds that each tool worked."""
    worked: Counter[str] = Counter()
    for span in case.tool_spans:
        worked[span.tool or ""] += span.duration_s or 0.0  # type: ignore[assignment]  # a count of seconds
    return worked


_DO = {
    "first_token": "A shorter prompt, one that is read from the cache, or a smaller model answers sooner.",
    "writing": "Ask for shorter answers, or use a model that writes quicker.",
    "approval": "Allow what needs no question: approve=[…], or Allow in this thread.",
    "retry": "Name a second model that takes over: model=[…, …].",
    "rate_limit": "Raise LUMOS_MAX_IN_FLIGHT if the server allows more at once.",
    "pause": "It was paused by a person; nothing to do.",
    "away": "It was stopped by a person or with its kernel; nothing to do.",
}


def _do(case: Case, took: dict[str, float]) -> str:
    first = next(iter(took), "")
    if first == "tools" and (slowest := _by_tool(case).most_common(1)):
        tool, value = slowest[0]
        return f"Look at {tool!r} first: its calls worked for {seconds(value)}."
    return _DO.get(first, "Look at the trace: `%trace`.")
