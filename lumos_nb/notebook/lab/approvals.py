"""The tool calls of a kernel that wait for a person, whichever run and cell they are in.

One idea: there is one question, shown in two places. The answer goes through the run's own `act`, which
checks it as it checks what its view sends; who comes second is told that the call is decided.
"""

from __future__ import annotations

import msgspec

from lumos_nb import clock
from lumos_nb.notebook.lab.protocol import asked
from lumos_nb.notebook.lab.room import Room
from lumos_nb.runtime import LiveRun
from lumos_nb.widgets.form import question_of


class FormField(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One argument of a call, as a form shows it; see `widgets/form.py`."""

    name: str
    kind: str
    text: str
    given: str | None = None
    options: list[str] | None = None
    hint: str | None = None
    is_nullable: bool = False


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """A tool call that waits for a person."""

    run_id: str
    call_id: str
    name: str
    agent: str
    thread: str
    notebook: str
    #: JSON text, as the model wrote it.
    arguments: str
    reason: str
    #: Unix time in seconds.
    asked_at: float
    fields: list[FormField]


class Approvals(msgspec.Struct, frozen=True):
    """All that waits, the oldest first, and what time it is for the kernel."""

    rows: list[Approval]
    #: Unix time in seconds.
    now: float


class ApprovalsRoom(Room):
    """Lists what waits. The answers are `runs.act`."""

    @asked("approvals.list")
    def waiting(self) -> Approvals:
        rows = [approval for run in self.runtime.live() for approval in self._of(run)]
        return Approvals(sorted(rows, key=lambda row: row.asked_at), clock.time())

    def _of(self, run: LiveRun) -> list[Approval]:
        waiting = [item for item in [*run.doc()["items"]] if item.get("status") == "waiting" and item.get("question")]
        if waiting:
            run.hear()
        notebook = self.runtime.notebook() or ""
        return [
            msgspec.convert(
                {
                    **question_of(item), "run_id": run.run_id, "agent": run.agent, "thread": run.thread,
                    "notebook": notebook, "arguments": item["arguments"],
                },
                Approval,
            )
            for item in waiting
        ]  # fmt: skip
