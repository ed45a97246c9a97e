"""Clicks that arrive while the cell is busy.

One idea: ipykernel can run a second line of messages, a subshell, beside a blocked main thread.
From 7.4 on, a widget's messages are sent back to the shell that spoke last, so the route must be
set; the hook is private and therefore probed. Where it is missing, clicks take the usual way.
"""

from __future__ import annotations

import logging
from typing import Any
from weakref import WeakKeyDictionary

_log = logging.getLogger(__name__)
_subshells: WeakKeyDictionary[Any, list[str]] = WeakKeyDictionary()


def route_clicks(comm: Any) -> bool:
    """Let the messages of this comm be answered while the main thread is blocked.

    Returns:
        Whether the kernel has the hook.

    Example:
        >>> route_clicks(object())
        False
    """
    if not hasattr(comm, "_reply_subshell_for"):
        return False
    try:
        subshell = _own_subshell(comm.kernel)
    except Exception:  # private parts of another package: any of them may have moved
        _log.info("clicks wait for the cell: no subshell could be made", exc_info=True)
        return False
    comm._reply_subshell_for = lambda data, default: subshell[0] if subshell else default
    return True


def _own_subshell(kernel: Any) -> list[str]:
    """Return a list that will hold the id of our subshell; one is made for each kernel."""
    if kernel not in _subshells:
        box = _subshells[kernel] = []
        thread = kernel.shell_channel_thread
        thread.io_loop.add_callback(lambda: box.append(thread.manager._create_subshell()))
    return _subshells[kernel]
