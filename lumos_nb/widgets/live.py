"""The live view of a run in a notebook cell.

One idea: any thread may hand over events at any rate and is never kept waiting; one sender thread
folds them, and tells the page what changed, some twenty times a second. At the end the
widget gives its place to the saved output, which is drawn from the same rows.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import Context, copy_context
from itertools import count
from typing import Any

from lumos_nb import clock
from lumos_nb.events import AgentEvent
from lumos_nb.transcript import Transcript
from lumos_nb.widgets import words
from lumos_nb.widgets.actions import Act, Refused, checked, number_of, outline
from lumos_nb.widgets.bundle import SKELETON, static_bundle
from lumos_nb.widgets.clicks import release_clicks, route_clicks
from lumos_nb.widgets.feed import Feed
from lumos_nb.widgets.pace import Pace
from lumos_nb.widgets.rows import SHELLS
from lumos_nb.widgets.spot import Place, Spot
from lumos_nb.widgets.widget import LiveView

INTERVAL_S = 0.05
"""Least time between two messages to the page: the eye wants no more, the wire is not free."""

PUSHES_S = (0.3, 1.0, 3.0)
"""When the whole state is pushed after `open`: a page's own request can be stuck behind the cell."""

_log = logging.getLogger(__name__)


class RunView:
    """The view of one run in the current cell.

    Args:
        thread: Name of the conversation, for the title.
        is_background: Whether other cells run meanwhile, so that the page must not interrupt the kernel.
        show: Shows the widget, and returns its place; in the current cell if not given.

    Example:
        >>> from lumos_nb.events import TextDelta
        >>> view = RunView(thread="sales")  # doctest: +SKIP
        >>> view.open()  # doctest: +SKIP
        >>> view.on_events([TextDelta("Hello")])  # doctest: +SKIP
        >>> view.close()  # doctest: +SKIP
    """

    def __init__(self, thread: str = "", is_background: bool = False, show: Callable[[Any], Place] = Spot) -> None:
        self.transcript = Transcript(thread)
        self._show = show
        #: When a page was last heard, by the monotonic clock; 0.0 if never.
        self.heard_at = 0.0
        #: Called with the run's id once it is known, and when the saved output is in the view's place.
        self.on_run: Callable[[str], object] = lambda run_id: None
        self.on_end: Callable[[], object] = lambda: None
        self._is_background, self._run_id = is_background, ""
        self._pings = count()
        self._feed, self._pace = Feed(), Pace()
        self._inbox: deque[AgentEvent] = deque()
        self._wake, self._lock = threading.Event(), threading.Lock()
        self._seq, self._head = -1, {}  # type: int, dict[str, Any]
        self._wanted, self._pages, self._left = False, set[str](), False
        self._closing = threading.Event()
        self._callback: Act | None = None
        self._context: Context | None = None
        self._sender: threading.Thread | None = None
        self._widget: LiveView | None = None
        self._spot: Place | None = None

    @property
    def display_id(self) -> str:
        """What the output is updated by; empty before it is shown."""
        return self._spot.display_id if self._spot else ""

    @property
    def view_id(self) -> str:
        """The name of its widget, by which a page finds the output that shows it; empty before it is shown."""
        return self._widget.model_id if self._widget is not None else ""

    def open(self) -> None:
        """Show the view in the current cell. Call it on the cell's own thread; it returns at once."""
        self._widget = LiveView(shells={**SHELLS, "run": SKELETON}, snapshot=self._snapshot)
        self._widget.on_msg(self._on_message)
        route_clicks(getattr(self._widget, "comm", None))
        self._spot = self._show(self._widget)
        self._context = copy_context()  # what is sent belongs to this cell, whichever runs later
        self._sender = threading.Thread(
            target=self._context.copy().run, args=(self._send_loop,), name="lumos-view", daemon=True
        )
        self._sender.start()

    def on_events(self, events: Sequence[AgentEvent]) -> None:
        """Show these events soon. Any thread may call it; it never waits."""
        self._inbox.extend(events)
        self._wake.set()

    def on_action(self, callback: Act) -> None:
        """Call this with what a person asks for, such as `{"t": "stop"}`.

        It is called on the kernel's main thread or on one of its helper threads, in the midst of
        other work: it should only hand the request over. The problem that it returns is shown where
        the person asked, and nothing is done.
        """
        self._callback = callback

    def ping(self) -> None:
        """Ask the page for a sign of life, which shows in `heard_at`. Any thread may call it."""
        self._send({"ping": next(self._pings)})

    def close(self) -> None:
        """Put the saved output in the widget's place, in one step."""
        if self._widget is None or self._closing.is_set():
            return
        self._closing.set()
        self._wake.set()
        if self._sender is not None:
            self._sender.join(5)
        assert self._context is not None
        self._context.copy().run(self._replace)
        self.on_end()

    def _replace(self) -> None:
        assert self._widget is not None
        release_clicks(getattr(self._widget, "comm", None))
        if self._spot is not None:
            doc = self.transcript.doc
            self._spot.replace(static_bundle(doc, self._feed.final_rows(doc)))
        # A page that was reloaded does not get the update, and a closed widget would leave it
        # "model not found". The open one shows the whole run.
        if not self._left and len(self._pages) < 2:
            self._widget.close()

    # ---- to the page ------------------------------------------------------------------

    def _send_loop(self) -> None:
        opened, pushes = time.monotonic(), list(PUSHES_S)
        while True:
            wait = max(0.0, opened + pushes[0] - time.monotonic()) if pushes else None
            self._wake.wait(wait)
            self._wake.clear()
            closing = self._closing.is_set()
            if pushes and time.monotonic() - opened >= pushes[0]:
                pushes.pop(0)
                self._wanted = self._wanted or not self._pages  # a page that has answered needs none
            began = time.monotonic()
            try:
                self._flush()
            except Exception:  # a view is a subscriber: what it cannot show must not end it, nor the run
                _log.exception("the live view could not show what came")
            if closing:
                return
            # A huge open block costs long to render; the cell's own work must not starve.
            self._closing.wait(max(INTERVAL_S, 4 * (time.monotonic() - began)))

    def catch_up(self) -> None:
        """Fold what has come into the document now: who is told of a question and looks must find it there."""
        with self._lock:
            self._fold()

    def _fold(self) -> None:
        events = [self._inbox.popleft() for _ in range(len(self._inbox))]
        self.transcript.apply(events)
        self._pace.apply(events)

    def _flush(self) -> None:
        with self._lock:
            self._fold()
            messages = self._news()
            if self._wanted:  # a page that has kept up ignores it: it knows the number
                self._wanted = False
                messages.append(self._whole())
        if self.transcript.doc["run_id"] != self._run_id:  # before anybody sees anything of it
            self._run_id = self.transcript.doc["run_id"]
            self.on_run(self._run_id)
        for message in messages:
            self._send(message)

    def _news(self) -> list[dict[str, Any]]:
        ops, head = self._feed.ops(self.transcript.doc), self._header()
        if not ops and head == self._head:
            return []
        self._seq += 1
        message: dict[str, Any] = {"s": self._seq, "o": ops}
        if head != self._head:
            message["h"] = {key: value for key, value in head.items() if self._head.get(key) != value}
            self._head = head
        return [message if self._seq else {**message, **self._clock()}]

    def _header(self) -> dict[str, Any]:
        doc = self.transcript.doc
        return {
            "title": " · ".join(words.title(doc)),
            "running": doc["status"] == "running",
            "state": doc["state"],
            "figures": self._pace.figures(doc),
            "background": self._is_background,
        }

    def _snapshot(self) -> dict[str, Any]:
        with self._lock:
            return self._whole()

    def _whole(self) -> dict[str, Any]:
        head = self._head or self._header()
        return {"s": self._seq, "whole": 1, "o": self._feed.snapshot(), "h": head, **self._clock()}

    def _clock(self) -> dict[str, float]:
        """Return the seconds of the run so far and the time: the page's clock may be another."""
        now = clock.time()
        return {"e": now - self.transcript.doc["started_at"], "k": now}

    def _send(self, message: dict[str, Any]) -> None:
        try:
            assert self._widget is not None and self._context is not None
            self._context.copy().run(self._widget.send, message)  # whichever cell's message is being answered
        except Exception:  # the page is a subscriber: its loss must not end the run
            _log.warning("the live view could not be updated", exc_info=True)

    # ---- from the page ----------------------------------------------------------------

    def _on_message(self, _: Any, content: Any, __: Any = None) -> None:
        """Take a message from the page; what nobody can have sent in earnest is refused and logged."""
        self.heard_at = time.monotonic()
        match content:
            case {"t": "ready" | "resync", "page": str() as page}:
                self._pages.add(page)
                self._wanted = True
                self._wake.set()
            case {"t": "gone"}:
                self._left = True
            case {"t": "open", "row": int() as row, "open": bool() as is_open}:
                self._keep_open(row, is_open)
            case {"t": "pong"}:
                pass
            case dict() if (n := number_of(content)) is not None:
                self._send({"ack": n, "problem": self._act(content)})
            case _:
                _log.warning("refused a message of the page: %s", outline(content))

    def _keep_open(self, row: int, is_open: bool) -> None:
        with self._lock:
            items = self.transcript.doc["items"]
            if 0 <= row < len(items):
                items[row]["open"] = is_open

    def _act(self, content: dict[str, Any]) -> str:
        """Pass an action on; return what is wrong with it."""
        try:
            action = checked(content, self.transcript.doc)
        except Refused as refused:
            _log.warning("refused an action of the page: %s %s", refused, outline(content))
            return str(refused)
        if self._callback is None:
            return "Nobody listens to this run."
        try:
            return self._callback(action) or ""
        except Exception:
            _log.exception("the action %r failed", action["t"])
            return "The kernel could not do this; its log says why."
