"""Install the built wheel into an empty environment and run a cell there: `python -m tests.wheel dist`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

LIMIT = 60
CELLS = """
import nbformat
from nbclient import NotebookClient
cells = ["%load_ext lumos_nb\\nfrom lumos_nb import Agent\\nfrom lumos_nb.testing import ScriptedProvider\\n"
         "a = Agent('a', model=ScriptedProvider(['Hello']))", "%%agent a\\nHi", "import lumos_nb; lumos_nb.runs()"]
book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
NotebookClient(book, kernel_name="python3").execute()
assert "Hello" in book.cells[1].outputs[0]["data"]["text/plain"], book.cells[1].outputs
print("a cell ran")
"""


def main(folder: Path) -> None:
    wheel = max(folder.glob("*.whl"), key=lambda path: path.stat().st_mtime)
    with tempfile.TemporaryDirectory() as place:
        venv.create(place, with_pip=True)
        python = Path(place) / ("Scripts" if sys.platform == "win32" else "bin") / "python"

        def run(*arguments: str) -> str:
            done = subprocess.run([python, *arguments], check=True, capture_output=True, text=True, cwd=place)
            return done.stdout

        run("-m", "pip", "install", "--quiet", str(wheel.absolute()))
        n = len(run("-m", "pip", "list", "--format=freeze").split()) - 2  # pip and setuptools
        print(f"{wheel.name}: {n} packages in the base installation, at most {LIMIT} allowed")
        assert n <= LIMIT
        run("-m", "pip", "install", "--quiet", f"{wheel.absolute()}[test]")
        print(run("-c", CELLS).strip())
        run("-m", "pip", "install", "--quiet", "jupyterlab>=4.2,<5")
        line = _listed(place, python)
        print(f"JupyterLab lists the extension: {line}")
        assert "enabled" in line and "OK" in line, line


def _listed(place: str, python: Path) -> str:
    """Return what `jupyter labextension list` says about the extension; it writes to stderr."""
    done = subprocess.run(
        [python, "-m", "jupyter", "labextension", "list"], check=True, capture_output=True, text=True, cwd=place,
        env={**os.environ, "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"},
    )  # fmt: skip
    return next((line for line in (done.stdout + done.stderr).splitlines() if "lumos-nb" in line), "not at all")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
