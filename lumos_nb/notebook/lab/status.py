"""The line in the status bar: which agent, model and thread a cell would use now, and what was spent."""

from __future__ import annotations

import msgspec

from lumos_nb import __version__
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
        model = agent.get_llm()
        running = self.runtime.live()
        return Status(
            version=__version__, notebook=self.runtime.notebook(), agent=agent.name,
            model=f"{model.provider}/{model.model}", thread_id=thread.id if thread else None,
            thread=thread.title if thread else "", n_running=len(running),
            n_waiting=sum(run.status == "waiting for you" for run in running),
        )  # fmt: skip
