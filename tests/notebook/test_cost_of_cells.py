"""`--dry-run` and `--max-cost`: what a cell would cost, and where it stops."""

import pytest

from tests.kernels import Kernel

COUNTING = """
@tool
def rows(table: str) -> int:
    "Count rows."
    return 3
asked = []
def calls(messages):
    asked.append(len(messages))
    return [ToolCall(id=f"c{len(messages)}", name="rows", arguments='{"table": "orders"}')]
counter = Agent("counter", model=ScriptedProvider(calls), tools=[rows], instructions="Count <b>all</b> | rows.")
"""


@pytest.fixture(scope="module")
def kernel(kernel: Kernel) -> Kernel:
    kernel.run(COUNTING).ok()
    return kernel


def test_a_dry_run_shows_what_would_be_sent_and_does_nothing(kernel):
    cell = kernel.run("%%agent counter --dry-run\nHow many {{ 1 + 1 }}?").ok()
    for told in ("scripted/script", "tools", "rows", "none yet", "`How many 2?`", "Nothing was sent.", "not known"):
        assert told in cell.text
    assert kernel.run("print(asked, len(lumos.threads()), len(lumos.runs()))").stdout.strip() == "[] 0 0"


def test_a_dry_run_says_what_a_run_costs_at_least_and_at_most(kernel):
    kernel.run("lumos.configure(prices={'scripted/script': {'input': 1, 'output': 2}})").ok()
    assert "(16 steps of 1,000 tokens at most)" in kernel.run("%%agent counter --dry-run\nGo").ok().text
    assert "to $0.01 (" in kernel.run("%%agent counter --dry-run --max-cost 0.01\nGo").ok().text


def test_a_dry_run_finds_what_is_wrong_with_the_cell(kernel):
    assert "There is no thread" in kernel.run("%%agent counter --dry-run -t nowhere\nGo").error
    assert "not defined" in kernel.run("%%agent counter --dry-run\n{{ nothing_here }}").error


def test_a_run_ends_before_the_call_that_its_limit_of_cost_does_not_allow(kernel):
    kernel.run("lumos.configure(prices={'scripted/script': {'input': 100, 'output': 100}}); asked.clear()").ok()
    cell = kernel.run("%%agent counter --max-cost 0.0015 -o r\nGo").ok()
    assert "stopped at max_cost" in cell.text
    told = kernel.run("print(r.stop_reason, len(r.steps), len(asked), r.cost_usd >= 0.0015)").stdout.split()
    assert told[0] == "max_cost" and told[1] == told[2] and 1 <= int(told[1]) < 16 and told[3] == "True"
    assert "reached its limit of cost" in kernel.run("print(lumos.diagnose('last'))").text


def test_a_limit_of_cost_that_cannot_be_watched_is_said_to_be_so(kernel):
    kernel.run("lumos.configure(prices={})").ok()
    cell = kernel.run("%%agent counter --max-cost 1 --max-steps 1\nGo").ok()
    assert "The price of" in cell.text and "is not known" in cell.text


@pytest.mark.parametrize("word", ["0", "-1", "x", "nan", "inf", "''"])
def test_a_limit_of_cost_is_a_number_of_dollars(kernel, word):
    assert "--max-cost" in kernel.run(f"%%agent counter --max-cost {word}\nGo").error


def test_the_help_of_the_magic_lists_every_option(kernel):
    shown = kernel.run("print(get_ipython().find_cell_magic('agent').__doc__)").stdout
    from lumos_nb.notebook.options import OPTIONS, TABLE

    assert all(f"{option.names[0]} {option.takes}".strip() in shown for option in TABLE)
    assert set(OPTIONS) == {name for option in TABLE for name in option.names}
