"""A stopped run is taken up by one, however many want it, and its time away does not count."""

from __future__ import annotations

import asyncio
import sqlite3
import time

import pytest

import lumos_nb as lumos
from lumos_nb import Agent, settings, tool
from lumos_nb.errors import UsageError
from lumos_nb.memory import Memory
from lumos_nb.messages import ToolCall
from lumos_nb.testing import ScriptedProvider
from tests.agent.stopping import is_asked, never, stopped

DONE: list[str] = []


@tool(permission="ask", side_effect="unsafe")
async def drop(table: str) -> str:
    DONE.append(table)
    await asyncio.sleep(0.05)
    return "dropped"


def answer(messages):
    called = ToolCall(id="c1", name="drop", arguments='{"table": "orders"}')
    return "Done." if messages[-1].role == "tool" else called


def agent_of():
    return Agent("a", model=ScriptedProvider(answer), tools=[drop])


@pytest.fixture
async def asked():
    """A run that was stopped at its question."""
    DONE.clear()
    await stopped(is_asked, agent_of().generate, "Go", thread_id="t1", on_approval=never)


async def test_of_those_who_resume_at_once_one_does(asked):
    both = await asyncio.gather(
        *(agent_of().resume(on_approval=lambda question: True) for _ in range(4)), return_exceptions=True
    )
    assert sorted(type(each).__name__ for each in both) == ["AgentGenerateResult"] + ["UsageError"] * 3
    assert DONE == ["orders"] and len(await Memory().load("t1")) == 4
    assert lumos.runs().status.iloc[0] == "completed"


async def test_of_two_processes_that_have_read_a_run_one_takes_it_up(asked):
    one, other = await Memory().get_run(), await Memory().get_run()
    await Memory().reopen(one)
    with pytest.raises(UsageError, match="has just been taken up"):
        await Memory().reopen(other)
    # The one that did dies at once: the run can still be taken up.
    assert (await agent_of().resume(on_approval=lambda question: True)).response == "Done." and DONE == ["orders"]


async def test_one_that_could_not_be_taken_up_can_be_later(asked):
    with pytest.raises(UsageError):
        await agent_of().resume(model="nobody/knows-this")
    assert (await agent_of().resume(on_approval=lambda question: True)).response == "Done."


async def test_no_time_away_counts_however_often_it_was_stopped(asked):
    for _ in range(2):
        await asyncio.sleep(0.5)
        await stopped(is_asked, agent_of().resume, on_approval=never)
    began = time.time()
    result = await agent_of().resume(on_approval=lambda question: True)
    run = lumos.runs().iloc[0]
    whole = time.time() - run.started_at.timestamp()
    assert result.duration_s < whole - 1.0 and run.duration_s < whole - 1.0
    assert 0 <= run.working_s <= run.duration_s and began > run.started_at.timestamp() + 1.0


async def test_one_that_was_killed_is_not_taken_up_in_a_thread_that_has_gone_on(tmp_path):
    """Its copy of the database is that of a moment at which it asked."""
    DONE.clear()

    def asked(question):
        with sqlite3.connect(settings.current().database()) as source, sqlite3.connect(tmp_path / "copy.db") as copy:
            source.backup(copy)
        return False

    await Agent("b", model=ScriptedProvider(["Hello."])).generate("Before", thread_id="t1")
    await agent_of().generate("Go", thread_id="t1", on_approval=asked)
    settings.configure(db=str(tmp_path / "copy.db"))
    run_id = lumos.runs().sort_values("started_at").run_id.iloc[-1]
    await Agent("b", model=ScriptedProvider(["Hello."])).generate("Meanwhile", thread_id="t1")
    with pytest.raises(UsageError, match="has gone on since"):
        await agent_of().resume(run_id, on_approval=lambda question: True)
    assert DONE == []
