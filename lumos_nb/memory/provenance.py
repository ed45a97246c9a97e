"""Where a run was started: the notebook says, the log keeps it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_source: Callable[[], dict[str, Any]] | None = None


def provenance() -> dict[str, Any]:
    """Return `notebook`, `cell_id` and `execution_count`, as far as somebody says."""
    return {k: v for k, v in _source().items() if v is not None} if _source is not None else {}


def set_provenance(source: Callable[[], dict[str, Any]] | None) -> None:
    """Name who says where runs are started; None for nobody."""
    global _source
    _source = source
