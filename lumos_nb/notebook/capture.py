"""What a tool prints or shows goes to that tool's place in the view, and nowhere else.

One idea: a `ContextVar` says whose output this is. While tools work, the streams and the shell's
ways to show something ask it (`routes.py` puts them there); without a sink in the context they
behave as before. IPython's own ways either mix concurrent tools or lose their output.
"""

from __future__ import annotations

import base64
import contextlib
import sys
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from lumos_nb.agent.home import Emit
from lumos_nb.outputs import WIDGET

_SINK: ContextVar[Sink | None] = ContextVar("lumos_sink", default=None)

KEPT_DISPLAYS = 1000
"""Displays of tools that are remembered, so that an update finds its way: the last ones."""


class Sink:
    """Takes the output of one tool while it works; afterwards that of who outlives it goes where its caller's does."""

    def __init__(self, emit: Emit) -> None:
        self.emit = emit
        self.is_open = True
        self.outer = _SINK.get()
        #: What is shown of widgets, by the id that updates it.
        self.widgets: dict[str, dict[str, Any]] = {}


_shown: OrderedDict[str, Sink] = OrderedDict()


def current() -> Sink | None:
    """Return who takes the output of this context, if a tool does."""
    sink = _SINK.get()
    while sink is not None and not sink.is_open:
        sink = sink.outer
    return sink


@contextlib.contextmanager
def taken_by(emit: Emit) -> Iterator[None]:
    """Let `emit` take the output of this context."""
    sink = Sink(emit)
    token = _SINK.set(sink)
    try:
        yield
    finally:
        _tell_widgets(sink)
        _SINK.reset(token)
        sink.is_open = False


def take_display(sink: Sink, data: dict[str, Any], display_id: str) -> None:
    """Show something in a tool's row; with an id it can be updated."""
    display_id = display_id or (data.get(WIDGET) or {}).get("model_id", "")
    _remember_widget(sink, data, display_id)
    if display_id:
        _shown[display_id] = sink
        _shown.move_to_end(display_id)
        while len(_shown) > KEPT_DISPLAYS:
            _shown.popitem(last=False)
    sink.emit("display", display_id, encoded(data))


def take_update(data: dict[str, Any], display_id: str) -> bool:
    """Update what a tool has shown, wherever the update comes from. Return whether a tool had shown it."""
    owner = _shown.get(display_id)
    if owner is None:
        return False
    # Once its tool has ended, another one of the same run still reaches its row.
    sink = owner if owner.is_open else current()
    if sink is None:
        return False
    _remember_widget(sink, data, display_id)
    sink.emit("update", display_id, encoded(data))
    return True


def _remember_widget(sink: Sink, data: dict[str, Any], display_id: str) -> None:
    if (data.get(WIDGET) or {}).get("model_id"):
        sink.widgets[display_id] = data
    else:
        sink.widgets.pop(display_id, None)


def _tell_widgets(sink: Sink) -> None:
    """Let the text that stands for a widget where it does not live be that of its end, as of a bar that is full."""
    module = sys.modules.get("ipywidgets.widgets.widget")
    alive = getattr(module, "_instances", {})
    for display_id, data in sink.widgets.items():
        widget = alive.get(data[WIDGET]["model_id"])
        if widget is None:
            continue
        with contextlib.suppress(Exception):  # the author's own repr
            text = repr(widget)
            if text != data.get("text/plain"):
                sink.emit("update", display_id, {**encoded(data), "text/plain": text})


def encoded(data: dict[str, Any]) -> dict[str, Any]:
    """Return a MIME bundle with its bytes in base64, so that it is JSON."""
    return {m: base64.b64encode(d).decode() if isinstance(d, bytes) else d for m, d in data.items()}


def flush_figures() -> None:
    """Show figures that a tool drew and did not show, as a cell's end would. Only on the main thread: pyplot is its."""
    if threading.current_thread() is not threading.main_thread():
        return
    inline = sys.modules.get("matplotlib_inline.backend_inline")
    if inline is not None and "matplotlib.pyplot" in sys.modules:
        inline.flush_figures()
