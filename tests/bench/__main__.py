"""Print what this project costs beside the bare loop of the same run: `python -m tests.bench [--keep] [ROW …]`.

Each sample is a process of its own, the contenders take turns, the best of all repetitions counts.
The server has one core and the client another where the system allows it. Nothing fails here:
times are for people to look at.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.rows import CONTENDERS
from tests.bench.table import ROWS, markdown

ROOT = Path(__file__).parents[2]
KEPT = Path(__file__).with_name("kept.json")
CONTENDERS_OF = {"importing": CONTENDERS[:2], "making": CONTENDERS[1:2]}
REPETITIONS_OF = {"many_runs": 3}


def python(*args: str) -> list[str]:
    return [sys.executable, "-m", *args]


@contextmanager
def served() -> Iterator[str]:
    """Run the server on a core of its own and give its address."""
    server = subprocess.Popen(
        python("tests.bench.server"), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdin is not None and server.stdout is not None
    try:
        if hasattr(os, "sched_setaffinity") and len(cores := sorted(os.sched_getaffinity(0))) > 1:
            os.sched_setaffinity(server.pid, {cores[0]})
            os.sched_setaffinity(0, {cores[1]})  # what is started from here on is a client
        yield f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
    finally:
        server.stdin.close()
        server.wait(10)


def sample(row: str, contender: str, base_url: str) -> dict[str, float]:
    run = subprocess.run(
        python("tests.bench.rows", row, contender, base_url), cwd=ROOT, check=True, stdout=subprocess.PIPE, timeout=300
    )
    return json.loads(run.stdout)


def measured(rows: list[str], repetitions: int) -> dict[str, dict[str, dict[str, float]]]:
    """Return, of each kind of sample, the least of each figure of each contender."""
    best: dict[str, dict[str, dict[str, float]]] = {row: {} for row in rows}
    with served() as base_url:
        for repetition in range(repetitions):
            for row in rows:
                if repetition >= REPETITIONS_OF.get(row, repetitions):
                    continue
                for contender in CONTENDERS_OF.get(row, CONTENDERS):
                    figures = sample(row, contender, base_url)
                    least = best[row].setdefault(contender, figures)
                    least.update({name: min(value, least[name]) for name, value in figures.items()})
                    print(f"{repetition + 1}/{repetitions} {row} {contender} {figures}", file=sys.stderr, flush=True)
    return best


def main() -> None:
    samples = list(dict.fromkeys(row.sample for row in ROWS))
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of: {', '.join(samples)}")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--keep", action="store_true", help="what is found becomes what later runs are shown beside")
    args = parser.parse_args()
    if unknown := set(args.rows) - set(samples):
        parser.error(f"There is no row {', '.join(unknown)}; there is: {', '.join(samples)}.")
    best = measured(args.rows or samples, args.repetitions)
    kept = json.loads(KEPT.read_text())["rows"] if KEPT.exists() else {}
    print(f"Python {platform.python_version()}, {platform.machine()}; best of {args.repetitions}; ✗ misses its goal.\n")
    print(markdown(best, kept))
    if args.keep:
        found = {row.title: row.scores(best[row.sample]) for row in ROWS if row.sample in best}
        rounded = {title: {name: round(value, 3) for name, value in row.items()} for title, row in found.items()}
        about = {"python": platform.python_version(), "machine": platform.machine()}
        KEPT.write_text(json.dumps({**about, "rows": {**kept, **rounded}}, indent=1) + "\n")


if __name__ == "__main__":
    main()
