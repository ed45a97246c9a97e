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
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from lumos_nb.events import AgentEvent
from lumos_nb.transcript import Transcript
from lumos_nb.widgets import words
from lumos_nb.widgets.bundle import SKELETON, static_bundle
from lumos_nb.widgets.clicks import route_clicks
from lumos_nb.widgets.feed import Feed
from lumos_nb.widgets.pace import Pace
from lumos_nb.widgets.rows import SHELLS

INTERVAL_S = 0.05
"""Least time between two messages to the page: the eye wants no more, the wire is not free."""

PUSHES_S = (0.3, 1.0, 3.0)
"""When the whole state is pushed after `open`: a page's own request can be stuck behind the cell."""

_STATIC = Path(__file__).parent / "static"
_ACTIONS = {"stop": set[str](), "allow": {"call_id"}, "allow_thread": {"call_id"}, "deny": {"call_id"}}
_log = logging.getLogger(__name__)


class LiveView(anywidget.AnyWidget):  # type: ignore[misc]  # its package has no types for us
    """The widget: it holds no text of its own, and asks its owner when a page wants all of it."""

    _esm = _STATIC / "live.js"
    _css = _STATIC / "live.css"
    shells = traitlets.Dict().tag(sync=True)
    # Never sent by itself: computed when a page asks for the widget's state.
    snapshot = traitlets.Any().tag(sync=True, to_json=lambda value, _: value() if value else None)


class RunView:
    """The view of one run in the current cell.

    Example:
        >>> from lumos_nb.events import TextDelta
        >>> view = RunView(thread="sales")  # doctest: +SKIP
        >>> view.open()  # doctest: +SKIP
        >>> view.on_events([TextDelta("Hello")])  # doctest: +SKIP
        >>> view.close()  # doctest: +SKIP
    """

    def __init__(self, thread: str = "", background: bool = False) -> None:
        self.transcript = Transcript(thread)
        self._background = background
        self._feed, self._pace = Feed(), Pace()
        self._inbox: deque[AgentEvent] = deque()
        self._wake, self._lock = threading.Event(), threading.Lock()
        self._seq, self._head = -1, {}  # type: int, dict[str, Any]
        self._wanted, self._pages, self._left = False, set[str](), False
        self._closing = threading.Event()
        self._callback: Callable[[dict[str, Any]], None] | None = None
        self._context: Context | None = None
        self._sender: threading.Thread | None = None
        self._widget: LiveView | None = None
        self._handle: Any = None

    @property
    def display_id(self) -> str:
        """What the output is updated by; empty before it is shown."""
        return self._handle.display_id if self._handle else ""

    def open(self) -> None:
        """Show the view in the current cell. Call it on the cell's own thread; it returns at once."""
        from IPython.display import display

        self._widget = LiveView(shells={**SHELLS, "run": SKELETON}, snapshot=self._snapshot)
        self._widget.on_msg(self._on_message)
        route_clicks(getattr(self._widget, "comm", None))
        self._handle = display(self._widget, display_id=True)
        self._context = copy_context()  # what is sent belongs to this cell, whichever runs later
        self._sender = threading.Thread(
            target=self._context.copy().run, args=(self._send_loop,), name="lumos-view", daemon=True
        )
        self._sender.start()

    def on_events(self, events: Sequence[AgentEvent]) -> None:
        """Show these events soon. Any thread may call it; it never waits."""
        self._inbox.extend(events)
        self._wake.set()

    def on_action(self, callback: Callable[[dict[str, Any]], None]) -> None:
        """Call this with what a person asks for, such as `{"t": "stop"}`.

        It is called on the kernel's main thread or on one of its helper threads, in the midst of
        other work: it should only hand the request over.
        """
        self._callback = callback

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

    def _replace(self) -> None:
        assert self._widget is not None
        if self._handle is not None:
            doc = self.transcript.doc
            self._handle.update(static_bundle(doc, self._feed.final_rows(doc)), raw=True)
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

    def _flush(self) -> None:
        with self._lock:
            events = [self._inbox.popleft() for _ in range(len(self._inbox))]
            self.transcript.apply(events)
            self._pace.apply(events)
            messages = self._news()
            if self._wanted:  # a page that has kept up ignores it: it knows the number
                self._wanted = False
                messages.append(self._whole())
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
        return [message]

    def _header(self) -> dict[str, Any]:
        doc = self.transcript.doc
        return {
            "title": " · ".join(words.title(doc)),
            "running": doc["status"] == "running",
            "state": doc["state"],
            "background": self._background,
            "figures": self._pace.figures(doc),
        }

    def _snapshot(self) -> dict[str, Any]:
        with self._lock:
            return self._whole()

    def _whole(self) -> dict[str, Any]:
        since = time.time() - self.transcript.doc["started_at"]
        return {"s": self._seq, "whole": 1, "o": self._feed.snapshot(), "h": self._head or self._header(), "e": since}

    def _send(self, message: dict[str, Any]) -> None:
        try:
            assert self._widget is not None
            self._widget.send(message)
        except Exception:  # the page is a subscriber: its loss must not end the run
            _log.warning("the live view could not be updated", exc_info=True)

    # ---- from the page ----------------------------------------------------------------

    def _on_message(self, _: Any, content: Any, __: Any = None) -> None:
        """Take a message from the page; what it does not know, it ignores."""
        kind = content.get("t") if isinstance(content, dict) else None
        if kind in {"ready", "resync"}:
            self._pages.add(str(content.get("page", "")))
            self._wanted = True
            self._wake.set()
        elif kind == "gone":
            self._left = True
        elif kind == "open":
            self._keep_open(content.get("row"), content.get("open"))
        elif kind in _ACTIONS and all(isinstance(content.get(key), str) for key in _ACTIONS[kind]):
            self._act({"t": kind, **{key: content[key] for key in _ACTIONS[kind]}})
        else:
            _log.info("ignored an unknown message of the page: %.200r", content)

    def _keep_open(self, row: Any, is_open: Any) -> None:
        with self._lock:
            items = self.transcript.doc["items"]
            if isinstance(row, int) and 0 <= row < len(items) and isinstance(is_open, bool):
                items[row]["open"] = is_open

    def _act(self, action: dict[str, Any]) -> None:
        if self._callback is None:
            return
        try:
            self._callback(action)
        except Exception:
            _log.exception("the action %r failed", action)
