"""Snapshots: complete, incremental, and the frame's own dtypes in whatever reads them."""

import os

import pandas as pd
import polars
import pytest

import lumos_nb as lumos
from lumos_nb import frames
from lumos_nb.errors import StoreError, UsageError
from lumos_nb.stores import Insert, SqliteStore

NAMES = ["threads", "runs", "steps", "events", "messages", "tool_calls", "metrics", "spans"]


@pytest.mark.parametrize("name", NAMES)
def test_a_snapshot_is_the_frame_with_its_dtypes(recorded, tmp_path, name):
    made = lumos.snapshot(tmp_path / "x.parquet", name, payload=True)
    frame = getattr(frames, name)(payload=True)
    assert (made.n_new, made.n_rows, made.n_parts) == (len(frame), len(frame), 1)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "x.parquet"), frame, check_categorical=False)
    assert polars.read_parquet(tmp_path / "x.parquet").shape == frame.shape


def events(store, first, last, prefix="e"):
    store.write(
        [Insert("events", {"event_id": f"{prefix}{i}", "ts": i, "kind": f"k{i % 3}"}) for i in range(first, last)]
    )


def test_a_second_call_adds_only_what_is_new(tmp_path):
    store, path = SqliteStore(tmp_path / "lumos.db"), tmp_path / "events.parquet"
    assert repr(lumos.snapshot(path, store=store)).endswith("0 rows in 1 part, 0 of them new")
    events(store, 0, 10)
    assert lumos.snapshot(path, store=store).n_new == 10
    before = {name: (path / name).stat().st_mtime_ns for name in os.listdir(path)}
    events(store, 10, 13)
    assert repr(lumos.snapshot(path, store=store)).endswith("13 rows in 2 parts, 3 of them new")
    assert lumos.snapshot(path, store=store).n_new == 0
    assert {name: time for name, time in before.items() if (path / name).stat().st_mtime_ns == time} == before
    pd.testing.assert_frame_equal(pd.read_parquet(path), frames.events(store=store), check_categorical=False)
    assert polars.scan_parquet(path).collect()["seq"].to_list() == list(range(1, 14))
    store.close()


def test_rows_that_change_are_written_anew(recorded, tmp_path):
    for expected in (6, 7):
        assert lumos.snapshot(tmp_path / "runs.parquet", "runs").n_rows == expected
        recorded.write([Insert("runs", {"run_id": "more"})] if expected == 6 else [])
    assert os.listdir(tmp_path / "runs.parquet") == ["part-00000000000000000001.parquet"]


def test_a_snapshot_of_something_else_is_left_as_it_is(tmp_path):
    one, other, path = SqliteStore(tmp_path / "a.db"), SqliteStore(tmp_path / "b.db"), tmp_path / "x.parquet"
    events(one, 0, 5)
    events(other, 0, 9, prefix="other")
    lumos.snapshot(path, store=one)
    with pytest.raises(UsageError, match="another database"):
        lumos.snapshot(path, store=other)
    with pytest.raises(UsageError, match="other columns"):
        lumos.snapshot(path, store=one, payload=True)
    assert len(pd.read_parquet(path)) == 5
    one.close()
    other.close()


def test_what_fails_in_the_middle_leaves_no_part(recorded, tmp_path):
    class Broken(SqliteStore):
        def select(self, *args, **more):
            for i, row in enumerate(super().select(*args, **more)):
                if i == 5:
                    raise StoreError("Gone.")
                yield row

    with pytest.raises(StoreError, match="Gone"):
        lumos.snapshot(tmp_path / "x.parquet", store=Broken(recorded.path))
    assert os.listdir(tmp_path / "x.parquet") == []
    assert lumos.snapshot(tmp_path / "x.parquet").n_rows == len(lumos.events())


def test_a_file_in_the_way_and_a_wrong_name_are_said(recorded, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        lumos.snapshot(tmp_path / "file")
    with pytest.raises(UsageError, match="Did you mean 'events'"):
        lumos.snapshot(tmp_path / "x", "event")


@pytest.mark.parametrize(("first", "then"), [("events", "runs"), ("runs", "events"), ("runs", "tool_calls")])
def test_a_snapshot_of_one_frame_is_not_written_over_with_another(recorded, tmp_path, first, then):
    made = lumos.snapshot(tmp_path / "a.parquet", first)
    with pytest.raises(UsageError, match=f"was made of '{first}'"):
        lumos.snapshot(tmp_path / "a.parquet", then)
    assert lumos.snapshot(tmp_path / "a.parquet", first, payload=False).n_rows == made.n_rows
    assert len(pd.read_parquet(tmp_path / "a.parquet")) == made.n_rows


@pytest.mark.parametrize("content", [b"", b"junk", b"PAR1" * 20])
def test_a_part_that_is_broken_is_named(recorded, tmp_path, content):
    lumos.snapshot(tmp_path / "a.parquet")
    (part,) = (tmp_path / "a.parquet").glob("part-*")
    part.write_bytes(content)
    with pytest.raises(StoreError, match=part.name):
        lumos.snapshot(tmp_path / "a.parquet")


def test_a_part_that_another_process_has_written_meanwhile_stays(recorded, tmp_path):
    """Both saw the same last event; the slower one has fewer."""
    from lumos_nb.frames import _snapshot

    lumos.snapshot(tmp_path / "a.parquet")
    (part,) = (tmp_path / "a.parquet").glob("part-*")
    before = part.read_bytes()
    with pytest.raises(FileExistsError):
        _snapshot._write(part, lumos.q.events.where("seq", "<", 3), _snapshot._name_first)
    assert part.read_bytes() == before and len(list((tmp_path / "a.parquet").iterdir())) == 1


@pytest.mark.parametrize(("path", "table"), [(5, "events"), ("a\0b", "events"), ("a", ["runs"]), (None, "runs")])
def test_what_is_no_path_or_frame_is_refused(tmp_path, path, table):
    with pytest.raises(UsageError):
        lumos.snapshot(path, table)
