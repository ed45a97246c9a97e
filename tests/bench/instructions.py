"""How many instructions one turn of each hot path takes: `python -m tests.bench.instructions [--keep]`.

One idea: seconds depend on the machine and on what else runs there, instructions hardly do. Each
path runs N and 2 N times under valgrind; the difference, by N, holds nothing of the start.

A figure counts for one version of Python on one kind of machine, and for one build: two of a version
differ by a tenth. The ruler, work of the same kind with nothing of this project, tells which it is.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.bench.paths import PATHS, ruler

ROOT = Path(__file__).parents[2]
KEPT = Path(__file__).with_name("instructions.json")
TURNS = {"ruler": 10, "decoding_a_stream": 15, "passing_tokens_on": 30, "sending_a_request": 12, "recording_a_run": 20}
"""N: so many that what the start varies by is less than a hundredth of them."""

RULER = "ruler"
MAY_GROW_BY = 0.10
RULER_MAY_DIFFER_BY = 0.03
VALGRIND = ("valgrind", "--tool=cachegrind", "--cache-sim=no", "--branch-sim=no", "--cachegrind-out-file=/dev/null")
KEEP = "python -m tests.bench.instructions --keep"

Counts = dict[str, float]


def has_valgrind() -> bool:
    return shutil.which("valgrind") is not None


def kind() -> str:
    """Return what a figure holds for, such as `cpython-3.11-x86_64`."""
    return f"{sys.implementation.name}-{sys.version_info.major}.{sys.version_info.minor}-{platform.machine()}"


def turn(path: str, times: int) -> None:
    """Run a path so many times; this is what valgrind counts."""
    with PATHS.get(path, ruler)() as run:
        gc.collect()
        gc.disable()  # when it runs depends on what else is in memory
        for _ in range(times):
            run()


def instructions(path: str, times: int, *counter: str) -> int:
    """Return the instructions of a process that runs `path` so many times, or 0 if nothing counts them."""
    with tempfile.TemporaryDirectory() as folder:  # no settings of the person who runs this
        env = {"PATH": os.environ["PATH"], "PYTHONHASHSEED": "0", "PYTHONPATH": str(ROOT), "HOME": folder}
        command = [*counter, sys.executable, "-m", "tests.bench.instructions", "--turn", path, str(times)]
        run = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=300)
    if run.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{run.stderr[-2000:]}")
    found = re.search(r"I +refs: +([\d,]+)", run.stderr)
    return int(found[1].replace(",", "")) if found else 0


def counted() -> Counts:
    """Return the instructions of one turn of each path and of the ruler, as many at a time as there are cores."""
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        list(workers.map(lambda path: instructions(path, 1), TURNS))  # so that all modules are compiled
        runs = {
            (path, k): workers.submit(instructions, path, k * n, *VALGRIND) for path, n in TURNS.items() for k in (1, 2)
        }
        return {path: (runs[path, 2].result() - runs[path, 1].result()) / n for path, n in TURNS.items()}


def kept() -> list[Counts]:
    """Return the figures that were kept for this kind of Python and machine, one set a build."""
    return _all_kept().get(kind(), [])


def of_same_build(found: Counts, figures: list[Counts]) -> Counts | None:
    """Return those of `figures` whose ruler takes what it takes here."""
    near = [each for each in figures if abs(found[RULER] / each[RULER] - 1) <= RULER_MAY_DIFFER_BY]
    return min(near, key=lambda each: abs(found[RULER] - each[RULER]), default=None)


def keep(found: Counts) -> None:
    """Keep figures, in the place of those of the same build."""
    figures = kept()
    if (before := of_same_build(found, figures)) is not None:
        figures.remove(before)
    figures.append({path: round(count) for path, count in found.items()})
    everything = _all_kept() | {kind(): sorted(figures, key=lambda each: each[RULER])}
    KEPT.write_text(json.dumps(dict(sorted(everything.items())), indent=1) + "\n")


def _all_kept() -> dict[str, list[Counts]]:
    return json.loads(KEPT.read_text()) if KEPT.exists() else {}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.instructions")
    parser.add_argument("--keep", action="store_true", help="the tests compare with these figures from now on")
    parser.add_argument("--turn", nargs=2, metavar=("PATH", "TIMES"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.turn:
        turn(args.turn[0], int(args.turn[1]))
        return
    if not has_valgrind():
        sys.exit("There is no valgrind. Install it: it counts the instructions.")
    found = counted()
    before = of_same_build(found, kept()) or {}
    for path, count in found.items():
        growth = f"  {count / before[path] - 1:+7.2%}" if path in before else ""
        print(f"{path:20} {count:14,.0f}{growth}")
    if args.keep:
        keep(found)


if __name__ == "__main__":
    main()
