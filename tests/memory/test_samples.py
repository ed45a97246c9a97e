"""What an earlier version stored must always load; the samples are never written again."""

import json
import sqlite3
from pathlib import Path

import pytest

from lumos_nb import frames
from lumos_nb.events import AgentEvent, GenerationComplete, decode_event, encode_event
from lumos_nb.memory import Memory
from lumos_nb.memory.exchanges import read_config, read_exchanges
from lumos_nb.messages import ToolCall, decode_message, encode_message
from lumos_nb.stores import SqliteStore
from lumos_nb.telemetry.accounting import disagreements
from lumos_nb.telemetry.spans import trace_spans
from lumos_nb.transcript import TRANSCRIPT_VERSION, Transcript

V1 = Path(__file__).parents[1] / "samples" / "v1"


def lines(name):
    return (V1 / name).read_bytes().splitlines()


def test_messages_of_version_1_load():
    messages = [decode_message(line) for line in lines("messages.jsonl")]
    assert [m.role for m in messages] == ["system", "user", "assistant", "tool"]
    assert messages[1].parts[1].data == b"\x89PNG"
    assert messages[2].tool_calls == (ToolCall(id="call_0", name="rows", arguments='{"limit": 1}'),)
    assert [decode_message(encode_message(m)) for m in messages] == messages


def test_events_of_version_1_load_and_every_kind_has_a_sample():
    # The second file: kinds that came later, in the same version.
    events = [decode_event(line) for name in ("events.jsonl", "events_added.jsonl") for line in lines(name)]
    assert {type(e) for e in events} == set(AgentEvent.__args__)
    assert [decode_event(encode_event(e)) for e in events] == events
    transcript = Transcript()
    transcript.apply(e for e in events if e.type != "error")
    assert transcript.doc["status"] == "completed"


def test_a_transcript_of_version_1_has_what_a_view_needs():
    doc = json.loads((V1 / "transcript.json").read_text())
    assert doc["v"] == TRANSCRIPT_VERSION
    assert set(doc) <= set(Transcript().doc) and [i["kind"] for i in doc["items"]] == ["reasoning", "text", "tool"]


@pytest.fixture(params=["v1", "v2", "v3"])
def store(tmp_path, request):
    store = opened(tmp_path, request.param)
    yield store
    store.close()


def opened(folder, version):
    raw = sqlite3.connect(folder / "lumos.db")
    raw.executescript((V1.parent / version / "store.sql").read_text())
    raw.close()
    return SqliteStore(folder / "lumos.db")


async def test_a_database_of_an_earlier_version_opens_reads_and_takes_more(store):
    memory = Memory(store)
    thread = await memory.get_thread("t1")
    assert [m.content for m in await thread.get_messages()] == [
        decode_message(x).content for x in lines("messages.jsonl")
    ]
    kept = [decode_event(p) for (p,) in store.select("events", ["payload_json"], order=["seq"])]
    assert isinstance(kept[-1], GenerationComplete) and len(kept) == 12
    assert frames.runs(store=store)[["status", "input_tokens", "cost_usd"]].values.tolist() == [["completed", 10, 0.25]]
    await thread.add_messages([decode_message(lines("messages.jsonl")[0])])
    assert len(await thread.get_messages()) == 5


def test_what_version_3_keeps_besides_loads(tmp_path):
    store = opened(tmp_path, "v3")
    exchanges = read_exchanges(store, "r1")
    assert [e.request_body for e in exchanges] == [b'{"ask": "Look"}', b'{"ask": "Look again"}']
    assert {e.response_body for e in exchanges} == {b"data: 42\n\n"}
    run = frames.runs(store=store).iloc[0]
    assert read_config(store, run.config_hash)["tools"][0]["name"] == "rows"
    assert (run.source_hash, run.names_read_json, run.cell_id) == ("0123456789abcdef", '["orders"]', "c1")
    store.close()


@pytest.mark.parametrize("store", ["v1", "v2"], indirect=True)
def test_what_an_earlier_version_did_not_keep_is_not_known(store):
    spans = trace_spans(store, "r1")
    assert [span.op for span in spans] == ["invoke_agent", "chat", "execute_tool"]
    assert {len(span.trace_id) for span in spans} == {32} and disagreements(store) == []
    assert read_exchanges(store, "r1") == [] and frames.runs(store=store).config_hash.isna().all()
    assert len(frames.stale(store=store)) == 0
