"""The notebook: `%%agent` and its sisters, and everything that touches IPython.

One idea: `load` adds to a shell, `unload` takes all of it away again.
"""

from __future__ import annotations

from typing import Any

__all__ = ["here", "load", "unload"]

_loaded: dict[int, Any] = {}


def load(shell: Any) -> None:
    """Add the magics, the awaiting hook and the place of runs to a shell."""
    from lumos_nb.notebook.session import Session

    if id(shell) not in _loaded:
        _loaded[id(shell)] = Session(shell)


def unload(shell: Any) -> None:
    """Take away what `load` added."""
    session = _loaded.pop(id(shell), None)
    if session is not None:
        session.close()


def here() -> Any:
    """Return the session of the shell that runs, or None where nothing was loaded."""
    from IPython import get_ipython

    return _loaded.get(id(get_ipython()))
