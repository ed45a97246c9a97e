"""A run in a terminal, and a run that is shown once, when it is over.

One idea: the same events, fewer means. A line that was printed is never changed, so that a log
reads as well as a screen.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Sequence
from typing import Any, TextIO

from lumos_nb.events import (
    AgentEvent,
    ApprovalDecided,
    ApprovalRequested,
    Error,
    Metadata,
    ReasoningDelta,
    StepStart,
    TextDelta,
    ToolCallComplete,
    ToolCallStart,
    ToolOutput,
    UserMessage,
)
from lumos_nb.messages import ToolCall
from lumos_nb.transcript import Transcript
from lumos_nb.widgets import words
from lumos_nb.widgets.actions import Act
from lumos_nb.widgets.bundle import static_bundle
from lumos_nb.widgets.results import joined
from lumos_nb.widgets.spot import Spot

ARGUMENT_WIDTH = 60
"""Characters of an argument that a call's line shows."""

_COLOURS = {"quiet": "\x1b[2m", "bad": "\x1b[31m", "bold": "\x1b[1m"}


class PlainView:
    """Streams text to a terminal or a file; each tool call is one line when it starts and one when it ends.

    Example:
        >>> from lumos_nb.events import TextDelta
        >>> view = PlainView(thread="sales")
        >>> view.open()
        >>> view.on_events([TextDelta("Hel"), TextDelta("lo")])
        Hello
    """

    def __init__(self, thread: str = "", stream: TextIO | None = None) -> None:
        self.transcript = Transcript(thread)
        self._stream = stream
        self._lock = threading.Lock()
        self._at_line_start = True
        self._thinking = False
        self._closed = False

    def open(self) -> None:
        """Take the stream: that of the moment, unless one was given."""
        self._stream = self._stream or sys.stdout

    def on_action(self, callback: Act) -> None:
        """Do nothing: a terminal has no buttons; Ctrl-C stops a run."""

    def on_events(self, events: Sequence[AgentEvent]) -> None:
        """Print these events. Any thread may call it."""
        with self._lock:
            self.transcript.apply(events)
            for event in events:
                self._show(event)
            self._out().flush()

    def close(self) -> None:
        """Print the line of figures. A run that has said no end was stopped."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            doc = self.transcript.doc
            if doc["status"] == "running":
                doc = {**doc, "status": "cancelled"}
            if failure := words.failure(doc):
                self._line(failure, "bad")
            self._line(" · ".join(words.summary(doc)), "quiet")
            self._out().flush()

    def _show(self, event: AgentEvent) -> None:
        match event:
            case TextDelta():
                self._thinking = False
                self._write(event.delta)
            case ReasoningDelta() if not self._thinking:
                self._thinking = True
                self._line("thinking …", "quiet")
            case ToolCallStart():
                self._thinking = False
                self._line(f"→ {call_line(event.call)}", "bold")
            case ApprovalRequested():
                self._line(f"? {call_line(event.call)} waits for you. {event.reason}".rstrip(), "bold")
            case ApprovalDecided():
                self._decided(event)
            case UserMessage():
                self._line(f"You: {event.text}", "bold")
            case ToolOutput():
                self._output(event)
            case ToolCallComplete():
                self._ended(event)
            case StepStart() if not self._at_line_start:  # what another model call says is a text of its own
                self._write("\n")
            case Metadata() if event.data.get("state"):
                self._line(str(event.data["state"]), "quiet")
            case Error():
                self._thinking = False
            case _:
                pass

    def _decided(self, event: ApprovalDecided) -> None:
        if (item := self._item(event.call_id)) is not None:
            changed = f"  {item['name']}({words.short_arguments(item)})" if event.arguments is not None else ""
            self._line(f"- {item['name']} {words.decision(item)}{changed}", "quiet")

    def _item(self, call_id: str) -> dict[str, Any] | None:
        return next((i for i in self.transcript.doc["items"] if i.get("call_id") == call_id), None)

    def _output(self, event: ToolOutput) -> None:
        if event.kind in {"stdout", "stderr"}:
            self._write(event.text)
        elif event.kind != "clear":  # what was printed stays
            self._write(joined(event.data.get("text/plain")) + "\n")

    def _ended(self, event: ToolCallComplete) -> None:
        if event.status == "denied" and "decision" in (self._item(event.call_id) or {}):
            return  # the decision has said it
        state = words.tool_state({"status": event.status, "duration_s": event.duration_s})
        mark, _, rest = state.partition(" ") if state[:1] in "✓✗" else ("-", "", state)
        first = words.one_line(event.result.traceback or event.result.content, 100)
        line = f"{mark} {event.result.name} {rest}" + (f"  {first}" if first else "")
        self._line(line, "bad" if event.status == "error" else "quiet")

    def _line(self, text: str, colour: str) -> None:
        start = "" if self._at_line_start else "\n"
        painted = f"{_COLOURS[colour]}{text}\x1b[0m" if self._is_coloured() else text
        self._write(f"{start}{painted}\n")

    def _is_coloured(self) -> bool:
        plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        return not plain and self._out().isatty()

    def _write(self, text: str) -> None:
        if text:
            self._out().write(text)
            self._at_line_start = text.endswith("\n")

    def _out(self) -> TextIO:
        return self._stream or sys.stdout


class StaticView:
    """Shows nothing until the end, then the saved output once: for tests that compare outputs.

    With `is_background` the end comes after the cell: until then a line stands in its place.
    """

    def __init__(self, thread: str = "", is_background: bool = False) -> None:
        self.transcript = Transcript(thread)
        self._is_background = is_background
        self._spot: Spot | None = None
        self._lock = threading.Lock()
        self._closed = False

    @property
    def display_id(self) -> str:
        """What the output is updated by; empty if there is none yet."""
        return self._spot.display_id if self._spot else ""

    def open(self) -> None:
        """Take the place in the cell, if the end comes later."""
        if self._is_background:
            self._spot = Spot({"text/plain": "A run in the background."}, raw=True)

    def on_action(self, callback: Act) -> None:
        """Do nothing: saved output has no buttons."""

    def on_events(self, events: Sequence[AgentEvent]) -> None:
        """Keep these events for the end. Any thread may call it."""
        with self._lock:
            self.transcript.apply(events)

    def close(self) -> None:
        """Display the saved output."""
        from IPython.display import display

        if self._closed:
            return
        self._closed = True
        bundle = static_bundle(self.transcript.doc)
        if self._spot is None:
            display(bundle, raw=True)
        else:
            self._spot.replace(bundle)


def call_line(call: ToolCall) -> str:
    """Return a call as one would write it.

    Example:
        >>> call_line(ToolCall(id="1", name="rows", arguments='{"table": "orders", "limit": 5}'))
        'rows(table="orders", limit=5)'
    """
    args = words.arguments(call.arguments)
    if args is None:
        return f"{call.name}({words.one_line(call.arguments, 100)})"
    shown = (
        f"{k}={words.one_line(json.dumps(v, ensure_ascii=False, default=str), ARGUMENT_WIDTH)}" for k, v in args.items()
    )
    return f"{call.name}({', '.join(shown)})"
