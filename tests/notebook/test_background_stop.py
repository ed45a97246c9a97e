"""Stop of runs in the background, when much is at work: the notebook does not stand still for it."""

from __future__ import annotations

import pytest

from tests.kernels import Kernel

SETUP = """
import lumos_nb.notebook.interrupt as interrupt

@tool
async def naps() -> str:
    "Wait on the loop."
    await asyncio.sleep(60)
    return "done"

calls = [ToolCall(id=f"c{n}", name="naps", arguments="{}") for n in range(30)]
a = Agent("a", tools=[naps], model=ScriptedProvider(lambda m: "Done." if m[-1].role == "tool" else calls))
"""

STOPPED = """
run = get_ipython().run_cell_magic("agent", "a --new --background", "Go")
while len(lumos.tool_calls()) < 30: await asyncio.sleep(0.05)
await asyncio.sleep(0.2)
began, usual, interrupt.TWICE_S = time.monotonic(), interrupt.TWICE_S, 2.0
for _ in range(100): run.stop()
while not run.done(): await asyncio.sleep(0.01)
interrupt.TWICE_S = usual
print(time.monotonic() - began, run.status)
"""


@pytest.fixture(scope="module")
def kernel(kernel: Kernel) -> Kernel:
    kernel.run(SETUP).ok()
    return kernel


def test_a_stop_does_not_wait_for_a_second_interrupt_at_each_of_its_tools(kernel):
    """That wait, made long here, is for interrupts: it is not made thirty times on the notebook's thread."""
    seconds, status = kernel.run(STOPPED, timeout=120).ok().stdout.split()
    assert status == "cancelled" and float(seconds) < 30
