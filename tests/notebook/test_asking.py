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
IMPATIENT = "import lumos_nb.notebook.asking as module; module.HEARD_WITHIN_S = 0.1\n"


@pytest.fixture(scope="module", params=VERSIONS)
def kernel(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    made = Kernel(tmp_path_factory.mktemp("kernel"), request.param)
    made.run(QUESTION).ok()
    assert made.run("import ipykernel; print(ipykernel.__version__)").stdout.strip() == request.param
    yield made
    made.close()


@pytest.fixture(autouse=True)
def patient(kernel: Kernel) -> None:
    kernel.run("import lumos_nb.notebook.asking as module; module.HEARD_WITHIN_S = 20").ok()


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


@pytest.mark.parametrize("form", FORMS)
def test_what_else_is_sent_meanwhile_runs_after_the_cell_once_and_in_order(
    kernel: Kernel, page: Page, form: str
) -> None:
    kernel.run("order = []").ok()
    running, view = opened(kernel, form)
    page.say(view, {"t": "ready", "page": "p"})
    later = [kernel.client.execute(f"order.append({n})", allow_stdin=False) for n in range(3)]
    page.say(view, {"t": "allow", "call_id": "q1", "n": 1})
    assert running.wait(timeout=20).ok().stdout == "allow person \n"
    replies = [kernel.client.get_shell_msg(timeout=20)["parent_header"]["msg_id"] for _ in later]
    assert replies == later
    assert kernel.run("print(order)").stdout == "[0, 1, 2]\n"


@pytest.mark.parametrize("form", FORMS)
def test_a_page_that_is_reloaded_gets_the_view_again_while_the_cell_runs(kernel: Kernel, page: Page, form: str) -> None:
    running, view = opened(kernel, form)
    page.send("comm_open", {"comm_id": "c1", "target_name": "jupyter.widget.control", "data": {}}, version="1.0.0")
    page.send("comm_msg", {"comm_id": "c1", "data": {"method": "request_states"}})
    running.until(lambda r: any(m.get("method") == "update_states" for m in r.comm), timeout=20)
    states = next(m["states"] for m in running.comm if m.get("method") == "update_states")
    assert states[view]["state"]["_model_name"] == "AnyModel"
    asked = page.send("comm_info_request", {"target_name": "jupyter.widget"})
    reply = kernel.client.get_shell_msg(timeout=20)
    assert reply["parent_header"]["msg_id"] == asked
    assert view in reply["content"]["comms"]
    page.say(view, {"t": "allow", "call_id": "q1", "n": 1})
    assert running.wait(timeout=20).ok().stdout == "allow person \n"


@pytest.mark.parametrize("form", FORMS)
def test_an_interrupt_takes_the_question_back_and_the_kernel_is_as_before(
    kernel: Kernel, page: Page, form: str
) -> None:
    reads = "shell.kernel.shell_stream._recv_callback"
    kernel.run(f"before = {reads}").ok()
    running, view = opened(kernel, form)
    page.say(view, {"t": "ready", "page": "p"})
    page.say(view, {"t": "allow", "call_id": "of another run", "n": 1})
    running.until(lambda r: acks(r))
    kernel.manager.interrupt_kernel()
    cell = running.wait(timeout=20)
    assert (cell.status, "KeyboardInterrupt" in cell.error) == ("error", True)
    assert kernel.run(f"time.sleep(0.1); print({reads} == before)").stdout == "True\n"
    running, view = opened(kernel, form)
    page.say(view, {"t": "deny", "call_id": "q1", "reason": "not now", "n": 2})
    assert running.wait(timeout=20).ok().stdout.startswith("deny person")


def test_an_answer_that_cannot_be_taken_is_refused_and_the_run_waits(kernel: Kernel, page: Page) -> None:
    running, view = opened(kernel, "awaited")
    page.say(view, {"t": "allow", "call_id": "q9", "n": 1})
    page.say(view, {"t": "edit", "call_id": "q1", "arguments": '{"code": 7}', "n": 2})
    page.say(view, {"t": "edit", "call_id": "q1", "arguments": "{", "n": 3})
    page.say(view, {"t": "edit", "call_id": "q1", "arguments": '{"code": "2 + 2"}', "n": 4})
    page.say(view, {"t": "deny", "call_id": "q1", "reason": "", "n": 5})
    assert running.wait(timeout=20).ok().stdout == 'edit person {"code": "2 + 2"}\n'
    unknown, wrong, broken, taken, *late = acks(running)
    assert unknown == "No call waits for this answer."
    assert "code" in wrong
    assert broken.startswith("The arguments of 'run_python' were not a")
    assert taken == ""
    assert late in ([], ["This call is already decided."])


def test_a_click_arrives_while_a_tool_blocks_the_notebook_where_the_kernel_reads_apart(
    kernel: Kernel, page: Page
) -> None:
    if kernel.version.startswith("6."):
        pytest.skip("ipykernel 6 reads with the thread that the tool blocks; there the page interrupts the kernel")
    running = kernel.send("""
view, heard = RunView("t"), []
view.on_action(heard.append)
view.open()
view.on_events([ApprovalRequested(call, "")])
while not heard: time.sleep(0.01)
view.close()
print(heard)""")
    running.until(lambda r: any("o" in m.get("content", {}) for m in r.comm))
    page.say(running.comm_ids[-1], {"t": "stop", "n": 1})
    assert running.wait(timeout=20).ok().stdout == "[{'t': 'stop'}]\n"


@pytest.mark.parametrize("form", FORMS)
def test_where_no_page_answers_the_question_is_typed(kernel: Kernel, form: str) -> None:
    typed = ["maybe", "e", '{"code": 1}', '{"code": "2"}']
    running = kernel.send(IMPATIENT + FORMS[form], allow_stdin=True)
    prompts = []
    for text in typed:
        prompts.append(kernel.client.get_stdin_msg(timeout=20)["content"]["prompt"])
        kernel.client.input(text)
    assert running.wait(timeout=20).ok().stdout == 'edit person {"code": "2"}\n'
    assert prompts[:2] == ['Allow run_python(code="1 + 1")? [y]es [t]hread [e]dit [n]o '] * 2
    assert prompts[2] == "Arguments as JSON: "
    assert prompts[3].startswith("The arguments of 'run_python'")


@pytest.mark.parametrize("form", FORMS)
def test_an_interrupt_ends_a_typed_question(kernel: Kernel, form: str) -> None:
    running = kernel.send(IMPATIENT + FORMS[form], allow_stdin=True)
    kernel.client.get_stdin_msg(timeout=20)
    kernel.manager.interrupt_kernel()
    assert running.wait(timeout=20).status == "error"
    assert kernel.run("print(1)").stdout == "1\n"


@pytest.mark.parametrize("form", FORMS)
def test_where_nobody_can_type_policy_denies_and_says_how_to_allow(kernel: Kernel, form: str) -> None:
    cell = kernel.run(IMPATIENT + FORMS[form]).ok()
    assert cell.stdout == (
        "deny policy Nobody could be asked here. Allow it ahead with `--approve run_python` or the setting approve.\n"
    )


def acks(running: Running) -> list[str]:
    return [m["content"]["problem"] for m in running.comm if "ack" in m.get("content", {})]
