"""What is said when the file cannot be used, on real files, and that it is left alone."""

import os
import sqlite3
import subprocess
import sys

import pytest

from lumos_nb.errors import StoreError
from lumos_nb.stores import Insert, SqliteStore

ROW = Insert("threads", {"thread_id": "t1", "title": "one"})


def failure(path, **options):
    store = SqliteStore(path, **options)
    with pytest.raises(StoreError) as caught:
        store.write([ROW])
    store.close()
    assert caught.value.hint and ("LUMOS_DB" in caught.value.hint)
    return str(caught.value)


def test_a_lock_of_another_connection_names_the_file_and_says_to_try_again(tmp_path):
    path = tmp_path / "a.db"
    SqliteStore(path).write([ROW])
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    text = failure(path, busy_timeout_s=0.05)
    other.close()
    assert "is locked by another process" in text and str(path) in text and "Try again" in text


@pytest.mark.parametrize("content", [b"hello, I am a text file\n" * 50, os.urandom(10_000)])
def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path, content):
    path = tmp_path / "a.db"
    path.write_bytes(content)
    text = failure(path)
    assert "is not a Lumos database" in text and f"mv '{path}'" in text
    with pytest.raises(StoreError, match="is not a Lumos database"):
        list(SqliteStore(path).select("runs", ["run_id"]))
    assert path.read_bytes() == content


def test_a_database_of_another_program_is_left_as_it_is(tmp_path):
    path = tmp_path / "a.db"
    with sqlite3.connect(path) as raw:
        raw.execute("create table events (mine)")
    raw.close()
    before = path.read_bytes()
    assert "another program" in failure(path)
    assert path.read_bytes() == before


def test_a_damaged_database_is_said_to_be_damaged(tmp_path):
    path = tmp_path / "a.db"
    store = SqliteStore(path)
    store.write([Insert("threads", {"thread_id": str(i), "title": "x" * 500}) for i in range(500)])
    store.close()
    content = bytearray(path.read_bytes())
    content[4096 * 2 :] = b"\xff" * (len(content) - 4096 * 2)
    path.write_bytes(content)
    with pytest.raises(StoreError, match="is damaged") as caught:
        list(SqliteStore(path).select("threads", ["title"]))
    assert f"mv '{path}'" in caught.value.hint
    assert path.read_bytes() == content


def test_a_folder_that_is_a_file_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    assert "is a file" in failure(tmp_path / "file" / "a.db")
    assert str(tmp_path / "file") in failure(tmp_path / "file" / "deeper" / "a.db")


def test_a_path_that_is_a_folder_cannot_be_opened(tmp_path):
    (tmp_path / "a.db").mkdir()
    assert "cannot be opened" in failure(tmp_path / "a.db")


def as_nobody(code, *args):
    """Run code as a user without rights, for root may write anywhere."""
    done = subprocess.run([sys.executable, "-c", code, *map(str, args)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


WRITE = """
from lumos_nb.errors import StoreError
from lumos_nb.stores import Insert, SqliteStore
import os, sys
if os.getuid() == 0: os.setuid(65534)  # after the imports: it may not read the library either
store = SqliteStore(sys.argv[1])
try: store.write([Insert("threads", {"thread_id": "t2"})])
except StoreError as error: print(error)
"""


@pytest.mark.skipif(os.name == "nt", reason="file rights of POSIX")
@pytest.mark.parametrize("folder_mode", [0o555, 0o777])
def test_a_file_without_write_access_is_read_only_in_two_sentences(tmp_path, folder_mode):
    for parent in [*tmp_path.parents][:2]:
        parent.chmod(parent.stat().st_mode | 0o055)
    path = tmp_path / "a.db"
    store = SqliteStore(path)
    store.write([ROW])
    store.close()
    path.chmod(0o444)
    tmp_path.chmod(folder_mode)
    text = as_nobody(WRITE, path)
    tmp_path.chmod(0o755)
    assert str(path) in text and "LUMOS_DB" in text and ("read-only" in text or "cannot be opened" in text)


@pytest.mark.skipif(os.name == "nt", reason="file rights of POSIX")
def test_a_folder_without_write_access_is_named(tmp_path):
    for parent in [*tmp_path.parents][:2]:
        parent.chmod(parent.stat().st_mode | 0o055)
    tmp_path.chmod(0o555)
    text = as_nobody(WRITE, tmp_path / ".lumos" / "a.db")
    tmp_path.chmod(0o755)
    assert "permission was denied" in text and str(tmp_path) in text and "LUMOS_DB" in text


def test_a_full_disk_is_said_to_be_full_and_nothing_of_the_batch_is_kept(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", disk], capture_output=True)
    if mounted.returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        store = SqliteStore(disk / "a.db")
        store.write([ROW])
        with pytest.raises(StoreError, match="is full") as caught:
            store.write([Insert("threads", {"thread_id": f"x{i}", "title": "x" * 1000}) for i in range(5_000)])
        assert "Free some space" in caught.value.hint
        assert list(store.select("threads", ["thread_id"])) == [("t1",)]
        store.close()
    finally:
        subprocess.run(["umount", disk], check=True)


def test_an_older_file_gets_missing_columns_and_reads_as_none_before(tmp_path):
    path = tmp_path / "a.db"
    store = SqliteStore(path)
    store.write([ROW])
    store.close()
    with sqlite3.connect(path) as raw:
        raw.execute("alter table threads drop column cost_usd")
        raw.execute("drop table kept_settings")
        raw.execute("alter table events_lazy drop column payload_json")
        raw.execute("pragma user_version = 1000")
    raw.close()
    assert list(SqliteStore(path).select("threads", ["title", "cost_usd"])) == [("one", None)]
    assert list(SqliteStore(path).select("kept_settings", ["name"])) == []
    store = SqliteStore(path)
    store.write([Insert("threads", {"thread_id": "t2", "cost_usd": 1.0}), Insert("kept_settings", {"name": "x"})])
    store.write([Insert("events", {"event_id": "e", "payload_json": "p"})])
    assert list(store.select("threads", ["cost_usd"], order=["thread_id"])) == [(None,), (1.0,)]
    assert list(store.select("events", ["payload_json"])) == [("p",)]
    store.close()


def test_a_newer_file_with_more_columns_is_used_and_a_newer_format_is_refused(tmp_path):
    path = tmp_path / "a.db"
    SqliteStore(path).write([ROW])
    with sqlite3.connect(path) as raw:
        raw.execute("alter table threads add column mood")
        raw.execute("pragma user_version = 1999")
    store = SqliteStore(path)
    store.write([Insert("threads", {"thread_id": "t2"})])
    assert len(list(store.select("threads", ["title"]))) == 2
    store.close()
    with raw:
        raw.execute("pragma user_version = 2001")
    raw.close()
    assert "newer Lumos" in failure(path)
