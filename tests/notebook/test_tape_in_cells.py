"""What a person sees and types: the tape's command, a cell's own word, and a run that was replayed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lumos_nb.stores import open_store
from lumos_nb.telemetry.accounting import disagreements
from lumos_nb.testing import FakeServer
from tests.kernels import Kernel

PRICES = '{"mine/m": {"input": 100.0, "output": 100.0}}'


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as made:  # an echo of what it is asked
        yield made


@pytest.fixture
def kernel(tmp_path: Path, server: FakeServer) -> Iterator[Kernel]:
    made = Kernel(tmp_path, LUMOS_VIEW="static", LUMOS_PRICES=PRICES)
    set_up(made, server)
    yield made
    made.close()
    assert disagreements(open_store(tmp_path / ".lumos" / "lumos.db")) == []


def set_up(kernel: Kernel, server: FakeServer) -> None:
    code = f'from lumos_nb import llm\nwriter = Agent("writer", model=llm("mine/m", base_url="{server.base_url}"))'
    kernel.run(code, cell_id="setup").ok()


def restarted(kernel: Kernel, server: FakeServer, **environment: str) -> Kernel:
    kernel.environment |= environment
    kernel.restart()
    set_up(kernel, server)
    return kernel


def test_a_replayed_run_costs_nothing_and_says_so(kernel: Kernel, server: FakeServer) -> None:
    kernel.run("%lumos tape record").ok()
    live = kernel.run("%%agent writer --new\nHello there", cell_id="a").ok()
    assert "replayed" not in live.text and "$" in live.text
    assert "n_replayed" not in live.run
    restarted(kernel, server, LUMOS_TAPE="replay")
    played = kernel.run("%%agent writer --new\nHello there", cell_id="a").ok()
    assert len(server.requests) == 1
    assert played.run["cost_usd"] == 0.0 and played.run["n_replayed"] == 1
    assert played.run["usage"] == live.run["usage"]
    shown = next(o for o in played.outputs if "text/html" in o)
    for mime in ("text/plain", "text/markdown", "text/html"):
        assert "0.00 · " in shown[mime] and "· replayed" in shown[mime]
    rows = kernel.run('print(lumos.runs()[["tape", "cost_usd"]].astype(str).values.tolist()[-2:])').stdout
    assert rows.strip().startswith("[['live', '0.0") and rows.strip().endswith("['replay', '0.0']]")
    assert "'0.0'" not in rows.partition("]")[0]


def test_restart_and_run_all_asks_only_for_what_changed(kernel: Kernel, server: FakeServer) -> None:
    def run_all(second: str) -> int:
        restarted(kernel, server, LUMOS_TAPE="refresh")
        before = len(server.requests)
        kernel.run("%%agent writer --new\nOne", cell_id="one").ok()
        kernel.run(f"%%agent writer --new\n{second}", cell_id="two").ok()
        kernel.run("%%agent writer --new\nThree", cell_id="three").ok()
        kernel.run("%%agent writer\nFour, after three", cell_id="four").ok()
        return len(server.requests) - before

    assert run_all("Two") == 4
    assert run_all("Two") == 0
    assert run_all("Another two") == 1
    assert run_all("Another two") == 0


def test_a_cell_whose_conversation_changed_is_asked_again(kernel: Kernel, server: FakeServer) -> None:
    def run_all(first: str) -> int:
        restarted(kernel, server, LUMOS_TAPE="refresh")
        before = len(server.requests)
        kernel.run(f"%%agent writer --new\n{first}", cell_id="one").ok()
        kernel.run("%%agent writer\nGo on", cell_id="two").ok()
        kernel.run("%%agent writer --new\nSomething else", cell_id="three").ok()
        return len(server.requests) - before

    assert run_all("One") == 3
    assert run_all("Changed") == 2


def test_an_unchanged_cell_that_is_run_again_is_played(kernel: Kernel, server: FakeServer) -> None:
    kernel.run("%lumos tape refresh").ok()
    for _ in range(3):
        kernel.run("%%agent writer --new\nAgain", cell_id="a").ok()
    assert len(server.requests) == 1


def test_one_cell_records_and_plays_without_a_tape_in_force(kernel: Kernel, server: FakeServer) -> None:
    kernel.run("%%agent writer --new --record\nHello", cell_id="a").ok()
    assert (kernel.folder / "tapes" / "book.tape.jsonl").exists()
    again = kernel.run("%%agent writer --new --replay\nHello", cell_id="a").ok()
    assert again.run["n_replayed"] == 1 and len(server.requests) == 1
    assert "n_replayed" not in kernel.run("%%agent writer --new\nHello", cell_id="a").ok().run
    assert len(server.requests) == 2


def test_live_asks_whatever_tape_is_in_force(kernel: Kernel, server: FakeServer) -> None:
    kernel.run("%lumos tape replay").ok()
    live = kernel.run("%%agent writer --new --live\nHello", cell_id="a").ok()
    assert "n_replayed" not in live.run and len(server.requests) == 1


def test_two_words_about_the_tape_are_a_usage_error(kernel: Kernel) -> None:
    failed = kernel.run("%%agent writer --record --live\nHello")
    assert failed.status == "error"
    assert "--record and --live cannot stand together.\nRecord the cell, replay it or ask live" in failed.error


def test_a_request_that_is_not_on_the_tape_fails_its_cell(kernel: Kernel, server: FakeServer) -> None:
    kernel.run("%%agent writer --new --record\nHello", cell_id="a").ok()
    kernel.run("%lumos tape replay").ok()
    failed = kernel.run("%%agent writer --new\nGood morning", cell_id="a")
    assert failed.status == "error" and "TapeMiss" in failed.error and "Record it: " in failed.error
    assert len(server.requests) == 1


def test_the_command_shows_the_tape_by_cell(kernel: Kernel) -> None:
    assert "No tape is in force." in kernel.run("%lumos tape").ok().text
    kernel.run("%lumos tape record").ok()
    kernel.run("%%agent writer --new\nOne", cell_id="one").ok()
    kernel.run("%%agent writer --new\nTwo", cell_id="two").ok()
    recorded = kernel.run("%lumos tape").ok().text
    assert "book.tape.jsonl, record" in recorded and "| `one` | 1 |" in recorded and "| **all** | 2 |" in recorded
    kernel.run("%lumos tape replay").ok()
    kernel.run("%%agent writer --new\nTwo", cell_id="two").ok()
    played = kernel.run("%lumos tape").ok().text
    assert "| `one` | 1 | 0 | 1 |" in played and "| `two` | 1 | 1 | 0 |" in played
    unused = kernel.run("%lumos tape check")
    assert unused.status == "error" and "TapeUnused" in unused.error
    kernel.run("%%agent writer --new\nOne", cell_id="one").ok()
    assert "All of the tape 'book' was asked for: 2 requests." in kernel.run("%lumos tape check").ok().text
    assert "| **all** | 2 | 0 | 2 |" in kernel.run("%lumos tape rewind").ok().text
    assert "No tape is in force." in kernel.run("%lumos tape off").ok().text


def test_what_the_command_does_not_know_is_an_error_with_a_hint(kernel: Kernel) -> None:
    failed = kernel.run("%lumos tape replya")
    assert failed.status == "error" and "%lumos tape cannot 'replya'.\nDid you mean 'replay'?" in failed.error
    assert "No tape is in force." in kernel.run("%lumos tape check").error


def test_a_mode_that_cannot_be_leaves_the_one_that_was(kernel: Kernel, server: FakeServer) -> None:
    (kernel.folder / "tapes").mkdir()
    (kernel.folder / "tapes" / "book.tape.jsonl").write_text("no tape\n")
    assert kernel.run("%lumos tape replay").status == "error"
    kernel.run("%%agent writer --new\nHello", cell_id="a").ok()
    assert len(server.requests) == 1


def test_the_doctor_names_the_tape(kernel: Kernel) -> None:
    assert "none" in kernel.run('d = lumos_rows = get_ipython().run_line_magic("lumos", "doctor")\n'
                                'print(d[d.what == "tape"].value.item())').stdout  # fmt: skip
    kernel.run("%lumos tape record").ok()
    code = 'd = get_ipython().run_line_magic("lumos", "doctor")\nprint(d[d.what == "tape"].value.item())'
    assert "book.tape.jsonl, record: 0 recorded, 0 left" in kernel.run(code).stdout


def test_changing_the_mode_takes_clock_ids_and_database_along(kernel: Kernel) -> None:
    state = (
        "from lumos_nb import clock, ids, settings\n"
        'print(clock.is_virtual(), lumos.runs().run_id.str.startswith("00000000-0000-7").any(),'
        ' settings.current().db.endswith(".lumos/lumos.db"))'
    )
    kernel.run("%%agent writer --new --record\nHello", cell_id="a").ok()
    kernel.run("%lumos tape replay-strict").ok()
    kernel.run("%%agent writer --new\nHello", cell_id="a").ok()
    assert kernel.run(state).stdout.strip() == "True True False"
    kernel.run("%lumos tape off").ok()
    assert kernel.run(state).stdout.strip() == "False False True"
