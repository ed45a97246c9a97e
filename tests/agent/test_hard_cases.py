"""What tools, databases and servers do to a run in the worst case, and how it ends all the same."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import threading
import time

import pytest

import lumos_nb as lumos
from lumos_nb import Agent, llm, tool
from lumos_nb.agent import StreamingAgent
from lumos_nb.agent.bridge import CoreTask
from lumos_nb.errors import CredentialError
from lumos_nb.messages import ToolCall, ToolResult
from lumos_nb.testing import Answer, FakeServer, Reply, ScriptedProvider


def call(name: str, id: str = "c1") -> ToolCall:
    return ToolCall(id=id, name=name)


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("no")


async def cancels_itself():
    inner = asyncio.ensure_future(asyncio.sleep(10))
    inner.cancel()
    await inner


def unprintable():
    raise Unprintable


async def exits_async():
    sys.exit(2)


def exits_in_a_thread():
    sys.exit(2)


@pytest.mark.parametrize(
    ("work", "told"),
    [
        (tool(cancels_itself), "CancelledError"),
        (tool(unprintable), "Unprintable: its message cannot be shown"),
        (tool(exits_async), "SystemExit: 2"),
        (tool(thread=True)(exits_in_a_thread), "SystemExit: 2"),
    ],
)
def test_whatever_a_tool_raises_the_run_ends_and_so_does_the_next(work, told):
    model = ScriptedProvider([call(work.name), "I see.", "Still here."])
    agent = Agent("a", model=model, tools=[work])
    assert agent.generate_sync("Go").response == "I see."
    assert model.requests[1].messages[-1].parts[0].content == told
    assert agent.generate_sync("Again").response == "Still here."


async def test_a_plain_function_may_hand_on_an_async_one():
    async def work():
        return "done"

    handed = tool(name="work")(lambda: work())
    model = ScriptedProvider([call("work"), "ok"])
    await Agent("a", model=model, tools=[handed]).generate("Go")
    assert model.requests[1].messages[-1].parts[0].content == "done"


async def test_calls_with_one_id_keep_their_own_results():
    numbers = iter(range(10))
    count = tool(name="count")(lambda: next(numbers))
    made = ToolResult(call_id="other", name="other", content="made")
    ready = tool(name="ready")(lambda: made)
    script = [[call("count"), call("count")], [call("count"), call("ready")], "done"]
    result = await Agent("a", model=ScriptedProvider(script), tools=[count, ready]).generate("Go", thread_id="t")
    pairs = [
        (c.id, r.call_id, r.content) for s in result.steps for c, r in zip(s.tool_calls, s.tool_results, strict=True)
    ]
    assert [asked for asked, answered, _ in pairs] == [answered for _, answered, _ in pairs]
    assert len({asked for asked, _, _ in pairs}) == 4
    assert [content for _, _, content in pairs] == ["0", "1", "2", "made"]


async def test_half_a_surrogate_pair_reaches_a_server_as_a_replacement():
    name = tool(name="name")(lambda: "file-\udcff.txt")
    with FakeServer([call("name"), "ok"]) as server:
        agent = Agent("a", model=llm("mine/m", base_url=server.base_url), tools=[name])
        assert (await agent.generate("Look \ud83d", thread_id="t")).response == "ok"
        assert server.requests[1].body["messages"][-1]["content"] == "file-�.txt"


def test_work_that_is_cancelled_before_it_begins_still_ends():
    ended = threading.Event()
    task = CoreTask(asyncio.sleep(60), ended.set)
    task.cancel()
    assert ended.wait(5)
    with pytest.raises(asyncio.CancelledError):
        task.result()


async def test_messages_know_the_step_and_the_time_in_which_they_were_said():
    slow = tool(name="slow")(lambda: asyncio.sleep(0.05))
    agent = Agent("a", model=ScriptedProvider([call("slow"), "done"]), tools=[slow])
    await agent.generate("Go", thread_id="t")
    messages = lumos.messages(parts=False)
    assert messages.role.tolist() == ["user", "assistant", "tool", "assistant"]
    assert messages.step.fillna(0).tolist() == [0, 1, 1, 2]
    assert messages.created_at.is_monotonic_increasing
    assert messages.created_at.iloc[2] > messages.created_at.iloc[1]


async def test_a_database_that_is_locked_at_the_end_costs_nothing(database):
    agent = Agent("a", model=ScriptedProvider(["first", "second"]))
    await agent.generate("1", thread_id="t")
    store = agent.get_memory().store
    store._busy_timeout_s = 0.2
    store.close()
    holder = sqlite3.connect(database, isolation_level=None, check_same_thread=False)

    def lock(events):
        if any(e.type == "step_complete" for e in events):
            holder.execute("begin immediate")
            threading.Timer(0.4, lambda: holder.execute("rollback")).start()

    assert (await agent.generate("2", thread_id="t", on_events=lock)).response == "second"
    holder.close()
    assert lumos.runs().status.tolist() == ["completed", "completed"]
    assert [m.text for m in await agent.get_memory().load("t")] == ["1", "first", "2", "second"]


async def test_closing_a_wrapped_stream_ends_the_run():
    stream = StreamingAgent(Agent("a", model=ScriptedProvider([Answer(text="one two three", delay_s=0.05)]))).stream(
        "Go"
    )
    async for event in stream:
        if event.type == "text_delta":
            break
    await stream.aclose()
    assert lumos.runs().status.tolist() == ["cancelled"]


async def test_no_tool_goes_on_when_the_reader_has_left():
    ended = []

    @tool
    async def naps() -> str:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.01)
            ended.append("naps")
        return "done"

    @tool
    async def ends() -> str:
        return "done"

    model = ScriptedProvider([[call("naps"), call("ends", "c2")], "Done."])
    stream = Agent("a", model=model, tools=[naps, ends]).stream("Go")
    async for event in stream:
        if event.type == "tool_call_complete":
            break
    await stream.aclose()
    assert ended == ["naps"]
    assert list(lumos.runs().status) == ["cancelled"]


async def test_a_password_in_an_address_and_a_key_in_an_answer_are_never_shown():
    key = "sk-live-0123456789abcdef"
    echo = Reply(status=401, headers={"x-request-id": key}, body=f'{{"error": {{"message": "{"x" * 280} {key}"}}}}')
    with FakeServer([echo]) as server:
        address = server.base_url.replace("http://", "http://ada:hunter2@")
        agent = Agent("a", model=llm("mine/m", base_url=address, api_key=key))
        with pytest.raises(CredentialError) as error:
            await agent.generate("Go", thread_id="t")
    shown = f"{error.value!r} {error.value} {lumos.events(payload=True).to_csv()} {lumos.runs().to_csv()}"
    assert "hunter2" not in shown
    assert "sk-live" not in shown


async def test_thousands_of_prints_are_few_events():
    outputs = []

    class Printing:
        async def run(self, job):
            from lumos_nb.agent.home import Outcome

            await asyncio.to_thread(lambda: [job.emit("stdout", f"{n}\n", {}) for n in range(5000)])
            return Outcome("ok")

    from lumos_nb.agent.home import HOME

    HOME.set(Printing())
    agent = Agent("a", model=ScriptedProvider([call("nothing"), "done"]), tools=[tool(name="nothing")(lambda: 1)])
    async for event in agent.stream("Go"):
        if event.type == "tool_output":
            outputs.append(event.text)
    assert "".join(outputs) == "".join(f"{n}\n" for n in range(5000))
    assert len(outputs) < 2500


def test_the_time_that_a_call_waits_for_another_is_not_its_own():
    slow = tool(name="slow")(lambda: time.sleep(0.3))
    quick = tool(name="quick")(lambda: "ok")
    agent = Agent("a", model=ScriptedProvider([[call("slow", "1"), call("quick", "2")], "done"]), tools=[slow, quick])
    agent.generate_sync("Go")
    seconds = lumos.tool_calls().set_index("tool").duration_s
    assert seconds["quick"] < seconds["slow"] / 2
