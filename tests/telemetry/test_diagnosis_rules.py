"""Slow runs, what would have saved time, odd stores, and what many runs advise."""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path

import pytest

from lumos_nb import Agent, frames, llm, settings, tool
from lumos_nb.errors import UsageError
from lumos_nb.events import TokenUsage
from lumos_nb.messages import ToolCall
from lumos_nb.stores import Insert, SqliteStore, Update, default_store
from lumos_nb.telemetry import diagnose
from lumos_nb.telemetry.diagnosis import advice, savings, timing
from lumos_nb.telemetry.span import Span
from lumos_nb.testing import Answer, FakeServer, Reply, ScriptedProvider
from lumos_nb.transport import default_transport
from tests.telemetry.recorded_runs import ask, call, mean, scripted

SAMPLES = Path(__file__).parents[1] / "samples"


@pytest.fixture(autouse=True)
async def database(tmp_path, monkeypatch):
    monkeypatch.setenv("LUMOS_DB", str(tmp_path / "lumos.db"))
    settings.reset()
    yield
    await default_transport().aclose()
    settings.reset()


def kinds():
    return [f.kind for f in diagnose("last").findings]


# ---- slow runs ---------------------------------------------------------------------------


async def test_a_run_is_slow_by_its_own_like_and_what_it_waited_for_is_named():
    with FakeServer([*["Hi"] * 5, Reply(answer=Answer(text="Hi"), first_byte_delay_s=1.3)]) as server:
        agent = Agent("a", model=llm("mine/m", base_url=server.base_url))
        for _ in range(5):
            await ask(agent)
            assert kinds() == []
        await ask(agent)
    [slow] = diagnose("last").findings
    assert slow.kind == "slow" and "5 other runs" in slow.title and "first token" in slow.title
    assert next(iter(diagnose("last").phases)) == "first_token"


async def test_tools_that_waited_for_each_other_are_told_with_what_it_would_save(monkeypatch):
    monkeypatch.setattr(savings, "WORTH_S", 0.6)  # what a loaded machine may add stays below

    def slow(n: int) -> int:
        time.sleep(0.4)
        return n

    calls = [call("slow", f"c{n}", n=n) for n in range(3)]
    await scripted([calls, "Done."], [slow])
    [found] = diagnose("last").findings
    assert found.kind == "serial_tools" and found.step == 1
    assert found.saves_s > 0.7
    await scripted([calls, "Done."], [tool(thread=True)(slow)])
    assert kinds() == []


async def test_prompts_that_no_cache_holds_are_priced_by_the_vendors_own_prices(monkeypatch):
    prices = {"scripted/script": {"input": 3.0, "output": 15.0, "cache_read": 0.3}}
    monkeypatch.setenv("LUMOS_PRICES", json.dumps(prices))
    settings.reset()

    def answer(tokens, cached=0, **more):
        return Answer(usage=TokenUsage(input_tokens=tokens, output_tokens=5, cache_read_tokens=cached), **more)

    asked = [answer(10_000, tool_calls=[call("mean", values=[1])])]
    await scripted([*asked, answer(11_000, text="1.")], [mean])
    [found] = diagnose("last").findings
    assert found.kind == "uncached" and "10,000 of 21,000" in found.title
    assert found.saves_usd == pytest.approx(10_000 * 2.7e-6)
    await scripted([*asked, answer(11_000, 10_000, text="1.")], [mean])
    assert kinds() == []


async def test_a_tool_that_returns_much_is_told_with_what_it_was_sent_again(monkeypatch):
    def page() -> str:
        return "word " * 4_000

    usage = TokenUsage(input_tokens=6_000, output_tokens=5)
    script = [Answer(tool_calls=[call("page")], usage=TokenUsage(input_tokens=50)), Answer(text="Read.", usage=usage)]
    await scripted(script, [page])
    [found] = diagnose("last").findings
    assert (found.kind, found.tool, found.saves_usd) == ("large_results", "page", None)


async def test_one_call_a_step_is_told_where_model_calls_take_time(monkeypatch):
    monkeypatch.setattr(savings, "WORTH_S", 0.01)
    script = [Answer(text="So", delay_s=0.02, tool_calls=[call("mean", f"c{n}", values=[n])]) for n in range(4)]
    await scripted([*script, "Done."], [mean])
    [found] = diagnose("last").findings
    assert found.kind == "one_by_one" and found.saves_s > 0.05 and "3 model calls" in found.title


def test_each_moment_counts_once():
    def span(op, start_s, end_s, **more):
        return Span(trace_id="", span_id=op, parent_span_id=None, op=op, name=op, run_id="", status="ok",
                    start_ns=int(start_s * 1e9), end_ns=int(end_s * 1e9), **more)  # fmt: skip

    spans = [span("invoke_agent", 0, 10), span("chat", 0, 6, ttft_s=4.0), span("retry", 1, 3), span("approval", 6, 9)]
    assert timing.phases(spans) == {"approval": 3.0, "first_token": 2.0, "retry": 2.0, "writing": 2.0}


# ---- what cannot be understood is shown as it is -----------------------------------------


def test_a_store_of_version_1_is_diagnosed(tmp_path):
    raw = sqlite3.connect(tmp_path / "old.db")
    raw.executescript((SAMPLES / "v1" / "store.sql").read_text())
    raw.close()
    found = diagnose("last", SqliteStore(tmp_path / "old.db"))
    assert found.status == "completed" and found.to_text() and found.reproduce


async def test_events_of_a_later_version_and_broken_ones_do_not_keep_the_rest_from_being_read():
    await scripted([call("mean", values=[]), "Sorry."], [mean])
    run_id = diagnose("last").run_id
    odd = ['{"type":"from_the_future","x":1}', "{", "[]", '"text"', '{"type":"metadata","data":[1]}', ""]
    for n, payload in enumerate(odd):
        kind = ["from_the_future", "metadata", "error", "run_start", "metadata", "error"][n]
        row = {"event_id": f"odd{n}", "run_id": run_id, "run_seq": 100 + n, "kind": kind, "ts": time.time_ns()}
        default_store().write([Insert("events", row | {"payload_json": payload})])
    found = diagnose("last")
    assert found.findings[0].kind == "tool_bug"
    assert found.to_text() and found._repr_mimebundle_() and found.reproduce


async def test_clocks_that_jump_and_values_that_are_missing_break_nothing():
    await scripted([call("mean", values=[]), "Sorry."], [mean])
    run_id = diagnose("last").run_id
    for changes in (
        {"ended_at": 1, "duration_s": -5.0, "started_at": 10**19 // 2},
        {"started_at": None, "duration_s": None, "agent": None, "model": None, "provider": None, "process": None},
        {
            "status": "from_the_future",
            "error_type": "Odd",
            "error_message": "\ud83d<b>".encode("utf-8", "replace").decode(),
        },
    ):
        default_store().write([Update("runs", {"run_id": run_id}, changes)])
        found = diagnose(run_id)
        assert found.to_text() and "<script" not in found._repr_mimebundle_()["text/html"]


async def test_what_a_tool_or_a_model_wrote_is_never_markup():
    evil = "</pre><script>alert(1)</script>"

    def bad(text: str) -> str:
        raise ValueError(text)

    await scripted([call("bad", text=evil), evil], [bad])
    html = diagnose("last")._repr_mimebundle_()["text/html"]
    assert "<script" not in html and "&lt;script" in html


async def test_a_database_that_is_none_is_itself_the_finding(tmp_path):
    (tmp_path / "lumos.db").write_text("This is no database. " * 100)
    [found] = diagnose().findings
    assert found.kind == "database" and "lumos.db" in found.title and "LUMOS_DB" in found.suggestion


async def test_a_result_of_50_mb_is_quoted_in_short(monkeypatch):
    monkeypatch.setenv("LUMOS_TOOL_RESULT_CHARS", "60000000")
    settings.reset()

    def bad() -> str:
        raise ValueError("x" * 50_000_000)

    await scripted([call("bad"), "Oh."], [bad])
    found = diagnose("last")
    assert found.findings[0].kind == "tool_bug"
    assert len(found.to_text()) < 20_000 and len(str(found._repr_mimebundle_())) < 60_000


# ---- many runs ---------------------------------------------------------------------------


async def test_a_few_runs_advise_nothing_and_say_so():
    await scripted(["Hi"])
    rows = frames.advice()
    assert rows[["kind", "n", "of_n"]].values.tolist() == [["not_enough", 1, 10]]


async def test_real_runs_advise_on_the_tool_that_fails_and_the_one_that_nobody_calls():
    @tool
    def unused(text: str) -> str:
        """Never called by anybody."""
        return text

    for n in range(20):
        values = [1] if n % 2 else []
        await scripted([call("mean", values=values), "Done."], [mean, unused])
    rows = frames.advice(last="1h").set_index("kind")
    assert sorted(rows.index) == ["failing_tool", "idle_tool"]
    failing = rows.loc["failing_tool"]
    assert (failing.subject, failing.n, failing.of_n) == ("mean", 10, 20)
    assert "ZeroDivisionError" in failing.what and len(failing.run_ids.split(", ")) == 5
    assert (rows.loc["idle_tool"].subject, rows.loc["idle_tool"].of_n) == ("unused", 20)
    assert frames.advice(since="2199-01-01")["kind"].tolist() == ["not_enough"]
    assert frames.advice().dtypes.map(str).tolist() == frames.advice(agent="nobody").dtypes.map(str).tolist()


async def test_real_runs_advise_on_answers_that_are_cut_and_on_steps_that_run_out():
    for n in range(12):
        await scripted(
            [Answer(text="It", finish="length")] if n % 2 else [call("mean", values=[n])], [mean], max_steps=1
        )
    found = {a.kind: a for a in advice.advise(default_store())}
    assert (found["truncated"].n, found["max_steps"].n, found["truncated"].of_n) == (6, 6, 12)


async def test_chance_alone_gives_no_advice():
    for n in range(12):
        await scripted([call("mean", values=[] if n == 0 else [1]), "Done."], [mean])
    assert advice.advise(default_store()) == []


async def test_one_agent_with_two_models_is_told_which_is_slower():
    for model, delay_s in (("quick", 0.0), ("slow", 0.1)):
        for _ in range(10):
            provider = ScriptedProvider([Answer(text="Hi", delay_s=delay_s)], model=model)
            await ask(Agent("a", model=provider))
    [found] = [a for a in advice.advise(default_store()) if a.kind == "slower_model"]
    assert "with scripted/slow" in found.what and found.n == 10 and found.saves_s > 0.3


async def test_retries_are_told_with_their_hours(monkeypatch):
    monkeypatch.setattr("random.uniform", lambda a, b: 0.001)
    with FakeServer(lambda request: Reply(status=503) if len(server.requests) % 2 else "Hi") as server:
        for _ in range(10):
            await ask(Agent("a", model=llm("mine/m", base_url=server.base_url)))
    found = {a.kind: a for a in advice.advise(default_store())}
    assert found["retries"].n == 10 and ":00 (10)" in found["retries"].what


async def test_arguments_of_a_call_are_those_of_the_first_that_failed():
    script = [call("mean", "c1", values=[1]), call("mean", "c2", values=[]), ToolCall("c3", "mean", "{"), "Done."]
    await scripted(script, [mean])
    found = diagnose("last").findings
    assert [(f.kind, f.step, f.tool_call_id) for f in found] == [("tool_bug", 2, "c2"), ("tool_arguments", 3, "c3")]


async def test_a_prompt_that_nearly_fills_the_window_is_told():
    """The window is that of a model whose vendor's row names it; the prompt's size is what the model counted."""
    usage = TokenUsage(input_tokens=900_000, output_tokens=5, cache_read_tokens=899_000)
    model = ScriptedProvider([Answer(text="Read.", usage=usage)], model="claude-sonnet-5")
    model.provider = "anthropic"
    await ask(Agent("a", model=model))
    [found] = diagnose("last").findings
    assert found.kind == "context_fills" and "90%" in found.title


async def test_real_runs_advise_on_prompts_that_no_cache_holds(monkeypatch):
    monkeypatch.setenv("LUMOS_PRICES", '{"scripted/script": {"input": 3.0, "output": 15.0, "cache_read": 0.3}}')
    settings.reset()
    for n in range(10):
        first = Answer(usage=TokenUsage(input_tokens=2_000), tool_calls=[call("mean", values=[n])])
        await scripted([first, Answer(text="1.", usage=TokenUsage(input_tokens=2_100))], [mean])
    [found] = advice.advise(default_store())
    assert (found.kind, found.n, found.of_n) == ("never_cached", 10, 10)
    assert found.saves_usd == pytest.approx(20_000 * 2.7e-6)


# ---- what is no fault --------------------------------------------------------------------


async def test_asking_how_far_a_job_is_until_it_is_done_is_no_loop():
    said = iter(["waiting", "waiting", "waiting", "done"])

    def job_status(job: str) -> str:
        return next(said)

    await scripted([*(call("job_status", f"c{n}", job="j") for n in range(4)), "It is done."], [job_status])
    assert kinds() == []


async def test_the_same_call_is_a_loop_even_if_its_result_changes_when_there_is_no_end_to_it():
    numbers = iter(range(99))

    def now() -> str:
        return f"{next(numbers)}"

    await scripted([*(call("now", f"c{n}") for n in range(10)), "It is late."], [now])
    assert kinds() == ["tool_loop"]


@pytest.mark.parametrize("run", [None, 3, b"last"])
async def test_what_is_no_name_of_a_run_is_not_the_databases_fault(run):
    await scripted(["Noon."])
    with pytest.raises(UsageError, match="is no name of a run"):
        diagnose(run)
    with pytest.raises(UsageError, match=r"Give its \.run_id"):
        diagnose(await Agent(model=ScriptedProvider(["Noon."])).generate("Time?"))
