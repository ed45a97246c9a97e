"""`%lumos doctor`: what is here, what a cell would use, and what to do about what is missing."""

from __future__ import annotations

import importlib.metadata
import platform
import threading
import time
from pathlib import Path
from typing import Any

from lumos_nb import settings, tapes
from lumos_nb._version import __version__
from lumos_nb.agent.bridge import run_sync
from lumos_nb.errors import LumosError
from lumos_nb.notebook import asking
from lumos_nb.notebook.tapetime import is_temporary
from lumos_nb.notebook.views import view_kind
from lumos_nb.providers.catalog import state_of
from lumos_nb.providers.vendors import vendors
from lumos_nb.runtime import Runtime
from lumos_nb.widgets.clicks import poll_clicks, release_clicks, route_clicks, route_of

_PACKAGES = ("ipython", "ipykernel", "jupyterlab", "anywidget", "httpx", "pandas", "xllamacpp")


def doctor(runtime: Runtime) -> Any:
    """Return what was found as a DataFrame: what, value, and whether it is well."""
    import pandas as pd
    from IPython import get_ipython

    rows = [("lumos_nb", __version__, "ok"), ("python", platform.python_version(), "ok")]
    rows += [(name, _version(name), "ok" if _version(name) else "not installed") for name in _PACKAGES]
    rows += [_model(runtime), _database(runtime), _answers(get_ipython()), _traces(), _tape()]
    return pd.DataFrame(rows, columns=["what", "value", "state"])


def models() -> Any:
    """Return the vendors as a DataFrame: id, format, key's environment variable, what is there, default model."""
    import pandas as pd

    rows = [(v.id, v.format, ", ".join(v.key_env), state_of(v), v.default_model) for v in vendors().values()]
    return pd.DataFrame(rows, columns=["vendor", "format", "key", "state", "default model"])


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _model(runtime: Runtime) -> tuple[str, str, str]:
    try:
        model = runtime.agent().get_llm()
        return "model", f"{model.provider}/{model.model}", "ok"
    except LumosError as error:
        return "model", "", str(error)


def _database(runtime: Runtime) -> tuple[str, str, str]:
    path: Path | str = settings.current().database()
    if is_temporary():
        path = "one of the tape's own, until the kernel ends"
    try:
        run_sync(runtime.memory.list_threads())
    except LumosError as error:
        return "database", str(path), str(error)
    return "database", str(path), "ok"


def _traces() -> tuple[str, str, str]:
    """Say where traces are sent, and what has become of them."""
    from lumos_nb.telemetry import otel

    stats = otel.stats()
    if not stats.endpoint:
        return "traces", "kept here, sent nowhere", "ok"
    lost = stats.n_spans_lost + stats.n_runs_dropped
    sent = f"{stats.endpoint}: {stats.n_spans:,} spans sent"
    return "traces", sent, f"{lost:,} lost: {stats.last_error}" if lost else "ok"


def _tape() -> tuple[str, str, str]:
    """Say which tape is in force, and how it is used."""
    try:
        deck = tapes.current()
    except LumosError as error:
        return "tape", settings.current().tape, str(error)
    if deck is None:
        return "tape", "none", "ok"
    n, left = len(deck.tape.interactions), len(deck.unplayed())
    is_there = deck.path.exists() or deck.mode not in {"replay", "replay-strict"}
    state = "ok" if is_there else f"there is no {deck.path.name}: record it with lumos test --record"
    return "tape", f"{deck.path.name}, {deck.mode}: {n:,} recorded, {left:,} left", state


def _answers(shell: Any) -> tuple[str, str, str]:
    """Say which way an answer takes to this kernel: the one that the last view found, or that is found now."""
    kernel = getattr(shell, "kernel", None)
    if kernel is not None and view_kind(shell) == "live" and (route := route_of(kernel) or _probed(kernel)):
        return "answers", f"clicks, {route}", "ok"
    if asking.can_type(shell):
        return "answers", "typed", "ok"
    advice = "calls that must be asked about are denied: allow tools ahead with --approve NAME or the setting approve"
    return "answers", "nobody can be asked here", advice


def _probed(kernel: Any) -> str:
    """Ask the page for a sign of life, by a widget that shows nothing; say how one reached us, or nothing."""
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
