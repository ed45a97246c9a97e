"""Print all figures, one program after the other: `python -m tests.bench`."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent

for script in (
    HERE / "bench_core.py",
    HERE / "bench_store.py",
    HERE / "bench_wire.py",
    HERE.parent / "browser" / "measure.py",
):
    print(f"\n== {script.relative_to(HERE.parent.parent)}", flush=True)
    subprocess.run([sys.executable, str(script)], check=True)
