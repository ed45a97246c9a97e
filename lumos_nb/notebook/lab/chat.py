"""The chat beside a notebook: its agent, on the thread that its cells continue.

One idea: what is said in a chat is a run in the background like any other, whose view has its place not in a
cell but in the page's chat. The page is told what stands there: the live widget, and at the end the saved output.
"""

from __future__ import annotations

import contextvars
from typing import TYPE_CHECKING

import msgspec

from lumos_nb.notebook.lab.docs import bearable, saved_doc, standing_doc
from lumos_nb.notebook.lab.protocol import asked
from lumos_nb.notebook.lab.room import Room
from lumos_nb.notebook.lab.turns import SHOWN, ChatRun, Turn
from lumos_nb.notebook.options import CellOptions
from lumos_nb.notebook.place import BESIDE, in_scene
from lumos_nb.notebook.request import PromptRequest
from lumos_nb.stores.base import Condition

if TYPE_CHECKING:
    from lumos_nb.notebook.lab.server import LabServer

MOST_TURNS = 20
"""More of them are not sent at once."""


class Said(msgspec.Struct, frozen=True):
    """What a person says in a chat, and to which thread; empty: to the one that cells continue."""

    text: str
    thread_id: str = ""


class ThreadWanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a thread is wanted."""

    #: Empty: the one that cells continue.
    thread_id: str = ""
    #: Only turns before this one; empty: the last ones.
    before: str = ""
    limit: int = 10
    #: Runs that have ended and that the page has: they are not sent again.
    known: tuple[str, ...] = ()


class History(msgspec.Struct, frozen=True, kw_only=True):
    """Turns of a thread in their order."""

    #: Empty where none has begun.
    thread_id: str
    thread: str
    agent: str
    turns: list[Turn]
    #: Whether there are older ones.
    has_more: bool


class Steered(msgspec.Struct, frozen=True, kw_only=True):
    """What a person asks of a turn that goes on: stop, or steer with a text."""

    turn: str
    t: str
    text: str = ""


class ChatRoom(Room):
    """Takes what is said, and tells what was said before."""

    news = (SHOWN,)

    def __init__(self, server: LabServer) -> None:
        super().__init__(server)
        self._open: dict[str, ChatRun] = {}

    @asked("chat.send")
    def send(self, said: Said) -> Turn:
        """Begin a run; what it shows is told by `chat.shown`."""
        return contextvars.copy_context().run(self._begin, said)

    def _begin(self, said: Said) -> Turn:
        BESIDE.set(True)
        with in_scene(self.shell, ""):
            options = CellOptions(background=True, thread=said.thread_id or None)
            run = ChatRun(self, PromptRequest(self.shell, self.runtime, options, said.text))
            self._open[run.turn] = run
            try:
                run.background(in_cell=False)
            except BaseException:
                del self._open[run.turn]
                raise
        return run.told()

    def ended(self, run: ChatRun) -> None:
        """Let go of a run that has shown its end."""
        self._open.pop(run.turn, None)

    @asked("chat.act")
    def act(self, given: Steered) -> None:
        """Stop a turn, or say something to it while it works."""
        run = self._open.get(given.turn)
        live = run.live if run is not None else self.find_run(given.turn)
        self.act_on(live, {"t": given.t, "text": given.text})

    @asked("chat.history")
    def history(self, wanted: ThreadWanted) -> History:
        runtime = self.runtime
        thread = runtime.thread(wanted.thread_id) if wanted.thread_id else runtime.known_thread()
        if thread is None:
            return History(thread_id="", thread="", agent=runtime.agent().name, turns=[], has_more=False)
        cells, open_ = self._cells(thread.id), self._open_in(thread.id)
        ids = [*cells]
        if wanted.before in cells:
            ids, open_ = ids[: ids.index(wanted.before)], []
        n = max(1, min(wanted.limit, MOST_TURNS))
        shown = {*wanted.known, *(run.live.run_id for run in open_)}
        turns = [self._turn(run_id, cells[run_id]) for run_id in ids[-n:] if run_id not in shown]
        return History(
            thread_id=thread.id, thread=thread.title, agent=runtime.agent().name,
            turns=[*turns, *(run.told() for run in open_)], has_more=len(ids) > n,
        )  # fmt: skip

    def _open_in(self, thread_id: str) -> list[ChatRun]:
        return [run for run in self._open.values() if run.thread_id == thread_id]

    def _cells(self, thread_id: str) -> dict[str, str]:
        """Return the runs of a thread in their order, with their cells; a fork has those that it took along."""
        store, here = self.runtime.memory.store, ("thread_id", "=", thread_id)
        said = {str(run) for run, _ in store.aggregate("messages", ["run_id"], [("count", None)], where=[here]) if run}
        top: Condition = ("parent_run_id", "=", None)
        own = {str(run) for (run,) in store.select("runs", ["run_id"], where=[here, top])}
        order = ["started_at", "run_id"]
        found = store.select("runs", ["run_id", "cell_id"], where=[("run_id", "in", own | said)], order=order)
        return {str(run): cell or "" for run, cell in found}

    def _turn(self, run_id: str, cell_id: str) -> Turn:
        live = self.find_run(run_id)
        doc = standing_doc(live) if live is not None else saved_doc(self.runtime, run_id)
        return Turn(
            turn=run_id, run_id=run_id, thread_id=doc["thread_id"] or "", prompt=doc["prompt"], agent=doc["agent"],
            is_running=live is not None, cell_id=cell_id, bundle=bearable(doc),
        )  # fmt: skip
