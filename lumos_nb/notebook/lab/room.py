"""What every room has: the shell, the session of the process, and a way to the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lumos_nb.notebook.lab.protocol import News, PageAsk
from lumos_nb.runtime import Runtime

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

    def close(self) -> None:
        """Let go of what it holds; the extension is unloaded."""
