"""What a frame promises: dtypes, order, filters, joins."""

import asyncio

import pandas as pd
import pytest

from lumos_nb import frames, settings
from lumos_nb.errors import UsageError
from lumos_nb.events import (
    AgentGenerateResult,
    AgentStep,
    GenerationComplete,
    StepComplete,
    StepStart,
    TextDelta,
    TokenUsage,
    ToolCallComplete,
    ToolCallStart,
)
from lumos_nb.frames._typed import frame
from lumos_nb.memory import Memory, RunInfo, Said
from lumos_nb.messages import Message, TextPart, ToolCall, ToolResult
from lumos_nb.stores import SqliteStore
from lumos_nb.stores.schema import TABLES, Column

NAMES = ["threads", "runs", "steps", "messages", "tool_calls", "events"]
TEXT = "str" if int(pd.__version__.split(".")[0]) >= 3 else "string"
DTYPES = {
    "id": TEXT, "text": TEXT, "json": TEXT, "cat": "category", "int": "Int64", "bool": "boolean",
    "float": "float64", "time": "datetime64[ns, UTC]",
}  # fmt: skip
PARTS = {
    "created_at": "datetime64[ns, UTC]", "idx": "Int64", "role": "category", "part_idx": "Int64",
    "part_type": "category", "text": TEXT, "tool_name": "category", "n_chars": "Int64", "n_parts": "Int64",
    "step": "Int64", "agent": "category", "tool_call_id": TEXT, "run_id": TEXT, "thread_id": TEXT,
    "message_id": TEXT, "content_json": TEXT,
}  # fmt: skip


async def record(memory, run, cost, started_at):
    log = memory.run_log(RunInfo(run_id=run, thread_id="t1", agent="a", prompt="hi", started_at=started_at))
    await log.start()
    call = ToolCall(id="c1", name="rows", arguments="{}")
    result = ToolResult(call_id="c1", name="rows", content="42")
    step = AgentStep(index=1, usage=TokenUsage(input_tokens=3, output_tokens=2), cost_usd=cost, tool_calls=(call,))
    await log.append([StepStart(1), TextDelta("a")], [Said(Message(role="user", content="hi"), 1, started_at)])
    await log.append([ToolCallStart(call), ToolCallComplete("c1", result, 0.1), StepComplete(step)])
    answer = [Message(role="assistant", content=(TextPart("a"), call)), Message(role="tool", content=(result,))]
    said = [Said(message, 1, started_at) for message in answer]
    await log.append([GenerationComplete(AgentGenerateResult(response="a"))], said)


@pytest.fixture
def empty(tmp_path):
    store = SqliteStore(tmp_path / ".lumos" / "lumos.db")
    yield store
    store.close()


@pytest.fixture
def store(empty):
    async def main():
        await record(Memory(empty), "r1", 0.5, 1_000.5)
        await record(Memory(empty), "r2", None, 2_000)

    asyncio.run(main())
    return empty


@pytest.mark.parametrize("filled", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_dtypes_are_as_declared_whether_there_are_rows_or_not(name, filled, request):
    df = getattr(frames, name)(store=request.getfixturevalue("store" if filled else "empty"), payload=True)
    declared = PARTS if name == "messages" else {c.name: DTYPES[c.type] for c in TABLES[name].columns}
    assert {n: str(t) for n, t in df.dtypes.items()} == declared
    assert list(df.columns) == list(declared)
    assert isinstance(df.index, pd.RangeIndex) and bool(len(df)) is filled
    assert df.attrs["lumos"]["schema"] == f"{name}/1"
    assert not df.duplicated(df.attrs["lumos"]["key"]).any()


def test_a_frame_of_nothing_creates_no_file(empty):
    for name in NAMES:
        assert getattr(frames, name)(store=empty).empty
    assert not empty.path.parent.exists()


def test_the_default_store_is_the_one_of_the_settings(store):
    settings.configure(db=str(store.path))
    try:
        import lumos_nb as lumos

        assert len(lumos.runs()) == 2 and len(lumos.events()) > 0 and len(lumos.messages()) > 0
    finally:
        settings.reset()


def test_newest_is_last_and_limit_keeps_the_newest(store):
    assert frames.runs(store=store).run_id.tolist() == ["r1", "r2"]
    assert frames.runs(store=store, limit=1).run_id.tolist() == ["r2"]
    assert frames.events(store=store).seq.is_monotonic_increasing
    assert frames.runs(store=store).started_at.iloc[0] == pd.Timestamp(1_000.5, unit="s", tz="UTC")


def test_what_is_not_known_is_missing_and_not_zero(store):
    runs = frames.runs(store=store)
    assert runs.cost_usd.isna().tolist() == [False, True]
    assert frames.threads(store=store).cost_usd.isna().all()
    assert frames.steps(store=store).context_window.isna().all()


def test_filters(store):
    ask = frames.runs
    assert ask(store=store, run_id="r1").run_id.tolist() == ["r1"]
    assert len(ask(store=store, run_id=["r1", "r2"])) == len(ask(store=store, run_id=pd.Series(["r1", "r2"]))) == 2
    assert ask(store=store, cost_usd=None).run_id.tolist() == ["r2"]
    assert len(ask(store=store, last="7d")) == 0
    assert ask(store=store, since="1970-01-01 00:30").run_id.tolist() == ["r2"]
    assert ask(store=store, until=pd.Timestamp("1970-01-01 00:30")).run_id.tolist() == ["r1"]
    assert len(ask(store=store, started_at=ask(store=store).started_at)) == 2
    assert "payload_json" not in frames.events(store=store)


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"statuss": "x"}, "Did you mean 'status'"),
        ({"last": "7 days"}, "'7d'"),
        ({"last": 7}, "is not a duration"),
        ({"since": "tomorrowish"}, "is not a time"),
        ({"limit": -1}, "whole number"),
    ],
)
def test_a_wrong_filter_says_what_would_be_right(empty, filters, message):
    with pytest.raises(UsageError, match=message):
        frames.runs(store=empty, **filters)


def test_messages_have_a_row_for_each_part_or_one_for_each_message(store):
    df = frames.messages(store=store, run_id="r1")
    assert df[["idx", "part_idx", "part_type", "text"]].values.tolist() == [
        [0, 0, "text", "hi"], [1, 0, "text", "a"], [1, 1, "tool_call", "{}"], [2, 0, "tool_result", "42"],
    ]  # fmt: skip
    assert len(frames.messages(store=store, parts=False)) == 6
    assert frames.messages(store=store, limit=2).message_id.nunique() == 2
    assert frames.messages(store=store, part_type="tool_call", limit=1).run_id.tolist() == ["r2"]
    assert len(frames.messages(store=store, tool_call_id="c1", part_type=["tool_call", "tool_result"])) == 4


def test_frames_join_on_their_ids(store):
    runs, steps = frames.runs(store=store), frames.steps(store=store)
    joined = frames.threads(store=store).merge(runs, on="thread_id").merge(steps, on="run_id")
    assert len(joined) == 2
    calls = frames.tool_calls(store=store)
    assert len(steps.merge(calls, on=["run_id", "step"])) == 2
    parts = frames.messages(store=store, part_type="tool_call")
    assert len(parts.merge(calls, on=["run_id", "tool_call_id"])) == 2
    sums = [df[["input_tokens", "output_tokens"]].sum().tolist() for df in (steps, runs, frames.threads(store=store))]
    assert sums == [[6, 4]] * 3


def test_categories_and_text_survive_more_than_one_portion():
    kinds = [f"k{i % 7}" if i % 5 else None for i in range(120_000)]
    columns = [Column("event_id", "id"), Column("kind", "cat"), Column("step", "int")]
    newest_first = [(str(i), k, i % 3 or None) for i, k in enumerate(kinds)][::-1]
    df = frame(newest_first, columns, schema="events/1", key=("event_id",))
    assert df.kind.astype(object).where(df.kind.notna(), None).tolist() == kinds
    assert df.event_id.tolist() == [str(i) for i in range(120_000)]
    assert df.step.isna().sum() == 40_000
    assert df.kind.cat.categories.tolist() == [f"k{i}" for i in range(7)]
