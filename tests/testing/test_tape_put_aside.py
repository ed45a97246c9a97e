"""A notebook that puts its tape aside while it is tested, or fails on its way: nothing passes or is lost by that."""

import pytest

from lumos_nb.testing import FakeServer
from tests.testing.test_notebook_tapes import CELLS, book, lumos_test, recorded, write  # noqa: F401

ASIDE = ["%lumos tape off", "%lumos tape rewind", "from lumos_nb import settings; settings.configure(tape='off')"]


@pytest.mark.parametrize("aside", ASIDE)
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
    recorded = tape.read_bytes()
    write(book, {"setup": CELLS["setup"], "two": two.format("1 / 0")})
    assert lumos_test(book.parent, "--refresh").returncode == 1
    assert tape.read_bytes() == recorded
