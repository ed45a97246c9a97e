"""Tools that take their time, and what is asserted when a run with them was interrupted."""

from __future__ import annotations

import time

from tests.kernels import Cell, Kernel, Running

SETUP = """
import os, psutil, sys, threading
from lumos_nb import llm
from lumos_nb.agent.loops import CORE, TOOLS
from lumos_nb.testing import Answer

@tool
def blocks(seconds: float = 30.0) -> str:
    "Block the notebook's thread."
    print("begun")
    time.sleep(seconds)
    return "done"

@tool
async def naps(seconds: float = 30.0) -> str:
    "Wait on the notebook's loop."
    print("begun")
    await asyncio.sleep(seconds)
    return "done"

@tool
async def blocks_the_loop(seconds: float = 30.0) -> str:
    "Block the notebook's loop."
    await asyncio.sleep(0)
    print("begun")
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(0.5 if threading.current_thread() is threading.main_thread() else 0.01)
    return "done"

@tool(thread=True)
def loops_in_a_thread(seconds: float = 30.0) -> str:
    "Work in a thread."
    print("begun")
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(0.01)
    return "done"

@tool(thread=True)
def blocks_a_thread(seconds: float = 3.0) -> str:
    "Block a thread."
    print("begun")
    time.sleep(seconds)
    return "done"

@tool
def asks_for_input() -> str:
    "Ask the person."
    print("begun")
    return input("Name? ")

@tool
def swallows(seconds: float = 1.5) -> str:
    "Go on when interrupted."
    print("begun")
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            time.sleep(0.05)
        except KeyboardInterrupt:
            print("not me")
    return "done"

@tool
async def goes_on(seconds: float = 1.5) -> str:
    "Go on when cancelled."
    print("begun")
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            print("not me")
    return "done"

every = [blocks, naps, blocks_the_loop, loops_in_a_thread, blocks_a_thread, asks_for_input, swallows, goes_on]

def calls(*names, seconds=None):
    arguments = "{}" if seconds is None else '{"seconds": %s}' % seconds
    return tuple(ToolCall(id=f"c{i}", name=name, arguments=arguments) for i, name in enumerate(names))

def using(name):
    return Agent("a", tools=every, model=ScriptedProvider(
        lambda m: "Done." if m[-1].role == "tool" else Answer(text="Let me see.", tool_calls=calls(name))))

def left():
    loops = asyncio.get_running_loop(), CORE.loop(), TOOLS.loop()
    return (sum(len(asyncio.all_tasks(loop)) for loop in loops),
            sorted(t.name for t in threading.enumerate() if t.name in {"lumos-tool", "lumos-view", "lumos-background"}),
            sum(c.raddr.port == port for c in psutil.Process().net_connections() if c.raddr))

port = 0
"""


def prepare(kernel: Kernel) -> Kernel:
    """Define the tools, and note what is there before any run is interrupted."""
    kernel.run(SETUP).ok()
    kernel.run("ok = Agent('ok', model=ScriptedProvider(lambda m: 'Well.'))").ok()
    kernel.run("%%agent ok\nHi").ok()
    kernel.run("await asyncio.sleep(0.1)\nbefore = left()").ok()
    return kernel


def begun(running: Running, word: str = "begun") -> Running:
    """Wait until the tool says that it has begun."""
    return running.until(lambda r: any(word in str(message) for message in r.comm), timeout=20)


def interrupted(kernel: Kernel, running: Running, within_s: float = 1.0) -> Cell:
    """Interrupt, and return the cell that ended by it in time."""
    at = time.monotonic()
    kernel.manager.interrupt_kernel()
    cell = running.wait(timeout=20)
    took = time.monotonic() - at
    assert cell.status == "error"
    assert "Interrupted" in cell.error
    assert cell.run["status"] == "cancelled"
    assert took < within_s, f"{took:.2f} s"
    return cell


LEFT = """
for _ in range(100):
    if left() == before: break
    await asyncio.sleep(0.02)
print(left() == before, left(), before)"""


def nothing_is_left(kernel: Kernel, status: str = "cancelled") -> None:
    """The log says so, the thread goes on, and no task, thread or connection stays."""
    assert kernel.run("print(lumos.runs().status.iloc[-1])").ok().stdout.strip() in status
    assert kernel.run("%%agent ok\nGo on").ok().run["status"] == "completed"
    check = kernel.run(LEFT).ok()
    assert check.stdout.startswith("True"), check.stdout
