"""What a run did, asserted; and what a failing assertion shows."""

import pytest

from lumos_nb import Agent, tool
from lumos_nb.messages import ToolCall
from lumos_nb.testing import ScriptedProvider, check
from lumos_nb.testing.snapshots import compare


@tool
def rows(table: str, limit: int = 10) -> str:
    """First rows of a table."""
    return f"{limit} rows of {table} at 0x7f12ab34cd56"


@tool
def fails() -> str:
    """Fail."""
    raise ValueError("no such thing")


def call(n, name, arguments="{}"):
    return ToolCall(id=f"c{n}", name=name, arguments=arguments)


@pytest.fixture
def run():
    script = [
        call(1, "rows", '{"table": "orders"}'),
        [call(2, "fails"), call(3, "rows", '{"table": "x"}')],
        "Done, Ada.",
    ]
    return Agent("analyst", model=ScriptedProvider(script), tools=[rows, fails]).generate_sync("Go")


def test_what_a_run_did_passes(run):
    checked = (
        check(run).called_tool("rows", table="orders").called_tool("rows", times=2).called_in_order("rows", "fails")
    )
    checked.did_not_call("drop").said("done").ended("stop").steps_at_most(3).tokens_at_most(1_000)
    assert checked.run is run


@pytest.mark.parametrize(
    ("assertion", "expected"),
    [
        (lambda c: c.called_tool("rows", table="customers"), "a call of rows(table='customers')"),
        (lambda c: c.called_tool("rows", times=1), "a call of rows, 1 times"),
        (lambda c: c.called_in_order("fails", "fails"), "calls in the order fails, fails"),
        (lambda c: c.did_not_call("fails"), "no call of fails"),
        (lambda c: c.had_no_tool_errors(), "no failing tool, but fails failed"),
        (lambda c: c.said("bye"), "an answer with 'bye'"),
        (lambda c: c.ended("length"), "an end by 'length'"),
        (lambda c: c.steps_at_most(2), "at most 2 steps"),
        (lambda c: c.tokens_at_most(1), "at most 1 tokens"),
        (lambda c: c.cost_at_most(0.01), "a cost of at most $0.01"),
    ],
)
def test_what_it_did_not_do_fails_and_shows_what_it_did(run, assertion, expected):
    with pytest.raises(AssertionError) as failure:
        assertion(check(run))
    told = str(failure.value)
    assert told.startswith(f"Expected {expected}.\nThe run of 'analyst' on scripted/script: 3 steps, ")
    assert 'called rows({"table": "orders"}) → 10 rows of orders' in told
    assert "called fails({}) → failed: ValueError: no such thing" in told and "said: Done, Ada." in told


def test_a_snapshot_is_written_once_and_shows_what_changed(run, tmp_path):
    path = tmp_path / "run.json"
    with pytest.raises(AssertionError, match="There is no snapshot 'run.json' yet. Write it: pytest --lumos-update"):
        compare(run, path)
    compare(run, path, update=True)
    compare(run, path)
    assert "0x…" in path.read_text()
    path.write_text(path.read_text().replace('"table": "orders"', '"table": "customers"'))
    with pytest.raises(AssertionError) as failure:
        compare(run, path)
    assert '-            "table": "customers"' in str(failure.value) and '+            "table": "orders"' in str(
        failure.value
    )
