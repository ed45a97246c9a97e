"""■ while a question is typed and other work waits for the same thread: nothing of it begins."""

from __future__ import annotations

import pytest

from tests.kernels import Kernel

SETUP = """
import lumos_nb.notebook.asking as asking
asking.HEARD_WITHIN_S = 0.1
ran = []

@tool(permission="ask")
def drop(table: str) -> str:
    "Drop a table."
    ran.append(table)
    return "dropped"

calls = [ToolCall(id=f"c{n}", name="drop", arguments='{"table": "t%d"}' % n) for n in range(3)]
a = Agent("a", tools=[drop], model=ScriptedProvider(lambda m: "Done." if m[-1].role == "tool" else calls))
"""


@pytest.mark.parametrize("prefix", ["", "%%time\n"])
def test_an_interrupt_is_enough_also_when_a_click_had_let_a_call_through(kernel: Kernel, prefix: str) -> None:
    """The call that was allowed waits for the thread on which the question is still typed."""
    kernel.run(SETUP).ok()
    page = kernel.page()
    running = kernel.send(f"{prefix}%%agent a --new\nGo", allow_stdin=True)
    kernel.client.get_stdin_msg(timeout=30)
    running.until(lambda r: len(r.comm_ids) > 1, timeout=20)
    assert page.ask(running, running.comm_ids[-1], 1, t="allow", call_id="c0") == ""
    running.until(lambda r: any("tool_call_start" in str(m) or "running" in str(m) for m in r.comm), timeout=20)
    kernel.manager.interrupt_kernel()
    cell = running.wait(timeout=20)
    assert cell.status == "error" and cell.run["status"] == "cancelled"
    assert kernel.run("print(ran)").ok().stdout == "[]\n"
