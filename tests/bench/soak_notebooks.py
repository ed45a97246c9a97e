"""Run the project's notebooks from their tapes, over and over: `python -m tests.bench.soak_notebooks [TIMES]`.

Fails at the first run that is red, or whose outputs differ from the first one's by a byte.
"""

from __future__ import annotations

import difflib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHOWS_REAL_TIMES = "07_debugging.ipynb"
"""Its subject is how long tools take, so it plays without a virtual clock, and is green but not the same."""


def run_all(folder: Path) -> str:
    """Run all notebooks; return their outputs as a text."""
    command = [sys.executable, "-m", "lumos_nb.cli", "test", str(ROOT / "notebooks"), "--output-dir", str(folder)]
    env = {k: v for k, v in os.environ.items() if not k.endswith("_API_KEY") and not k.startswith("LUMOS_")}
    ran = subprocess.run(command, cwd=ROOT, env=env | {"CI": "true"}, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise SystemExit(ran.stdout + ran.stderr)
    return "\n".join(outputs(path) for path in sorted(folder.rglob("*.ipynb")) if path.name != SHOWS_REAL_TIMES)


def outputs(path: Path) -> str:
    """Return what the cells of a notebook put out, byte for byte; a cell may say that it depends on who is quicker."""
    cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    held = [cell for cell in cells if "lumos-ignore-output" not in cell["metadata"].get("tags", [])]
    return json.dumps([(path.name, cell["id"], cell["outputs"]) for cell in held], indent=1, sort_keys=True)


def main(times: int) -> int:
    first, began = "", time.monotonic()
    for n in range(1, times + 1):
        with tempfile.TemporaryDirectory() as folder:
            now = run_all(Path(folder))
        first = first or now
        if now != first:
            print("\n".join(difflib.unified_diff(first.splitlines(), now.splitlines(), "first", f"run {n}", n=3)))
            return 1
        if n % 10 == 0 or n == times:
            print(f"{n} times, {(time.monotonic() - began) / n:.1f} s each, all the same", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200))
