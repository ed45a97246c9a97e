"""What a tape costs a request, beside the same request without one: `python tests/bench/bench_tapes.py`.

All rows are of one run. The answer is the same bytes from memory each time, so that the difference is the tape's.
Nothing fails here: times are for people to look at.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from sys import path
from tempfile import TemporaryDirectory

if __name__ == "__main__":
    path.insert(0, str(Path(__file__).parents[2]))

from lumos_nb import llm, tapes
from lumos_nb.messages import Message
from lumos_nb.tapes import Deck, using
from lumos_nb.testing import Answer
from lumos_nb.testing.wire import served_format
from lumos_nb.transport import Request, Response

N, ROUNDS = 200, 7
READS = list(served_format("openai-chat").events(Answer(chunks=["word "] * 40), {"model": "m", "messages": []}))


class InMemory:
    """A server that answers at once, one event a read."""

    @asynccontextmanager
    async def open(self, request: Request) -> AsyncIterator[Response]:
        yield Response(status=200, headers={"content-type": "text/event-stream"}, chunks=self._chunks())

    async def _chunks(self) -> AsyncGenerator[bytes, None]:
        for read in READS:
            await asyncio.sleep(0)
            yield read

    async def aclose(self) -> None:
        """Nothing is open."""


def turns(size: int, n: int) -> list[Message]:
    return [
        Message(
            role="user", content=f"{n} " + ("Tell me all about the orders of the south. " * (size // 43 + 1))[:size]
        )
    ]


async def seconds(size: int) -> float:
    """Return the CPU seconds of one request, over many that differ."""
    model = llm("mine/m", base_url="http://127.0.0.1:9/v1", transport=InMemory())
    began = time.process_time()
    for n in range(N):
        await model.generate(turns(size, n))
    return (time.process_time() - began) / N


async def row(size: int, folder: Path) -> None:
    """Print what requests of a size cost without a tape, recorded, and played."""
    file = folder / f"{size}.tape.jsonl"
    bare, recorded, played = [], [], []
    for _ in range(ROUNDS):
        bare.append(await seconds(size))
        with using(Deck(file, "record")):
            recorded.append(await seconds(size))
        with using(Deck(file, "replay-strict")) as deck:
            played.append(await seconds(size))
        assert deck is not None
        deck.check()
    none, more, less = (median(each) * 1e3 for each in (bare, recorded, played))
    print(f"{size:>9} bytes asked {none:9.3f} ms {more:9.3f} ms {less:9.3f} ms   replay costs {less - none:+.3f} ms")


def main() -> None:
    """Print all rows."""
    print(f"a request, {len(READS)} reads    no tape    recorded    played")
    with TemporaryDirectory() as folder:
        for size in (100, 10_000, 200_000):
            asyncio.run(row(size, Path(folder)))
    began = time.perf_counter()
    for _ in range(100_000):
        tapes.current()
    print(f"tapes.current() where none is in force: {(time.perf_counter() - began) * 1e4:.0f} ns")


if __name__ == "__main__":
    main()
