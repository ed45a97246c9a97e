"""Tools that raise what no tool should: the model is told, and no run waits for ever."""

from __future__ import annotations

import asyncio
import threading

import pytest

import lumos_nb as lumos
from lumos_nb import Agent, tool
from lumos_nb.messages import ToolCall
from lumos_nb.testing import ScriptedProvider


class OddError(BaseException):
    """As those of pytest, trio and others: no `Exception`."""


def agent_with(error, is_async):
    def plain() -> str:
        raise error("odd")

    async def awaited() -> str:
        raise error("odd")

    wild = tool(name="wild")(awaited if is_async else plain)
    model = ScriptedProvider([ToolCall(id="c1", name="wild"), "Done."])
    return Agent("a", model=model, tools=[wild])


def outcome_of(agent):
    """Return what `generate_sync` gives in a thread of its own, which is left behind if it never ends."""
    outcome = []

    def go():
        try:
            outcome.append(agent.generate_sync("Go", thread_id="t1"))
        except BaseException as error:
            outcome.append(error)

    thread = threading.Thread(target=go, daemon=True)
    thread.start()
    thread.join(20)
    return outcome


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("error", [OddError, GeneratorExit, asyncio.CancelledError])
async def test_the_model_is_told_of_whatever_a_tool_raises(error, is_async):
    result = await asyncio.wait_for(agent_with(error, is_async).generate("Go"), 20)
    assert result.response == "Done." and error.__name__ in result.steps[0].tool_results[0].content


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("error", [OddError, SystemExit])
def test_so_it_is_on_the_background_loop(error, is_async):
    [result] = outcome_of(agent_with(error, is_async))
    assert result.response == "Done." and error.__name__ in result.steps[0].tool_results[0].content


@pytest.mark.parametrize("is_async", [False, True])
def test_an_interrupt_that_a_tool_raises_ends_its_run_and_no_other(is_async):
    [error] = outcome_of(agent_with(KeyboardInterrupt, is_async))
    assert isinstance(error, KeyboardInterrupt)
    assert list(lumos.runs().status) == ["cancelled"] and list(lumos.tool_calls().status) == ["cancelled"]
    assert Agent("b", model=ScriptedProvider(["Fine."])).generate_sync("And now?").response == "Fine."
