"""`diagnose`: what went wrong with a run, why, and what to do.

One idea: rules read the log and each says what it can show. No model is asked.
"""

from __future__ import annotations

from typing import Any

import msgspec

from lumos_nb.errors import StoreError
from lumos_nb.memory.runs import find_run
from lumos_nb.phrases import count, price, seconds
from lumos_nb.stores import Store, default_store
from lumos_nb.telemetry.diagnosis.answers import answer_findings
from lumos_nb.telemetry.diagnosis.case import Case, read_case
from lumos_nb.telemetry.diagnosis.endings import end_findings
from lumos_nb.telemetry.diagnosis.finding import KINDS, Evidence, Finding, in_order, one_line, quoted
from lumos_nb.telemetry.diagnosis.recording import recorded
from lumos_nb.telemetry.diagnosis.reproduce import cell_of
from lumos_nb.telemetry.diagnosis.savings import saving_findings
from lumos_nb.telemetry.diagnosis.timing import phases, slow_findings
from lumos_nb.telemetry.diagnosis.toolcalls import tool_findings


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong with a run and what to do. Shows itself in a notebook."""

    #: Empty if the database could not be read.
    run_id: str
    status: str
    #: Agent, model, status, time and cost, for the head.
    summary: tuple[str, ...]
    #: The first is the cause, if the run failed.
    findings: tuple[Finding, ...]
    #: Seconds by what they were spent with, the longest first.
    phases: dict[str, float]
    #: A cell that does it again; empty where there is nothing to do again.
    reproduce: str

    @property
    def cause(self) -> Finding | None:
        """The first finding, if the run failed or ended badly."""
        return next((f for f in self.findings[:1] if f.severity != "note" or f.kind == "running"), None)

    def to_text(self) -> str:
        """Return all of it as plain text."""
        lines = [" · ".join(self.summary)]
        lines += ["", "Nothing was found to be wrong."] if not self.findings else []
        for finding in self.findings:
            where = f" ({finding.where})" if finding.where else ""
            lines += ["", f"{KINDS[finding.kind]}{where}: {finding.title}"]
            lines.append(f"  → {finding.suggestion}" + (f" It {finding.saves}." if finding.saves else ""))
            lines += [f"    {e.source}: {one_line(e.value, 200)}" for e in finding.evidence]
        if self.reproduce:
            lines += ["", "To do it again:", *(f"  {line}" for line in self.reproduce.splitlines())]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain data."""
        return {"v": 1, **msgspec.to_builtins(self)}

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        from lumos_nb.telemetry.diagnosis.html import diagnosis_html

        return {"text/plain": self.to_text(), "text/html": diagnosis_html(self)}


def diagnose(run: str = "last", store: Store | None = None) -> Diagnosis:
    """Return what failed in a run, where and why, what to do, and a cell that does it again.

    Rules read the log; no model is asked and nothing is run. A run that ended well is looked at
    too: for what was slow, cut, tried again, and what a cache or calls side by side would save.

    Args:
        run: Its id, a beginning or end of it, or `last`.
        store: Where to look; the default database if None.

    Raises:
        UsageError: There is no such run, or there are several.

    Example:
        >>> from lumos_nb import Agent; from lumos_nb.testing import Answer, ScriptedProvider
        >>> cut = Answer(text="It is", finish="length")
        >>> result = Agent(model=ScriptedProvider([cut])).generate_sync("What time is it?")
        >>> diagnose(result.run_id).findings[0].kind
        'truncated'
    """
    store = store or default_store()
    try:
        case = read_case(store, find_run(store, run))
        found = in_order(
            [
                *end_findings(case),
                *tool_findings(case),
                *answer_findings(case),
                *slow_findings(case, store),
                *saving_findings(case),
            ]
        )
        cell = cell_of(case, found, recorded(case.run["run_id"], store))
    except StoreError as error:
        return _without_database(error)
    return Diagnosis(
        run_id=case.run["run_id"], status=case.run["status"] or "unknown", summary=_summary(case), findings=found,
        phases=phases(case.spans), reproduce=cell,
    )  # fmt: skip


def _summary(case: Case) -> tuple[str, ...]:
    run = case.run
    model = "/".join(part for part in (run["provider"], run["model"]) if part)
    parts = [
        one_line(run["agent"] or "agent", 60), one_line(model, 80), run["status"] or "", seconds(case.duration_s),
        count(len(case.steps), "step"), count(len(case.calls), "tool call"), price(run["cost_usd"]), run["run_id"],
    ]  # fmt: skip
    return tuple(part for part in parts if part)


def _without_database(error: StoreError) -> Diagnosis:
    finding = Finding(
        kind="database",
        title=one_line(error.message, 300),
        suggestion=one_line(error.hint or "Set LUMOS_DB to another file.", 300),
        evidence=(Evidence("error", type(error).__name__), quoted("message", error.message)),
    )
    return Diagnosis(run_id="", status="unknown", summary=("The database cannot be read",), findings=(finding,),
                     phases={}, reproduce="")  # fmt: skip
