"""What a person sees of a run: in a notebook, in its saved file, in a terminal.

One idea: every view reads the same events and shows the same document. Nothing here is needed
to run an agent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from lumos_nb.events import AgentEvent
from lumos_nb.transcript import Transcript
from lumos_nb.widgets.actions import Act

__all__ = ["View", "open_view"]


class View(Protocol):
    """What a run is shown in."""

    transcript: Transcript

    def open(self) -> None:
        """Begin to show; call it on the cell's own thread."""

    def on_events(self, events: Sequence[AgentEvent]) -> None:
        """Show these events soon; any thread may call it."""

    def on_action(self, callback: Act) -> None:
        """Call this with what a person asks for, if the view has controls; it returns what is wrong, if anything."""

    def close(self) -> None:
        """Show the end; call it on the cell's own thread."""


def open_view(kind: str, thread: str = "", *, is_background: bool = False) -> View:
    """Open a view: `live` in a notebook, `static` for one output at the end, `plain` in a terminal.

    Args:
        kind: Which.
        thread: Name of the conversation.
        is_background: The run goes on after its cell.

    Example:
        >>> view = open_view("plain", thread="sales")
        >>> view.close()
        - Stopped · 0 steps · sales
    """
    view: View
    if kind == "live":
        from lumos_nb.widgets.live import RunView

        view = RunView(thread, is_background)
    elif kind == "static":
        from lumos_nb.widgets.plain import StaticView

        view = StaticView(thread, is_background)
    elif kind == "plain":
        from lumos_nb.widgets.plain import PlainView

        view = PlainView(thread)
    else:
        raise ValueError(f"unknown view {kind!r}; known are live, static and plain")
    view.open()
    return view
