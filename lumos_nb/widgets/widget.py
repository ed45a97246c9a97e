"""The widget that carries the live view into the page: its module, its style, its state.

One idea: a page loads one module, so the files of `static` are joined into it here, in the order in
which they need each other. They share one scope; there is nothing to bundle.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import traitlets

from lumos_nb import clock

LIVE_MIME = "application/vnd.lumos.live+json"
"""Stands beside the widget in a cell's output, `{"v": 1, "view": model id, "at": unix seconds}`, and is saved with it:
by it a page finds the output whose run has ended meanwhile."""

STATIC = Path(__file__).parent / "static"
PARTS = ("elements.js", "reach.js", "question.js", "living.js", "height.js", "view.js", "live.js")


class LiveView(anywidget.AnyWidget):  # type: ignore[misc]  # its package has no types for us
    """The widget: it holds no text of its own, and asks its owner when a page wants all of it."""

    _esm = "\n".join((STATIC / part).read_text("utf-8") for part in PARTS)
    _css = (STATIC / "live.css").read_text("utf-8")
    shells = traitlets.Dict().tag(sync=True)
    # Never sent by itself: computed when a page asks for the widget's state.
    snapshot = traitlets.Any().tag(sync=True, to_json=lambda value, _: value() if value else None)

    def set_state(self, sync_data: Any) -> None:
        """Take nothing: the page asks by messages, which are checked."""

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """Return the widget's bundle with the mark by which it is found again."""
        shown = super()._repr_mimebundle_(**options)
        data, metadata = shown if isinstance(shown, tuple) else (shown, {})
        if not data:
            return shown
        return {**data, LIVE_MIME: {"v": 1, "view": self.model_id, "at": clock.time()}}, metadata

    def __repr__(self) -> str:
        """Return what a page without the kernel shows: a notebook that was saved in the middle has nothing else."""
        return (
            "A run was shown here while its kernel lived. %trace last shows it again, "
            "and %agent resume takes it up if it was interrupted."
        )
