"""`lumos.sql`: what it finds, what it refuses, and what it says of it."""

import datetime as dt
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

import lumos_nb as lumos
from lumos_nb import frames
from lumos_nb.errors import StoreError, UsageError
from lumos_nb.frames._typed import text_dtype
from lumos_nb.stores import Insert, SqliteStore

TEXT = str(text_dtype())
FOREVER = "with recursive a(n) as (select 1 union all select n + 1 from a) select count(*) from a"


@pytest.mark.parametrize("name", ["threads", "runs", "steps", "events", "tool_calls"])
def test_a_whole_table_is_its_frame(recorded, name):
    found = lumos.sql(f"select * from {name}")
    assert found.dtypes.astype(str).to_dict() == getattr(frames, name)().dtypes.astype(str).to_dict()
    assert list(found) == list(getattr(frames, name)())


def test_columns_of_ours_keep_their_types_and_others_have_that_of_their_values(recorded):
    found = lumos.sql(
        "select tool, count(*) as n, avg(duration_s) as mean, max(started_at), max(started_at) - min(started_at) as ns,"
        " 'x' as said, null as none, tool as cached from tool_calls group by tool order by tool"
    )
    assert found.dtypes.astype(str).tolist() == [
        "category", "Int64", "float64", "datetime64[ns, UTC]", "Int64", TEXT, TEXT, TEXT,
    ]  # fmt: skip
    assert found.n.tolist() == [3, 3] and found.tool.tolist() == ["ask", "broken"]


def test_large_columns_can_be_named_and_are_left_out_of_a_star(recorded):
    assert "payload_json" not in lumos.sql("select * from events")
    found = lumos.sql("select e.kind, length(e.payload_json) as size from events e where e.kind = ?", "run_start")
    assert len(found) == 6 and (found["size"] > 100).all()


def test_parameters_are_values_also_times_and_by_name(recorded):
    since = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
    assert lumos.sql("select count(*) n from runs where started_at > ?", since).n[0] == 6
    assert lumos.sql("select count(*) n from runs where agent = :agent", {"agent": "inner"}).n[0] == 3
    assert lumos.sql("select count(*) n from runs where agent = ?", "'; drop table runs; --").n[0] == 0


@pytest.mark.parametrize(
    "text",
    ["delete from runs", "insert into runs (run_id) values ('x')", "update main.runs set agent = 'x'",
     "drop table main.runs",
     "attach 'other.db' as other", "pragma user_version = 1", "pragma query_only = off", "vacuum", "begin", "reindex",
     "create temp table x (y)", "create table x (y)", "drop view runs", "select load_extension('x')",
     "with a as (select 1) delete from runs", "pragma writable_schema = 1", "detach main"],
)  # fmt: skip
def test_it_can_only_read(recorded, text):
    before = recorded.path.read_bytes()
    with pytest.raises(UsageError, match="would do more than read"):
        lumos.sql(text)
    assert recorded.path.read_bytes() == before
    assert len(lumos.runs()) == 6


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("select 1; select 2", "several statements"),
        ("", "no query in this text"),
        ("-- nothing", "no query in this text"),
        ("select * from rns", "Did you mean 'runs'"),
        ("select * from spans", r"lumos.spans\(\) has them"),
        ("select r.durations_s from runs r", "Did you mean 'duration_s'"),
        ("selct 1", "syntax error"),
        ("select ?", "1, and there are 0 supplied. It is SQL"),
        ("select agent || x'00ff' || json('{') from runs", "malformed JSON"),
    ],
)
def test_a_wrong_text_says_what_would_be_right(recorded, text, message):
    with pytest.raises(UsageError, match=message):
        lumos.sql(text)


def test_a_query_that_takes_too_long_is_stopped(recorded):
    with pytest.raises(StoreError, match=r"longer than 0.2 s.* timeout_s="):
        lumos.sql(FOREVER, timeout_s=0.2)


def test_a_query_can_be_interrupted(recorded):
    """In a process of its own, as from the notebook's Stop, which a person presses again if nothing happens."""
    code = f"""
import lumos_nb as lumos
print("begins", flush=True)
try:
    lumos.sql({FOREVER!r}, timeout_s=100)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
    asked = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert asked.stdout.readline() == "begins\n"
    while asked.poll() is None:
        time.sleep(1)
        asked.send_signal(signal.SIGINT)
    assert asked.stdout.read().startswith("interrupted")
    asked.stdout.close()


def test_rows_are_never_cut_silently(recorded):
    with pytest.warns(UserWarning, match="Only the first 2 rows"):
        found = lumos.sql("select * from events", limit=2)
    assert len(found) == 2 and found.attrs["lumos"]["is_cut"]
    assert not lumos.sql("select * from events limit 2", limit=2).attrs["lumos"]["is_cut"]
    assert len(lumos.sql("select * from events", limit=None)) == len(lumos.events())


def test_two_columns_of_one_name_are_told_apart(recorded):
    found = lumos.sql("select r.run_id, s.run_id, s.step from runs r join steps s using (run_id)")
    assert list(found) == ["run_id", "run_id_2", "step"] and (found.run_id == found.run_id_2).all()


def test_what_was_just_recorded_is_found(recorded):
    recorded.write_soon([Insert("threads", {"thread_id": "soon"})])
    assert lumos.sql("select count(*) n from threads where thread_id = 'soon'").n[0] == 1


def test_without_a_file_there_are_tables_and_no_rows(tmp_path):
    store = SqliteStore(tmp_path / "a" / "none.db")
    found = lumos.sql("select *, payload_json from events", store=store)
    assert found.empty and str(found.ts.dtype) == "datetime64[ns, UTC]"
    assert list(tmp_path.iterdir()) == []


def test_columns_that_an_older_file_lacks_are_missing(tmp_path):
    store = SqliteStore(tmp_path / "lumos.db")
    store.write([Insert("runs", {"run_id": "r1"})])
    store.close()
    with sqlite3.connect(store.path) as raw:
        raw.execute("alter table runs drop column config_hash")
    raw.close()
    assert lumos.sql("select config_hash, run_id from runs", store=store).config_hash.isna().all()
    store.close()


def test_bytes_and_mixtures_are_shown_as_they_are(recorded):
    assert lumos.sql("select x'00ff' as b").b[0] == b"\x00\xff"
    assert lumos.sql("select 1 as v union all select 'a' union all select null").v.tolist() == [1, "a", None]


def test_a_list_of_values_and_the_json_of_a_column_can_be_taken_apart(recorded):
    ids = frames.sql("select run_id from runs", store=recorded).run_id.to_json(orient="values")
    text = "select count(*) as n from runs where run_id in (select value from json_each(?))"
    assert (
        frames.sql(text, ids, store=recorded).n.tolist()
        == frames.sql("select count(*) as n from runs", store=recorded).n.tolist()
    )
