"""Tools: functions that a model may call.

One idea: a plain function is enough. `@tool` reads its signature and docstring.
"""

from __future__ import annotations

from lumos_nb.messages import ToolCall as FunctionCall
from lumos_nb.messages import ToolChoice
from lumos_nb.messages import ToolSpec as FunctionDefinition
from lumos_nb.tools.function import Tool, tool
from lumos_nb.tools.registry import ToolRegistry

# `FunctionDefinition` and `FunctionCall` are the names that the function-calling API of OpenAI has for these.
__all__ = ["FunctionCall", "FunctionDefinition", "Tool", "ToolChoice", "ToolRegistry", "tool"]
