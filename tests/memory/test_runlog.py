"""The log of a run: what is on disk when, and that sums are exact."""

import asyncio
import json
import sqlite3

import pytest

from lumos_nb import settings
from lumos_nb.errors import StoreError
from lumos_nb.events import (
    AgentGenerateResult,
    AgentStep,
    ApprovalDecided,
    ApprovalRequested,
    Error,
    ErrorInfo,
    GenerationComplete,
    ReasoningDelta,
    StepComplete,
    StepStart,
    TextDelta,
    TokenUsage,
    ToolCallComplete,
    ToolCallStart,
    decode_event,
)
from lumos_nb.memory import Memory, RunInfo, Said
from lumos_nb.messages import Message, ToolCall, ToolResult
from lumos_nb.stores import Insert, SqliteStore

CALL = ToolCall(id="call_0", name="rows", arguments='{"n": 1}')
DONE = GenerationComplete(AgentGenerateResult(response="ok", duration_s=2.0))
FAILED = Error(error=ErrorInfo(type="StreamError", message="The answer broke off."))


@pytest.fixture
def memory(tmp_path):
    store = SqliteStore(tmp_path / "lumos.db")
    yield Memory(store)
    store.close()


async def started(memory, run_id="r1", thread_id="t1", **more):
    log = memory.run_log(RunInfo(run_id=run_id, thread_id=thread_id, prompt="How  many\nrows?", agent="a", **more))
    await log.start()
    return log


def rows(memory, table, *columns, **more):
    return list(memory.store.select(table, columns, **more))


def step(index, cost=0.1, n=1):
    return AgentStep(
        index=index, usage=TokenUsage(input_tokens=7 * n, output_tokens=n, reasoning_tokens=1), cost_usd=cost
    )


async def test_start_keeps_the_run_and_names_a_new_thread_after_the_prompt(memory, caplog):
    await started(memory)
    assert rows(memory, "runs", "status", "thread_id", "cost_usd", "root_run_id") == [("running", "t1", None, "r1")]
    assert rows(memory, "threads", "title", "n_runs", "agent") == [("How many rows?", 1, "a")]
    await (await started(memory)).append([FAILED])
    assert rows(memory, "threads", "n_runs") == [(1,)]
    assert "could not be recorded" in caplog.text


async def test_where_writing_goes_well_a_short_run_is_one_transaction(memory):
    await (await started(memory)).append([DONE])
    log = await started(memory, "r2")
    await log.append([StepStart(1), TextDelta("Hi"), StepComplete(step(1))])
    assert rows(memory, "runs", "run_id") == [("r1",)]
    await log.append([DONE])
    assert rows(memory, "runs", "run_id", "status", order=["run_id"]) == [("r1", "completed"), ("r2", "completed")]
    assert rows(memory, "threads", "n_runs", "n_steps") == [(2, 1)]


async def test_start_fails_before_anything_is_sent_if_nothing_can_be_kept(tmp_path):
    (tmp_path / "a.db").write_text("no database " * 100)
    with pytest.raises(StoreError, match="not a Lumos database"):
        await started(Memory(SqliteStore(tmp_path / "a.db")))


async def test_a_tool_call_is_on_disk_when_append_returns(memory):
    log = await started(memory)
    await log.append([StepStart(1), TextDelta("a"), ApprovalRequested(CALL)])
    assert rows(memory, "tool_calls", "status", "tool", "step") == [("waiting", "rows", 1)]
    await log.append([ApprovalDecided(call_id=CALL.id, decision="allow"), ToolCallStart(CALL)])
    assert rows(memory, "tool_calls", "status", "approved_by", "decision") == [("running", "person", "allow")]
    result = ToolResult(call_id="call_0", name="rows", content="boom", is_error=True, error_type="ValueError")
    await log.append([ToolCallComplete("call_0", result, 0.5, status="error")])
    assert rows(memory, "tool_calls", "status", "duration_s", "error_type", "error_message", "args_json") == [
        ("error", 0.5, "ValueError", "boom", '{"n": 1}')
    ]
    assert json.loads(rows(memory, "tool_calls", "result_json")[0][0])["content"] == "boom"


async def test_the_same_call_id_in_two_steps_is_two_calls(memory):
    log = await started(memory)
    result = ToolResult(call_id="call_0", name="rows", content="1")
    for i in (1, 2):
        await log.append([StepStart(i), ToolCallStart(CALL), ToolCallComplete("call_0", result, 0.1)])
        await log.append([StepComplete(step(i))])
    await log.append([DONE])
    assert rows(memory, "tool_calls", "step", "status", order=["step"]) == [(1, "ok"), (2, "ok")]
    assert rows(memory, "runs", "n_tool_calls") == [(2,)]


async def test_deltas_are_joined_in_order_and_written_without_a_commit_point(memory):
    log = await started(memory)
    await log.append([StepStart(1), ReasoningDelta("h"), ReasoningDelta("m"), TextDelta("Hel")])
    await log.append([TextDelta("lo")])
    assert rows(memory, "events", "kind") == []
    async with asyncio.timeout(5):
        while len(rows(memory, "events", "kind")) < 3:
            await asyncio.sleep(0.02)
    await log.append([TextDelta("!"), FAILED])
    events = [decode_event(p) for (p,) in rows(memory, "events", "payload_json", order=["run_seq"])]
    assert events == [StepStart(1), ReasoningDelta("hm"), TextDelta("Hello"), TextDelta("!"), FAILED]


async def test_sums_of_steps_run_and_thread_are_equal_at_every_commit(memory):
    for run in ("r1", "r2"):
        log = await started(memory, run)
        for i in range(1, 4):
            await log.append(
                [StepStart(i), TextDelta("x"), StepComplete(step(i, cost=0.1 * i, n=i)), ToolCallStart(CALL)]
            )
            columns = ("input_tokens", "output_tokens", "reasoning_tokens", "cost_usd")
            sums = [
                [sum(c) for c in zip(*rows(memory, t, *columns), strict=True)] for t in ("steps", "runs", "threads")
            ]
            assert sums[0][:3] == sums[1][:3] == sums[2][:3]
            assert sums[0][3] == pytest.approx(sums[1][3], abs=1e-9) == pytest.approx(sums[2][3], abs=1e-9)
        await log.append([DONE])
    assert rows(memory, "threads", "n_steps", "n_runs") == [(6, 2)]
    assert (
        rows(memory, "runs", "status", "n_steps", "duration_s", "output_preview") == [("completed", 3, 2.0, "ok")] * 2
    )


async def test_one_unknown_price_makes_run_and_thread_unknown(memory):
    log = await started(memory)
    for i, cost in enumerate((0.1, None, 0.1), 1):
        await log.append([StepStart(i), StepComplete(step(i, cost=cost))])
    await log.append([DONE])
    assert rows(memory, "runs", "cost_usd") == rows(memory, "threads", "cost_usd") == [(None,)]
    assert rows(memory, "steps", "cost_usd", order=["step"]) == [(0.1,), (None,), (0.1,)]


@pytest.mark.parametrize(("source", "cost"), [("table", None), ("local", 0.0)])
async def test_an_answer_that_broke_off_has_no_known_cost_unless_it_is_free(memory, source, cost):
    log = await started(memory, cost_source=source)
    await log.append([StepStart(1), TextDelta("par"), FAILED])
    assert rows(memory, "runs", "status", "cost_usd", "output_preview", "error_type") == [
        ("failed", cost, "par", "StreamError")
    ]
    assert rows(memory, "threads", "cost_usd", "last_error") == [(cost, "The answer broke off.")]


async def test_a_run_that_ends_in_an_error_leaves_no_running_tool_call(memory):
    log = await started(memory)
    await log.append([StepStart(1), ToolCallStart(CALL)])
    await log.append([Error(error=ErrorInfo(type="AgentInterrupted", message="Stopped."), status="cancelled")])
    assert rows(memory, "tool_calls", "status") == [("cancelled",)]
    assert rows(memory, "runs", "status") == [("cancelled",)]
    assert rows(memory, "threads", "last_error") == [(None,)]


async def test_a_cancelled_append_is_written_all_the_same(memory):
    log = await started(memory)
    task = asyncio.ensure_future(log.append([StepStart(1), ToolCallStart(CALL)]))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await log.append([FAILED])
    assert rows(memory, "events", "kind", order=["run_seq"]) == [("step_start",), ("tool_call_start",), ("error",)]


async def test_what_could_not_be_written_is_written_with_the_next(memory, monkeypatch):
    log = await started(memory)

    def refuse(batch):
        raise StoreError("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(memory.store, "write", refuse)
        with pytest.raises(StoreError):
            await log.append([StepStart(1), ToolCallStart(CALL)])
    await log.append([FAILED])
    assert rows(memory, "events", "run_seq", order=["seq"]) == [(1,), (2,), (3,)]


async def test_halves_of_surrogate_pairs_do_not_stop_a_run(memory):
    log = await started(memory)
    await log.append(
        [StepStart(1), TextDelta("\ud83c"), TextDelta("\udf89 \ud83d"), FAILED],
        [Said(Message(role="user", content="\ud83d"), 1, 1.0)],
    )
    assert (
        decode_event(rows(memory, "events", "payload_json", where=[("kind", "=", "text_delta")])[0][0]).delta == "🎉 �"
    )
    assert [m.text for m in await memory.load("t1")] == ["�"]


async def test_without_telemetry_only_the_conversation_is_kept(memory):
    settings.configure(enable_telemetry=False)
    try:
        log = await started(memory)
        await log.append([StepStart(1), StepComplete(step(1))], [Said(Message(role="user", content="hi"), 1, 1.0)])
    finally:
        settings.reset()
    assert [m.text for m in await memory.load("t1")] == ["hi"]
    assert not any(rows(memory, t, "run_id") for t in ("runs", "steps", "events", "tool_calls"))


async def test_the_end_of_a_run_is_kept_when_it_returns_also_if_it_had_to_wait_for_the_database(tmp_path):
    store = SqliteStore(tmp_path / "lumos.db", busy_timeout_s=0.05)
    memory = Memory(store)
    await (await started(memory, thread_id=None)).append([DONE])
    rows(memory, "runs", "run_id")
    log = await started(memory, "r2", thread_id=None)
    other = sqlite3.connect(tmp_path / "lumos.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    store.write_soon([Insert("threads", {"thread_id": "t9"})])
    rows(memory, "threads", "thread_id")  # which could not write first what waits
    asyncio.get_running_loop().call_later(0.2, other.execute, "ROLLBACK")
    await log.finish([StepStart(1), DONE], ())
    assert other.execute("SELECT run_id, status FROM runs ORDER BY run_id").fetchall() == [
        ("r1", "completed"), ("r2", "completed"),
    ]  # fmt: skip
    other.close()
    store.close()
