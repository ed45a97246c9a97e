"""`%lumos doctor`: what is here, what a cell would use, and what to do about what is missing."""

from __future__ import annotations

import importlib.metadata
import platform
from typing import Any

from lumos_nb import settings
from lumos_nb._version import __version__
from lumos_nb.agent.background import run_sync
from lumos_nb.errors import LumosError
from lumos_nb.notebook.answers import answers
from lumos_nb.providers.catalog import state_of
from lumos_nb.providers.vendors import vendors
from lumos_nb.runtime import Runtime

_PACKAGES = ("ipython", "ipykernel", "jupyterlab", "anywidget", "httpx", "pandas", "xllamacpp")


def doctor(runtime: Runtime) -> Any:
    """Return what was found as a DataFrame: what, value, and whether it is well."""
    import pandas as pd
    from IPython import get_ipython

    rows = [("lumos_nb", __version__, "ok"), ("python", platform.python_version(), "ok")]
    rows += [(name, _version(name), "ok" if _version(name) else "not installed") for name in _PACKAGES]
    rows += [_model(runtime), _database(runtime), answers(get_ipython())]
    return pd.DataFrame(rows, columns=["what", "value", "state"])


def models() -> Any:
    """Return the vendors as a DataFrame: id, format, key's environment variable, what is there, default model."""
    import pandas as pd

    rows = [(v.id, v.format, ", ".join(v.key_env), state_of(v), v.default_model) for v in vendors().values()]
    return pd.DataFrame(rows, columns=["vendor", "format", "key", "state", "default model"])


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _model(runtime: Runtime) -> tuple[str, str, str]:
    try:
        model = runtime.agent().get_llm()
        return "model", f"{model.provider}/{model.model}", "ok"
    except LumosError as error:
        return "model", "", str(error)


def _database(runtime: Runtime) -> tuple[str, str, str]:
    path = settings.current().database()
    try:
        run_sync(runtime.memory.list_threads())
    except LumosError as error:
        return "database", str(path), str(error)
    return "database", str(path), "ok"
