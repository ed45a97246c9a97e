"""Text that a cell shows as Markdown, safely: what a model wrote never runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lumos_nb.errors import UsageError


class Shown:
    """Markdown, shown as such in a notebook and as text elsewhere."""

    def __init__(self, markdown: str) -> None:
        self.markdown = markdown

    def __repr__(self) -> str:
        return self.markdown

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        from lumos_nb.widgets.markdown import render

        # No text/markdown: a trusted notebook would run what HTML a model put into it.
        return {"text/plain": self.markdown, "text/html": render(self.markdown)}


def written(target: Path, text: str) -> Shown:
    """Write a file and say so."""
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{str(target)!r} cannot be written: {error.strerror}.", hint="Name another file.") from None
    return Shown(f"Written to {target}.")
