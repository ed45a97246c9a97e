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


AWKWARD = """
import weakref
class Proxy:
    @property
    def __class__(self): raise RuntimeError("not loaded")
class Classes(type):
    def __getattr__(cls, name): raise RuntimeError("not loaded")
class Made(metaclass=Classes): pass
proxy, made, gone = Proxy(), Made(), weakref.proxy(set())
"""


def test_variables_that_raise_when_they_are_looked_at_cost_nothing(kernel, page):
    kernel.run(AWKWARD).ok()
    try:
        for source in (
            "%%agent ana",
            "%%agent -m local/",
            "%%agent --tools ro",
            "%%agent --image x",
            "%%agent -o a:li",
        ):
            assert "answer" in page.reply("cells.complete", source=source, cursor=len(source))
        assert "analyst" in texts(page, "%%agent ana")
        assert {row["name"] for row in page.ask("agents.list")["rows"]} >= {"agent", "analyst"}
    finally:
        kernel.run("del proxy, made, gone").ok()


def test_completion_between_braces_offers_the_first_keys_of_a_large_container(kernel, page):
    kernel.run("large = {f'k{n}': n for n in range(1_000_000)}").ok()
    found = texts(page, "%%agent\n{{ large['k1")
    assert "k1" in found and len(found) <= 200
    kernel.run("del large").ok()


def test_what_a_page_is_told_of_settings_variables_and_errors_has_no_keys(kernel, page):
    kernel.run("""
import os
os.environ["SHOP_API_KEY"] = "verysecretvalue12345"
def computed(context=None): raise RuntimeError("refused: verysecretvalue12345")
leaky, chosen = Agent("leaky", model=ScriptedProvider(["x"]), tools=computed), "openai/verysecretvalue12345"
lumos.settings.configure(vendors={"mine": {"base_url": "http://h/v1", "headers": {"X": "another-secret"}}})
""").ok()
    try:
        told = [page.ask("agents.list")]
        for source in ("%lumos settings ", "%%agent -m ch"):
            told.append(page.ask("cells.complete", source=source, cursor=len(source)))
        told.append(page.reply("chat.send", text="{{ computed() }}"))
        assert "refused" in str(told) and "verysecret" not in str(told) and "another-secret" not in str(told)
    finally:
        kernel.run("del leaky, os.environ['SHOP_API_KEY']\nlumos.settings.configure(vendors={})").ok()
