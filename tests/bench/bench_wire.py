"""How the reading of streams grows with their length: `python tests/bench/bench_wire.py`.

Each row reads a stream and one twice as long, in one run; the ratio of the medians is about 2 where
the work is linear. Nothing fails here: times are for people to look at.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from sys import path

if __name__ == "__main__":
    path.insert(0, str(Path(__file__).parents[2]))

from lumos_nb.providers.wire import FORMATS, Quirks, load_format
from lumos_nb.providers.wire.ndjson import NdjsonParser
from lumos_nb.providers.wire.sse import SseParser
from lumos_nb.testing import Answer
from lumos_nb.testing.wire import served_format

N_WORDS = 2_000


def stream(name: str, n_words: int) -> bytes:
    """Return an answer as its server writes it."""
    return b"".join(served_format(name).events(Answer(chunks=["word "] * n_words), {"model": "m", "messages": []}))


def seconds(make: Callable[[], object], data: bytes, size: int) -> float:
    """Return the median CPU seconds of reading `data` in chunks of `size`."""
    chunks = [data[n : n + size] for n in range(0, len(data), size)]
    found = []
    for _ in range(5):
        feed = make().feed  # type: ignore[attr-defined]
        started = time.process_time()
        for chunk in chunks:
            feed(chunk)
        found.append(time.process_time() - started)
    return median(found)


def row(what: str, make: Callable[[], object], data: bytes, twice: bytes) -> None:
    """Print the time of both and their ratio, a byte at a time and whole."""
    for size, how in ((1, "a byte at a time"), (len(twice), "whole")):
        a, b = seconds(make, data, size), seconds(make, twice, size)
        print(f"{what:<34} {how:<17} {a * 1e3:9.2f} ms  {b * 1e3:9.2f} ms  ratio {b / a if a else 0:5.2f}")


def main() -> None:
    """Print all rows."""
    for name in FORMATS:
        module = load_format(name)
        row(name, lambda module=module: module.Decoder(Quirks()), stream(name, N_WORDS), stream(name, 2 * N_WORDS))
    for what, parser in (("SSE", SseParser), ("lines", NdjsonParser)):
        row(f"{what}, one long line", parser, b"x" * 200_000, b"x" * 400_000)
    row("SSE, many lines of one event", SseParser, b"data: x\n" * 40_000, b"data: x\n" * 80_000)


if __name__ == "__main__":
    main()
