"""A question reaches a person and the answer comes back, in every kernel and wherever nobody sits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.kernels import VERSIONS, Kernel, Page, Running

QUESTION = """
from lumos_nb.agent.approval import Question
from lumos_nb.agent.background import CoreTask
from lumos_nb.notebook.asking import Asking
from lumos_nb.notebook.capture import captured
from lumos_nb.notebook.home import CellHome, SyncCellHome
from lumos_nb.notebook.interrupt import Interrupts
from lumos_nb.widgets.live import RunView
from lumos_nb.events import ApprovalRequested

@tool
def run_python(code: str) -> str: return code

shell = get_ipython()
call = ToolCall(id="q1", name="run_python", arguments='{"code": "1 + 1"}')

class Run:
    "One question, asked as a run of a cell asks it."
    def __init__(self, home):
        self.home, self.interrupts = home, Interrupts(home)

    def begin(self):
        view = self.view = RunView("t")
        view.open()
        self.asking = Asking(shell, self.home, view)
        view.on_action(self.asking.decide)
        self.task = CoreTask(self.ask(), self.home.stop)
        self.interrupts.watch(self.task)

    async def ask(self):
        answer = asyncio.create_task(self.asking.ask(Question(call, run_python)))
        await asyncio.sleep(0)
        self.view.on_events([ApprovalRequested(call, "")])
        return await answer

    def end(self):
        self.asking.cancel()
        self.view.close()
        try:
            self.decision = self.task.result()
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None
        print(self.decision.decision, self.decision.by, self.decision.arguments or self.decision.reason)

async def awaited():
    run = Run(CellHome(shell))
    with run.interrupts.installed(), captured(shell):
        run.begin()
        while not run.task.done():
            try:
                await run.home.serve()
            except asyncio.CancelledError:
                run.interrupts.cancel()
        run.end()

def blocking():
    run = Run(SyncCellHome(shell))
    with run.interrupts.installed(), captured(shell):
        run.begin()
        run.home.serve()
        run.end()
"""

FORMS = {"awaited": "await awaited()", "blocking": "blocking()"}


@pytest.fixture(scope="module", params=VERSIONS)
def kernel(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    made = Kernel(tmp_path_factory.mktemp("kernel"), request.param)
    made.run(QUESTION).ok()
    assert made.run("import ipykernel; print(ipykernel.__version__)").stdout.strip() == request.param
    yield made
    made.close()


@pytest.fixture
def page(kernel: Kernel) -> Page:
    return kernel.page()


def opened(kernel: Kernel, form: str, **options: Any) -> tuple[Running, str]:
    """Begin a cell that asks, and return it with the comm of its view."""
    running = kernel.send(FORMS[form], **options)
    running.until(lambda r: any("o" in m.get("content", {}) for m in r.comm))
    return running, running.comm_ids[-1]


@pytest.mark.parametrize("subshell", [False, True], ids=["no subshell", "subshell"])
@pytest.mark.parametrize("form", FORMS)
def test_a_click_arrives_while_the_cell_runs(kernel: Kernel, page: Page, form: str, subshell: bool) -> None:
    if subshell:
        if kernel.version.startswith("6."):
            pytest.skip("ipykernel 6 has no subshells")
        page.make_subshell()
    running, view = opened(kernel, form)
    page.say(view, {"t": "ready", "page": "p"})
    page.say(view, {"t": "allow", "call_id": "q1", "n": 7})
    running.until(lambda r: any(m.get("content", {}).get("ack") == 7 for m in r.comm))
    cell = running.wait(timeout=20).ok()
    assert cell.stdout == "allow person \n"
    assert {"ack": 7, "problem": ""} in [m.get("content") for m in running.comm]
