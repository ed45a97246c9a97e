"""A run that was stopped goes on: nothing that was done is done twice."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

import lumos_nb as lumos
from lumos_nb import Agent, settings, tool
from lumos_nb.agent.approval import Decision
from lumos_nb.context import RuntimeContext
from lumos_nb.errors import UsageError
from lumos_nb.events import TokenUsage
from lumos_nb.memory import Memory
from lumos_nb.messages import ImagePart, Message, ReasoningPart, TextPart, ToolCall
from lumos_nb.testing import Answer, ScriptedProvider
from tests.agent.stopping import begun, is_asked, never, stopped

DONE: list[str] = []


@pytest.fixture(autouse=True)
def nothing_done():
    DONE.clear()


@tool
def look(table: str) -> str:
    DONE.append(f"look {table}")
    return "3 rows"


@tool(permission="ask")
def drop(table: str) -> str:
    DONE.append(f"drop {table}")
    return "dropped"


def call(name, id, table="orders"):
    return ToolCall(id=id, name=name, arguments=f'{{"table": "{table}"}}')


async def allow(question):
    return Decision(decision="allow")


USAGE = TokenUsage(input_tokens=10, output_tokens=5)


def script():
    return [
        Answer(text="First a look.", reasoning="Hm.", tool_calls=[call("look", "c1")], usage=USAGE),
        Answer(tool_calls=[call("look", "c2", "people"), call("drop", "c3")], usage=USAGE),
        Answer(text="All done.", usage=USAGE),
    ]


async def test_a_question_is_asked_again_and_the_run_goes_on_as_the_same_run():
    model = ScriptedProvider(script())
    agent = Agent("a", model=model, tools=[look, drop])
    await stopped(is_asked, agent.generate, "Go", thread_id="t1", on_approval=never)
    assert DONE == ["look orders", "look people"]
    run_id = lumos.runs().iloc[0].run_id
    assert [m.role for m in await Memory().load("t1")] == ["user", "assistant", "tool", "assistant", "tool"]
    result = await agent.resume(run_id[-8:], on_approval=allow)
    assert result.response == "All done." and result.run_id == run_id
    assert DONE == ["look orders", "look people", "drop orders"] and len(model.requests) == 3
    assert [p.content for p in model.requests[2].messages[-1].parts] == ["3 rows", "dropped"]
    assert [m.role for m in model.requests[2].messages] == ["user", "assistant", "tool", "assistant", "tool"]
    thread = await Memory().load("t1")
    assert [m.role for m in thread] == ["user", "assistant", "tool", "assistant", "tool", "assistant"]
    assert [s.index for s in result.steps] == [1, 2, 3] and result.usage.input_tokens == 30


async def test_sums_are_those_of_a_run_that_was_never_stopped():
    agent = Agent("a", model=ScriptedProvider(script()), tools=[look, drop])
    await agent.generate("Go", thread_id="whole", on_approval=allow)
    agent = Agent("a", model=ScriptedProvider(script()), tools=[look, drop])
    await stopped(is_asked, agent.generate, "Go", thread_id="cut", on_approval=never)
    await agent.resume(on_approval=allow)
    for frame, columns in (
        (lumos.runs(), ["status", "n_steps", "n_model_calls", "n_tool_calls", "input_tokens", "output_tokens"]),
        (lumos.threads(), ["n_runs", "n_messages", "n_steps", "input_tokens", "output_tokens"]),
    ):
        assert len(frame) == 2 and frame[columns].drop_duplicates().shape[0] == 1, frame[columns]
    steps = lumos.steps().groupby("run_id").input_tokens.agg(list)
    assert list(steps) == [[10, 10, 10]] * 2
    assert set(lumos.tool_calls().status) == {"ok"} and len(lumos.tool_calls()) == 6
    seqs = lumos.events().groupby("run_id").run_seq.agg(list)
    assert all(seq == list(range(1, len(seq) + 1)) for seq in seqs)


@pytest.mark.parametrize(
    ("mark", "asked", "told"),
    [
        ("unsafe", [], "It is marked unsafe and was not run again"),
        ("idempotent", [], "slept"),
        ("", ["It had begun when the run was stopped, and may have done its work already."], "slept"),
    ],
)
async def test_a_tool_that_had_begun_is_run_again_only_if_that_does_no_harm(mark, asked, told):
    block = asyncio.Event()

    @tool(side_effect=mark)
    async def sleep() -> str:
        DONE.append("begun")
        if len(DONE) == 1:
            await block.wait()
        return "slept"

    questions = []

    async def asks(question):
        questions.append(question.reason)
        return Decision(decision="allow")

    model = ScriptedProvider([ToolCall(id="c1", name="sleep"), "Done."])
    agent = Agent("a", model=model, tools=[sleep])
    await stopped(lambda e: bool(DONE) or e.type == "tool_call_start", agent.generate, "Go", thread_id="t1")
    await agent.resume(on_approval=asks)
    assert questions == asked and told in model.requests[1].messages[-1].parts[0].content
    assert len(DONE) == (1 if mark == "unsafe" else 2)


async def test_a_tool_knows_its_call_by_one_key_before_and_after():
    keys = []
    block = asyncio.Event()

    @tool(side_effect="idempotent")
    async def pay(context: RuntimeContext) -> str:
        keys.append(context.call_key)
        if len(keys) == 1:
            await block.wait()
        return "paid"

    agent = Agent("a", model=ScriptedProvider([ToolCall(id="c1", name="pay"), "Done."]), tools=[pay])
    await stopped(lambda e: bool(keys) or e.type == "tool_call_start", agent.generate, "Go")
    while not keys:
        await asyncio.sleep(0.01)
    result = await agent.resume()
    assert keys == [f"{result.run_id}/c1"] * 2


async def test_a_run_that_failed_between_two_steps_asks_the_model_again():
    model = ScriptedProvider([script()[0], Answer(text="Half an", error=RuntimeError("gone"), error_after=2), "Whole."])
    agent = Agent("a", model=model, tools=[look])
    with pytest.raises(RuntimeError):
        await agent.generate("Go", thread_id="t1")
    result = await agent.resume()
    assert result.response == "Whole." and DONE == ["look orders"]
    assert [m.role for m in model.requests[2].messages] == ["user", "assistant", "tool"]
    assert [m.text for m in await Memory().load("t1") if m.role == "assistant"] == ["First a look.", "Whole."]


async def test_an_answer_comes_back_with_its_signature_and_the_prompt_with_its_picture():
    prompt = Message(role="user", content=(TextPart("Look"), ImagePart(data=b"\x89PNG")))
    model = ScriptedProvider([call("drop", "c1"), "Done."])
    agent = Agent("a", model=model, tools=[drop], instructions="Be short.")
    await stopped(is_asked, agent.generate, prompt, on_approval=never)
    await agent.resume(on_approval=allow)
    sent = model.requests[1].messages
    assert [m.role for m in sent] == ["system", "user", "assistant", "tool"]
    assert sent[1].parts == prompt.parts


async def test_it_may_be_stopped_and_resumed_again_and_again():
    model = ScriptedProvider(script())
    agent = Agent("a", model=model, tools=[look, drop])
    await stopped(is_asked, agent.generate, "Go", thread_id="t1", on_approval=never)
    for _ in range(2):
        await stopped(is_asked, agent.resume, on_approval=never)
    result = await agent.resume(on_approval=allow)
    assert result.response == "All done." and DONE == ["look orders", "look people", "drop orders"]
    assert len(await Memory().load("t1")) == 6 and lumos.threads().n_messages.iloc[0] == 6


async def test_what_cannot_be_resumed_says_why():
    agent = Agent("a", model=ScriptedProvider(["Fine.", RuntimeError("gone"), *script()]), tools=[look, drop])
    with pytest.raises(UsageError, match="There is no run yet"):
        await agent.resume()
    await agent.generate("Go")
    with pytest.raises(UsageError, match="has ended well"):
        await agent.resume()
    with pytest.raises(RuntimeError):
        await agent.generate("Go")
    with pytest.raises(UsageError, match="before it came to a tool"):
        await agent.resume()
    await stopped(is_asked, agent.generate, "Go", thread_id="t1", on_approval=never)
    run_id = lumos.runs().sort_values("started_at").iloc[-1].run_id
    await Agent("b", model=ScriptedProvider(["Hello."])).generate("Something else", thread_id="t1")
    with pytest.raises(UsageError, match="has gone on since"):
        await agent.resume(run_id)
    settings.configure(enable_telemetry=False)
    with pytest.raises(UsageError, match="enable_telemetry"):
        await agent.resume(run_id)


async def test_a_run_that_goes_on_is_not_taken_up_twice():
    agent = Agent("a", model=ScriptedProvider(script()), tools=[look, drop])
    run = await begun(is_asked, agent.generate, "Go", on_approval=never)
    with pytest.raises(UsageError, match="still goes on"):
        await agent.resume()
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)


KILLED = """
import asyncio, os, sys
sys.path.insert(0, sys.argv[1])
from test_resume import *

async def main():
    agent = Agent("a", model=ScriptedProvider(script()), tools=[look, drop])
    async def dies(question):
        print(os.getpid(), DONE, flush=True)
        os.kill(os.getpid(), 9)
    await agent.generate("Go", thread_id="t1", on_approval=dies)
asyncio.run(main())
"""


async def test_a_killed_process_leaves_a_run_that_another_takes_up():
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(Path(__file__).parent)], capture_output=True, text=True, check=False
    )
    assert killed.returncode == -9 and "look people" in killed.stdout, killed.stderr
    assert list(lumos.runs().status) == ["running"] and await Memory().load("t1") == []
    model = ScriptedProvider(script()[2:])
    agent = Agent("a", model=model, tools=[look, drop])
    result = await agent.resume(on_approval=allow)
    assert result.response == "All done." and DONE == ["drop orders"]
    assert [p.content for p in model.requests[0].messages[-1].parts] == ["3 rows", "dropped"]
    assert ReasoningPart in {type(p) for m in model.requests[0].messages for p in m.parts}
    assert len(await Memory().load("t1")) == 6
    run = lumos.runs().iloc[0]
    assert (run.status, run.n_steps, run.input_tokens) == ("completed", 3, 30)


HOLDS = KILLED.replace("os.kill(os.getpid(), 9)", "await asyncio.sleep(60)")


async def test_a_run_of_a_kernel_that_lives_is_left_to_it():
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(Path(__file__).parent)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(UsageError, match="goes on in another kernel"):
            await Agent("a", model=ScriptedProvider([]), tools=[look, drop]).resume()
    finally:
        holder.kill()
        holder.communicate()
