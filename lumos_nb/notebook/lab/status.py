"""The line in the status bar: which agent, model and thread a cell would use now, and what was spent."""

from __future__ import annotations

import msgspec

from lumos_nb import __version__, tapes
from lumos_nb.agent import Agent
from lumos_nb.errors import LumosError
from lumos_nb.notebook.lab.budget import BudgetRoom
from lumos_nb.notebook.lab.protocol import News, asked
from lumos_nb.notebook.lab.room import Room


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """How a notebook stands."""

    version: str
    notebook: str | None
    agent: str
    model: str
    #: None before the notebook has begun one.
    thread_id: str | None
    thread: str
    n_running: int
    n_waiting: int
    #: What the notebook's runs have cost, as far as their prices are known, in US dollars.
    cost_usd: float
    #: The same of all runs of today, and what a day should cost; None where nobody said.
    today_usd: float
    #: Of today's runs, how many have cost what nobody knows.
    n_unknown_today: int
    budget_usd: float | None
    #: How the notebook's tape is used now: record, replay …; empty: there is none in force.
    tape: str


class Changed(msgspec.Struct, frozen=True):
    """What is not as it was: `threads`, `runs`, `agents`, `approvals`, `status`. Ask anew for what is shown."""

    what: list[str]


CHANGED = News("changed", Changed)


class StatusRoom(Room):
    """Says how the notebook stands."""

    news = (CHANGED,)

    @asked("status")
    def status(self) -> Status:
        agent, thread = self.runtime.agent(), self.runtime.known_thread()
        running, spent = self.runtime.live(), BudgetRoom(self.server).budget()
        return Status(
            version=__version__, notebook=self.runtime.notebook(), agent=agent.name,
            model=_model(agent), thread_id=thread.id if thread else None,
            thread=thread.title if thread else "", n_running=len(running),
            n_waiting=sum(run.status == "waiting for you" for run in running),
            cost_usd=spent.notebook.usd, today_usd=spent.today.usd, n_unknown_today=spent.today.n_unknown,
            budget_usd=spent.budget_usd, tape=_tape(),
        )  # fmt: skip


def _model(agent: Agent) -> str:
    try:
        model = agent.get_llm()
    except LumosError:  # there is none to use; a cell will say so
        return ""
    return f"{model.provider}/{model.model}"


def _tape() -> str:
    try:
        deck = tapes.current()
    except LumosError:  # it cannot be read; `%lumos tape` says why
        return ""
    return deck.mode if deck is not None else ""
