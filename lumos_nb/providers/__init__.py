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
    from lumos_nb.providers.fallback import FallbackProvider, in_turn
    from lumos_nb.providers.prices import cost_source, cost_usd

_HOMES = {
    "FallbackProvider": "lumos_nb.providers.fallback",
    "LlmProvider": "lumos_nb.providers.base",
    "ModelOptions": "lumos_nb.providers.base",
    "ModelResponse": "lumos_nb.providers.base",
    "OutputSchema": "lumos_nb.providers.base",
    "ToolSpec": "lumos_nb.providers.base",
    "cost_source": "lumos_nb.providers.prices",
    "cost_usd": "lumos_nb.providers.prices",
    "default_llm": "lumos_nb.providers.catalog",
    "in_turn": "lumos_nb.providers.fallback",
    "llm": "lumos_nb.providers.catalog",
}

__all__ = [
    "FallbackProvider",
    "LlmProvider",
    "ModelOptions",
    "ModelResponse",
    "OutputSchema",
    "ToolSpec",
    "cost_source",
    "cost_usd",
    "default_llm",
    "in_turn",
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
