"""Lets `lumos.events()` and `lumos.messages()` be DataFrames while `lumos_nb.events` and
`lumos_nb.messages` stay the modules of the vocabulary (`docs/design/decisions.md`, 1)."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _FrameModule(ModuleType):
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        from lumos_nb import frames

        return getattr(frames, self.__name__.rpartition(".")[2])(*args, **kwargs)


def as_frame(module_name: str) -> None:
    """Make calling the module give the DataFrame of the same name."""
    sys.modules[module_name].__class__ = _FrameModule
