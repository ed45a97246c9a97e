"""What a store promises, on real files."""

import os
import sqlite3
import threading
import time

import pytest

from lumos_nb import settings, stores
from lumos_nb.errors import ConflictError, StoreError, UsageError
from lumos_nb.stores import Delete, Insert, SqliteStore, Update, Upsert


@pytest.fixture
def store(tmp_path):
    store = SqliteStore(tmp_path / ".lumos" / "lumos.db")
    yield store
    store.close()


def thread(name, **columns):
    return Insert("threads", {"thread_id": name, "title": name, **columns})


def test_a_row_comes_back_as_it_was_written(store):
    store.write([thread("t1", created_at=2**62, cost_usd=0.1, title="Größe 🎉 \x00 \u2028")])
    assert list(store.select("threads", ["title", "created_at", "cost_usd", "agent"])) == [
        ("Größe 🎉 \x00 \u2028", 2**62, 0.1, None)
    ]


def test_a_batch_is_all_or_nothing(store):
    store.write([thread("t1")])
    with pytest.raises(ConflictError, match="already in database"):
        store.write([thread("t2"), Update("threads", {"thread_id": "t1"}, {"title": "x"}), thread("t1")])
    assert list(store.select("threads", ["thread_id", "title"])) == [("t1", "t1")]


def test_lazy_columns_are_written_updated_selected_and_deleted_like_others(store):
    store.write([Insert("events", {"event_id": str(i), "payload_json": f"p{i}", "kind": "k"}) for i in range(3)])
    assert list(store.select("events", ["seq", "payload_json"], where=[("payload_json", "contains", "P1")])) == [
        (2, "p1")
    ]
    store.write([Update("events", {"event_id": "1"}, {"payload_json": "new", "kind": "other"})])
    store.write([Upsert("events", {"event_id": "2", "payload_json": "newer"})])
    store.write([Delete("events", {"event_id": "0"})])
    rows = list(store.select("events", ["kind", "payload_json"], order=["seq"]))
    assert rows == [("other", "new"), ("k", "newer")]
    with sqlite3.connect(store.path) as raw:
        assert raw.execute("select count(*) from events_lazy").fetchone() == (2,)
    raw.close()


def test_rows_that_bring_their_numbers_keep_their_large_columns(store):
    rows = [{"seq": seq, "event_id": str(seq), "payload_json": f"p{seq}", "kind": "k"} for seq in (50, 40, 60)]
    store.write([Insert("events", row) for row in rows])
    assert list(store.select("events", ["seq", "payload_json"], order=["seq"])) == [
        (40, "p40"),
        (50, "p50"),
        (60, "p60"),
    ]


def test_numbers_of_deleted_events_are_not_used_again(store):
    store.write([Insert("events", {"event_id": "a"})])
    store.write([Delete("events", {"event_id": "a"}), Insert("events", {"event_id": "b"})])
    assert list(store.select("events", ["seq"])) == [(2,)]


def test_upsert_replaces_only_the_given_columns(store):
    store.write([thread("t1", agent="a"), Upsert("threads", {"thread_id": "t1", "title": "new"})])
    store.write([Upsert("threads", {"thread_id": "t1"})])
    assert list(store.select("threads", ["title", "agent"])) == [("new", "a")]


def test_an_unknown_amount_makes_a_sum_unknown_for_good(store):
    store.write([thread("t1", cost_usd=0.0, n_runs=0)])
    for amount in (0.5, None, 0.25):
        store.write([Update("threads", {"thread_id": "t1"}, add={"cost_usd": amount, "n_runs": 1})])
    assert list(store.select("threads", ["cost_usd", "n_runs"])) == [(None, 3)]


def test_conditions_order_and_limit(store):
    store.write([thread(t, n_runs=n, agent=a) for t, n, a in [("a", 1, None), ("b", 2, "x"), ("Ünï", 3, "y")]])

    def found(*where, **more):
        return [t for (t,) in store.select("threads", ["thread_id"], where=where, order=["-n_runs"], **more)]

    assert found() == ["Ünï", "b", "a"]
    assert found(limit=1) == ["Ünï"]
    everything = found()
    assert found(limit=1, offset=1) == everything[1:2]
    assert found(offset=1) == everything[1:]
    assert found(offset=100) == []
    assert found(("n_runs", ">=", 2), ("n_runs", "<", 3)) == ["b"]
    assert found(("agent", "=", None)) == ["a"]
    assert found(("agent", "!=", None)) == ["Ünï", "b"]
    assert found(("agent", "!=", "x")) == ["Ünï", "a"]
    assert found(("agent", "in", ["x", None])) == ["b", "a"]
    assert found(("agent", "in", [])) == []
    assert found(("n_runs", "in", range(2, 100_000))) == ["Ünï", "b"]
    assert found(("title", "contains", "ÜNÏ")) == ["Ünï"]
    store.write([thread("nul", agent="a\x00b")])
    assert found(("agent", "in", ["x", "a\x00b", None])) == ["b", "a", "nul"]
    assert found(("title", "contains", "%")) == []


def test_names_that_do_not_exist_are_usage_errors_with_the_nearest_name(store):
    with pytest.raises(UsageError, match="Did you mean 'threads'"):
        store.select("thread", ["title"])
    with pytest.raises(UsageError, match="Did you mean 'title'"):
        store.select("threads", ["titel"])
    with pytest.raises(UsageError, match="no comparison 'like'"):
        store.select("threads", ["title"], where=[("title", "like", "x")])
    with pytest.raises(UsageError, match="no column 'titel'"):
        store.write([Insert("threads", {"thread_id": "t", "titel": "x"})])
    assert list(store.select("threads", ["title"])) == []


def test_reading_creates_nothing_and_writing_keeps_the_folder_out_of_version_control(store):
    assert list(store.select("runs", ["run_id"])) == []
    assert not store.path.parent.exists()
    store.write([])
    assert store.path.exists()
    assert (store.path.parent / ".gitignore").read_text() == "*\n"


def test_a_folder_that_was_there_gets_no_gitignore(tmp_path):
    store = SqliteStore(tmp_path / "mine.db")
    store.write([])
    store.close()
    assert sorted(os.listdir(tmp_path)) == ["mine.db"]


def test_a_closed_store_opens_again(store):
    store.write([thread("t1")])
    store.close()
    assert list(store.select("threads", ["title"])) == [("t1",)]
    store.close()
    store.write([thread("t2")])
    assert len(list(store.select("threads", ["title"]))) == 2


def test_a_file_that_was_deleted_is_made_anew_instead_of_writing_into_nothing(store):
    store.write([thread("t1")])
    list(store.select("threads", ["title"]))
    for name in os.listdir(store.path.parent):
        os.remove(store.path.parent / name)
    assert list(store.select("threads", ["title"])) == []
    store.write([thread("t2")])
    assert list(store.select("threads", ["title"])) == [("t2",)]


def test_a_half_read_selection_does_not_disturb_writing(store):
    store.write([thread(str(i)) for i in range(5_000)])
    rows = store.select("threads", ["thread_id"])
    next(rows)
    store.write([thread("more")])
    assert len(list(rows)) == 4_999
    assert len(list(store.select("threads", ["thread_id"]))) == 5_001


def test_many_threads_write_and_read_one_store(store):
    def work(name):
        for i in range(50):
            store.write([thread(f"{name}-{i}")])
            assert list(store.select("threads", ["title"], where=[("thread_id", "=", f"{name}-{i}")]))

    workers = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    [w.start() for w in workers]
    [w.join() for w in workers]
    assert len(list(store.select("threads", ["title"]))) == 200


def test_a_forked_child_uses_its_own_connection(store):
    store.write([thread("parent")])
    list(store.select("threads", ["title"]))
    pid = os.fork()
    if pid == 0:
        try:
            store.write([thread("child")])
            os._exit(0 if len(list(store.select("threads", ["title"]))) == 2 else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    store.write([thread("again")])
    assert len(list(store.select("threads", ["title"]))) == 3


def test_the_default_store_follows_the_settings_and_is_one_for_a_path(tmp_path, monkeypatch):
    monkeypatch.setenv("LUMOS_DB", str(tmp_path / "a.db"))
    settings.reset()
    try:
        first = stores.default_store()
        assert stores.default_store() is first
        settings.configure(db=str(tmp_path / "b.db"))
        assert stores.default_store() is not first
        assert os.listdir(tmp_path) == []
    finally:
        settings.reset()


def test_importing_the_stores_imports_no_pandas():
    import subprocess
    import sys

    code = "import sys, lumos_nb.stores; sys.exit('pandas' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_is_to_be_written_soon_is_there_for_every_reader_of_the_store(tmp_path):
    store = SqliteStore(tmp_path / "lumos.db")
    store.write_soon([Insert("threads", {"thread_id": "t1", "title": "soon"})])
    assert list(store.select("threads", ["title"])) == [("soon",)]
    store.close()


def test_what_is_to_be_written_soon_is_written_without_a_reader_too(tmp_path):
    store = SqliteStore(tmp_path / "lumos.db")
    store.write_soon([Insert("threads", {"thread_id": "t1", "title": "soon"})])
    give_up = time.monotonic() + 10
    other = SqliteStore(tmp_path / "lumos.db")
    while not list(other.select("threads", ["title"])) and time.monotonic() < give_up:
        time.sleep(0.02)
    assert list(other.select("threads", ["title"])) == [("soon",)]
    store.close()
    other.close()


def test_a_later_batch_never_overtakes_what_was_to_be_written_soon(tmp_path):
    store = SqliteStore(tmp_path / "lumos.db")
    store.write([Insert("threads", {"thread_id": "t1", "n_runs": 0})])
    lock = sqlite3.connect(tmp_path / "lumos.db", isolation_level=None)
    for n in range(1, 30, 2):
        lock.execute("BEGIN IMMEDIATE")  # both have to wait, and may be let in in any order
        store.write_soon([Update("threads", {"thread_id": "t1"}, {"n_runs": n})])
        writers = [
            threading.Thread(target=lambda: list(store.select("threads", ["n_runs"]))),
            threading.Thread(target=store.write, args=([Update("threads", {"thread_id": "t1"}, {"n_runs": n + 1})],)),
        ]
        for writer in writers:
            writer.start()
            time.sleep(0.005)
        lock.execute("COMMIT")
        for writer in writers:
            writer.join(10)
        assert list(store.select("threads", ["n_runs"])) == [(n + 1,)]
    lock.close()
    store.close()


def test_a_batch_that_is_wrong_costs_no_other_its_place(tmp_path, caplog):
    store = SqliteStore(tmp_path / "lumos.db")
    for title in ("first", "again"):
        store.write_soon([Insert("threads", {"thread_id": "t1", "title": title})])
    store.write_soon([Insert("threads", {"thread_id": "t2", "title": "second"})])
    assert list(store.select("threads", ["title"], order=["thread_id"])) == [("first",), ("second",)]
    assert "could not be recorded" in caplog.text
    store.close()


def test_what_could_not_be_written_soon_is_told_to_the_next_one_and_not_lost(tmp_path):
    store = SqliteStore(tmp_path / "lumos.db", busy_timeout_s=0.05)
    store.write([Insert("threads", {"thread_id": "t0"})])
    lock = sqlite3.connect(tmp_path / "lumos.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    store.write_soon([Insert("threads", {"thread_id": "t1"})])
    assert list(store.select("threads", ["thread_id"])) == [("t0",)]
    with pytest.raises(StoreError):
        store.write_soon([Insert("threads", {"thread_id": "t2"})])
    lock.execute("COMMIT")
    assert list(store.select("threads", ["thread_id"], order=["thread_id"])) == [("t0",), ("t1",)]
    lock.close()
    store.close()


def test_a_reader_sees_what_another_thread_is_still_writing(tmp_path):
    """The quarter of a second is over, and the file is locked: who reads now waits for it."""
    store = SqliteStore(tmp_path / "a.db")
    store.write([Insert("threads", {"thread_id": "t1"})])
    other = sqlite3.connect(tmp_path / "a.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    store.write_soon([Insert("threads", {"thread_id": "t2"})])
    while not store._n_on_their_way:
        time.sleep(0.01)
    threading.Timer(0.2, other.execute, ["COMMIT"]).start()
    assert len(list(store.select("threads", ["thread_id"]))) == 2
    other.close()
    store.close()
