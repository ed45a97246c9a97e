"""An agent asks, calls tools, asks again; what it did is in its result, its thread and its log."""

from __future__ import annotations

import asyncio
import threading

import pytest

import lumos_nb as lumos
from lumos_nb import Agent, RuntimeContext, tool
from lumos_nb.agent import StreamingAgent, StreamingConfig
from lumos_nb.errors import ProviderError, StreamError, UsageError
from lumos_nb.events import TokenUsage
from lumos_nb.messages import Message, ToolCall, ToolResult
from lumos_nb.testing import Answer, ScriptedProvider


def call(name: str, arguments: str = "{}", id: str = "c1") -> ToolCall:
    return ToolCall(id=id, name=name, arguments=arguments)


@tool
def double(x: int) -> int:
    "Twice x."
    return 2 * x


async def kinds(agent: Agent, prompt: str, **options) -> list[str]:
    return [event.type async for event in agent.stream(prompt, **options)]


async def test_a_run_is_a_stream_of_events_with_a_first_and_a_last():
    asks = Answer(text="Let me see.", tool_calls=[call("double", '{"x": 2}')])
    agent = Agent("a", model=ScriptedProvider([asks, "4"]), tools=[double])
    assert await kinds(agent, "Twice two?", thread_id="t") == [
        "run_start", "memory_update",
        "step_start", "text_delta", "text_delta", "text_delta",
        "checkpoint", "tool_call_start", "tool_call_complete", "step_complete",
        "step_start", "text_delta", "step_complete",
        "memory_update", "generation_complete",
    ]  # fmt: skip


async def test_the_model_is_sent_instructions_history_and_tool_results():
    model = ScriptedProvider([call("double", '{"x": 2}'), "It is 4."])
    result = await Agent("a", model=model, tools=[double], instructions="Be exact.").generate("Twice two?")
    assert result.response == "It is 4."
    assert model.requests[0].tools[0].name == "double"
    assert model.requests[1].messages == (
        Message(role="system", content="Be exact."),
        Message(role="user", content="Twice two?"),
        Message(role="assistant", content=(call("double", '{"x": 2}'),)),
        Message(role="tool", content=(ToolResult(call_id="c1", name="double", content="4", size_bytes=1),)),
    )


async def test_text_leaves_as_it_arrives():
    released = asyncio.Event()

    class Slow(ScriptedProvider):
        async def generate_stream(self, messages, *, tools=(), options=None):
            async for event in ScriptedProvider(["one two"]).generate_stream(messages):
                yield event
                if event.type == "text_delta":
                    await released.wait()

    agent = Agent("a", model=Slow([]))
    async for event in agent.stream("Count"):
        if event.type == "text_delta":
            released.set()  # the model says its second word only after we have seen the first
    assert released.is_set()


async def test_tool_calls_of_a_step_run_at_once_and_answer_in_their_order():
    both = asyncio.Barrier(2)

    @tool
    async def meet(name: str) -> str:
        await asyncio.wait_for(both.wait(), 5)
        return name

    calls = [call("meet", '{"name": "a"}', "1"), call("meet", '{"name": "b"}', "2")]
    model = ScriptedProvider([calls, "met"])
    await Agent("a", model=model, tools=[meet]).generate("Go")
    assert [p.content for p in model.requests[1].messages[-1].parts] == ["a", "b"]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (call("fails"), "ValueError: database is locked"),
        (call("fials"), "There is no tool 'fials'. Did you mean 'fails'?"),
        (call("double", "{oops"), "The arguments of 'double' were not accepted: they are not valid JSON"),
        (call("double", '{"x": "two"}'), "x: Input should be a valid integer"),
        (call("leaves"), "SystemExit in the tool"),
    ],
)
async def test_a_tool_never_breaks_a_run(asked, told):
    @tool
    def fails() -> str:
        raise ValueError("database is locked")

    @tool
    def leaves() -> str:
        raise SystemExit(3)

    model = ScriptedProvider([asked, "I see."])
    agent = Agent("a", model=model, tools=[double, fails, leaves])
    result = await asyncio.to_thread(agent.generate_sync, "Go")
    assert result.response == "I see."
    (answer,) = model.requests[1].messages[-1].parts
    assert answer.is_error
    assert told in answer.content
    assert lumos.tool_calls().status.tolist() == ["error"]


async def test_a_run_that_would_go_on_for_ever_stops_and_leaves_a_valid_thread():
    model = ScriptedProvider(lambda messages: call("double", '{"x": 1}', f"c{len(messages)}"))
    result = await Agent("a", model=model, tools=[double], max_steps=3).generate("Go", thread_id="t")
    assert (result.stop_reason, len(result.steps)) == ("max_steps", 3)
    messages = await Agent("b", model=model).get_memory().load("t")
    asked = [c.id for m in messages for c in m.tool_calls]
    answered = [p.call_id for m in messages for p in m.parts if isinstance(p, ToolResult)]
    assert asked == answered
    assert len(asked) == 3


async def test_usage_and_cost_add_up_from_steps_to_run():
    usage = TokenUsage(input_tokens=10, output_tokens=3, cache_read_tokens=4)
    script = [Answer(tool_calls=[call("double", '{"x": 1}')], usage=usage), Answer(text="2", usage=usage)]
    result = await Agent("a", model=ScriptedProvider(script), tools=[double]).generate("Go")
    assert result.usage == TokenUsage(input_tokens=20, output_tokens=6, cache_read_tokens=8)
    run, steps = lumos.runs().iloc[-1], lumos.steps()
    assert run.input_tokens == steps.input_tokens.sum() == 20
    assert run.output_tokens == steps.output_tokens.sum() == 6


async def test_turn_two_knows_what_was_said_in_turn_one():
    model = ScriptedProvider(["Hello Ada.", "You are Ada."])
    agent = Agent("a", model=model)
    await agent.generate_with_memory("I am Ada.", "t1")
    assert (await agent.generate("Who am I?", thread_id="t1")).response == "You are Ada."
    assert [m.text for m in model.requests[1].messages] == ["I am Ada.", "Hello Ada.", "Who am I?"]


async def test_a_run_that_is_not_to_be_saved_reads_the_thread_and_leaves_it_as_it_was():
    model = ScriptedProvider(["one", "two"])
    agent = Agent("a", model=model)
    await agent.generate("1", thread_id="t")
    await agent.generate("2", thread_id="t", save_to_memory=False)
    assert [m.text for m in model.requests[1].messages] == ["1", "one", "2"]
    assert [m.text for m in await agent.get_memory().load("t")] == ["1", "one"]


async def test_a_stream_that_breaks_off_keeps_its_text_and_says_so():
    broken = StreamError("The answer broke off.", provider="scripted")
    model = ScriptedProvider([Answer(text="So far so good", error=broken, error_after=2), "Better."])
    agent = Agent("a", model=model)
    seen = []
    with pytest.raises(StreamError, match="broke off"):
        async for event in agent.stream("Go", thread_id="t"):
            seen.append(event)
    assert seen[-1].type == "error"
    assert str(seen[-1].error) == "The answer broke off."
    run = lumos.runs().iloc[-1]
    assert (run.status, run.error_type) == ("failed", "StreamError")
    assert [m.text for m in await agent.get_memory().load("t")] == ["Go", "So far "]
    assert (await agent.generate("Again", thread_id="t")).response == "Better."


async def test_a_run_that_never_got_a_word_leaves_no_trace_in_the_thread():
    model = ScriptedProvider([ProviderError("No."), "Hello"])
    agent = Agent("a", model=model)
    with pytest.raises(ProviderError):
        await agent.generate("Go", thread_id="t")
    await agent.generate("Go", thread_id="t")
    assert [m.text for m in await agent.get_memory().load("t")] == ["Go", "Hello"]


@pytest.mark.parametrize("moment", ["text", "tool"])
async def test_cancelling_keeps_the_text_and_a_thread_that_goes_on(moment):
    reached = asyncio.Event()

    @tool
    async def wait() -> str:
        reached.set()
        await asyncio.sleep(60)
        return "never"

    script = [Answer(text="I begin", tool_calls=[call("wait")]) if moment == "tool" else Answer(
        chunks=["I begin", " and"], delay_s=0.05), "Fine."]  # fmt: skip
    agent = Agent("a", model=ScriptedProvider(script), tools=[wait])

    def watch(events):
        if moment == "text" and any(e.type == "text_delta" for e in events):
            reached.set()

    task = asyncio.create_task(agent.generate("Go", thread_id="t", on_events=watch))
    await asyncio.wait_for(reached.wait(), 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert lumos.runs().status.tolist() == ["cancelled"]
    messages = await agent.get_memory().load("t")
    assert messages[1].text.startswith("I begin")
    if moment == "tool":
        assert messages[2].parts[0].content == "The call was cancelled before it ended, and may have done its work."
        assert lumos.tool_calls().status.tolist() == ["cancelled"]
    assert (await agent.generate("And now?", thread_id="t")).response == "Fine."
    assert {t.get_name() for t in asyncio.all_tasks()} == {asyncio.current_task().get_name()}


async def test_a_reader_that_leaves_early_ends_the_run():
    agent = Agent("a", model=ScriptedProvider([Answer(text="one two three", delay_s=0.01)]))
    stream = agent.stream("Count")
    async for event in stream:
        if event.type == "text_delta":
            break
    await stream.aclose()
    assert lumos.runs().status.tolist() == ["cancelled"]


def test_from_plain_code_a_plain_tool_runs_on_the_thread_that_waits():
    where = []

    @tool
    def here() -> str:
        where.append(threading.current_thread())
        return "ok"

    @tool(thread=True)
    def elsewhere() -> str:
        where.append(threading.current_thread())
        return "ok"

    calls = [call("here", id="1"), call("elsewhere", id="2")]
    Agent("a", model=ScriptedProvider([calls, "done"]), tools=[here, elsewhere]).generate_sync("Go")
    assert threading.current_thread() in where
    assert len(set(where)) == 2


async def test_plain_code_works_inside_a_running_loop_and_inside_a_tool():
    inner = Agent("inner", model=ScriptedProvider(["from within"]))

    @tool
    def ask() -> str:
        return inner.generate_sync("Go").response

    outer = Agent("outer", model=ScriptedProvider([call("ask"), "done"]), tools=[ask])
    assert outer.generate_sync("Go").response == "done"


async def test_waiting_for_a_run_on_its_own_loop_is_refused():
    inner = Agent("inner", model=ScriptedProvider(["x"]))

    @tool
    async def ask() -> str:
        return inner.generate_sync("Go").response

    model = ScriptedProvider([call("ask"), "done"])
    await asyncio.to_thread(Agent("outer", model=model, tools=[ask]).generate_sync, "Go")
    assert "Use `await agent.generate(…)` there." in model.requests[1].messages[-1].parts[0].content


async def test_model_instructions_and_tools_may_depend_on_the_context():
    model = ScriptedProvider(["hi"])
    agent = Agent(
        "a",
        model=lambda context: model,
        instructions=lambda context: f"Speak to {context.get('user', str)}.",
        tools=lambda context: [double] if context.get("may_count", bool) else [],
    )
    await agent.generate("Hi", context=RuntimeContext(user="Ada", may_count=True))
    assert model.requests[0].messages[0].text == "Speak to Ada."
    assert [t.name for t in model.requests[0].tools] == ["double"]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Agent(""), "name of an agent cannot be ''"),
        (lambda: Agent("a", model=3), "model of an agent cannot be 3"),
        (lambda: Agent("a", tools="rows"), "tools of an agent cannot be 'rows'"),
        (lambda: Agent("a", max_steps=0), "max_steps of an agent cannot be 0"),
        (lambda: Agent("a", model=ScriptedProvider(["x"])).generate_sync("  "), "The prompt is empty"),
        (lambda: Agent("a", model=ScriptedProvider(["x"])).generate_sync("x", thread="t"), "no option 'thread'"),
    ],
)
def test_a_mistake_shows_at_once_and_says_what_to_do(make, says):
    with pytest.raises(UsageError, match=says):
        make()


async def test_callbacks_hear_text_and_tool_calls():
    text, calls = [], []

    async def on_tool_call(one):
        calls.append(one.name)

    agent = Agent("a", model=ScriptedProvider([call("double", '{"x": 1}'), "It is 2."]), tools=[double])
    result = await agent.stream_with_callbacks("Go", on_text=text.append, on_tool_call=on_tool_call)
    assert "".join(text) == result.response == "It is 2."
    assert calls == ["double"]


async def test_a_subscriber_that_fails_does_not_touch_the_run(caplog):
    def broken(events):
        raise RuntimeError("view is gone")

    agent = Agent("a", model=ScriptedProvider(["fine"]))
    assert (await agent.generate("Go", on_events=broken)).response == "fine"
    assert "view is gone" in caplog.text


async def test_any_agent_can_be_streamed_as_its_caller_wants():
    class Foreign:
        async def generate(self, prompt, **options):
            return "whole"

    events = [e async for e in StreamingAgent(Foreign()).stream("Hi")]
    assert [e.type for e in events] == ["text_delta", "generation_complete"]
    config = StreamingConfig(text_buffer_size=8, emit_memory_updates=False)
    agent = StreamingAgent(Agent("a", model=ScriptedProvider(["one two three"])), config)
    events = [e async for e in agent.stream("Hi", thread_id="t")]
    assert [e.delta for e in events if e.type == "text_delta"] == ["one two ", "three"]
    assert "memory_update" not in {e.type for e in events}


async def test_switches_turn_parts_off_and_the_rest_goes_on():
    lumos.configure(enable_telemetry=False, enable_function_calling=False, enable_memory_threads=False)
    model = ScriptedProvider(["hi", "ho"])
    agent = Agent("a", model=model, tools=[double])
    await agent.generate("1", thread_id="t")
    await agent.generate("2", thread_id="t")
    assert model.requests[0].tools == ()
    assert [m.text for m in model.requests[1].messages] == ["2"]
    assert lumos.runs().empty


def test_many_small_runs_leave_no_thread_behind():
    agent = Agent("a", model=ScriptedProvider(lambda messages: "hi"))
    lumos.configure(enable_telemetry=False)
    agent.generate_sync("warm up")
    before = threading.active_count()
    for _ in range(200):
        agent.generate_sync("Hi")
    assert threading.active_count() <= before


async def test_without_streaming_a_step_comes_in_one_piece():
    lumos.configure(enable_streaming=False)
    agent = Agent("a", model=ScriptedProvider([Answer(text="one two three", reasoning="hm hm")]))
    events = [e async for e in agent.stream("Hi")]
    deltas = [(e.type, e.delta) for e in events if e.type.endswith("_delta")]
    assert deltas == [("reasoning_delta", "hm hm"), ("text_delta", "one two three")]


async def test_a_model_that_takes_no_tools_is_sent_none():
    model = ScriptedProvider(["hi"])
    model.supports_function_calling = False
    await Agent("a", model=model, tools=[double]).generate("Hi")
    assert model.requests[0].tools == ()
