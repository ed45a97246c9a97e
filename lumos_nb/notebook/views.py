"""Which views a cell's run has: one in the cell, and a copy in a file if the settings name one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from lumos_nb import settings
from lumos_nb.errors import SettingsError
from lumos_nb.events import AgentEvent
from lumos_nb.widgets import View, open_view
from lumos_nb.widgets.actions import Act
from lumos_nb.widgets.plain import PlainView


def view_kind(shell: Any) -> str:
    """Return how this cell shows a run: live in a notebook, plain in a terminal, static in CI and under `%%capture`."""
    kind = _chosen(shell)
    # Nobody sees the buttons of what is captured: a question there would wait for a click that cannot come.
    return "static" if kind == "live" and _is_captured(shell) else kind


def _is_captured(shell: Any) -> bool:
    from IPython.core.displaypub import CapturingDisplayPublisher

    return isinstance(getattr(shell, "display_pub", None), CapturingDisplayPublisher)


def _chosen(shell: Any) -> str:
    chosen = settings.current().view
    if chosen != "auto":
        return chosen
    if getattr(shell, "kernel", None) is None:
        return "plain"
    return "static" if os.environ.get("CI") else "live"


def open_views(shell: Any, thread: str, prompt: str, *, background: bool = False) -> View:
    """Open the cell's view, with its copy beside it if there is one."""
    echo = settings.current().echo
    if not echo:
        return open_view(view_kind(shell), thread=thread, is_background=background)
    try:
        copy = Path(echo).open("a", encoding="utf-8")  # noqa: SIM115  closed with the view
    except OSError as error:
        raise SettingsError(
            f"echo = {echo!r} cannot be written: {error.strerror}.", hint="Name another file."
        ) from None
    return _Both(open_view(view_kind(shell), thread=thread, is_background=background), copy, thread, prompt)


class _Both:
    """A view and its plain copy in a file."""

    def __init__(self, view: View, file: TextIO, thread: str, prompt: str) -> None:
        self._view = view
        self._file = file
        quoted = "\n".join(f"> {line}" for line in prompt.splitlines())
        self._file.write(f"\n{quoted}\n")
        self._copy = PlainView(thread, self._file)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._view, name)

    def open(self) -> None:
        """Do nothing: both are open."""

    def on_events(self, events: Sequence[AgentEvent]) -> None:
        self._view.on_events(events)
        self._copy.on_events(events)

    def on_action(self, callback: Act) -> None:
        self._view.on_action(callback)

    def close(self) -> None:
        self._view.close()
        self._copy.close()
        self._file.close()
