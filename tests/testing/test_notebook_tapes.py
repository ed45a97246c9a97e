"""Notebooks as tests from their tapes: recorded once, played the same each time, by us and by the other runners."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from lumos_nb.testing import FakeServer, Reply

ROOT = Path(__file__).parents[2]
SETUP = """%load_ext lumos_nb
import os
from lumos_nb import Agent, llm
bot = Agent('bot', model=llm('mock/any', base_url=os.environ.get('FAKE_URL', 'http://127.0.0.1:9/v1')))"""
CELLS = {"setup": SETUP, "hello": "%%agent bot --new\nHello", "sum": "print(1 + 1)", "again": "%%agent bot\nAnd again"}


def write(path: Path, cells: dict[str, str], **tags: str) -> Path:
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = nbformat.v4.new_notebook(metadata=metadata)
    for id, source in cells.items():
        marks = {"tags": [tags[id]]} if id in tags else {}
        notebook.cells.append(nbformat.v4.new_code_cell(source, id=id, metadata=marks))
    nbformat.write(notebook, path)
    return path


def python(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith("LUMOS_") and k != "CI"}
    env |= {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore", **more}
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


def lumos_test(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return python(folder, "lumos_nb.cli", "test", *arguments, **more)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A notebook with its tape and its outputs."""
    folder = tmp_path_factory.mktemp("recorded")
    write(folder / "book.ipynb", CELLS)
    with FakeServer(["Hello **you**.", "And you."]) as server:
        ran = lumos_test(folder, "--record", FAKE_URL=server.base_url)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    ran = lumos_test(folder, "--update")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return folder


@pytest.fixture
def book(recorded, tmp_path):
    """A copy of it that may be changed."""
    (tmp_path / "tapes").mkdir()
    for file in ("book.ipynb", "tapes/book.tape.jsonl"):
        (tmp_path / file).write_bytes((recorded / file).read_bytes())
    return tmp_path / "book.ipynb"


def change(book: Path, before: str, after: str) -> None:
    text = book.read_text()
    assert before in text
    book.write_text(text.replace(before, after))


def test_two_executions_are_the_same_to_the_byte(book):
    for name in ("first", "second"):
        ran = lumos_test(book.parent, "--output-dir", name, "book.ipynb")
        assert ran.returncode == 0, ran.stdout
        assert "book.ipynb ....." in ran.stdout
        assert (book.parent / name / "book.lumos.db").exists()
    assert (book.parent / "first/book.ipynb").read_bytes() == (book.parent / "second/book.ipynb").read_bytes()


def test_an_update_of_what_is_up_to_date_changes_nothing(book):
    before = book.read_bytes()
    assert lumos_test(book.parent, "--update").returncode == 0
    assert book.read_bytes() == before


def test_what_was_not_recorded_fails_with_the_command_that_records_it(book):
    change(book, '"Hello"', '"Hullo"')
    ran = lumos_test(book.parent)
    assert ran.returncode == 1
    assert "book.ipynb .Fsss" in ran.stdout
    assert "TapeMiss: " in ran.stdout
    assert "lumos test --re" in ran.stdout


def test_a_cell_that_is_gone_leaves_its_answer_on_the_tape_and_the_end_says_so(book):
    notebook = json.loads(book.read_text())
    notebook["cells"] = notebook["cells"][:-1]
    book.write_text(json.dumps(notebook))
    ran = lumos_test(book.parent)
    assert ran.returncode == 1
    assert "book.ipynb ...F" in ran.stdout
    assert "FAILED book.ipynb::end - TapeUnused" in ran.stdout


def test_only_selected_cells_and_those_before_them_are_run(book):
    ran = lumos_test(book.parent, "-k", "hello")
    assert ran.returncode == 0, ran.stdout
    assert "1 passed, 4 deselected" in ran.stdout


def test_a_difference_is_shown_as_the_lines_that_differ_and_the_rest_is_run(book):
    change(book, "And you.", "And them.")
    ran = lumos_test(book.parent)
    assert ran.returncode == 1
    assert "book.ipynb ...F." in ran.stdout
    assert "-items 1 text: And them.\n+items 1 text: And you.\n" in ran.stdout
    assert lumos_test(book.parent, "--compare", "none").returncode == 0
    assert lumos_test(book.parent, "--update").returncode == 0
    assert "And them." not in book.read_text()


def test_all_outputs_are_compared_if_that_is_asked_for(book):
    change(book, '"2\\n"', '"3\\n"')
    assert lumos_test(book.parent).returncode == 0
    ran = lumos_test(book.parent, "--compare", "all")
    assert "-stdout: 3\n+stdout: 2\n" in ran.stdout


def test_a_part_is_not_recorded_over_the_whole(book):
    tape = book.parent / "tapes/book.tape.jsonl"
    before = tape.read_bytes()
    ran = lumos_test(book.parent, "--record", "-k", "hello")
    assert ran.returncode == 4
    assert "only some of its cells are selected" in ran.stderr
    assert tape.read_bytes() == before


def test_nothing_is_recorded_in_ci(book):
    ran = lumos_test(book.parent, "--record", CI="true")
    assert ran.returncode == 4
    assert "nothing is recorded in CI" in ran.stderr


def test_a_notebook_that_asks_no_model_needs_no_tape(tmp_path):
    write(tmp_path / "plain.ipynb", {"a": "%load_ext lumos_nb", "b": "1 + 1"})
    ran = lumos_test(tmp_path)
    assert ran.returncode == 0, ran.stdout
    assert not (tmp_path / "tapes").exists()


def test_a_live_cell_asks_without_the_tape(tmp_path):
    write(tmp_path / "live.ipynb", {"setup": SETUP, "now": "%%agent bot --new\nHello"}, now="lumos-live")
    ran = lumos_test(tmp_path)
    assert ran.returncode == 0, ran.stdout
    assert "live.ipynb .s." in ran.stdout
    with FakeServer(["Hello."]) as server:
        ran = lumos_test(tmp_path, "--live", FAKE_URL=server.base_url)
        assert ran.returncode == 0, ran.stdout
        assert len(server.requests) == 1
    assert not (tmp_path / "tapes").exists()


ALONE = ["pytest", "-q", "-p", "no:cacheprovider", "-p", "lumos_nb.testing.plugin"]
RUNNERS = {
    "nbval": [*ALONE, "-p", "nbval.plugin", "--nbval", "book.ipynb"],
    "nbmake": [*ALONE, "-p", "nbmake.pytest_plugin", "--nbmake", "book.ipynb"],
    "papermill": ["papermill", "book.ipynb", "out.ipynb"],
    "nbclient": ["jupyter", "execute", "book.ipynb"],
}
QUICK = {"CI": "true", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


@pytest.mark.parametrize("runner", RUNNERS)
def test_other_runners_play_the_tape_in_ci(book, runner):
    ran = python(book.parent, *RUNNERS[runner], **QUICK)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("runner", RUNNERS)
def test_what_is_not_on_the_tape_fails_in_other_runners_too(book, runner):
    change(book, '"And again"', '"And then"')
    ran = python(book.parent, *RUNNERS[runner], **QUICK)
    assert ran.returncode != 0
    assert "TapeMiss" in ran.stdout + ran.stderr


def test_papermill_may_give_parameters(book):
    ran = python(book.parent, *RUNNERS["papermill"], "-p", "n", "3", **QUICK)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    saved = nbformat.read(book.parent / "out.ipynb", as_version=4)
    assert any(cell.source.endswith("n = 3\n") for cell in saved.cells)
    assert any("And you." in str(cell.get("outputs")) for cell in saved.cells)


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_model_that_fails_is_red_in_all_of_them(tmp_path, runner):
    write(tmp_path / "book.ipynb", {"setup": SETUP, "hello": "%%agent bot --new\nHello"})
    with FakeServer([Reply(status=400, body=b"no")]) as server:
        ran = python(tmp_path, *RUNNERS[runner], FAKE_URL=server.base_url, **QUICK)
    assert ran.returncode != 0
    assert "ProviderError" in ran.stdout + ran.stderr


def test_a_miss_fails_the_cell_that_goes_on_without_the_answer(book):
    change(
        book,
        '"%%agent bot\\n",\n    "And again"',
        '"try:\\n",\n    "    await bot.generate(\'x\')\\n",\n    "except Exception:\\n",\n    "    pass"',
    )
    ran = lumos_test(book.parent, "--compare", "none")
    assert "book.ipynb ...F" in ran.stdout
    assert "FAILED book.ipynb::again - TapeMiss: " in ran.stdout


@pytest.mark.parametrize("aside", ["%lumos tape off", "from lumos_nb import settings; settings.configure(tape='off')"])
def test_answers_that_nobody_asked_for_fail_although_the_tape_was_put_aside(book, aside):
    cells = dict(list(CELLS.items())[:3]) | {"sum": aside}
    write(book, cells)
    ran = lumos_test(book.parent, "--compare", "none", "book.ipynb")
    assert ran.returncode == 1 and "never asked for" in ran.stdout, ran.stdout


def test_a_cell_that_fails_while_a_tape_is_refreshed_loses_no_answer(book):
    tape = book.parent / "tapes/book.tape.jsonl"
    two = "first = bot.generate_sync('One')\n{}\nsecond = bot.generate_sync('Two')"
    write(book, {"setup": CELLS["setup"], "two": two.format("pass")})
    with FakeServer(["1", "2"]) as server:
        assert lumos_test(book.parent, "--record", FAKE_URL=server.base_url).returncode == 0
    before = tape.read_bytes()
    write(book, {"setup": CELLS["setup"], "two": two.format("1 / 0")})
    assert lumos_test(book.parent, "--refresh").returncode == 1
    assert tape.read_bytes() == before


def test_a_refresh_keeps_what_is_asked_still_and_nothing_else(book):
    change(book, '"And again"', '"And then"')
    with FakeServer(["And them."]) as server:
        ran = lumos_test(book.parent, "--refresh", "--output-dir", "out", FAKE_URL=server.base_url)
        assert ran.returncode == 0, ran.stdout
        assert len(server.requests) == 1
    assert not list((book.parent / "out").glob("*-wal")), "the kernel had no time to close its database"
    ran = lumos_test(book.parent, "--compare", "none", "book.ipynb")
    assert ran.returncode == 0, ran.stdout
    notebook = json.loads(book.read_text())
    notebook["cells"] = notebook["cells"][:-1]
    book.write_text(json.dumps(notebook))
    assert lumos_test(book.parent, "--refresh", "book.ipynb").returncode == 0
    assert lumos_test(book.parent, "book.ipynb").returncode == 0, "a cell that is gone is not on the tape either"


def test_commands_name_the_notebook_as_it_was_named(book):
    change(book, '"Hello"', '"Hullo"')
    below = f"{book.parent.name}/book.ipynb"
    ran = lumos_test(book.parent.parent, below)
    assert f"lumos test --refresh {below}\n" in ran.stdout
    change(book, '"Hullo"', '"Hello"')
    change(book, "And you.", "And them.")
    ran = lumos_test(book.parent.parent, below)
    assert f"lumos test --update {below}\n" in ran.stdout
    (book.parent / "tapes/book.tape.jsonl").unlink()
    ran = lumos_test(book.parent.parent, below)
    assert f"lumos test --record {below}\n" in ran.stdout


def test_half_a_recording_does_not_take_the_place_of_a_whole_one(book):
    tape = book.parent / "tapes/book.tape.jsonl"
    before = tape.read_bytes()
    change(book, "print(1 + 1)", "print(1 / 0)")
    with FakeServer(["Hello **you**.", "And you."]) as server:
        ran = lumos_test(book.parent, "--record", FAKE_URL=server.base_url)
    assert ran.returncode == 1 and "its tape is left as it was" in ran.stdout
    assert tape.read_bytes() == before
