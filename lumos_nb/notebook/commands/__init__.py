"""The subcommands of the line magics: a module a magic, a function of the runtime and its words a subcommand.

One idea: a subcommand returns what a cell can show or keep, a DataFrame where there is one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Command = Callable[..., Any]
