"""A turn of a chat: what was said, and where its run is shown.

One idea: a view asks for a place and is given one. Here it is not the output of a cell but the chat in a
page, which is told what stands there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from lumos_nb.ids import new_id
from lumos_nb.notebook.cell import CellRun
from lumos_nb.notebook.lab.docs import bearable
from lumos_nb.notebook.lab.protocol import News
from lumos_nb.notebook.request import PromptRequest
from lumos_nb.transcript import MIME
from lumos_nb.widgets import View
from lumos_nb.widgets.live import RunView

if TYPE_CHECKING:
    from lumos_nb.notebook.lab.chat import ChatRoom


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """What was said, and what the agent did: a bundle of an output."""

    #: Names it in this chat.
    turn: str
    #: Empty before it has begun.
    run_id: str
    thread_id: str
    prompt: str
    agent: str
    #: Whether it goes on.
    is_running: bool
    #: The cell in which it was said; empty for what was said in a chat.
    cell_id: str
    bundle: dict[str, Any]


SHOWN = News("chat.shown", Turn)


class ChatRun(CellRun):
    """A run that was asked for in a chat."""

    view: RunView
    #: As a place of a view: nobody else can update it.
    display_id = ""

    def __init__(self, room: ChatRoom, request: PromptRequest) -> None:
        super().__init__(room.shell, room.runtime, request)
        self._room = room
        self.turn = new_id("turn")
        self.thread_id = request.thread_id
        self._bundle: dict[str, Any] = {}
        self._is_running = True

    def _open_view(self) -> View:
        view = RunView(self.request.thread_title, is_background=True, show=self._show)
        view.open()
        return view

    def _show(self, widget: Any) -> ChatRun:
        """Take the place of a spot in a cell."""
        bundle = widget._repr_mimebundle_()
        self._bundle = bundle[0] if isinstance(bundle, tuple) else bundle
        return self

    def replace(self, bundle: dict[str, Any]) -> None:
        """Show the end."""
        self._is_running = False
        self._bundle = bearable(bundle[MIME])
        self._room.server.tell(SHOWN, self.told())
        self._room.ended(self)

    def told(self) -> Turn:
        """Return how it stands."""
        return Turn(
            turn=self.turn, run_id=self.live.run_id, thread_id=self.thread_id, prompt=self.request.prompt,
            agent=self.request.agent.name, is_running=self._is_running, cell_id="", bundle=self._bundle,
        )  # fmt: skip
