"""The kernel's end of the links to pages of JupyterLab."""

from pathlib import Path

import pytest

from lumos_nb.notebook.lab.typescript import written
from tests.notebook.lab.labpage import Problem

ROOT = Path(__file__).parents[3]


def test_the_types_of_the_page_are_those_of_the_kernel():
    kept = (ROOT / "labextension" / "src" / "protocol.ts").read_text("utf-8")
    assert kept == written(), "run `python -m lumos_nb.notebook.lab.typescript labextension/src/protocol.ts`"


def test_a_page_finds_a_kernel_that_has_loaded_lumos_and_no_other(kernel, new_page):
    page = new_page()
    assert page.kernels_comms()
    kernel.run("%unload_ext lumos_nb").ok()
    assert page.kernels_comms() == {}
    kernel.run("%load_ext lumos_nb").ok()
    assert page.kernels_comms()


def test_a_page_asks_and_is_answered_while_a_cell_blocks_the_kernel(kernel, page):
    running = kernel.send("print('began', flush=True)\ntime.sleep(3)\nprint('ended')")
    running.until(lambda r: "began" in r.cell.stdout)
    status = page.ask("status")
    assert (status["agent"], status["n_running"]) == ("agent", 0)
    assert "ended" not in running.cell.stdout
    running.wait().ok()


def test_what_the_kernel_does_not_know_is_told_as_a_problem(page):
    with pytest.raises(Problem, match="does not know 'status.quo'") as raised:
        page.ask("status.quo")
    assert raised.value.type == "UsageError" and "update it" in raised.value.hint


def test_messages_that_nobody_can_mean_cost_nothing(page):
    for nonsense in (None, 7, [], {"id": "x"}, {"id": 1, "ask": 7}, {"id": "k1", "answer": 3}, {"ask": "status"}):
        page.say(nonsense)
    assert page.ask("status")["agent"] == "agent"


def test_every_page_hears_of_a_change(kernel, page, new_page):
    other = new_page().open()
    kernel.run("runner = Agent('runner', model=ScriptedProvider(['Hi']))\n%agent use runner").ok()
    for one in (page, other):
        one.until_changed("agents")
        assert one.ask("status")["agent"] == "runner"
    kernel.run("%agent use agent").ok()


def test_a_tab_that_is_reloaded_takes_the_place_of_its_own_link(new_page):
    before = new_page(page="tab").open()
    after = new_page(page="tab").open()
    before.say({"id": 1, "ask": "status", "with": {}})
    assert after.ask("status")["agent"] == "agent"


def test_a_page_that_comes_while_a_cell_blocks_the_kernel_finds_it_and_is_answered(kernel, new_page):
    if kernel.version.startswith("6"):
        pytest.skip("there the thread that the cell blocks reads the wire")
    page = new_page()
    block = "import pathlib\nprint('began', flush=True)\nwhile not pathlib.Path('go').exists(): time.sleep(0.05)"
    running = kernel.send(block)
    running.until(lambda r: "began" in r.cell.stdout)
    try:
        assert page.kernels_comms()
        assert page.open().ask("status")["n_running"] == 0
    finally:
        (kernel.folder / "go").touch()
    running.wait().ok()


N_LINKS = "[c.target_name for c in get_ipython().kernel.comm_manager.comms.values()].count('lumos_nb')"


def test_a_tab_that_is_reloaded_while_a_cell_runs_keeps_its_new_link_behind_it(kernel, new_page):
    before, after = new_page(page="busy tab").open(), new_page(page="busy tab")
    running = kernel.send("print('began', flush=True)\ntime.sleep(1)")
    running.until(lambda r: "began" in r.cell.stdout)
    before.leave()
    after.open()
    running.wait().ok()
    kernel.run("pass").ok()
    assert after.ask("status")["agent"] == "agent"


def test_a_page_that_leaves_while_a_cell_runs_is_not_asked_any_more(kernel, new_page):
    page = new_page().open()
    kernel.run("from lumos_nb.notebook import here").ok()
    running = kernel.send("print('began', flush=True)\nawait asyncio.sleep(1)\nprint(here().lab.pages)")
    running.until(lambda r: "began" in r.cell.stdout)
    page.leave()
    assert page.page not in running.wait().ok().stdout


def test_a_tab_that_is_reloaded_often_leaves_no_links_behind(kernel, new_page):
    page = new_page().open()
    n_before = int(kernel.run(f"print({N_LINKS})").stdout)
    for n in range(10):
        page.comm_id = f"{page.comm_id}{n}"
        page.open()
    assert int(kernel.run(f"print({N_LINKS})").stdout) == n_before
