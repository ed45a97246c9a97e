"""What is measured, a function a row; each is one sample, in a process of its own.

`python -m tests.bench.rows ROW CONTENDER BASE_URL` prints the sample's figures as JSON.
"""

from __future__ import annotations

import asyncio
import gc
import resource
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

Figures = dict[str, float]

CONTENDERS = ("bare", "aiohttp", "httpx", "recorded")
"""The bare loop; ours on either transport; ours on aiohttp, recorded and with a view's subscriber."""


def contender(name: str, base_url: str) -> Any:
    if name == "bare":
        from tests.bench.bare import Bare

        return Bare(base_url)
    from tests.bench.ours import Ours

    return Ours(base_url, "httpx" if name == "httpx" else "aiohttp", is_recorded=name == "recorded")


async def cpu_us(run: Callable[[], Awaitable[Any]], times: int) -> float:
    """Return the CPU microseconds of one call, all threads, in the best of four rounds behind a first one."""
    found = []
    for _ in range(5):
        gc.collect()
        started = time.process_time()
        for _ in range(times):
            await run()
        found.append(time.process_time() - started)
    return min(found[1:]) / times * 1e6


async def token_coalesced(who: Any) -> Figures:
    n = 20_000
    return {"us": await cpu_us(lambda: who.run(f"tokens{n}"), 1) / n}


async def token_single(who: Any) -> Figures:
    n = 400
    return {"us": await cpu_us(lambda: who.run(f"tokens{n}-every1"), 1) / n}


async def small_run(who: Any) -> Figures:
    return {"us": await cpu_us(lambda: who.run("tokens5"), 50)}


async def tool_run(who: Any) -> Figures:
    return {"us": await cpu_us(lambda: who.run("tokens20-rounds1"), 30)}


async def tool_call(who: Any) -> Figures:
    one = await cpu_us(lambda: who.run("tokens20-rounds1"), 30)
    return {"one": one, "nine": await cpu_us(lambda: who.run("tokens20-rounds1-calls9"), 30)}


async def history(who: Any) -> Figures:
    pairs = [
        ("assistant" if n % 2 else "user", f"Message {n}. " + "It says some words more. " * 8) for n in range(2000)
    ]
    many, few = who.history(pairs), who.history(pairs[:10])
    short = await cpu_us(lambda: who.run("tokens5", few), 20)
    return {"short": short, "long": await cpu_us(lambda: who.run("tokens5", many), 20)}


async def many_runs(who: Any) -> Figures:
    """A thousand at once, each a tool round and fifty tokens at 50 a second."""
    model = "tokens50-every20-rounds1"
    took: list[float] = []

    async def one() -> None:
        started = time.perf_counter()
        assert await who.run(model) == 50
        took.append(time.perf_counter() - started)

    await who.run("tokens5-rounds1")
    await one()
    ideal = took.pop()
    gc.collect()
    started, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(one() for _ in range(1000)))
    wall, cpu = time.perf_counter() - started, time.process_time() - cpu
    return {"s": wall, "cpu_s": cpu, "p99": sorted(took)[989] / ideal, "mb": peak_mb()}


def peak_mb() -> float:
    """Return the most memory that this process ever held."""
    status = Path("/proc/self/status")
    if status.exists():  # what getrusage says may be the parent's
        return next(int(line.split()[1]) for line in status.open() if line.startswith("VmHWM")) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)


IMPORTS = {"bare": "import asyncio, msgspec", "aiohttp": "import lumos_nb; from lumos_nb import Agent"}
SHOW_MEMORY = "\nprint(next((line.split()[1] for line in open('/proc/self/status') if line[:5] == 'VmHWM'), 0))"


def importing(name: str) -> Figures:
    """Milliseconds of CPU of a Python that imports and ends, and its memory."""
    code = IMPORTS[name] + (SHOW_MEMORY if Path("/proc/self/status").exists() else "")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    ms = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e3
    return {"ms": ms, "mb": int(out or 0) / 1024}


def making(who: Any) -> Figures:
    """Microseconds to make an agent with one tool, and the bytes that it holds."""
    who.agent("tokens5")
    took = []
    for _ in range(20):
        gc.collect()
        started = time.perf_counter()
        agents = [who.agent("tokens5") for _ in range(100)]
        took.append((time.perf_counter() - started) / 100)
        agents.clear()
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    agents = [who.agent("tokens5") for _ in range(100)]
    held = tracemalloc.get_traced_memory()[0] - before
    return {"us": min(took) * 1e6, "kb": held / len(agents) / 1024}


RUNS = {f.__name__: f for f in (token_coalesced, token_single, small_run, tool_run, tool_call, history, many_runs)}


def main(row: str, name: str, base_url: str) -> None:
    if row == "importing":
        figures = importing(name)
    elif row == "making":
        figures = making(contender(name, base_url))
    else:

        async def sample() -> Figures:
            return await RUNS[row](contender(name, base_url))

        figures = asyncio.run(sample())
    print(msgspec.json.encode(figures).decode())


if __name__ == "__main__":
    main(*sys.argv[1:])
