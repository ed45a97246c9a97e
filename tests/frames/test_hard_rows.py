"""Rows that nobody should have written are shown as they are, by every frame, query and repr."""

import unicodedata

import pytest

from lumos_nb import frames
from lumos_nb.frames._tables import SOURCES
from lumos_nb.stores import Insert, SqliteStore

ODD = "".join({unicodedata.category(c): c for c in map(chr, range(0x11000)) if not "\ud800" <= c <= "\udfff"}.values())
HOLOGRAM = '{"content": [{"type": "hologram", "text": {"a": 1}}, 5, {"type": "text"}]}'


@pytest.fixture(scope="module")
def hard(tmp_path_factory):
    store = SqliteStore(tmp_path_factory.mktemp("hard") / "lumos.db")
    at = {"run_id": ODD, "thread_id": ODD}
    store.write(
        [
            Insert("threads", {"thread_id": ODD, "title": ODD}),
            Insert("runs", at | {"started_at": 2**62, "ended_at": -5, "agent": ODD, "model": ODD, "status": ODD}),
            Insert("runs", {"run_id": "killed"}),
            Insert(
                "steps", {"run_id": ODD, "step": 1, "started_at": -(2**62), "input_tokens": 2**62, "status": "later"}
            ),
            Insert("tool_calls", at | {"step": 1, "tool_call_id": "c", "tool": ODD, "result_json": "x" * 50_000_000}),
            Insert("messages", {"message_id": "1", "content_json": "{broken", "thread_id": ODD, "idx": 0}),
            Insert("messages", {"message_id": "2", "content_json": HOLOGRAM, "thread_id": ODD, "idx": 1}),
            Insert("messages", {"message_id": "3", "thread_id": ODD, "idx": 2}),
            Insert(
                "events", at | {"event_id": "e", "kind": "of_the_future", "payload_json": "no JSON", "ts": -(2**63)}
            ),
        ]
    )
    yield store
    store.close()


@pytest.mark.parametrize("name", SOURCES)
def test_hard_rows_are_shown(hard, name, tmp_path):
    query = getattr(frames.q.on(hard), name)
    df = getattr(frames, name)(store=hard, payload=True)
    assert (
        len(df) == query.count() == query.arrow().num_rows == frames.snapshot(tmp_path / "x", name, store=hard).n_rows
    )
    assert repr(df) and df._repr_html_() and query.polars().height == len(df)
    assert "\x00" not in repr(query.where(**{"run_id" if "run_id" in df else "thread_id": ODD}))


def test_parts_that_are_not_known_are_shown_as_text(hard):
    parts = frames.messages(store=hard)
    assert parts.part_type.tolist() == ["text", "hologram", "text", "text", "text"]
    assert parts.text.fillna("").tolist() == ["{broken", '{"a":1}', "5", "", ""]


def test_what_is_large_comes_whole_and_only_when_it_is_asked_for(hard):
    assert len(frames.sql("select result_json from tool_calls", store=hard).result_json[0]) == 50_000_000
    assert "result_json" not in frames.tool_calls(store=hard)
    assert len(frames.tool_calls(store=hard, payload=True).result_json[0]) == 50_000_000


def test_odd_names_are_found_by_themselves(hard):
    assert len(frames.runs(agent=ODD, store=hard)) == len(frames.runs(agent=[ODD], store=hard)) == 1
    assert len(frames.sql("select * from runs where agent = ?", ODD, store=hard)) == 1
    assert set(frames.spans(store=hard).run_id) == {ODD, "killed"}
    assert str(frames.runs(store=hard).lumos.waterfall(store=hard))
    assert len(frames.runs(store=hard).lumos.cost()) == 2
