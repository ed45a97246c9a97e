"""Lumos: an agent platform that lives in the notebook.

`%load_ext lumos_nb` brings the magics; `from lumos_nb import Agent, tool, llm` the library.
Everything loads on use, so that importing this package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lumos_nb._version import __version__

if TYPE_CHECKING:
    from lumos_nb import plot as plot
    from lumos_nb.agent import Agent
    from lumos_nb.context import RuntimeContext
    from lumos_nb.frames import (
        advice,
        events,
        messages,
        metrics,
        q,
        runs,
        snapshot,
        spans,
        sql,
        stale,
        steps,
        threads,
        tool_calls,
    )
    from lumos_nb.messages import Message
    from lumos_nb.notebook.background import wait
    from lumos_nb.notebook.celltools import cell_tools
    from lumos_nb.providers import llm
    from lumos_nb.settings import configure
    from lumos_nb.telemetry import diagnose
    from lumos_nb.tools import tool

_HOMES = {
    "Agent": "lumos_nb.agent",
    "Message": "lumos_nb.messages",
    "RuntimeContext": "lumos_nb.context",
    "advice": "lumos_nb.frames",
    "cell_tools": "lumos_nb.notebook.celltools",
    "configure": "lumos_nb.settings",
    "diagnose": "lumos_nb.telemetry",
    "events": "lumos_nb.events",
    "llm": "lumos_nb.providers",
    "messages": "lumos_nb.messages",
    "metrics": "lumos_nb.frames",
    "plot": "lumos_nb.plot",
    "q": "lumos_nb.frames",
    "runs": "lumos_nb.frames",
    "snapshot": "lumos_nb.frames",
    "spans": "lumos_nb.frames",
    "sql": "lumos_nb.frames",
    "stale": "lumos_nb.frames",
    "steps": "lumos_nb.frames",
    "threads": "lumos_nb.frames",
    "tool": "lumos_nb.tools",
    "tool_calls": "lumos_nb.frames",
    "wait": "lumos_nb.notebook.background",
}

__all__ = [
    "Agent",
    "Message",
    "RuntimeContext",
    "__version__",
    "advice",
    "cell_tools",
    "configure",
    "diagnose",
    "events",
    "llm",
    "load_ipython_extension",
    "messages",
    "metrics",
    "plot",
    "q",
    "runs",
    "snapshot",
    "spans",
    "sql",
    "stale",
    "steps",
    "threads",
    "tool",
    "tool_calls",
    "unload_ipython_extension",
    "wait",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'lumos_nb' has no attribute {name!r}")
    module = import_module(home)
    value = module if home == f"lumos_nb.{name}" else getattr(module, name)  # decision 1
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


def load_ipython_extension(ipython: Any) -> None:
    """Add the magics to IPython; called by `%load_ext lumos_nb`."""
    from lumos_nb.notebook import load

    load(ipython)


def unload_ipython_extension(ipython: Any) -> None:
    """Take the magics away again; called by `%unload_ext lumos_nb`."""
    from lumos_nb.notebook import unload

    unload(ipython)
