"""What every room has: the shell, the session of the process, and a way to the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lumos_nb.errors import UsageError
from lumos_nb.notebook.lab.protocol import News, PageAsk
from lumos_nb.runtime import LiveRun, Runtime

if TYPE_CHECKING:
    from lumos_nb.notebook.lab.server import LabServer


class Room:
    """Answers some of the pages' requests.

    A subclass names what it tells and asks in `news` and `page_asks`, so that the page's types know them.
    """

    news: tuple[News[Any], ...] = ()
    page_asks: tuple[PageAsk[Any, Any], ...] = ()

    def __init__(self, server: LabServer) -> None:
        self.server = server

    @property
    def shell(self) -> Any:
        """The kernel's shell."""
        return self.server.shell

    @property
    def runtime(self) -> Runtime:
        """What the notebook's cells share."""
        return self.server.runtime

    def find_run(self, run_id: str) -> LiveRun | None:
        """Return a run that goes on in this kernel; None where it has ended."""
        return next((run for run in self.runtime.live() if run.run_id == run_id), None)

    @staticmethod
    def act_on(run: LiveRun | None, action: dict[str, Any]) -> None:
        """Do what a person asks of a run; what is wrong with that is a `UsageError`."""
        if problem := "The run has ended." if run is None else run.act(action):
            raise UsageError(problem)

    def close(self) -> None:
        """Let go of what it holds; the extension is unloaded."""
