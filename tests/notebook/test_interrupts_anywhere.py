"""■ at any moment at all: the kernel is usable at once, and the log knows how each run ended."""

from __future__ import annotations

import contextlib
import queue
import random
import time

import pytest

from tests.kernels import Kernel, Running
from tests.notebook.interrupting import nothing_is_left, prepare


@pytest.fixture(scope="module")
def kernel(kernel: Kernel) -> Kernel:
    return prepare(kernel)


N_MOMENTS = 100


def test_at_any_moment(kernel):
    """Interrupts at random moments of a run that does everything; a second one follows a third of them."""
    seed = random.randrange(10**6)
    print("seed", seed)  # shown when it fails
    dice = random.Random(seed)
    kernel.run("""
a = Agent("a", tools=every, model=ScriptedProvider(lambda m: "Done and said in some words." if m[-1].role == "tool" else
    Answer(reasoning="one two three", text="Let me see what there is.", delay_s=0.005,
           tool_calls=calls("blocks", "naps", "loops_in_a_thread", "blocks_the_loop", seconds=0.02))))""").ok()
    whole = kernel.run("%%agent a --new\nGo").ok().seconds
    statuses = []
    for _ in range(N_MOMENTS):
        running = kernel.send("%%agent a\nGo")
        running.until(lambda r: r.displays or r.cell.seconds, timeout=20)
        time.sleep(dice.uniform(0, 0.9 * whole))
        at = time.monotonic()
        kernel.manager.interrupt_kernel()
        if dice.random() < 0.33:
            time.sleep(dice.uniform(0, 0.01))
            kernel.manager.interrupt_kernel()
        statuses.append(ended(running))
        assert kernel.run("1 + 1").ok().outputs == [{"text/plain": "2"}]
        assert time.monotonic() - at < 3.0  # 1 s, and two more for a busy machine
    counts = kernel.run(f"print(*lumos.runs().status.iloc[-{N_MOMENTS}:])").ok().stdout.split()
    assert set(counts) <= {"completed", "cancelled"}
    assert counts.count("cancelled") > N_MOMENTS / 2
    assert [s == "error" for s in statuses].count(True) >= counts.count("cancelled") - statuses.count("lost")
    nothing_is_left(kernel, "completed or cancelled")


def ended(running: Running) -> str:
    """Return how a cell ended; "lost" where the kernel's own code was hit, which then sends no reply."""
    running.until(lambda r: r.cell.seconds > 0, timeout=20)
    with contextlib.suppress(queue.Empty):
        while True:
            reply = running.kernel.client.get_shell_msg(timeout=1)
            if reply["parent_header"].get("msg_id") == running.id:
                return str(reply["content"]["status"])
    return "lost"
