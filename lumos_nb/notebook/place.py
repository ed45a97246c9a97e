"""Where a run was started: notebook, cell and execution count, and what the cell says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from lumos_nb import clock
from lumos_nb.memory.provenance import source_hash
from lumos_nb.notebook.names import cached_names
from lumos_nb.tapes.scenes import SCENE, Place, Scene

NAMED = "LUMOS_TEST_NOTEBOOK"
"""Set by the runner of `lumos test`: the notebook as a command from where the runner is names it."""


BESIDE = ContextVar("beside", default=False)
"""Whether what runs was asked for beside the notebook's cells, in a chat."""


def notebook_path(shell: Any) -> str | None:
    """Return the notebook's path as its server or editor names it, or None (a terminal, a plain runner)."""
    in_editor = shell.user_ns.get("__vsc_ipynb_file__")
    path = in_editor or os.environ.get("JPY_SESSION_NAME", "")
    return str(path) if str(path).endswith(".ipynb") else None


def notebook_name(shell: Any) -> str | None:
    """Return what rows call the notebook: its path; under a virtual clock its name, for a checkout may be anywhere."""
    path = notebook_path(shell)
    return Path(path).name if path and clock.is_virtual() else path


def provenance(shell: Any) -> dict[str, Any]:
    """Return notebook, cell id, execution count and source of the cell that runs now, as far as they are known."""
    if BESIDE.get():
        return {"notebook": notebook_name(shell), "cell_id": None, "execution_count": None}
    return {
        "notebook": notebook_name(shell),
        "cell_id": cell_id(shell),
        "execution_count": cell_number(shell),
        **_of_source(shell),
    }


def _of_source(shell: Any) -> dict[str, Any]:
    """Return hash and names of the cell's source."""
    history = getattr(getattr(shell, "history_manager", None), "input_hist_raw", None)
    if not history:
        return {}
    source = history[-1]
    names = cached_names(source, shell.transform_cell)
    return {"source_hash": source_hash(source), "names_read": names.read, "names_written": names.written}


def cell_number(shell: Any) -> int | None:
    """Return the number of the cell that runs now, as `[n]` beside it; the shell's own count may be at the next one."""
    if BESIDE.get():
        return None
    history = getattr(getattr(shell, "history_manager", None), "input_hist_parsed", None)
    return len(history) - 1 if history else getattr(shell, "execution_count", None)


def cell_id(shell: Any) -> str | None:
    """Return the id of the cell that runs now, or None where cells have none."""
    kernel = getattr(shell, "kernel", None)
    if kernel is None or BESIDE.get():
        return None
    metadata = (kernel.get_parent() or {}).get("metadata") or {}
    return metadata.get("cellId") or metadata.get("cell_id")


def beside_notebook(shell: Any) -> Path:
    """Return the folder of the notebook, or the working directory."""
    path = Path(notebook_path(shell) or "")
    return path.parent if path.is_absolute() and path.parent.is_dir() else Path.cwd()


def tape_place(shell: Any) -> Place:
    """Return where the tape of this notebook is."""
    path = notebook_path(shell)
    named = os.environ.get(NAMED, "")
    return Place(path=Path(path) if path else None, folder=beside_notebook(shell) / "tapes", named=named)


def tape_scene(shell: Any, mode: str = "") -> Scene:
    """Return the cell that runs now, as a tape knows it, and how its line wants to use one."""
    place = provenance(shell)
    return Scene(
        cell=place["cell_id"] or "", source=place.get("source_hash", ""), execution=place["execution_count"] or 0,
        mode=mode,
    )  # fmt: skip


@contextmanager
def in_scene(shell: Any, mode: str) -> Iterator[None]:
    """Ask inside the block as the cell that runs now, also for what goes on behind it."""
    token = SCENE.set(tape_scene(shell, mode))
    try:
        yield
    finally:
        SCENE.reset(token)
