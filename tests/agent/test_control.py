"""A word to an agent that works, and a pause."""

from __future__ import annotations

import asyncio

import pytest

import lumos_nb as lumos
from lumos_nb import Agent, tool
from lumos_nb.agent.control import RunControl
from lumos_nb.errors import UsageError
from lumos_nb.memory import Memory
from lumos_nb.messages import ToolCall
from lumos_nb.testing import ScriptedProvider


async def test_what_a_person_says_reaches_the_agent_at_its_next_step_and_stays_in_the_thread():
    control = RunControl()

    @tool
    def rows() -> str:
        control.steer("Only the north.")
        return "12 rows"

    model = ScriptedProvider([ToolCall(id="c1", name="rows"), "North: 4."])
    result = await Agent("a", model=model, tools=[rows]).generate("Go", thread_id="t1", control=control)
    assert result.response == "North: 4."
    assert [m.role for m in model.requests[1].messages] == ["user", "assistant", "tool", "user"]
    assert model.requests[1].messages[-1].text == "Only the north."
    assert [m.role for m in await Memory().load("t1")] == ["user", "assistant", "tool", "user", "assistant"]
    assert "user_message" in set(lumos.events().kind)


async def test_what_is_said_during_the_last_answer_gets_an_answer_of_its_own():
    control = RunControl()

    def first(messages):
        control.steer("And the south?")
        return "North: 4."

    result = await Agent("a", model=ScriptedProvider([first, "South: 8."])).generate("Go", control=control)
    assert [s.text for s in result.steps] == ["North: 4.", "South: 8."]


async def test_what_is_said_too_late_for_a_step_waits_in_the_thread():
    control = RunControl()

    def only(messages):
        control.steer("And the south?")
        return "North: 4."

    await Agent("a", model=ScriptedProvider([only])).generate("Go", thread_id="t1", control=control, max_steps=1)
    assert [m.text for m in await Memory().load("t1")] == ["Go", "North: 4.", "And the south?"]


async def test_a_paused_run_stands_still_before_its_next_model_call():
    control = RunControl()

    @tool
    def rows() -> str:
        control.pause()
        return "12 rows"

    model = ScriptedProvider([ToolCall(id="c1", name="rows"), "Done."])
    states = []

    def note(events):
        states.extend(e.data["kind"] for e in events if e.type == "metadata")

    run = asyncio.create_task(Agent("a", model=model, tools=[rows]).generate("Go", control=control, on_events=note))
    while not states:
        await asyncio.sleep(0.01)
    assert states == ["paused"] and len(model.requests) == 1
    control.go_on()
    assert (await run).response == "Done." and states == ["paused", "continued"]


async def test_a_paused_run_can_be_cancelled():
    control = RunControl()
    control.pause()
    run = asyncio.create_task(Agent("a", model=ScriptedProvider(["x"])).generate("Go", control=control))
    await asyncio.sleep(0.05)
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)
    assert list(lumos.runs().status) == ["cancelled"]


async def test_a_pause_may_end_behind_a_run_that_was_stopped_in_it():
    control = RunControl()
    control.pause()

    async def stopped():
        waiting = asyncio.create_task(control.gate())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)

    await asyncio.to_thread(asyncio.run, stopped())
    control.go_on()


async def test_a_pause_that_follows_at_once_on_another_holds():
    control = RunControl()
    control.pause()
    waiting = asyncio.create_task(control.gate())
    await asyncio.sleep(0)
    control.go_on()
    control.pause()
    done, _ = await asyncio.wait({waiting}, timeout=0.1)
    assert not done
    control.go_on()
    await asyncio.wait_for(waiting, 20)


@pytest.mark.parametrize("text", ["", "  \n"])
def test_nothing_cannot_be_said(text):
    with pytest.raises(UsageError, match="nothing to say"):
        RunControl().steer(text)
