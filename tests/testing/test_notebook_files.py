"""The file of a notebook under test: what it says, what is written back, and what is compared."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from lumos_nb.errors import UsageError
from lumos_nb.testing.runner.books import Book
from lumos_nb.testing.runner.comparing import difference, is_same
from lumos_nb.transcript import MIME

OLD = {"output_type": "stream", "name": "stdout", "text": ["old\n"]}
NEW = [nbformat.v4.new_output("stream", name="stdout", text="one\ntwo — ☃\n")]
RAW = {
    "cells": [
        {"cell_type": "markdown", "metadata": {}, "source": ["# Füße\n", "and more"]},
        {"cell_type": "code", "execution_count": None, "metadata": {"tags": ["mine"]}, "outputs": [OLD],
         "source": "print(1)"},
    ],
    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}, "zebra": 1, "apple": 2},
    "nbformat": 4,
    "nbformat_minor": 4,
}  # fmt: skip


def put(path: Path, text: str) -> Book:
    path.write_bytes(text.encode())
    return Book(path)


FORMS = {
    "as Jupyter writes it": json.dumps(RAW, indent=1, ensure_ascii=False) + "\n",
    "with two spaces and no last line": json.dumps(RAW, indent=2, ensure_ascii=False),
    "with tabs": json.dumps(RAW, indent="\t", ensure_ascii=False) + "\n",
    "as ASCII": json.dumps(RAW, indent=1) + "\n",
    "as Windows writes it": (json.dumps(RAW, indent=1, ensure_ascii=False) + "\n").replace("\n", "\r\n"),
    "with a mark before it": "\ufeff" + json.dumps(RAW, indent=1, ensure_ascii=False),
    "with empty lines behind it": json.dumps(RAW, indent=4, ensure_ascii=False) + "\n\n",
    "in one line": json.dumps(RAW),
    "in one line without spaces": json.dumps(RAW, separators=(",", ":"), ensure_ascii=False),
}


@pytest.mark.parametrize("form", FORMS)
def test_only_outputs_and_counts_are_written_and_every_other_byte_stays(tmp_path, form):
    book = put(tmp_path / "a.ipynb", FORMS[form])
    cell = book.node.cells[1]
    cell.outputs, cell.execution_count = NEW, 7
    assert book.write_outputs({1: cell})
    after = (tmp_path / "a.ipynb").read_bytes().decode()
    saved = json.loads(after.removeprefix("\ufeff"))
    assert saved["cells"][1]["outputs"] == [{"name": "stdout", "output_type": "stream", "text": ["one\n", "two — ☃\n"]}]
    assert saved["cells"][1]["execution_count"] == 7
    saved["cells"][1] |= {"outputs": [OLD], "execution_count": None}
    assert saved == RAW
    assert not book.write_outputs({1: cell})
    again = Book(tmp_path / "a.ipynb")
    again.raw["cells"][1] |= {"outputs": [OLD], "execution_count": None}
    again.write()
    assert (tmp_path / "a.ipynb").read_bytes().decode() == FORMS[form]


def test_a_file_in_nobodys_form_stays_as_it_is_where_nothing_changed(tmp_path):
    text = json.dumps(RAW, indent=1).replace('"nbformat": 4', '"nbformat" :  4')
    book = put(tmp_path / "a.ipynb", text)
    assert not book.write_outputs({1: book.node.cells[1]})
    assert (tmp_path / "a.ipynb").read_bytes().decode() == text


def test_a_link_stays_a_link(tmp_path):
    book = put(tmp_path / "a.ipynb", FORMS["as ASCII"])
    (tmp_path / "b.ipynb").symlink_to("a.ipynb")
    book = Book(tmp_path / "b.ipynb")
    cell = book.node.cells[1]
    cell.outputs = NEW
    assert book.write_outputs({1: cell})
    assert (tmp_path / "b.ipynb").is_symlink()
    assert json.loads((tmp_path / "a.ipynb").read_bytes())["cells"][1]["outputs"]


def test_cells_without_ids_are_named_by_their_place_and_get_none(tmp_path):
    book = put(tmp_path / "a.ipynb", FORMS["as Jupyter writes it"])
    assert [cell.name for cell in book.cells] == ["cell-2"]
    book.write_outputs({1: book.node.cells[1]})
    assert '"id"' not in (tmp_path / "a.ipynb").read_text()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"cells": [', "Is it cut off"),
        ("[]", "is no notebook"),
        ('{"worksheets": [], "nbformat": 3}', "Open and save it in JupyterLab."),
        ('<<<<<<< HEAD\n{"cells": []}', "merge conflict"),
        ("[" * 100_000, "is no notebook"),
        ('{"cells": [{"cell_type": "code", "source": "1", "metadata": {"lumos": {"timeout_s": "3"}}}]}', "seconds"),
        ('{"cells": [], "metadata": {"lumos": {"mask": [{"regex": "("}]}}}', "metadata.lumos.mask"),
    ],
)
def test_what_is_no_notebook_says_what_to_do(tmp_path, text, words):
    with pytest.raises(UsageError, match=words):
        put(tmp_path / "a.ipynb", text)


def test_a_file_in_another_encoding_is_no_notebook(tmp_path):
    (tmp_path / "a.ipynb").write_bytes(json.dumps(RAW, ensure_ascii=False).encode("latin-1", "replace"))
    with pytest.raises(UsageError, match="is no notebook"):
        Book(tmp_path / "a.ipynb")


def test_tags_that_are_null_are_none(tmp_path):
    raw = {"cells": [{**RAW["cells"][1], "metadata": {"tags": None, "lumos": []}}], "metadata": {"kernelspec": None}}
    assert put(tmp_path / "a.ipynb", json.dumps(raw)).cells[0].name == "cell-1"


def test_a_mask_of_the_notebook_hides_what_may_differ(tmp_path):
    raw = {**RAW, "metadata": {"lumos": {"mask": [{"regex": r"\d+ rows", "replace": "N rows"}]}}}
    masks = put(tmp_path / "a.ipynb", json.dumps(raw)).masks
    before, after = ([nbformat.v4.new_output("stream", name="stdout", text=f"{n} rows\n")] for n in (3, 4))
    assert difference(before, after, everything=True)
    assert difference(before, after, everything=True, masks=masks) == ""


def run_of(**fields):
    document = {"v": 1, "run_id": "a", "duration_s": 1.0, "cost_usd": 0.5, "prompt": "Hi", "items": [], **fields}
    return [nbformat.v4.new_output("display_data", data={MIME: document, "text/plain": "whatever"})]


def test_runs_differ_in_what_they_say_and_not_in_when_they_were():
    assert difference(run_of(), run_of(run_id="b", duration_s=2.0), everything=False) == ""
    said = difference(run_of(), run_of(cost_usd=0.6, items=[{"kind": "text", "text": "a\nb"}]), everything=False)
    assert "-cost_usd: 0.5\n" in said + "\n"
    assert "+items 1 text: a\n+items 1 text: b" in said


def test_the_cost_of_a_run_that_was_asked_is_not_that_of_one_that_is_played():
    assert difference(run_of(), run_of(cost_usd=0.0, n_replayed=1), everything=False) == ""


def test_a_widget_under_another_id_is_the_same_widget():
    view = "application/vnd.jupyter.widget-view+json"
    before, after = ([{"data": {view: {"model_id": c * 32, "version_major": 2}}}] for c in "ab")
    assert is_same(before, after)
    assert not is_same(before, [{"data": {view: {"model_id": "b" * 32, "version_major": 3}}}])


def test_what_was_never_stored_is_not_compared():
    assert difference([], run_of(), everything=False) == ""
    assert difference(run_of(), [], everything=False) != ""


def test_the_plugin_costs_every_test_run_next_to_nothing():
    code = (
        "import sys, pytest; before = set(sys.modules); import lumos_nb.testing.plugin; "
        "print(*set(sys.modules) - before)"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "lumos_nb.testing.plugin" in loaded
    assert not {"msgspec", "IPython", "nbformat", "nbclient", "httpx", "pandas", "lumos_nb.settings"} & set(loaded)
