"""Tools: functions that a model may call.

One idea: a plain function is enough. `@tool` reads its signature and docstring.
"""

from __future__ import annotations

from lumos_nb.tools.function import Tool, tool
from lumos_nb.tools.registry import ToolRegistry

__all__ = ["Tool", "ToolRegistry", "tool"]
