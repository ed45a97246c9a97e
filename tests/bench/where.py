"""Where the time of a run goes: `python -m tests.bench.where [MODEL] [TIMES] [aiohttp|httpx|recorded]`.

A profile by owner: ours by part, the transport's library, asyncio, the rest of Python. cProfile makes
calls dearer than they are, so the shares say what to look at, not what it costs.
"""

from __future__ import annotations

import asyncio
import cProfile
import pstats
import subprocess
import sys
from collections import Counter
from pathlib import Path

from tests.bench.rows import contender

PARTS = ("agent", "providers/wire", "providers", "transport", "memory", "stores", "tools")
LIBRARIES = ("aiohttp", "httpx", "httpcore", "h11", "anyio", "multidict", "yarl")


def owner_of(file: str) -> str:
    path = Path(file).as_posix()
    if "/site-packages/" in path:
        package = path.split("/site-packages/")[1].split("/")[0]
        return package if package in LIBRARIES else "other packages"
    if "/lumos_nb/" in path:
        within = path.split("/lumos_nb/")[-1]
        return "ours: " + next((part for part in PARTS if within.startswith(f"{part}/")), "events, messages, settings")
    if "/asyncio/" in path or path.endswith("selectors.py"):
        return "asyncio"
    return "C functions" if file == "~" else "rest of Python"


def shares(profile: cProfile.Profile) -> Counter[str]:
    found: Counter[str] = Counter()
    for (file, _, _), (_, _, own_s, _, _) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        found[owner_of(file)] += own_s
    return found


async def profiled(model: str, times: int, name: str, base_url: str) -> Counter[str]:
    who = contender(name, base_url)
    for _ in range(10):
        await who.run(model)
    profile = cProfile.Profile()
    profile.enable()
    for _ in range(times):
        await who.run(model)
    profile.disable()
    return shares(profile)


def main(model: str = "tokens5", times: str = "500", name: str = "aiohttp") -> None:
    command = [sys.executable, "-m", "tests.bench.server"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None and server.stdout is not None
        port = int(server.stdout.readline())
        found = asyncio.run(profiled(model, int(times), name, f"http://127.0.0.1:{port}/v1"))
        server.stdin.close()
    whole = sum(found.values())
    for owner, own_s in found.most_common():
        if own_s / whole >= 0.005:
            print(f"{owner:28} {own_s / whole:6.1%}")


if __name__ == "__main__":
    main(*sys.argv[1:])
