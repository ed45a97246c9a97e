"""Run agents over and over and watch what stays behind: `python -m tests.bench.soak [MINUTES]`.

Fails if memory, threads or open files grow after the first tenth of the time.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from pathlib import Path

import lumos_nb as lumos
from lumos_nb import Agent, llm, tool
from lumos_nb.messages import ToolCall
from lumos_nb.testing import FakeServer


@tool
def rows(limit: int) -> str:
    "First rows."
    return "row\n" * limit


def script(request):
    if request.body["messages"][-1]["role"] == "tool":
        return "Here they are. " * 50
    return ToolCall(id="c1", name="rows", arguments='{"limit": 100}')


def state() -> dict[str, int]:
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[1]) if Path("/proc/self/statm").exists() else 0
    rss = pages * resource.getpagesize() // 2**20
    files = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    return {"rss_mb": rss, "threads": threading.active_count(), "files": files}


def main(minutes: float) -> int:
    with tempfile.TemporaryDirectory() as folder, FakeServer(script) as server:
        lumos.configure(db=str(Path(folder) / "soak.db"))
        agent = Agent("soak", model=llm("mine/soak", base_url=server.base_url), tools=[rows])
        end, n, first = time.monotonic() + minutes * 60, 0, None
        warm = time.monotonic() + minutes * 6
        while time.monotonic() < end:
            agent.generate_sync("Show rows", thread_id=f"t{n // 20}")
            server.requests.clear()
            n += 1
            if first is None and time.monotonic() > warm:
                first = state()
            if n % 500 == 0:
                print(n, state(), flush=True)
        last = state()
    print(f"{n} runs; after the first tenth {first}, at the end {last}")
    grown = [k for k in last if first and last[k] > first[k] * 1.2 + 3]
    if grown:
        print(f"grew: {', '.join(grown)}")
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 10))
