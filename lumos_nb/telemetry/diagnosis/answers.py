"""What is wrong with the answer of a run that came to its end, and what it took on the way.

One idea: a run that is called completed may still have no answer that anybody can use.
"""

from __future__ import annotations

from collections import Counter

from lumos_nb.phrases import count, seconds
from lumos_nb.telemetry.diagnosis.case import Case
from lumos_nb.telemetry.diagnosis.finding import Evidence, Finding, one_line, quoted


def answer_findings(case: Case) -> list[Finding]:
    """Return what is wrong with the answer, and what had to be asked again."""
    return [*_ending(case), *_reasked(case), *_taken_over(case), *_retries(case)]


def _ending(case: Case) -> list[Finding]:
    run = case.run
    reason = run["stop_reason"] or ""
    if run["status"] != "completed":
        # An answer that never had its form may have been cut: then that is why.
        last = case.steps[-1] if case.steps else None
        cut = case.error_type == "OutputError" and last is not None and last["stop_reason"] == "length"
        return [_truncated(case)] if cut else []
    match reason:
        case "max_steps":
            return [_max_steps(case)]
        case "max_cost":
            return [_max_cost(case)]
        case "length":
            return [_truncated(case)]
        case "content_filter":
            return [_filtered(case)]
    return [] if (run["output_preview"] or "").strip() else [_empty(case)]


def _max_steps(case: Case) -> Finding:
    n = len(case.steps)
    return Finding(
        kind="max_steps",
        severity="warning",
        title=f"It used up its {count(n, 'step')} and wanted to go on: there is no answer yet.",
        suggestion=f"Give it more with max_steps={2 * n}, or fewer and larger tools.",
        step=case.last_step,
        evidence=(
            Evidence("runs.stop_reason", "max_steps"),
            Evidence("runs.n_steps", str(n)),
            quoted("tool_calls.tool", ", ".join(f"{t} {k} times" for t, k in _tools(case).most_common(8))),
        ),
    )


def _max_cost(case: Case) -> Finding:
    n, cost = len(case.steps), case.run["cost_usd"]
    return Finding(
        kind="max_cost",
        severity="warning",
        title=f"It reached its limit of cost after {count(n, 'step')} and wanted to go on: there is no answer yet.",
        suggestion="Give it more with max_cost_usd= (in a cell --max-cost), or a cheaper model.",
        step=case.last_step,
        evidence=(Evidence("runs.stop_reason", "max_cost"), Evidence("runs.cost_usd", str(cost))),
    )


def _tools(case: Case) -> Counter[str]:
    return Counter(call["tool"] or "" for call in case.calls)


def _truncated(case: Case) -> Finding:
    last = case.steps[-1] if case.steps else {}
    thought, written = last.get("reasoning_tokens") or 0, last.get("output_tokens") or 0
    mostly = f", {thought:,} of them reasoning" if thought else ""
    return Finding(
        kind="truncated",
        severity="warning",
        title=f"The answer was cut at the limit of length, after {written:,} tokens{mostly}.",
        suggestion="Allow more with options=ModelOptions(max_tokens=…), or ask for a shorter answer.",
        step=case.last_step,
        evidence=(
            Evidence("steps.stop_reason", "length"),
            Evidence("steps.output_tokens", f"{written:,}"),
            quoted("runs.output_preview", case.run["output_preview"] or ""),
        ),
    )


def _filtered(case: Case) -> Finding:
    return Finding(
        kind="content_filter",
        severity="warning",
        title="The vendor's content filter ended the answer.",
        suggestion="Word the prompt or what the tools return differently, or use another model.",
        step=case.last_step,
        evidence=(
            Evidence("runs.stop_reason", "content_filter"),
            quoted("runs.prompt_preview", case.run["prompt_preview"] or ""),
        ),
    )


def _empty(case: Case) -> Finding:
    last = case.steps[-1] if case.steps else {}
    return Finding(
        kind="empty_answer",
        severity="warning",
        title="The model ended its answer without a word.",
        suggestion="Ask again, and say in the instructions that it must answer in words after its tools.",
        step=case.last_step,
        evidence=(
            quoted("steps.stop_reason", last.get("stop_reason") or "none"),
            Evidence("steps.output_tokens", f"{last.get('output_tokens') or 0:,}"),
        ),
    )


def _reasked(case: Case) -> list[Finding]:
    """Return that answers were refused on the way; what a person says in between asks for another answer, too."""
    before_last = [s for s in case.steps[:-1] if not s["n_tool_calls"] and s["stop_reason"] not in (None, "tool_calls")]
    refused = [s for s in before_last if s["step"] not in case.said_at and s["step"] + 1 not in case.said_at]
    if not refused or case.run["status"] != "completed":
        return []
    return [
        Finding(
            kind="reasked",
            severity="note",
            title=f"{count(len(refused), 'answer')} did not have the form asked for and had to be written again.",
            suggestion="Use a simpler type, or a model with structured output.",
            step=refused[0]["step"],
            saves_s=sum(s["duration_s"] or 0.0 for s in refused),
            evidence=(Evidence("steps", ", ".join(f"step {s['step']}" for s in refused)),),
        )
    ]


def _taken_over(case: Case) -> list[Finding]:
    """Return that a model named first did not answer: nobody is told where the next one did."""
    changes = [note for note in case.notes if note.kind == "fallback"]
    if not changes or case.run["status"] != "completed":
        return []
    first = changes[0]
    # A key stays refused; a server that was busy is what the second model is there for.
    lasts = first.data.get("error") == "CredentialError"
    return [
        Finding(
            kind="fell_back",
            severity="warning" if lasts else "note",
            title=f"A model that was to be asked first did not answer: {one_line(first.data.get('state') or '', 240)}",
            suggestion="Mend what kept it, or name the other one first."
            if lasts
            else "Nothing, if that is rare; else name the other one first.",
            step=first.step,
            evidence=tuple(quoted("events fallback", str(n.data.get("state") or "")) for n in changes[:5]),
        )
    ]


def _retries(case: Case) -> list[Finding]:
    retries = [note for note in case.notes if note.kind == "retry"]
    if not retries or case.run["status"] != "completed":
        return []
    waited_s = sum(float(n.data.get("wait_s") or 0.0) for n in retries)
    why = Counter(str(n.data.get("error") or "error") for n in retries)
    limited = "RateLimitError" in why
    return [
        Finding(
            kind="retries",
            severity="warning" if len(retries) > 1 else "note",
            title=f"The model was asked {count(len(retries), 'more time')}; {seconds(waited_s)} were spent waiting.",
            suggestion="Send fewer requests at once (LUMOS_MAX_IN_FLIGHT), or ask the vendor for a higher limit."
            if limited
            else "Name a second model that takes over: model=[…, …].",
            step=retries[0].step,
            evidence=(
                Evidence("events retry", ", ".join(f"{name} {n} times" for name, n in why.most_common())),
                quoted("last retry", str(retries[-1].data.get("state") or "")),
            ),
            saves_s=waited_s or None,
        )
    ]
