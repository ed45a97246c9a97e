"""What would have been quicker or cheaper in a run: estimates, from its own figures.

One idea: an estimate names what it is made of, and is given only where the figures are there. A
price that is not known stays unknown.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

from lumos_nb.events import TokenUsage
from lumos_nb.phrases import count, seconds
from lumos_nb.providers import cost_usd
from lumos_nb.providers.windows import context_window
from lumos_nb.stores.reading import Row
from lumos_nb.telemetry.diagnosis.case import Case
from lumos_nb.telemetry.diagnosis.finding import Evidence, Finding, quoted
from lumos_nb.telemetry.span import Span

WORTH_S = 1.0
WORTH_SHARE = 0.1
"""Less than a second, or than a tenth of the run, is not worth a word."""
CACHED_FROM_TOKENS = 1_024
"""Vendors cache no shorter prompts."""
LARGE_SHARE = 0.3
LARGE_TOKENS = 4_000
BYTES_A_TOKEN = 4
FULL_SHARE = 0.8
ONE_BY_ONE = 3


def saving_findings(case: Case) -> list[Finding]:
    """Return what would have saved time or money."""
    return [*_serial_tools(case), *_one_by_one(case), *_uncached(case), *_large_results(case), *_context(case)]


def window_of(recorded: int | None, provider: str | None, model: str | None) -> int | None:
    """Return the window of a model call: as recorded, else as it is known of the model."""
    return recorded or context_window(provider or "", model or "")


def _is_worth(saved_s: float, case: Case) -> bool:
    return saved_s >= max(WORTH_S, WORTH_SHARE * case.duration_s)


def _serial_tools(case: Case) -> list[Finding]:
    """Return the calls of one step that waited for each other."""
    asked = {c["step"] for c in case.calls if c["asked_at"] is not None}  # they waited for a person
    by_step: dict[int, list[Span]] = defaultdict(list)
    for span in case.tool_spans:
        if span.step not in asked:
            by_step[span.step or 0].append(span)
    saved = {step: _waited(spans) for step, spans in by_step.items() if len(spans) > 1}
    total = sum(saved.values())
    if not _is_worth(total, case):
        return []
    worst = max(saved, key=lambda step: saved[step])
    names = ", ".join(sorted({repr(span.tool) for span in by_step[worst]}))
    return [
        Finding(
            kind="serial_tools",
            severity="note",
            title=f"Tools of one step ran one after another; side by side they would have taken {seconds(total)} less.",
            suggestion=f"Let {names} run side by side: @tool(thread=True) for what blocks, or async def.",
            step=worst,
            saves_s=total,
            evidence=tuple(Evidence(f"{s.tool!r}", f"worked {s.duration_s or 0:.3f} s") for s in by_step[worst][:8]),
        )
    ]


def _waited(calls: list[Span]) -> float:
    """Return how much sooner the last of them would have been over, had all worked at once."""
    took_s = (max(call.end_ns or 0 for call in calls) - min(call.start_ns for call in calls)) / 1e9
    return max(0.0, took_s - max(call.duration_s or 0.0 for call in calls))


def _one_by_one(case: Case) -> list[Finding]:
    """Return a tool that was called in step after step, once each, with other arguments."""
    by_step: dict[int, list[Row]] = defaultdict(list)
    for call in case.calls:
        by_step[call["step"]].append(call)
    longest: list[Row] = []
    chain: list[Row] = []
    for step in sorted(by_step):
        calls = by_step[step]
        follows = chain and chain[-1]["step"] == step - 1 and chain[-1]["tool"] == calls[0]["tool"]
        chain = [*(chain if follows else []), calls[0]] if len(calls) == 1 else []
        longest = max(longest, chain, key=len)
    is_varied = len({c["args_hash"] for c in longest}) == len(longest)
    if len(longest) < ONE_BY_ONE or not is_varied:
        return []
    spared = [s for s in case.steps if s["step"] in {c["step"] for c in longest[1:]}]
    saved_s = sum(s["duration_s"] or 0.0 for s in spared)
    if not _is_worth(saved_s, case):
        return []
    return [
        Finding(
            kind="one_by_one",
            severity="note",
            title=f"The model called {longest[0]['tool']!r} in {len(longest)} steps, once in each: "
            f"{count(len(spared), 'model call')} more than if it had asked for all at once.",
            suggestion=f"Let {longest[0]['tool']!r} take a list, or say in the instructions that calls may be made "
            "together.",
            step=longest[0]["step"],
            tool=longest[0]["tool"],
            saves_s=saved_s,
            saves_usd=_sum([s["cost_usd"] for s in spared]),
            evidence=tuple(quoted(f"step {c['step']}", c["args_json"] or "", 120) for c in longest[:6]),
        )
    ]


def _uncached(case: Case) -> list[Finding]:
    """Return what of the prompts had been sent a step before and was not read from a cache."""
    missed = [(step, _missed(before, step)) for before, step in pairwise(case.steps)]
    missed = [(step, tokens) for step, tokens in missed if tokens]
    total = sum(tokens for _, tokens in missed)
    sent = sum(s["input_tokens"] or 0 for s in case.steps)
    if not missed or total < WORTH_SHARE * sent:
        return []
    usd = _sum([_cheaper(step, TokenUsage(input_tokens=n), TokenUsage(input_tokens=n, cache_read_tokens=n))
                for step, n in missed])  # fmt: skip
    if usd is not None and usd <= 0:  # nothing to gain: a model at home, or one without a price for the cache
        return []
    return [
        Finding(
            kind="uncached",
            severity="note",
            title=f"{total:,} of {sent:,} input tokens had been sent a step before and were not read from a cache.",
            suggestion="Keep instructions and tools the same from step to step and put what changes at the end; "
            "see whether the vendor's cache has to be asked for.",
            step=missed[0][0]["step"],
            saves_usd=usd,
            evidence=tuple(
                Evidence(
                    f"step {s['step']}", f"{s['input_tokens']:,} in, {s['cache_read_tokens'] or 0:,} from the cache"
                )
                for s, _ in missed[:8]
            ),
        )
    ]


def _missed(before: Row, step: Row) -> int:
    shared = min(before["input_tokens"] or 0, step["input_tokens"] or 0)
    return max(0, shared - (step["cache_read_tokens"] or 0)) if shared >= CACHED_FROM_TOKENS else 0


def _cheaper(step: Row, usage: TokenUsage, other: TokenUsage) -> float | None:
    """Return how much less another usage would cost at a step's model, in US dollars."""
    vendor, model = step["provider"] or "", step["model"] or ""
    costs = cost_usd(vendor, model, usage), cost_usd(vendor, model, other)
    return None if costs[0] is None or costs[1] is None else costs[0] - costs[1]


def _sum(values: list[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return sum(known) if len(known) == len(values) else None


def _large_results(case: Case) -> list[Finding]:
    """Return the tool whose results made up most of the prompts."""
    sent = sum(s["input_tokens"] or 0 for s in case.steps)
    later = {step["step"]: len(case.steps) - n for n, step in enumerate(case.steps, start=1)}
    carried: dict[str, int] = defaultdict(int)
    for call in case.calls:
        told = min(call["result_bytes"] or 0, _longest_told())
        carried[call["tool"] or ""] += told // BYTES_A_TOKEN * later.get(call["step"], 0)
    tool, tokens = max(carried.items(), key=lambda pair: pair[1], default=("", 0))
    if tokens < LARGE_TOKENS or sent < LARGE_TOKENS or tokens < LARGE_SHARE * sent:
        return []
    tokens = min(tokens, sent)
    largest = max((c for c in case.calls if c["tool"] == tool), key=lambda c: c["result_bytes"] or 0)
    usd = _cheaper(case.steps[-1], TokenUsage(input_tokens=tokens), TokenUsage())
    return [
        Finding(
            kind="large_results",
            severity="note",
            title=f"Results of {tool!r} made up about {tokens:,} of {sent:,} input tokens: each is sent again with "
            "every later step.",
            suggestion=f"Let {tool!r} return less (a limit, a summary, the columns that matter), "
            "or set LUMOS_TOOL_RESULT_CHARS to less.",
            step=largest["step"],
            tool=tool,
            tool_call_id=largest["tool_call_id"],
            saves_usd=usd or None,
            evidence=(Evidence("tool_calls.result_bytes, largest", f"{largest['result_bytes'] or 0:,}"),),
        )
    ]


def _longest_told() -> int:
    from lumos_nb import settings

    return settings.current().tool_result_chars


def _context(case: Case) -> list[Finding]:
    """Return that the conversation comes near the model's window."""
    windows = [(s, window) for s in case.steps if (window := window_of(s["context_window"], s["provider"], s["model"]))]
    full = [(s, window) for s, window in windows if (s["context_tokens"] or 0) >= FULL_SHARE * window]
    if not full:
        return []
    last, size = full[-1]
    return [
        Finding(
            kind="context_fills",
            severity="note",
            title=f"The prompt filled {last['context_tokens'] / size:.0%} of the model's window.",
            suggestion="Start a new thread, let tools return less, or use a model with a larger window.",
            step=last["step"],
            evidence=(Evidence("steps.context_tokens", f"{last['context_tokens']:,} of {size:,}"),),
        )
    ]
