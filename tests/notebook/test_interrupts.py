"""■ and Stop: the run ends at once, whatever it does, and leaves nothing behind."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from lumos_nb.testing import Answer, FakeServer, Reply
from tests.kernels import Kernel
from tests.notebook.interrupting import begun, interrupted, nothing_is_left, prepare


@pytest.fixture(scope="module")
def kernel(kernel: Kernel) -> Kernel:
    return prepare(kernel)


TOOLS = ["blocks", "naps", "blocks_the_loop", "loops_in_a_thread"]


@pytest.mark.parametrize("prefix", ["", "%%time\n"])
@pytest.mark.parametrize("name", TOOLS)
def test_in_a_tool(kernel, name, prefix):
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


@pytest.mark.parametrize("prefix", ["", "%%time\n"])
def test_a_second_interrupt_waits_no_longer_for_an_async_tool_that_hears_of_nothing(kernel, prefix):
    """It goes on behind its cell until somebody lets it end."""
    kernel.run("""
is_enough = False
@tool
async def hears_nothing() -> str:
    "Go on until it is enough, at most half a minute."
    print("begun")
    for _ in range(600):
        if is_enough:
            break
        try:
            await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            pass
    return "done"
every = [*(t for t in every if t.name != 'hears_nothing'), hears_nothing]
a = using('hears_nothing')""").ok()
    running = begun(kernel.send(f"{prefix}%%agent a --new\nGo"))
    kernel.manager.interrupt_kernel()
    begun(running, "stopping")
    time.sleep(1.2)
    kernel.manager.interrupt_kernel()
    assert running.wait(timeout=20).status == "error"
    kernel.run("is_enough = True").ok()
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


@pytest.mark.parametrize("wait", ["await ", ""])
def test_in_a_task_of_the_notebook_the_kernel_survives(kernel, wait):
    """A `KeyboardInterrupt` that leaves a task on the kernel's loop ends the kernel's process."""
    kernel.run("ip = get_ipython(); a = using('naps')").ok()
    call = f"{wait}ip.run_cell_magic('agent', 'a --new', 'Go')"
    running = begun(kernel.send(f"async def run():\n    {call}\nawait asyncio.create_task(run())"))
    kernel.manager.interrupt_kernel()
    cell = running.wait(timeout=20)
    assert cell.status == "error"
    assert "The run was stopped." in cell.error
    assert cell.run["status"] == "cancelled"
    nothing_is_left(kernel)
