"""A question reaches a person and the answer comes back, in every kernel and wherever nobody sits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kernels import VERSIONS, Cell, Kernel, Page, Running

ASKS = """
ran = []

@tool(permission="ask")
def run_python(code: str) -> str:
    "Run code."
    ran.append(code)
    return "ran"

@tool
def sleep(seconds: float = 60.0) -> str:
    "Block the notebook."
    print("asleep")
    time.sleep(seconds)
    return "slept"

def calling(name, arguments="{}"):
    call = ToolCall(id="q1", name=name, arguments=arguments)
    model = ScriptedProvider(lambda messages: "Done." if messages[-1].role == "tool" else call)
    return Agent("a", model=model, tools=[run_python, sleep])

asks, sleeps = calling("run_python", '{"code": "1 + 1"}'), calling("sleep")
"""

FORMS = {"awaited": "%%agent asks --new\nGo", "blocking": "%%time\n%%agent asks --new\nGo"}
PATIENCE = "import lumos_nb.notebook.asking as module; module.HEARD_WITHIN_S = "


@pytest.fixture(scope="module", params=VERSIONS)
def kernel(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    made = Kernel(tmp_path_factory.mktemp("kernel"), request.param)
    try:
        made.run(ASKS).ok()
        assert made.run("import ipykernel; print(ipykernel.__version__)").stdout.strip() == request.param
        yield made
    finally:
        made.close()


@pytest.fixture(autouse=True)
def fresh(kernel: Kernel) -> None:
    kernel.run(f"{PATIENCE}20; ran.clear()").ok()


@pytest.fixture
def page(kernel: Kernel) -> Page:
    return kernel.page()


def asked(kernel: Kernel, form: str) -> tuple[Running, str]:
    """Begin a cell and wait for its question; return it with the comm of its view."""
    running = kernel.send(FORMS[form]).until_asked()
    return running, running.comm_ids[-1]


def decision(cell: Cell) -> tuple[str, str]:
    """Return what was decided about the call, and by whom."""
    (call,) = [item for item in cell.run["items"] if item["kind"] == "tool"]
    return call["decision"]["decision"], call["decision"]["by"]


def ran(kernel: Kernel) -> list[str]:
    found: list[str] = eval(kernel.run("print(ran)").stdout)
    return found


@pytest.mark.parametrize("subshell", [False, True], ids=["no subshell", "subshell"])
@pytest.mark.parametrize("form", FORMS)
def test_a_click_arrives_while_the_cell_runs(kernel: Kernel, page: Page, form: str, subshell: bool) -> None:
    if subshell:
        if kernel.version.startswith("6."):
            pytest.skip("ipykernel 6 has no subshells")
        page.make_subshell()
    running, view = asked(kernel, form)
    assert page.ask(running, view, 1, t="allow", call_id="q1") == ""
    assert decision(running.wait(timeout=20).ok()) == ("allow", "person")
    assert ran(kernel) == ["1 + 1"]


@pytest.mark.parametrize("form", FORMS)
def test_what_else_is_sent_meanwhile_runs_after_the_cell_once_and_in_order(
    kernel: Kernel, page: Page, form: str
) -> None:
    running, view = asked(kernel, form)
    later = [kernel.client.execute(f"ran.append({n})", allow_stdin=False) for n in range(3)]
    assert page.ask(running, view, 1, t="allow", call_id="q1") == ""
    running.wait(timeout=20).ok()
    replies = [kernel.client.get_shell_msg(timeout=20)["parent_header"]["msg_id"] for _ in later]
    assert replies == later
    assert ran(kernel) == ["1 + 1", 0, 1, 2]


@pytest.mark.parametrize("form", FORMS)
def test_a_page_that_is_reloaded_gets_the_view_again_while_the_cell_runs(kernel: Kernel, page: Page, form: str) -> None:
    running, view = asked(kernel, form)
    page.send("comm_open", {"comm_id": "c1", "target_name": "jupyter.widget.control", "data": {}}, version="1.0.0")
    page.send("comm_msg", {"comm_id": "c1", "data": {"method": "request_states"}})
    running.until(lambda r: any(m.get("method") == "update_states" for m in r.comm), timeout=20)
    states = next(m["states"] for m in running.comm if m.get("method") == "update_states")
    assert "q1" in str(states[view]["state"]["snapshot"])
    request = page.send("comm_info_request", {"target_name": "jupyter.widget"})
    reply = kernel.client.get_shell_msg(timeout=20)
    assert reply["parent_header"]["msg_id"] == request
    assert view in reply["content"]["comms"]
    assert page.ask(running, view, 1, t="deny", call_id="q1", reason="no") == ""
    assert decision(running.wait(timeout=20).ok()) == ("deny", "person")
    assert ran(kernel) == []


@pytest.mark.parametrize("form", FORMS)
def test_an_interrupt_takes_the_question_back_and_the_kernel_is_as_before(
    kernel: Kernel, page: Page, form: str
) -> None:
    reads = "get_ipython().kernel.shell_stream._recv_callback"
    kernel.run(f"before = {reads}").ok()
    running, view = asked(kernel, form)
    kernel.manager.interrupt_kernel()
    cell = running.wait(timeout=20)
    assert (cell.status, cell.run["status"]) == ("error", "cancelled")
    # The thread that reads may take a moment to step aside.
    back = f"import time\nwhile {reads} != before: time.sleep(0.01)\nprint('as before')"
    assert kernel.run(back, timeout=20).stdout == "as before\n"
    running, view = asked(kernel, form)
    assert page.ask(running, view, 1, t="allow_thread", call_id="q1") == ""
    assert decision(running.wait(timeout=20).ok()) == ("allow_thread", "person")


def test_an_answer_that_cannot_be_taken_is_refused_and_the_run_waits(kernel: Kernel, page: Page) -> None:
    running, view = asked(kernel, "awaited")
    edit = {"t": "edit", "call_id": "q1"}
    assert page.ask(running, view, 1, t="allow", call_id="q9") == "This run has no such call."
    assert "code" in page.ask(running, view, 2, **edit, arguments='{"code": 7}')
    assert page.ask(running, view, 3, **edit, arguments="{").startswith("The arguments of 'run_python' were not a")
    assert page.ask(running, view, 4, **edit, arguments='{"code": "2 + 2"}') == ""
    assert decision(running.wait(timeout=20).ok()) == ("edit", "person")
    assert ran(kernel) == ["2 + 2"]


def test_stop_arrives_while_a_tool_blocks_the_notebook_where_the_kernel_reads_apart(kernel: Kernel, page: Page) -> None:
    if kernel.version.startswith("6."):
        pytest.skip("ipykernel 6 reads with the thread that the tool blocks; there the page interrupts the kernel")
    running = kernel.send("%%agent sleeps --new\nGo")
    running.until(lambda r: "asleep" in str(r.comm))
    assert page.ask(running, running.comm_ids[-1], 1, t="stop") == ""
    cell = running.wait(timeout=20)
    assert (cell.status, cell.run["status"]) == ("error", "cancelled")


@pytest.mark.parametrize("form", FORMS)
def test_where_no_page_answers_the_question_is_typed(kernel: Kernel, form: str) -> None:
    kernel.run(f"{PATIENCE}0.1").ok()
    running = kernel.send(FORMS[form], allow_stdin=True)
    prompts = []
    for text in ["maybe", "e", '{"code": 1}', '{"code": "2"}']:
        prompts.append(kernel.client.get_stdin_msg(timeout=20)["content"]["prompt"])
        kernel.client.input(text)
    assert decision(running.wait(timeout=20).ok()) == ("edit", "person")
    assert ran(kernel) == ["2"]
    assert prompts[:2] == ['Allow run_python(code="1 + 1")? [y]es [t]hread [e]dit [n]o '] * 2
    assert prompts[2] == "Arguments as JSON: "
    assert prompts[3].startswith("The arguments of 'run_python'")


def test_in_an_output_that_is_captured_the_question_is_typed_for_nobody_sees_its_buttons(kernel: Kernel) -> None:
    kernel.run(f"{PATIENCE}60").ok()
    running = kernel.send("%%capture taken\n%%agent asks --new\nGo", allow_stdin=True)
    assert kernel.client.get_stdin_msg(timeout=20)["content"]["prompt"].startswith("Allow run_python(")
    kernel.client.input("y")
    running.wait(timeout=20).ok()
    assert ran(kernel) == ["1 + 1"]
    assert "allowed by you" in kernel.run("taken.show()").ok().text


def test_questions_of_one_step_are_typed_one_after_another(kernel: Kernel) -> None:
    kernel.run(f"""{PATIENCE}0.1
both = [ToolCall(id=f"q{{n}}", name="run_python", arguments=f'{{{{"code": "{{n}}"}}}}') for n in (1, 2)]
model = ScriptedProvider(lambda messages: "Done." if messages[-1].role == "tool" else both)
two = Agent("two", model=model, tools=[run_python])""").ok()
    running = kernel.send("%%agent two --new\nGo", allow_stdin=True)
    for code, said in (("1", "n"), ("", "too early"), ("2", "y")):
        prompt = kernel.client.get_stdin_msg(timeout=20)["content"]["prompt"]
        assert prompt.startswith(f'Allow run_python(code="{code}")?' if code else "Why not")
        kernel.client.input(said)
    cell = running.wait(timeout=20).ok()
    calls = [item["decision"] for item in cell.run["items"] if item["kind"] == "tool"]
    assert [(d["decision"], d["reason"]) for d in calls] == [("deny", "too early"), ("allow", "")]
    assert ran(kernel) == ["2"]


@pytest.mark.parametrize("form", FORMS)
def test_widgets_of_others_get_their_messages_as_ever_and_once(kernel: Kernel, page: Page, form: str) -> None:
    made = kernel.send(
        "import ipywidgets\nbutton = ipywidgets.Button()\nbutton.on_click(lambda _: ran.append('click'))"
    )
    made.wait().ok()
    button = kernel.run("print(button.comm.comm_id)").stdout.strip()
    running, view = asked(kernel, form)
    page.say(button, {"event": "click"})
    assert page.ask(running, view, 1, t="allow", call_id="q1") == ""
    running.wait(timeout=20).ok()
    assert sorted(ran(kernel)) == ["1 + 1", "click"]


def test_who_reads_before_us_meanwhile_is_left_there(kernel: Kernel, page: Page) -> None:
    on_reader = "stream.io_loop.add_callback"
    kernel.run(f"""
from lumos_nb.widgets.live import RunView
stream = get_ipython().kernel.shell_stream
first = RunView(); first.open()
await asyncio.sleep(0.2)
ours, seen = stream._recv_callback, []
def theirs(frames):
    seen.append(1)
    return ours(frames)
{on_reader}(lambda: stream.on_recv(theirs, copy=False))
await asyncio.sleep(0.2)
first.close()""").ok()
    running, view = asked(kernel, "blocking")
    assert page.ask(running, view, 1, t="allow", call_id="q1") == ""
    running.wait(timeout=20).ok()
    assert kernel.run("print(len(seen) > 0, stream._recv_callback is theirs)").stdout == "True True\n"
    kernel.run(f"{on_reader}(lambda: stream.on_recv(ours, copy=False))").ok()
    kernel.run(f"{PATIENCE}0.1").ok()
    assert decision(kernel.run(FORMS["awaited"]).ok()) == ("deny", "policy")


@pytest.mark.parametrize("form", FORMS)
def test_an_interrupt_ends_a_typed_question(kernel: Kernel, form: str) -> None:
    kernel.run(f"{PATIENCE}0.1").ok()
    running = kernel.send(FORMS[form], allow_stdin=True)
    kernel.client.get_stdin_msg(timeout=20)
    kernel.manager.interrupt_kernel()
    cell = running.wait(timeout=20)
    assert (cell.status, cell.run["status"], ran(kernel)) == ("error", "cancelled", [])


@pytest.mark.parametrize("form", FORMS)
def test_where_nobody_can_type_policy_denies_and_the_model_is_told_why(kernel: Kernel, form: str) -> None:
    kernel.run(f"{PATIENCE}0.1").ok()
    cell = kernel.run(FORMS[form]).ok()
    assert decision(cell) == ("deny", "policy")
    assert "--approve run_python" in cell.run["items"][0]["content"]
    assert ran(kernel) == []
