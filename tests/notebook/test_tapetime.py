"""Clock, ids and database of a notebook, as the tape in force changes between its cells."""

from collections import defaultdict
from types import SimpleNamespace

import pytest

from lumos_nb import clock, ids, settings
from lumos_nb.notebook.tapetime import TapeTime
from lumos_nb.tapes import Tape, modes, using, write_tape
from lumos_nb.tapes.format import Header


@pytest.fixture
def session(tmp_path, monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    write_tape(tmp_path / "a.tape.jsonl", Tape(header=Header(recorded_at="2026-11-22T10:00:00Z")))
    settings.configure(tape="replay", tape_time="virtual", tape_file=str(tmp_path / "a.tape.jsonl"))
    events = SimpleNamespace(callbacks=defaultdict(list), register=lambda *_: None)
    session = TapeTime(SimpleNamespace(events=events), has_own_db=True)
    session.install()
    yield session
    session.close()
    settings.reset()
    modes.close()


def test_a_live_cell_between_two_that_are_played_leaves_clock_ids_and_database_where_they_were(session):
    ids.new_id("run")
    session._next_cell(None)
    before, db = clock.time(), settings.current().db
    with using(None):
        session._next_cell(None)
        assert not clock.is_virtual()
        assert settings.current().db == db
    session._next_cell(None)
    assert clock.time() > before
    assert ids.new_id("run").endswith("002")
    assert settings.current().db == db


def test_a_tape_that_is_put_off_gives_clock_ids_and_database_back(session):
    db = settings.current().db
    settings.configure(tape="off")
    session.follow()
    assert not clock.is_virtual() and not session.is_temporary
    assert settings.current().db != db
    assert not ids.new_id("run").startswith("00000000")
