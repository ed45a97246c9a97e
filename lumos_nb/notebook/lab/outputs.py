"""What only a page can mend: an output that was left in the middle of a run.

One idea: a live view leaves a mark in the output it is shown in (`LIVE_MIME`). A page that still finds
one, after a reload or a restart, asks here what became of the run, and puts that in its place.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any, Literal

import msgspec

from lumos_nb.agent.bridge import run_sync
from lumos_nb.agent.run import is_running
from lumos_nb.errors import UsageError
from lumos_nb.memory.reopening import runs_elsewhere
from lumos_nb.notebook.lab.docs import recorded
from lumos_nb.notebook.lab.protocol import News, asked
from lumos_nb.notebook.lab.room import Room
from lumos_nb.widgets.bundle import static_bundle

KEPT_ENDS = 16
"""Runs whose ends are kept as they were shown; those before them are read from the log."""

KEPT_VIEWS = 100
"""Views of a notebook of which is kept, also over a restart, which run they showed."""


class Ended(msgspec.Struct, frozen=True):
    """The run of a view has ended; who still shows that view asks for its end."""

    view: str


class LeftView(msgspec.Struct, frozen=True):
    """A view that a page still finds in an output."""

    view: str


class Mended(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the run of a view; with the bundle that takes its place if it is over."""

    state: Literal["running", "ended", "unknown"]
    bundle: dict[str, Any] | None = None


class Stopped(msgspec.Struct, frozen=True):
    """How many runs hear that they are to stop."""

    n: int


ENDED = News("outputs.ended", Ended)


class OutputsRoom(Room):
    """Knows which view showed which run, and how those ended."""

    news = (ENDED,)

    def __init__(self, server: Any) -> None:
        super().__init__(server)
        self._open: dict[str, Any] = {}
        self._ended: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._lock = threading.Lock()
        self.runtime.on_view = self._watch

    def close(self) -> None:
        self.runtime.on_view = lambda view: None

    # ---- views that open and end ------------------------------------------------------

    def _watch(self, view: Any) -> None:
        """Follow a view from its opening; one that no page shows again has no id."""
        if not (name := getattr(view, "view_id", "")):
            return
        self._open[name] = view
        view.on_run = lambda run_id: self._keep(name, run_id)
        view.on_end = lambda: self._end(name)

    def _end(self, name: str) -> None:
        view = self._open.pop(name, None)
        if view is None:
            return
        self._ended[name] = view.transcript.doc
        while len(self._ended) > KEPT_ENDS:
            self._ended.popitem(last=False)
        self.server.tell(ENDED, Ended(name))

    def _keep(self, name: str, run_id: str) -> None:
        """Remember over a restart which run a view showed. On the thread that sends to the page."""
        key = _key(self.runtime.notebook())
        with self._lock:
            known = {**run_sync(self.runtime.memory.kept(key, {})), name: run_id}
            run_sync(self.runtime.memory.keep(key, dict(list(known.items())[-KEPT_VIEWS:])))

    # ---- what pages ask ---------------------------------------------------------------

    @asked("outputs.mend")
    def mend(self, left: LeftView) -> Mended:
        if left.view in self._open:
            return Mended(state="running")
        if (doc := self._ended.get(left.view)) is not None:
            return Mended(state="ended", bundle=static_bundle(doc))
        run_id = run_sync(self.runtime.memory.kept(_key(self.runtime.notebook()), {})).get(left.view)
        if run_id is None:
            return Mended(state="unknown")
        try:
            saved = run_sync(self.runtime.memory.get_run(run_id))
        except UsageError:  # deleted meanwhile, or another database
            return Mended(state="unknown")
        if is_running(run_id) or (saved.row["status"] == "running" and runs_elsewhere(saved.row["process"])):
            return Mended(state="running")
        return Mended(state="ended", bundle=static_bundle(recorded(self.runtime, saved)))

    @asked("outputs.stop")
    def stop(self) -> Stopped:
        """Stop what runs in cells, as Stop in their views does; what runs in the background goes on."""
        running = [run for run in self.runtime.live() if not run.is_background]
        for run in running:
            run.stop()
        return Stopped(len(running))


def _key(notebook: str | None) -> str:
    return f"views:{notebook or ''}"
