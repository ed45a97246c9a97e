"""Which way an answer takes to this kernel, for `%lumos doctor`.

One idea: it is what the last view found. Where there was none yet, a widget that shows nothing asks
the page for a sign of life.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from lumos_nb.notebook import asking
from lumos_nb.notebook.views import view_kind
from lumos_nb.widgets.clicks import poll_clicks, release_clicks, route_clicks, route_of


def answers(shell: Any) -> tuple[str, str, str]:
    """Return a row of the doctor: what, how, and what to do where nobody can be asked.

    Example:
        >>> from types import SimpleNamespace
        >>> answers(SimpleNamespace(kernel=None))[0]
        'answers'
    """
    kernel = getattr(shell, "kernel", None)
    if kernel is not None and view_kind(shell) == "live" and (route := route_of(kernel) or _probed(kernel)):
        return "answers", f"clicks, {route}", "ok"
    if asking.can_type(shell):
        return "answers", "typed", "ok"
    advice = "calls that must be asked about are denied: allow tools ahead with --approve NAME or the setting approve"
    return "answers", "nobody can be asked here", advice


def _probed(kernel: Any) -> str:
    """Return how a page reached us just now; empty if none did."""
    from lumos_nb.widgets.widget import LiveView

    heard = threading.Event()
    widget = LiveView(shells={})
    widget.on_msg(lambda *_: heard.set())
    comm = widget.comm
    route_clicks(comm)
    try:
        until = time.monotonic() + asking.HEARD_WITHIN_S
        while not heard.wait(asking.LOOK_S) and time.monotonic() < until:
            poll_clicks()
    finally:
        release_clicks(comm)
        widget.close()
    return (route_of(kernel) or "the kernel's own way") if heard.is_set() else ""
