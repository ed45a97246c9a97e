"""A run that begins within a tool is part of it."""

import asyncio
import time

import pandas as pd
import pytest

from lumos_nb import Agent, frames, tool
from lumos_nb.memory.runs import find_run, last_stopped
from lumos_nb.messages import ToolCall
from lumos_nb.stores import default_store
from lumos_nb.telemetry.spans import in_tree, trace_spans
from lumos_nb.testing import Answer, ScriptedProvider
from lumos_nb.traceparent import span_id, trace_id

CALL = Answer(tool_calls=[ToolCall(id="c1", name="ask", arguments='{"what": "x"}')])


def inner():
    return Agent("inner", model=ScriptedProvider(["Inner."]))


@tool
def plain(what: str) -> str:
    """Ask."""
    return inner().generate_sync(what).response


@tool
async def awaited(what: str) -> str:
    """Ask."""
    return (await inner().generate(what)).response


@tool(thread=True)
def threaded(what: str) -> str:
    """Ask."""
    return inner().generate_sync(what).response


@tool
async def in_a_task(what: str) -> str:
    """Ask."""
    return (await asyncio.create_task(inner().generate(what))).response


def outer(asking):
    call = Answer(tool_calls=[ToolCall(id="c1", name=asking.name, arguments='{"what": "x"}')])
    return Agent("outer", model=ScriptedProvider([call, "Outer."]), tools=[asking])


@pytest.mark.parametrize("asking", [plain, awaited, threaded, in_a_task], ids=lambda t: t.name)
def test_a_run_within_a_tool_knows_whose_it_is(asking):
    result = outer(asking).generate_sync("Go.")
    runs = frames.runs().set_index("agent", drop=False)
    within = runs.loc["inner"]
    assert within["parent_run_id"] == within["root_run_id"] == result.run_id
    assert within["parent_span_id"] == span_id(result.run_id, "c1")
    assert within["trace_id"] == runs.loc["outer", "trace_id"] == trace_id(result.run_id)
    names = [(depth, span.name) for depth, span in in_tree(trace_spans(default_store(), result.run_id))]
    assert names == [
        (0, "invoke_agent outer"), (1, "chat script"), (1, f"execute_tool {asking.name}"), (2, "invoke_agent inner"),
        (3, "chat script"), (1, "chat script"),
    ]  # fmt: skip


async def test_a_run_beside_a_tool_belongs_to_nobody():
    await outer(awaited).generate("Go.")
    await inner().generate("Alone.")
    last = frames.runs().iloc[-1]
    assert last["agent"] == "inner" and last.isna()["parent_run_id"] and last["root_run_id"] == last["run_id"]


async def test_runs_at_once_within_one_step_belong_to_their_own_calls():
    calls = [ToolCall(id=f"c{n}", name="awaited", arguments=f'{{"what": "{n}"}}') for n in range(5)]
    agent = Agent("outer", model=ScriptedProvider([Answer(tool_calls=calls), "Outer."]), tools=[awaited])
    result = await agent.generate("Go.")
    within = frames.runs(agent="inner").set_index("prompt_preview")
    assert dict(within["parent_span_id"]) == {str(n): span_id(result.run_id, f"c{n}") for n in range(5)}


def test_the_last_run_is_the_outer_one():
    result = outer(plain).generate_sync("Go.")
    assert find_run(default_store()) == result.run_id


async def test_the_last_stopped_run_is_the_outer_one():
    """One that was stopped within a tool is taken up by its outer run, which asks anew."""

    @tool
    async def ask(what: str) -> str:
        """Ask."""
        await Agent("inner", model=ScriptedProvider([Answer(text="a b", delay_s=30)])).generate(what)
        return "never"

    running = asyncio.create_task(outer(ask).generate("Go."))
    while len(frames.runs()) < 2:
        await asyncio.sleep(0.05)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    stopped = last_stopped(default_store(), None)
    assert frames.runs(run_id=stopped).agent.tolist() == ["outer"]
    assert set(frames.runs().status) == {"cancelled"}


def test_tools_that_share_a_thread_begin_one_after_the_other():
    @tool
    def slow(what: str) -> str:
        """Take some time."""
        time.sleep(0.1)
        return what

    calls = [ToolCall(id=f"c{n}", name="slow", arguments=f'{{"what": "{n}"}}') for n in range(3)]
    Agent("a", model=ScriptedProvider([Answer(tool_calls=calls), "Done."]), tools=[slow]).generate_sync("Go.")
    found = frames.tool_calls()
    assert (found.started_at.diff().dropna() >= pd.Timedelta("90ms")).all()
    assert all(waited >= n * 0.09 for n, waited in enumerate(found.queue_s))
    assert found.queue_s.is_monotonic_increasing
