"""Where a run was started: notebook, cell and execution count."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any


def notebook_path(shell: Any) -> str | None:
    """Return the notebook's path as its server or editor names it, or None (a terminal, a plain runner)."""
    in_editor = shell.user_ns.get("__vsc_ipynb_file__")
    path = in_editor or os.environ.get("JPY_SESSION_NAME", "")
    return str(path) if str(path).endswith(".ipynb") else None


def provenance(shell: Any) -> dict[str, Any]:
    """Return notebook, cell id and execution count of the cell that runs now, as far as they are known."""
    return {
        "notebook": notebook_path(shell),
        "cell_id": _cell_id(shell),
        "execution_count": cell_number(shell),
    }


def cell_number(shell: Any) -> int | None:
    """Return the number of the cell that runs now, as `[n]` beside it; the shell's own count may be at the next one."""
    history = getattr(getattr(shell, "history_manager", None), "input_hist_parsed", None)
    return len(history) - 1 if history else getattr(shell, "execution_count", None)


def _cell_id(shell: Any) -> str | None:
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return None
    metadata = (kernel.get_parent() or {}).get("metadata") or {}
    return metadata.get("cellId") or metadata.get("cell_id")


def beside_notebook(shell: Any) -> Path:
    """Return the folder of the notebook, or the working directory."""
    path = Path(notebook_path(shell) or "")
    return path.parent if path.is_absolute() and path.parent.is_dir() else Path.cwd()
