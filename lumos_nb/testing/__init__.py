"""Doubles for tests, for your notebooks as for ours: a provider and a model server with a script.

```python
model = ScriptedProvider(["Hello!"])
with FakeServer(["Hello!"]) as server:
    model = llm("mock/any", base_url=server.base_url)
```
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lumos_nb.tapes import Fault
    from lumos_nb.testing.answers import Answer, Reply, markdown
    from lumos_nb.testing.check import Checked, check
    from lumos_nb.testing.notebooks import NotebookFailed, NotebookRun, run_notebook
    from lumos_nb.testing.scripted import ModelRequest, ScriptedProvider
    from lumos_nb.testing.server import FakeServer, ServedRequest

_HOMES = {
    "Answer": "lumos_nb.testing.answers",
    "Checked": "lumos_nb.testing.check",
    "check": "lumos_nb.testing.check",
    "FakeServer": "lumos_nb.testing.server",
    "Fault": "lumos_nb.tapes",
    "ModelRequest": "lumos_nb.testing.scripted",
    "Reply": "lumos_nb.testing.answers",
    "ScriptedProvider": "lumos_nb.testing.scripted",
    "NotebookFailed": "lumos_nb.testing.notebooks",
    "NotebookRun": "lumos_nb.testing.notebooks",
    "ServedRequest": "lumos_nb.testing.server",
    "markdown": "lumos_nb.testing.answers",
    "run_notebook": "lumos_nb.testing.notebooks",
}

__all__ = [
    "Answer",
    "Checked",
    "FakeServer",
    "Fault",
    "ModelRequest",
    "NotebookFailed",
    "NotebookRun",
    "Reply",
    "ScriptedProvider",
    "ServedRequest",
    "check",
    "markdown",
    "run_notebook",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
