"""Databases of earlier versions: every frame, query and SELECT reads them as they are, and changes nothing."""

import sqlite3
from pathlib import Path

import pytest

from lumos_nb import frames
from lumos_nb.frames._tables import SOURCES
from lumos_nb.stores import SqliteStore

SAMPLES = sorted((Path(__file__).parents[1] / "samples").glob("v*/store.sql"))


@pytest.fixture(params=SAMPLES, ids=lambda path: path.parent.name)
def old(request, tmp_path):
    connection = sqlite3.connect(tmp_path / "lumos.db")
    connection.executescript(request.param.read_text(encoding="utf-8"))
    connection.commit()
    connection.close()
    store = SqliteStore(tmp_path / "lumos.db")
    before = store.path.read_bytes()
    yield store
    store.close()
    assert store.path.read_bytes() == before


@pytest.mark.parametrize("name", SOURCES)
def test_an_old_database_is_read_as_it_is(old, name, tmp_path):
    df = getattr(frames, name)(store=old, payload=True)
    assert len(df) == getattr(frames.q.on(old), name).count() > 0
    assert frames.snapshot(tmp_path / name, name, store=old).n_rows == len(getattr(frames, name)(store=old))
    if name not in {"messages", "metrics", "spans"}:
        assert len(frames.sql(f"select * from {name}", store=old)) == len(df)


@pytest.mark.parametrize("old", [s for s in SAMPLES if s.parent.name in {"v1", "v2"}], indirect=True)
def test_what_it_lacks_is_missing_in_filters_and_groups_too(old):
    q = frames.q.on(old)
    assert q.runs.where(names_read_json=None).count() == q.runs.count() == 1
    assert q.runs.group_by("names_read_json").count().n.tolist() == [1]
    assert frames.sql("select names_read_json as n from runs", store=old).n.isna().all()
