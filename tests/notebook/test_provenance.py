"""Each run knows its cell; what has changed since is stale."""

import json

import pytest

SET_UP = """
model = ScriptedProvider(lambda request: "ok")
reader = Agent("reader", model=model)
orders = [1, 2, 3]
limit = 2
"""
STALE = "print(lumos.stale()[['reason', 'changed', 'cell_id']].fillna('').values.tolist())"
ASK = "%%agent reader -o answer\nThe mean of {{ sum(orders) }} up to {{ limit }}?"


@pytest.fixture(autouse=True)
def book(kernel):
    kernel.run("%reset -f")
    (kernel.folder / "book.ipynb").unlink(missing_ok=True)
    kernel.restart()
    kernel.run("import os; os.path.exists('.lumos') and __import__('shutil').rmtree('.lumos')").ok()
    kernel.run(SET_UP, cell_id="set-up").ok()
    return kernel


def stale(kernel):
    return json.loads(kernel.run(STALE, cell_id="look").ok().stdout.replace("'", '"'))


def save(kernel, **cells):
    cells = [{"cell_type": "code", "id": id, "source": source.splitlines(True)} for id, source in cells.items()]
    text = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    (kernel.folder / "book.ipynb").write_text(text)


def test_a_run_knows_its_cell_its_source_and_its_names(book):
    book.run(ASK, cell_id="ask").ok()
    shown = book.run(
        "r = lumos.runs().iloc[-1]\n"
        "print(r.cell_id, len(r.source_hash), r.names_read_json, r.names_written_json, r.execution_count)"
    ).ok()
    assert shown.stdout.startswith('ask 16 ["limit","orders","reader"] ["answer"] ')


def test_the_same_holds_in_a_plain_cell_and_in_one_that_awaits(book):
    book.run('answer = reader.generate_sync(f"{limit} {orders}")', cell_id="plain").ok()
    book.run("other = await reader.generate(str(limit))", cell_id="awaited").ok()
    book.run("%%time\nother = reader.generate_sync(str(orders))", cell_id="timed").ok()
    shown = book.run("print(lumos.runs().set_index('cell_id').names_read_json.to_dict())").ok()
    names = json.loads(shown.stdout.replace("'", '"').replace('"[', "[").replace(']"', "]"))
    assert names == {
        "plain": ["limit", "orders", "reader"], "awaited": ["limit", "reader"], "timed": ["orders", "reader"],
    }  # fmt: skip


def test_nothing_is_stale_that_did_not_change(book):
    book.run(ASK, cell_id="ask").ok()
    save(book, ask=ASK)
    book.run("unrelated = 1", cell_id="more").ok()
    assert stale(book) == []


def test_a_cell_that_was_run_again_with_another_text_is_stale_until_it_gives_a_new_result(book):
    book.run(ASK, cell_id="ask").ok()
    book.run(ASK.replace("mean", "median") + " {{ missing }}", cell_id="ask")
    assert stale(book) == [["cell changed", "", "ask"]]
    book.run(ASK.replace("mean", "median"), cell_id="ask").ok()
    assert stale(book) == []


def test_a_name_that_another_cell_wrote_again_makes_it_stale(book):
    book.run(ASK, cell_id="ask").ok()
    book.run("orders = [4]\nlimit += 1", cell_id="later").ok()
    assert stale(book) == [["input changed", "limit, orders", "ask"]]


def test_the_cell_that_writes_it_again_is_told_at_once(book):
    book.run(ASK, cell_id="ask").ok()
    shown = book.run(f"orders = [4]\n{STALE}", cell_id="later").ok()
    assert json.loads(shown.stdout.replace("'", '"')) == [["input changed", "orders", "ask"]]
    assert stale(book) == [["input changed", "orders", "ask"]]


def test_what_its_tools_read_counts_too(book):
    tools = (
        "def half(x): return x[: limit]\n@tool\ndef first(n: int) -> str:\n    'First.'\n    return str(half(orders))"
    )
    book.run(tools, cell_id="tools").ok()
    book.run("worker = Agent('worker', model=ScriptedProvider(lambda m: 'ok'), tools=[first])", cell_id="agent").ok()
    book.run("%%agent worker\nGo.", cell_id="ask").ok()
    names = book.run("print(lumos.runs().names_read_json.iloc[-1])").ok().stdout
    assert json.loads(names) == ["half", "limit", "orders", "worker"]
    assert stale(book) == []
    book.run("import json\norders = [4]", cell_id="later").ok()
    assert stale(book) == [["input changed", "orders", "ask"]]
    book.run("%%agent worker\nGo.", cell_id="ask").ok()
    book.run(tools, cell_id="tools").ok()
    assert stale(book) == [["input changed", "half", "ask"]]


def test_a_saved_notebook_tells_what_was_changed_and_deleted_also_after_a_restart(book):
    book.run(ASK, cell_id="ask").ok()
    book.run(ASK, cell_id="gone").ok()
    book.restart()
    save(book, ask=ASK + " Be brief.")
    assert stale(book) == [["cell changed", "", "ask"], ["cell deleted", "", "gone"]]


def test_a_notebook_that_cannot_be_read_says_nothing(book):
    book.run(ASK, cell_id="ask").ok()
    (book.folder / "book.ipynb").write_text("{")
    assert stale(book) == []
