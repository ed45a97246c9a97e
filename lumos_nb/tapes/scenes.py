"""Where on a tape a request belongs: which cell, and how that cell wants it.

One idea: a cell says it once, for everything that is asked within; elsewhere whoever knows the notebook is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path

import msgspec


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """The cell that asks."""

    cell: str = ""
    #: Hash of its source.
    source: str = ""
    #: Which execution of the notebook's cells it is; the same cell run again is another one.
    execution: int = 0
    #: record, replay or live, where the cell's line says so; else empty.
    mode: str = ""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """The notebook, or the test."""

    #: Its path; None where it is not known.
    path: Path | None = None
    #: Folder where tapes are looked for if the settings name none.
    folder: Path
    #: How commands name it, where whoever started it knows; else empty.
    named: str = ""


SCENE: ContextVar[Scene | None] = ContextVar("lumos_scene", default=None)
"""Set by a cell around its run."""

_place: Callable[[], Place] | None = None
_scene: Callable[[], Scene] | None = None


def set_place(place: Callable[[], Place] | None, scene: Callable[[], Scene] | None = None) -> None:
    """Name who knows the notebook, and the cell that runs now; None for nobody."""
    global _place, _scene
    _place, _scene = place, scene


def place() -> Place:
    """Return where this process works."""
    return _place() if _place is not None else Place(folder=Path.cwd() / "tapes")


def scene() -> Scene:
    """Return the cell that asks."""
    return SCENE.get() or (_scene() if _scene is not None else Scene())
