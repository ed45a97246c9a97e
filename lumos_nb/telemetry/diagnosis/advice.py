"""What many runs advise: tools that fail, prompts that no cache holds, answers that are cut.

One idea: a rule speaks when there is enough to go by, and says how much that is. A share counts
by the lower end of its interval, so that chance alone gives no advice.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from statistics import median

import msgspec

from lumos_nb.events import TokenUsage
from lumos_nb.phrases import count, price, seconds
from lumos_nb.providers import cost_usd
from lumos_nb.stores import Store
from lumos_nb.stores.base import Condition
from lumos_nb.telemetry.diagnosis.finding import one_line
from lumos_nb.telemetry.diagnosis.many import ManyRuns, RunRow, read_many
from lumos_nb.telemetry.diagnosis.savings import BYTES_A_TOKEN, CACHED_FROM_TOKENS, FULL_SHARE, window_of
from lumos_nb.telemetry.diagnosis.shares import wilson

ENOUGH = 10
"""Fewer runs, calls or prompts than these say nothing."""
OFTEN = 0.05
"""A share is worth advice if its interval begins above this."""
TIMES = 2.0
"""A model is slower or dearer if it is so by this factor."""
SHOWN_RUNS = 5


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that many runs advise."""

    #: Such as `failing_tool`; `not_enough` where there is too little to go by.
    kind: str
    #: The tool, model or agent that it is about.
    subject: str
    #: What was seen.
    what: str
    #: How often, of how many.
    n: int
    of_n: int
    do: str
    #: Estimates over the runs looked at; None where they are not known.
    saves_s: float | None = None
    saves_usd: float | None = None
    #: Some runs in which it can be seen.
    run_ids: tuple[str, ...] = ()


def advise(store: Store, where: Sequence[Condition] = ()) -> list[Advice]:
    """Return what the runs that `where` (conditions on the table `runs`) selects advise, the most frequent first.

    Example:
        >>> import tempfile; from lumos_nb.stores import open_store
        >>> advise(open_store(tempfile.mkdtemp() + "/lumos.db"))[0].what
        'There are 0 runs.'
    """
    many = read_many(store, where)
    found = [advice for rule in _RULES for advice in rule(many)]
    found.sort(key=lambda a: (-(a.saves_usd or 0.0), -(a.saves_s or 0.0), -a.n / max(1, a.of_n)))
    return [*found, *_not_enough(many)]


def _not_enough(many: ManyRuns) -> list[Advice]:
    n = len(many.runs)
    if n >= ENOUGH:
        return []
    what = f"There {'is' if n == 1 else 'are'} {count(n, 'run')}."
    do = f"Look again when there are {ENOUGH} or more, or take a longer time: last='30d'."
    return [Advice(kind="not_enough", subject="runs", what=what, n=n, of_n=ENOUGH, do=do)]


def _is_often(k: int, n: int) -> bool:
    return n >= ENOUGH and wilson(k, n)[0] >= OFTEN


def _some(runs: Iterable[str]) -> tuple[str, ...]:
    return tuple(list(dict.fromkeys(runs))[-SHOWN_RUNS:])


def _failing_tools(many: ManyRuns) -> Iterable[Advice]:
    by_tool = defaultdict(list)
    for call in many.calls:
        if call.status in {"ok", "error"}:
            by_tool[call.tool or ""].append(call)
    for tool, calls in by_tool.items():
        failed = [call for call in calls if call.status == "error"]
        if not _is_often(len(failed), len(calls)):
            continue
        (error, times), *_ = Counter(call.error_type or "an error" for call in failed).most_common(1)
        yield Advice(
            kind="failing_tool", subject=tool, n=len(failed), of_n=len(calls),
            what=f"{tool!r} failed in {len(failed) / len(calls):.0%} of its calls, mostly with {error} ({times}).",
            do=f"`lumos.diagnose({failed[-1].run_id!r})` shows one of them and gives a cell that calls {tool!r} again.",
            run_ids=_some(call.run_id for call in failed),
        )  # fmt: skip


def _never_cached(many: ManyRuns) -> Iterable[Advice]:
    by_model: dict[tuple[str, str], list[tuple[str, int, int]]] = defaultdict(list)
    for before, step in pairwise(many.steps):
        shared = min(before.input_tokens or 0, step.input_tokens or 0)
        if before.run_id == step.run_id and shared >= CACHED_FROM_TOKENS:
            read = step.cache_read_tokens or 0
            by_model[step.provider or "", step.model or ""].append((step.run_id, shared, read))
    for (vendor, model), rows in by_model.items():
        missed = [row for row in rows if not row[2]]
        if len(rows) < ENOUGH or len(missed) < len(rows):
            continue
        tokens = sum(shared for _, shared, _ in missed)
        usd = _saved_usd(vendor, model, tokens, TokenUsage(input_tokens=tokens, cache_read_tokens=tokens))
        if usd is not None and usd <= 0:
            continue
        yield Advice(
            kind="never_cached", subject=f"{vendor}/{model}", n=len(missed), of_n=len(rows), saves_usd=usd,
            what=f"{tokens:,} input tokens had been sent a step before, and none was read from a cache.",
            do="Keep instructions and tools the same, and see whether the vendor's cache has to be asked for.",
            run_ids=_some(row[0] for row in missed),
        )  # fmt: skip


def _saved_usd(vendor: str, model: str, tokens: int, instead: TokenUsage) -> float | None:
    costs = cost_usd(vendor, model, TokenUsage(input_tokens=tokens)), cost_usd(vendor, model, instead)
    return None if costs[0] is None or costs[1] is None else costs[0] - costs[1]


_COMPARED: tuple[tuple[str, str, str, str, Callable[[float | None], str]], ...] = (
    ("slower_model", "duration_s", "saves_s", "took", seconds),
    ("dearer_model", "cost_usd", "saves_usd", "cost", price),
)


def _compared(many: ManyRuns) -> Iterable[Advice]:
    """Yield models that are a multiple slower or dearer than the best one of the same agent."""
    for kind, column, saves, verb, said in _COMPARED:
        groups: dict[str, dict[str, list[tuple[float, str]]]] = defaultdict(lambda: defaultdict(list))
        for run in many.runs:
            if run.status == "completed" and getattr(run, column) is not None:
                groups[run.agent or ""][f"{run.provider}/{run.model}"].append((getattr(run, column), run.run_id))
        for agent, models in groups.items():
            enough = {model: rows for model, rows in models.items() if len(rows) >= ENOUGH}
            usual = {model: median(amount for amount, _ in rows) for model, rows in enough.items()}
            best = min(usual, key=lambda model: usual[model], default="")
            for model, rows in enough.items():
                if usual[model] <= 0 or usual[model] < TIMES * usual[best]:
                    continue
                advice = Advice(
                    kind=kind, subject=agent, n=len(rows), of_n=sum(map(len, models.values())),
                    what=f"{agent!r} {verb} {said(usual[model])} with {model}, {said(usual[best])} with {best} "
                    "(medians of a run).",
                    do=f"See on some of these runs whether {best} answers as well: `lumos.plot.compare`.",
                    run_ids=_some(run_id for _, run_id in rows),
                )  # fmt: skip
                yield msgspec.structs.replace(advice, **{saves: (usual[model] - usual[best]) * len(rows)})


def _idle_tools(many: ManyRuns) -> Iterable[Advice]:
    used = {call.tool for call in many.calls}
    runs: dict[str, list[RunRow]] = defaultdict(list)
    size: dict[str, int] = {}
    for run in many.runs:
        for tool, n_bytes in many.tools.get(run.config_hash or "", {}).items():
            runs[tool].append(run)
            size[tool] = n_bytes
    for tool, had in runs.items():
        if tool in used or len(had) < 2 * ENOUGH:
            continue
        tokens = [size[tool] // BYTES_A_TOKEN * (run.n_model_calls or 1) for run in had]
        prices = [
            _saved_usd(run.provider or "", run.model or "", n, TokenUsage()) for run, n in zip(had, tokens, strict=True)
        ]
        known = [usd for usd in prices if usd is not None]
        yield Advice(
            kind="idle_tool", subject=tool, n=0, of_n=len(had),
            what=f"{tool!r} was sent with {count(len(had), 'run')} (about {sum(tokens):,} tokens) and never called.",
            do=f"Take {tool!r} out of the agent's tools, or say in its description when to use it.",
            saves_usd=sum(known) if known and len(known) == len(prices) else None,
            run_ids=_some(run.run_id for run in had),
        )  # fmt: skip


_BAD_ENDS: tuple[tuple[str, str, str, str], ...] = (
    ("truncated", "length", "were cut at the limit of length",
     "Allow more with ModelOptions(max_tokens=…), or ask for shorter answers."),
    ("max_steps", "max_steps", "used up their steps and had no answer",
     "Give the agent more with max_steps=, or tools that do more at once."),
    ("failed", "failed", "failed", "`lumos.diagnose({!r})` says why one of them did."),
)  # fmt: skip


def _endings(many: ManyRuns) -> Iterable[Advice]:
    """Yield how runs ended badly, and often."""
    over = [run for run in many.runs if run.status in {"completed", "failed"}]
    for kind, reason, what, do in _BAD_ENDS:
        found = [run for run in over if reason in (run.stop_reason, run.status)]
        if not _is_often(len(found), len(over)):
            continue
        error, times = Counter(run.error_type or "an error" for run in found).most_common(1)[0]
        because = f", mostly with {error} ({times})" if kind == "failed" else ""
        yield Advice(
            kind=kind, subject="runs", n=len(found), of_n=len(over), do=do.format(found[-1].run_id),
            what=f"{len(found) / len(over):.0%} of the runs {what}{because}.",
            run_ids=_some(run.run_id for run in found),
        )  # fmt: skip


def _retries_by_hour(many: ManyRuns) -> Iterable[Advice]:
    retried = [run for run in many.runs if run.n_retries]
    if not _is_often(len(retried), len(many.runs)):
        return
    hours = Counter(datetime.fromtimestamp(ts / 1e9, UTC).hour for _, ts in many.retries)
    most = ", ".join(f"{hour:02d}:00 ({n})" for hour, n in hours.most_common(3))
    when = f" Most came at (UTC): {most}." if most else ""
    yield Advice(
        kind="retries", subject="runs", n=len(retried), of_n=len(many.runs),
        what=f"{len(retried) / len(many.runs):.0%} of the runs had to ask their model again.{when}",
        do="Send fewer requests at once (LUMOS_MAX_IN_FLIGHT), at other hours, or name a second model that takes over.",
        run_ids=_some(run.run_id for run in retried),
    )  # fmt: skip


def _context(many: ManyRuns) -> Iterable[Advice]:
    windows = [(step, window_of(step.context_window, step.provider, step.model)) for step in many.steps]
    known = [(step, window) for step, window in windows if window and step.context_tokens is not None]
    full = [step for step, window in known if (step.context_tokens or 0) >= FULL_SHARE * window]
    if _is_often(len(full), len(known)):
        yield Advice(
            kind="context_fills", subject=one_line(full[-1].model or "", 80), n=len(full), of_n=len(known),
            what=f"{len(full) / len(known):.0%} of the prompts filled {FULL_SHARE:.0%} of the model's window, or more.",
            do="Begin new threads sooner, let tools return less, or use a model with a larger window.",
            run_ids=_some(step.run_id for step in full),
        )  # fmt: skip


_RULES: tuple[Callable[[ManyRuns], Iterable[Advice]], ...] = (
    _failing_tools, _never_cached, _compared, _idle_tools, _endings, _retries_by_hour, _context,
)  # fmt: skip
