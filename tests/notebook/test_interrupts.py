"""■ and Stop: the run ends at once, whatever it does, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import queue
import random
import time
from collections.abc import Iterator

import pytest

from lumos_nb.testing import Answer, FakeServer, Reply
from tests.kernels import Cell, Kernel, Running

SETUP = """
import os, psutil, sys, threading
from lumos_nb import llm
from lumos_nb.agent.background import core_loop
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
    time.sleep(seconds)
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
    loops = asyncio.get_running_loop(), core_loop()
    return (sum(len(asyncio.all_tasks(loop)) for loop in loops),
            sorted(t.name for t in threading.enumerate() if t.name.startswith("lumos") and "store" not in t.name),
            sum(c.raddr.port == port for c in psutil.Process().net_connections() if c.raddr))

port = 0
"""


@pytest.fixture(scope="module")
def kernel(kernel: Kernel) -> Kernel:
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


TOOLS = ["blocks", "naps", "blocks_the_loop", "loops_in_a_thread"]


@pytest.mark.parametrize("prefix", ["", "%%time\n"])
@pytest.mark.parametrize("name", TOOLS)
def test_in_a_tool(kernel, name, prefix):
    if prefix and name == "blocks_the_loop":
        pytest.skip("where nothing can be awaited an async tool runs on the agent's loop")
    kernel.run(f"a = using('{name}')").ok()
    cell = interrupted(kernel, begun(kernel.send(f"{prefix}%%agent a --new\nGo")))
    assert cell.run["items"][0]["text"] == "Let me see."
    nothing_is_left(kernel)


def test_while_input_waits(kernel):
    kernel.run("a = using('asks_for_input')").ok()
    running = kernel.send("%%agent a --new\nGo", allow_stdin=True)
    kernel.client.get_stdin_msg(timeout=30)
    interrupted(kernel, running)
    nothing_is_left(kernel)


def test_while_a_question_waits(kernel):
    kernel.run("""
@tool(permission="ask")
def dangerous() -> str:
    "Do something that has to be asked for."
    global ran
    ran = True
    return "done"
ran, every = False, [*every, dangerous]
a = using('dangerous')""").ok()
    running = kernel.send("%%agent a --new\nGo")
    running.until(lambda r: r.comm_ids, timeout=20)
    kernel.page().say(running.comm_ids[-1], {"t": "ready", "page": "one"})
    begun(running, "waiting for you")
    cell = interrupted(kernel, running)
    (asked,) = [item for item in cell.run["items"] if item["kind"] == "tool"]
    assert asked["status"] == "cancelled"
    assert kernel.run("print(ran)").ok().stdout == "False\n"
    nothing_is_left(kernel)


STALLS = {
    "before the first byte": Reply(first_byte_delay_s=60),
    "in the middle of text": Reply(answer=Answer(text="One two three " + "four " * 50, delay_s=0.5)),
}


@pytest.fixture(scope="module")
def server() -> Iterator[FakeServer]:
    def script(request):
        return STALLS[request.body["messages"][-1]["content"]]

    with FakeServer(script) as made:
        yield made


@pytest.mark.parametrize("moment", STALLS)
def test_while_the_server_answers(kernel, server, moment):
    kernel.run(f"port = {server.base_url.split(':')[2].split('/')[0]}").ok()
    kernel.run(f"a = Agent('a', model=llm('openai/x', base_url='{server.base_url}', api_key='k'))").ok()
    n = len(server.requests)
    running = kernel.send(f"%%agent a --new\n{moment}")
    if moment == "in the middle of text":
        begun(running, "One")
    else:
        begun(running, "waiting for the first token")
        deadline = time.monotonic() + 10
        while len(server.requests) == n and time.monotonic() < deadline:
            time.sleep(0.01)
    cell = interrupted(kernel, running)
    if moment == "in the middle of text":
        assert cell.run["items"][0]["text"].startswith("One")
    request = server.requests[n]
    assert request.done.wait(5)
    assert request.client_left
    nothing_is_left(kernel)


def test_cells_that_wait_behind_it_do_not_run(kernel):
    kernel.run("a = using('blocks'); ran = False").ok()
    running = begun(kernel.send("%%agent a --new\nGo"))
    later = kernel.send("ran = True")
    interrupted(kernel, running)
    while (reply := kernel.client.get_shell_msg(timeout=20))["parent_header"]["msg_id"] != later.id:
        pass
    assert reply["content"]["status"] == "aborted"
    assert kernel.run("print(ran)").ok().stdout == "False\n"


@pytest.mark.parametrize("name", ["swallows", "goes_on", "blocks_a_thread"])
def test_the_run_is_stopping_until_its_tool_has_returned(kernel, name):
    kernel.run(f"a = using('{name}')").ok()
    running = begun(kernel.send("%%agent a --new\nGo"))
    kernel.manager.interrupt_kernel()
    asked = time.monotonic()
    begun(running, "stopping")
    assert time.monotonic() - asked < 1.0
    assert running.cell.seconds == 0
    cell = running.wait(timeout=20)
    assert cell.status == "error"
    assert cell.run["status"] == "cancelled"
    nothing_is_left(kernel)


def test_a_second_interrupt_waits_no_longer_for_a_thread(kernel):
    kernel.run("a = using('blocks_a_thread')").ok()
    running = begun(kernel.send("%%agent a --new\nGo"))
    kernel.manager.interrupt_kernel()
    begun(running, "stopping")
    time.sleep(1.2)
    at = time.monotonic()
    kernel.manager.interrupt_kernel()
    assert running.wait(timeout=20).status == "error"
    assert time.monotonic() - at < 1.0
    nothing_is_left(kernel)


def test_a_plain_stop_from_another_thread_is_the_same(kernel):
    kernel.run("a = using('blocks')").ok()
    kernel.run("threading.Timer(1.0, lambda: get_ipython().run_line_magic('agent', 'stop')).start()").ok()
    began = time.monotonic()
    cell = kernel.send("%%agent a --new\nGo").wait(20)
    assert cell.status == "error"
    assert cell.run["status"] == "cancelled"
    assert time.monotonic() - began < 10
    nothing_is_left(kernel)


N_MOMENTS = 100


def test_at_any_moment(kernel):
    """Interrupts at random moments of a run that does everything; a second one follows a third of them."""
    seed = random.randrange(10**6)
    print("seed", seed)  # shown when it fails
    dice = random.Random(seed)
    kernel.run("""
a = Agent("a", tools=every, model=ScriptedProvider(lambda m: "Done and said in some words." if m[-1].role == "tool" else
    Answer(reasoning="one two three", text="Let me see what there is.", delay_s=0.01,
           tool_calls=calls("blocks", "naps", "loops_in_a_thread", "blocks_the_loop", seconds=0.05))))""").ok()
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


@pytest.mark.parametrize("call", ["await ip.run_cell_magic('agent', 'a --new', 'Go')", "ip.run_cell_magic('agent', 'a --new', 'Go')"])  # fmt: skip # noqa: E501
def test_in_a_task_of_the_notebook_the_kernel_survives(kernel, call):
    """A `KeyboardInterrupt` that leaves a task on the kernel's loop ends the kernel's process."""
    kernel.run("ip = get_ipython(); a = using('naps' if True else '')").ok()
    running = begun(kernel.send(f"async def run():\n    {call}\nawait asyncio.create_task(run())"))
    kernel.manager.interrupt_kernel()
    cell = running.wait(timeout=20)
    assert cell.status == "error"
    assert "The run was stopped." in cell.error
    assert cell.run["status"] == "cancelled"
    nothing_is_left(kernel)
