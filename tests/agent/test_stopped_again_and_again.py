"""A run that is stopped at any moments, and resumed until it is done: nothing unsafe twice, nothing lost."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import pytest

import lumos_nb as lumos
from lumos_nb import Agent, tool
from lumos_nb.agent import Decision, RunControl
from lumos_nb.errors import UsageError
from lumos_nb.memory import Memory
from lumos_nb.messages import ToolCall
from lumos_nb.testing import Answer, ScriptedProvider

BEGUN: list[str] = []
SHORT_S = 0.035


def made(name, **marks):
    async def work(step: int) -> str:
        BEGUN.append(f"{name} {step}")
        await asyncio.sleep(random.uniform(0, 0.01))
        return f"{name} {step}"

    return tool(name=name, **marks)(work)


TOOLS = [
    made("pay", side_effect="unsafe"), made("drop", permission="ask", side_effect="unsafe"),
    made("note", side_effect="idempotent"), made("look"),
]  # fmt: skip


def answer(messages):
    step = sum(message.role == "assistant" for message in messages)
    calls = [ToolCall(id=f"c{n}", name=t.name, arguments=f'{{"step": {step}}}') for n, t in enumerate(TOOLS)]
    return Answer(text=f"Step {step}.", tool_calls=calls) if step < 4 else "Done now."


async def asked(question):
    await asyncio.sleep(random.uniform(0, 0.01))
    return Decision(decision=random.choice(["allow", "allow_thread"]))


async def stopped(work, after_s):
    """Run, and cancel after a while; return whether it came to its end before."""
    run = asyncio.ensure_future(work)
    await asyncio.wait({run}, timeout=after_s)
    run.cancel()
    [outcome] = await asyncio.gather(run, return_exceptions=True)
    if isinstance(outcome, Exception):
        raise outcome
    return not isinstance(outcome, BaseException)


def agent():
    return Agent("a", model=ScriptedProvider(answer), tools=TOOLS)


async def until_done():
    """Resume again and again, now and then with a word for the agent; at last without a stop."""
    for n in range(13):
        control = RunControl()
        if random.random() < 0.5:
            control.steer("Go on.")
        after_s = random.uniform(0, SHORT_S) if n < 12 else 60.0
        try:
            if await stopped(agent().resume(on_approval=asked, control=control), after_s):
                return
        except UsageError as error:
            assert "has ended well" in error.message
            return


@pytest.mark.parametrize("seed", range(8))
async def test_it_comes_to_its_end_and_all_sums_are_right(seed):
    random.seed(seed)
    BEGUN.clear()
    came_to_a_tool = asyncio.Event()
    first = agent().generate(
        "Go", thread_id="t1", on_approval=asked,
        on_events=lambda events: [came_to_a_tool.set() for e in events if e.type == "tool_call_start"],
    )  # fmt: skip
    run = asyncio.create_task(first)
    await asyncio.wait_for(came_to_a_tool.wait(), 20)
    await stopped(run, random.uniform(0, SHORT_S))
    await until_done()

    said = await Memory().load("t1")
    check_conversation(said)
    assert [m.text for m in said if m.role == "assistant"][-1] == "Done now."
    assert max(Counter(each for each in BEGUN if each.startswith(("pay", "drop"))).values()) == 1
    run, thread, steps, calls = lumos.runs().iloc[0], lumos.threads().iloc[0], lumos.steps(), lumos.tool_calls()
    assert run.status == "completed" and set(steps.status) == {"completed"} and set(calls.status) <= {"ok", "error"}
    assert (thread.n_runs, thread.n_messages, thread.n_steps) == (1, len(said), len(steps))
    assert run.n_steps == len(steps) == steps.step.nunique() and run.n_tool_calls == len(calls)
    assert run.input_tokens == thread.input_tokens == steps.input_tokens.sum()
    assert list(lumos.events().run_seq) == list(range(1, len(lumos.events()) + 1))


def check_conversation(messages):
    """Every call has its result right behind it, and no id is there twice."""
    known: set[str] = set()
    for message, following in zip(messages, [*messages[1:], None], strict=True):
        calls = [call.id for call in message.tool_calls] if message.role == "assistant" else []
        assert not known & set(calls)
        known |= set(calls)
        if calls:
            assert following is not None and [part.call_id for part in following.parts] == calls
