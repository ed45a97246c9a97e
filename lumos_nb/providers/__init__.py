"""Models: one interface, vendors as rows, wire formats as files.

`llm("vendor/model")` gives an `LlmProvider`; `default_llm()` the one to use when nobody chose.
Importing this package loads neither an HTTP client nor a vendor's module.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lumos_nb.providers.base import LlmProvider, ModelOptions, ModelResponse, OutputSchema, ToolSpec
    from lumos_nb.providers.catalog import default_llm, llm
    from lumos_nb.providers.fallback import FallbackProvider

_HOMES = {
    "FallbackProvider": "lumos_nb.providers.fallback",
    "LlmProvider": "lumos_nb.providers.base",
    "ModelOptions": "lumos_nb.providers.base",
    "ModelResponse": "lumos_nb.providers.base",
    "OutputSchema": "lumos_nb.providers.base",
    "ToolSpec": "lumos_nb.providers.base",
    "default_llm": "lumos_nb.providers.catalog",
    "llm": "lumos_nb.providers.catalog",
}

__all__ = [
    "FallbackProvider",
    "LlmProvider",
    "ModelOptions",
    "ModelResponse",
    "OutputSchema",
    "ToolSpec",
    "default_llm",
    "llm",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
