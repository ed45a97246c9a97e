"""What it costs to be watched: a run's CPU with recording, export and logs on and off. Prints figures, asserts nothing.

PYTHONPATH=. python tests/bench/bench_watching.py

Each way runs in a process of its own, in turn, several times; the least of each counts. A run asks a model that
takes its time (50 tokens a second, over real HTTP) and calls tools; the model server is another process.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time

ROUNDS, RUNS, WORDS = 3, 20, 40
FEW, MANY = 5, 25
"""Tool calls of a run; what the further ones cost is the price of a tool call."""
OFF = {"LUMOS_ENABLE_TELEMETRY": "false"}
ON = {"LUMOS_ENABLE_TELEMETRY": "true"}
WAYS = {
    "nothing recorded": OFF,
    "recorded (the default)": ON,
    "recorded and exported": {**ON, "LUMOS_OTLP": "{collector}"},
    "recorded and logged as JSON": {**ON, "LUMOS_LOG": "json", "LUMOS_LOG_FILE": "{folder}/run.log"},
}


def script(request):
    from lumos_nb.messages import ToolCall
    from lumos_nb.testing import Answer

    answered = request.body["messages"][-1]["role"] == "tool"
    n_calls = 0 if answered else int(request.body["messages"][-1]["content"])
    calls = [ToolCall(id=f"c{n}", name="rows", arguments='{"n": 3}') for n in range(n_calls)]
    return Answer(text="word " * WORDS, tool_calls=calls, tokens_per_s=50)


def serve() -> None:
    """Be the model server and the collector, until the parent goes away."""
    from lumos_nb.testing import FakeServer
    from tests.telemetry.collector import Collector

    with FakeServer(script) as server, Collector() as collector:
        print(json.dumps({"model": server.base_url, "collector": collector.url}), flush=True)
        sys.stdin.read()


async def work(model_url: str, calls: str) -> dict[str, float]:
    """Make the runs, all at once, and return what they took of the CPU."""
    from lumos_nb import Agent, llm, tool
    from lumos_nb.transport import default_transport

    @tool
    def rows(n: int) -> str:
        return "row " * n

    agent = Agent("bench", model=llm("mine/m", base_url=model_url, api_key="k"), tools=[rows])
    await agent.generate(calls)
    await asyncio.sleep(1.0)  # what is loaded late has been loaded
    started, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*(agent.generate(calls) for _ in range(RUNS)))
    if "LUMOS_OTLP" in os.environ:
        from lumos_nb.telemetry import otel

        assert otel.flush(30) and otel.stats().n_runs == RUNS + 1, otel.stats()
    await asyncio.sleep(0.3)  # what is written soon has been written
    took = time.process_time() - started
    await default_transport().aclose()
    return {"cpu_s": took, "wall_s": time.perf_counter() - wall}


def measured(way: dict[str, str], addresses: dict[str, str], calls: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        env = {k: v.format(folder=folder, **addresses) for k, v in way.items()}
        vendors = json.dumps({"mine": {"base_url": addresses["model"]}})
        env = {**os.environ, "LUMOS_DB": f"{folder}/l.db", "LUMOS_VENDORS": vendors, **env}
        command = [sys.executable, __file__, "work", addresses["model"], str(calls)]
        return json.loads(subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout)


def hand_over() -> None:
    """Print what a run's own thread pays to be exported."""
    from lumos_nb.stores import default_store
    from lumos_nb.telemetry.otel import export

    exporter = export.Exporter("", has_content=False, make_wire=lambda: None)
    exporter._start = lambda: None
    store, n = default_store(), 5_000
    started = time.perf_counter()
    for i in range(n):
        exporter.add(store, f"run-{i}")
    print(f"{'handing a run over to the exporter':48s} {(time.perf_counter() - started) / n * 1e6:8.2f} µs a run")


def in_the_thread() -> None:
    """Print what the thread that sends takes of the CPU for each span, of which a tool call is one."""
    from lumos_nb import Agent, tool
    from lumos_nb.messages import ToolCall
    from lumos_nb.stores import default_store
    from lumos_nb.telemetry.otel import export
    from lumos_nb.testing import ScriptedProvider
    from tests.telemetry.collector import Collector

    @tool
    def rows(n: int) -> str:
        return "row " * n

    calls = [ToolCall(id=f"c{n}", name="rows", arguments='{"n": 3}') for n in range(FEW)]
    model = ScriptedProvider(lambda messages: "Done." if messages[-1].role == "tool" else calls)
    agent = Agent("bench", model=model, tools=[rows])
    ids = [agent.generate_sync("Go").run_id for _ in range(200)]
    with Collector() as collector:
        wire = export.open_wire(collector.url)
        exporter = export.Exporter("", has_content=False, make_wire=lambda: wire)
        exporter.send_runs(default_store(), ids[:20], wire)
        before, started = exporter.stats().n_spans, time.thread_time()
        exporter.send_runs(default_store(), ids, wire)
        took, n = time.thread_time() - started, exporter.stats().n_spans - before
    print(f"{'the sending thread, metrics and wire included':48s} {took / n * 1e6:8.1f} µs a span")


def main() -> None:
    server = subprocess.Popen(
        [sys.executable, __file__, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    addresses = json.loads(server.stdout.readline())
    cpu_s: dict[tuple[str, int], float] = {}
    wall_s: dict[str, float] = {}
    for _ in range(ROUNDS):
        for name, way in WAYS.items():
            for calls in (FEW, MANY):
                found = measured(way, addresses, calls)
                cpu_s[name, calls] = min(cpu_s.get((name, calls), 9e9), found["cpu_s"])
                wall_s[name] = min(wall_s.get(name, 9e9), found["wall_s"])
    server.kill()
    print(f"{RUNS} runs at once, each 2 model calls and {FEW} tool calls; CPU of the process, least of {ROUNDS}")
    none = cpu_s["nothing recorded", FEW]
    for name in WAYS:
        few, many = cpu_s[name, FEW], cpu_s[name, MANY]
        share, more = few / wall_s[name] * 100, (few - none) / RUNS / wall_s[name] * 100
        line = f"{name:28s} {few / RUNS * 1e3:6.2f} ms a run  x{few / none:4.2f}  {share:4.1f}% of a core"
        print(f"{line}  {more:+5.2f}% of a run's time  {(many - few) / RUNS / (MANY - FEW) * 1e6:6.1f} µs a tool call")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LUMOS_DB"] = f"{folder}/l.db"
        hand_over()
        in_the_thread()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve"]:
            serve()
        case ["work", url, calls]:
            print(json.dumps(asyncio.run(work(url, calls))))
        case _:
            main()
