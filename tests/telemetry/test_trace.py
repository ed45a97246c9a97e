# ruff: noqa: E501 (scripts and texts stand on one line)
"""A trace of a real run: found by any name, whole where it is asked for, and shown as it is."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path

import msgspec
import pytest

from lumos_nb import Agent, clock, credentials, settings, tool
from lumos_nb.credentials import Secret
from lumos_nb.errors import UsageError
from lumos_nb.hiding.forms import DOTS
from lumos_nb.hiding.known import masked
from lumos_nb.memory.provenance import set_provenance
from lumos_nb.messages import ToolCall
from lumos_nb.stores import Insert, SqliteStore, Update, default_store
from lumos_nb.telemetry import ExecutionTrace, load_trace, load_traces, waterfall
from lumos_nb.telemetry.spans import in_tree, read_spans
from lumos_nb.testing import Answer, ScriptedProvider
from lumos_nb.traceparent import trace_id
from tests.telemetry.recording import database, recorded
from tests.telemetry.test_waterfall import check

V1 = Path(__file__).parents[1] / "samples" / "v1"
KEY = "sk-planted-0123456789abcdef"


@pytest.fixture(scope="module")
def db(tmp_path_factory):
    with database(tmp_path_factory.mktemp("trace") / "lumos.db") as store:
        recorded(thread="sales")
        recorded(thread="sales", prompt="Again.", script=[Answer(text="Nothing to do.")])
        yield store


@pytest.fixture
def first(db):
    runs = [r for (r,) in db.select("runs", ["run_id"], where=[("agent", "=", "analyst")], order=["started_at"])]
    return load_trace(runs[0], db)


@pytest.fixture
def copy(db, tmp_path):
    """A database of the same rows, to be spoiled."""
    source, target = sqlite3.connect(db.path), sqlite3.connect(tmp_path / "copy.db")
    source.backup(target)
    source.close()
    target.close()
    store = SqliteStore(tmp_path / "copy.db")
    yield store
    store.close()


def without_times(text: str) -> str:
    return re.sub(r"\b[\d.]+ (ms|s)\b", "0 s", text)


def test_a_run_is_a_tree_of_what_was_called_waited_for_and_decided(first):
    assert without_times(first.to_text()) == (
        "analyst · mock/lead-1 · ✓ · 0 s · 72 in, 31 out · $0.00\n"
        "├─ step 1 · lead-1 · ✓ · 0 s · first token 0 s · 6 in, 10 out · $0.00 · tool_calls · 2 tries\n"
        "│  └─ waited to try again · ✓ · 0 s\n"
        "├─ rows(table='order') · ✗ error · 0 s · ValueError: There is no table 'order'.\n"
        "├─ rows(table='orders', limit=3) · ✓ · 0 s · → 3 rows of orders id,amount id,amount id,amount\n"
        "├─ step 2 · lead-1 · ✓ · 0 s · first token 0 s · 21 in, 9 out · $0.00 · tool_calls\n"
        "├─ ask_expert(question='Which?') · ✓ · 0 s · → The old one.\n"
        "│  └─ expert · mock/expert-1 · ✓ · 0 s · 1 in, 3 out · $0.00\n"
        "│     └─ step 1 · expert-1 · ✓ · 0 s · first token 0 s · 1 in, 3 out · $0.00\n"
        "├─ waited for a person · drop · ✓ · 0 s · changed by you\n"
        "├─ drop(table='orders_old') · ✓ · 0 s · → orders_old is gone (The person changed the arguments of this call before it ran…\n"
        "└─ step 3 · lead-1 · ✓ · 0 s · first token 0 s · 44 in, 9 out · $0.00"
    )


def test_a_notebook_gets_the_waterfall_and_a_terminal_the_tree(first):
    bundle = first._repr_mimebundle_()
    assert bundle["text/plain"] == repr(first) == first.to_text()
    check(bundle["text/html"])
    assert bundle["text/html"].count("<svg") > len(first.spans)


def test_bars_open_to_the_request_the_answer_and_what_a_tool_was_given_and_gave(first):
    html = first.waterfall().to_html()
    for shown in ("Tidy up the tables.", "Be careful.", "HTTP 429 · refused · RateLimitError", "HTTP 200 · ok", "data: {",
                  "\"stream\": true", "First rows of a table.", "Request 2 of 2", "retry-after: 0.1",
                  "\"table\": \"orders_old\"", "changed by you", "id,amount",
                  "Done: &lt;b&gt;three&lt;/b&gt; rows of <span>$</span>5 each"):  # fmt: skip
        assert shown in html, shown


def test_what_was_on_the_wire_is_had_whole_and_by_attempt(first):
    sent = first.request(1)
    assert sent.method == "POST" and sent.url.endswith("/v1/chat/completions")
    assert sent.json()["messages"][-1] == {"role": "user", "content": "Tidy up the tables."}
    assert '"stream": true' in sent.text and sent.headers["content-type"] == "application/json"
    assert first.response(1).http_status == 200 and first.response(1).body.startswith(b"data: {")
    refused = first.response(1, attempt=1)
    assert (refused.http_status, refused.status, refused.error_type) == (429, "refused", "RateLimitError")
    assert refused.json() == {"error": {"message": "Scripted 429"}}
    assert "HTTP 429 · refused" in repr(refused)
    assert first.result("c4").startswith("orders_old is gone")


def test_what_was_not_kept_says_so(first):
    for wrong, says in (
        (lambda: first.request(9), "no step 9"),
        (lambda: first.request(1, attempt=3), "2 attempts"),
        (lambda: first.request(1, attempt=0), "2 attempts"),
        (lambda: first.result("c9"), "no tool call 'c9'"),
        (lambda: first.response(1).json(), "not JSON"),
    ):
        with pytest.raises(UsageError, match=says):
            wrong()


def test_errors_waits_and_nested_runs_are_named(first):
    assert first.errors == ("rows(table='order'): ValueError: There is no table 'order'.",)
    assert first.steps[0].errors == ("rows: ValueError: There is no table 'order'.",)
    assert [wait.op for wait in first.waits] == ["retry", "approval"]
    assert [(run.agent, run.parent_run_id) for run in first.runs] == [("expert", first.run_id)]
    assert [len(step.tool_calls) for step in first.steps] == [2, 2, 0]


def test_a_run_is_found_by_its_id_its_ends_its_trace_and_its_thread(db, first):
    for name in (first.run_id, first.run_id[-12:], trace_id(first.run_id), trace_id(first.run_id).upper()):
        assert load_trace(name, db).run_id == first.run_id
    assert load_trace(store=db).prompt == "Again."
    thread = load_traces("sales", db)
    assert [trace.prompt for trace in thread] == ["Tidy up the tables.", "Again."]
    assert [trace.run_id for trace in load_traces(first.thread_id, db)] == [trace.run_id for trace in thread]
    assert repr(thread).count("analyst · mock/lead-1") == 2
    check(f"<div>{thread._repr_mimebundle_()['text/html']}</div>")


@pytest.mark.parametrize(
    ("name", "says"),
    [("slaes", "Did you mean 'sales'?"), ("zzz", "There is no run 'zzz', and no thread or trace of that name."),
     ("0" * 32, "no thread or trace"), ("", "fits"), ("01a", "fits")],
)  # fmt: skip
def test_a_wrong_name_is_answered_with_what_is_near(db, name, says):
    if name == "01a":
        name = load_trace(store=db).run_id[:3]
    with pytest.raises(UsageError) as caught:
        load_trace(name, db)
    assert says in str(caught.value)


def test_what_is_no_name_says_so(db):
    for wrong in (5, None):
        with pytest.raises(UsageError, match="is no name of a run"):
            load_trace(wrong, db)
    with pytest.raises(UsageError, match="There is no run"):
        load_trace("\ud800", db)


def test_spans_alone_open_to_what_was_kept_where_the_store_is_given(db, first):
    assert "HTTP 429" in waterfall(first.spans, db).to_html()
    assert "HTTP 429" not in waterfall(first.spans).to_html()


def test_a_thread_of_several_runs_is_not_one_trace(db):
    with pytest.raises(UsageError, match="means 2 runs"):
        load_trace("sales", db)


# ---- secrets -------------------------------------------------------------------------------


def test_the_key_of_the_run_is_nowhere(first, tmp_path):
    shown = first.waterfall().to_html() + first.to_text() + repr(first.request(1)) + repr(first.response(1))
    assert KEY not in shown + json.dumps(first.to_dict()) and "planted" not in shown


def test_keys_that_were_kept_all_the_same_are_masked_wherever_they_stand(copy, first, monkeypatch):
    monkeypatch.setenv("MY_SERVICE_TOKEN", "kept-in-this-process")
    planted = ["sk-ant-api03-abcdefghij0123456789", "AIzaSyA1234567890abcdefghijkl", "kept-in-this-process",
               "ghp_0123456789abcdefghijABCDEFGHIJ", "eyJhbGciOiJI.eyJzdWIiOiIx.SflKxwRJSM"]  # fmt: skip
    where = {"run_id": first.run_id, "n": 2}
    body = json.dumps({"messages": [{"role": "user", "content": " and ".join(planted)}]}).encode()
    copy.write([Update("exchanges", where, {
        "url": f"https://ada:{planted[0]}@host/v1?key=hunter2hunter2&alt=sse", "request_body": b"\0" + body,
        "base_n": None, "response_body": b"\0data: " + body,
        "request_headers_json": json.dumps({"authorization": f"Bearer {planted[3]}", "x-api-key": "hunter2hunter2", "accept": planted[1]}),
        "response_headers_json": json.dumps({"set-cookie": "hunter2hunter2", "server": planted[4]}),
    })])  # fmt: skip
    copy.write([Update("tool_calls", {"run_id": first.run_id, "tool_call_id": "c2"},
                       {"result_json": json.dumps({"content": "x " * 3_990 + planted[0] + " x" * 90_000 + " " + planted[0]}), "result_preview": planted[0]})])  # fmt: skip
    trace = load_trace(first.run_id, copy)
    shown = trace.waterfall().to_html() + trace.to_text() + repr(trace.request(1)) + repr(trace.response(1))
    shown += trace.request(1).body.decode() + trace.response(1).text
    assert "hunter2" not in shown and DOTS in shown and "alt=sse" in shown
    for secret in planted:
        assert secret not in shown and secret[:14] not in shown


# ---- bad input is shown as it is -----------------------------------------------------------


def test_a_run_that_was_killed_is_open(copy, first):
    copy.write([Update("runs", {"run_id": first.run_id}, {"status": "running", "ended_at": None, "duration_s": None}),
                Update("tool_calls", {"run_id": first.run_id, "tool_call_id": "c4"}, {"status": "running", "duration_s": None})])  # fmt: skip
    trace = load_trace(first.run_id, copy)
    assert trace.to_text().splitlines()[0].startswith("analyst · mock/lead-1 · … running, not ended")
    assert "drop(table='orders_old') · … running, not ended" in trace.to_text()
    check(trace.waterfall().to_html())


def test_events_rows_and_bodies_that_nobody_knows_break_nothing(copy, first):
    run = {"run_id": first.run_id}
    event = {
        "ts": 1,
        "kind": "step_complete",
        "run_seq": 9_999,
        "event_id": "e-odd",
        "payload_json": '{"step": {"index": "?"}',
        **run,
    }
    copy.write([
        Insert("events", event), Insert("events", {**event, "event_id": "e-new", "kind": "telepathy", "payload_json": None}),
        Update("exchanges", {**run, "n": 1}, {"request_body": b"\1not zlib", "request_headers_json": "[", "step": None}),
        Update("exchanges", {**run, "n": 3}, {"response_body": b"", "response_headers_json": None, "http_status": None}),
        Update("tool_calls", {**run, "tool_call_id": "c1"}, {"args_json": "[" * 100_000, "result_json": "nonsense", "status": "eaten", "tool": None}),
        Update("steps", {**run, "step": 2}, {"started_at": None, "model": None, "status": "odd", "stop_reason": "\x1b[31m"}),
        Update("configs", {"agent": "analyst"}, {"config_json": "{"}),
    ])  # fmt: skip
    trace = load_trace(first.run_id, copy)
    check(trace.waterfall().to_html())
    assert "eaten" in trace.to_text() and "cannot be read" in trace.waterfall().to_html()
    assert trace.to_dict()["v"] == 1


def test_fifty_megabytes_are_shown_by_their_ends_and_had_whole(copy, first):
    giant = "begin " + "x" * 50_000_000 + " end"
    run = {"run_id": first.run_id}
    copy.write([
        Update("tool_calls", {**run, "tool_call_id": "c2"}, {"result_json": json.dumps({"content": giant})}),
        Update("exchanges", {**run, "n": 3}, {"response_body": b"\0" + giant.encode(), "response_bytes": len(giant)}),
    ])  # fmt: skip
    trace = load_trace(first.run_id, copy)
    html = trace.waterfall().to_html()
    assert len(html) < 150_000 and "of 50,000,010 characters" in html
    end = first.run_id[-12:]
    assert (
        f'all of it: load_trace("{end}").result("c2")' in html
        and f'load_trace("{end}").response(2, attempt=1).text' in html
    )
    assert trace.result("c2") == giant and trace.response(2).text == giant
    assert "20,000 of 50,000,010 characters" in repr(trace.response(2)) and len(repr(trace.response(2))) < 25_000


@pytest.mark.parametrize(
    "text", ["risk-assessment-of-all-things", "task_queue_of_the_whole_week", "Bearer of news", "the pk_orders table"]
)
def test_what_only_looks_a_little_like_a_key_stays(text):
    assert masked(text, ()) == text


def test_a_database_of_version_1_has_traces(tmp_path):
    raw = sqlite3.connect(tmp_path / "lumos.db")
    raw.executescript((V1 / "store.sql").read_text())
    raw.close()
    store = SqliteStore(tmp_path / "lumos.db")
    trace = load_trace(store=store)
    check(trace.waterfall().to_html())
    assert "rows" in trace.to_text() and trace.errors == ()
    with pytest.raises(UsageError, match="was not kept"):
        trace.request(1)
    store.close()


def test_a_trace_is_data_with_its_spans(first):
    data = first.to_dict()
    assert data["v"] == 1 and len(data["spans"]) == len(first.spans) == 12
    assert (
        msgspec.convert({k: v for k, v in data.items() if k not in {"v", "spans"}}, ExecutionTrace).steps == first.steps
    )


def test_a_key_from_the_keyring_is_masked_too(monkeypatch):
    monkeypatch.setitem(credentials._stored, "mistral", Secret("opensesame"))
    assert masked("The key opensesame was refused.") == f"The key {DOTS} was refused."


async def test_what_happens_in_one_moment_stands_in_the_order_of_its_steps(tmp_path):
    @tool
    def look_up(region: str) -> str:
        """Look something up."""
        return "1"

    calls = [ToolCall(id=f"z{n}", name="look_up", arguments='{"region": "a"}') for n in range(2)]
    settings.configure(db=str(tmp_path / "lumos.db"))
    with clock.using(clock.VirtualClock(1_000.0)):
        result = await Agent("a", model=ScriptedProvider([calls, "Done."]), tools=[look_up]).generate("Go")
    store = default_store()
    settings.reset()
    spans = [span for _, span in in_tree(read_spans(store, [("run_id", "=", result.run_id)]))]
    assert [(s.op, s.step) for s in spans[1:]] == [
        ("chat", 1), ("execute_tool", 1), ("execute_tool", 1), ("chat", 2)
    ]  # fmt: skip


async def test_a_saved_waterfall_names_the_notebook_without_its_folder(tmp_path):
    settings.configure(db=str(tmp_path / "lumos.db"))
    set_provenance(lambda: {"notebook": "/home/ada/clients/report.ipynb"})
    result = await Agent("a", model=ScriptedProvider(["Done."])).generate("Go")
    set_provenance(None)
    shown = load_trace(result.run_id)._repr_mimebundle_()["text/html"]
    settings.reset()
    assert "notebook report.ipynb" in shown and "/home/ada" not in shown
