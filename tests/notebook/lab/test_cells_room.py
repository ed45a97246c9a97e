"""What the kernel tells a page about cells: completion, stale results, how the notebook stands."""

import pytest

from tests.kernels import Kernel

NAMES = """
orders = [1, 2, 3]
@tool
def rows(table: str) -> int:
    "Count rows."
    return 3
analyst = Agent("analyst", model=ScriptedProvider(lambda messages: "Three."), tools=[rows])
"""


@pytest.fixture(scope="module")
def kernel(kernel: Kernel) -> Kernel:
    kernel.run(NAMES, cell_id="names").ok()
    return kernel


def texts(page, source: str) -> list[str]:
    return [item["text"] for item in page.ask("cells.complete", source=source, cursor=len(source))["items"]]


def kernels_own(kernel: Kernel, source: str) -> list[str]:
    reply = kernel.client.complete(source, len(source), reply=True, timeout=30)
    return list(reply["content"]["matches"])


@pytest.mark.parametrize(
    ("source", "first"),
    [
        ("%%agent an", "analyst"),
        ("\n%%agent analyst --dry", "--dry-run"),
        ("%%agent analyst -m local/", "local/smollm2"),
        ("%%agent analyst --tools ro", "rows"),
        ("%%agent analyst --approve ro", "rows"),
        ("%%agent analyst -o names:list[s", "list[str]"),
        ("%%agent analyst\nHow many of {{ ord", "ord"),
        ("x = 1\n%agent use an", "analyst"),
        ("%lumos tape rep", "replay"),
    ],
)
def test_the_page_and_the_kernels_own_completer_name_the_same(kernel, page, source, first):
    assert texts(page, source)[0] == first
    assert kernels_own(kernel, source) == texts(page, source)


def test_completion_answers_while_a_cell_blocks_the_kernel(kernel, page):
    running = kernel.send("print('began', flush=True)\ntime.sleep(2)\nprint('ended')")
    running.until(lambda r: "began" in r.cell.stdout)
    assert texts(page, "%%agent analyst\nOf {{ orders.app")[0].endswith("append")
    assert "ended" not in running.cell.stdout
    running.wait().ok()


def test_prose_and_closed_braces_and_other_cells_complete_nothing_of_ours(page):
    for source in ("%%agent analyst\nHow many ord", "%%agent\nOf {{ orders }} and ord", "orders.app", "%%agents --ma"):
        assert texts(page, source) == []


def stale(page, **cells: str) -> dict[str, tuple[str, str]]:
    return {c["cell_id"]: (c["reason"], c["names"]) for c in page.ask("cells.stale", cells=cells)["cells"]}


def test_a_result_is_stale_when_its_cell_its_input_or_its_agent_is_another(kernel, page):
    source = "%%agent analyst\nHow many in {{ orders }}?"
    assert stale(page, asks=source) == {}  # it never ran
    kernel.run(source, cell_id="asks").ok()
    assert stale(page, asks=source) == {}
    assert stale(page, asks=source + " Please.") == {"asks": ("cell changed", "")}
    kernel.run("orders = [1]", cell_id="writes").ok()
    assert stale(page, asks=source) == {"asks": ("input changed", "orders")}
    kernel.run(source, cell_id="asks").ok()
    assert stale(page, asks=source) == {}


def test_a_result_is_stale_when_a_tool_of_the_current_agent_was_defined_anew(kernel, page):
    kernel.run("%agent use analyst").ok()
    kernel.run("%%agent\nHow many?", cell_id="bare").ok()
    kernel.run("@tool\ndef rows(table: str) -> int:\n    return 4", cell_id="tools").ok()
    assert stale(page, bare="%%agent\nHow many?") == {"bare": ("defined anew", "rows")}
    kernel.run("%agent use agent").ok()


def test_the_status_says_what_the_notebook_cost_and_which_tape_is_in_force(kernel, page):
    kernel.run("lumos.configure(prices={'scripted/script': {'input': 1_000_000, 'output': 0}})").ok()
    before = page.ask("status")
    kernel.run("%%agent analyst\nGo").ok()
    assert page.ask("status")["cost_usd"] > before["cost_usd"]
    assert before["tape"] == ""
    kernel.run("%lumos tape refresh").ok()
    assert page.ask("status")["tape"] == "refresh"
    kernel.run("%lumos tape off").ok()
