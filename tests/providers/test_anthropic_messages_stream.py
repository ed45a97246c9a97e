"""Reading Anthropic Messages: what was recorded, every shape that is known, and any chunking of it."""

import hashlib
import json

import anthropic
import msgspec
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lumos_nb.agent import Agent
from lumos_nb.agent.step import StepDraft
from lumos_nb.errors import ContextLengthError, OverloadedError, StreamError
from lumos_nb.events import Finish, ModelToolCall, PartEnd, ReasoningDelta, TextDelta, TokenUsage
from lumos_nb.messages import Message, ReasoningPart, ToolCall
from lumos_nb.providers import ModelOptions, llm
from lumos_nb.providers.wire import WireRequest
from lumos_nb.providers.wire.anthropic_messages import encode
from lumos_nb.testing import Answer, FakeServer, Reply
from lumos_nb.testing.wire import served_format
from lumos_nb.tools import tool
from tests.providers.streams import calls_of, cut_at, decode, pieces, recorded, text_of

FORMAT = "anthropic-messages"
HI = Message(role="user", content="Hi")


def sse(*events):
    return [f"event: {e['type']}\ndata: {json.dumps(e)}\n\n".encode() for e in events]


def start(**usage):
    message = {"id": "msg_0123456789abcdef", "model": "claude-x", "usage": {"input_tokens": 3, **usage}}
    return {"type": "message_start", "message": message}


def block(index, kind, *deltas, **fields):
    yield {"type": "content_block_start", "index": index, "content_block": {"type": kind, **fields}}
    for delta in deltas:
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}


def said(text):
    return {"type": "text_delta", "text": text}


def thought(text):
    return {"type": "thinking_delta", "thinking": text}


def signed(text):
    return {"type": "signature_delta", "signature": text}


def args(text):
    return {"type": "input_json_delta", "partial_json": text}


def end(reason="end_turn", **usage):
    delta = {"stop_reason": reason, "stop_sequence": None}
    return ({"type": "message_delta", "delta": delta, "usage": usage}, {"type": "message_stop"})


def read(*events):
    return decode(FORMAT, sse(*events))


@pytest.mark.parametrize("how", ["whole", "bytes", "1", "2"])
@pytest.mark.parametrize(("data", "expected"), recorded("anthropic-sse"))
def test_a_recorded_stream_gives_what_was_recorded(data, expected, how):
    events, error = decode(FORMAT, pieces(data, how))
    assert text_of(events) == expected["text"]
    reasoning = text_of(events, "reasoning_delta")
    assert hashlib.sha256(reasoning.encode()).hexdigest() == expected["reasoning_sha256"]
    if expected["errors"]:
        assert error is not None
        return
    assert error is None
    shown = [{"id": c.id, "name": c.name, "args": json.loads(c.arguments)} for c in calls_of(events)]
    assert shown == expected["tool_calls"]
    assert sum(e.type == "part_end" and bool(e.signature) for e in events) == expected["signatures_or_opaque"]
    usage = expected["usage"]
    finish = events[-1]
    assert finish.reason == {"tool_use": "tool_calls", "end_turn": "stop"}[expected["finish"]]
    assert finish.model.startswith("claude-")
    assert finish.usage == TokenUsage(
        input_tokens=usage["input_tokens"],
        output_tokens=usage["output_tokens"],
        reasoning_tokens=usage.get("output_tokens_details", {}).get("thinking_tokens", 0),
    )


FULL = (
    start(cache_read_input_tokens=5, cache_creation_input_tokens=7, output_tokens=1),
    *block(0, "thinking", thought("Zäh"), thought("l 🎉"), signed("sig=="), thinking="", signature=""),
    {"type": "ping"},
    *block(1, "redacted_thinking", data="Ev=="),
    *block(2, "text", said("Hé\u2028"), said("llo"), text=""),
    *block(3, "tool_use", args(""), args('{"a": '), args("1}"), id="toolu_1", name="add", input={}),
    *block(4, "tool_use", args(""), id="toolu_2", name="now", input={}),
    *end("tool_use", output_tokens=40, output_tokens_details={"thinking_tokens": 9}),
)
FULL_EVENTS = [
    ReasoningDelta("Zäh"),
    ReasoningDelta("l 🎉"),
    PartEnd("sig=="),
    PartEnd('{"type":"redacted_thinking","data":"Ev=="}'),
    TextDelta("Hé\u2028"),
    TextDelta("llo"),
    ModelToolCall(ToolCall(id="toolu_1", name="add", arguments='{"a": 1}')),
    ModelToolCall(ToolCall(id="toolu_2", name="now", arguments="{}")),
    Finish(
        "tool_calls",
        TokenUsage(input_tokens=15, output_tokens=40, cache_read_tokens=5, cache_write_tokens=7, reasoning_tokens=9),
        "claude-x",
    ),
]


def test_every_part_of_an_answer_becomes_its_event():
    assert read(*FULL) == (FULL_EVENTS, None)


def test_each_split_point_decodes_alike():
    stream = b"".join(sse(*FULL))
    for at in range(len(stream)):
        assert decode(FORMAT, [stream[:at], stream[at:]]) == (FULL_EVENTS, None)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_chunking_decodes_alike(data):
    stream = b"".join(sse(*FULL))
    cuts = data.draw(st.sets(st.integers(0, len(stream)), max_size=12))
    assert decode(FORMAT, cut_at(stream, cuts))[0] == FULL_EVENTS


@pytest.mark.parametrize("n", range(len(FULL)))
def test_an_answer_that_is_cut_is_no_success_and_calls_nothing(n):
    events, error = read(*FULL[:n])
    if n == len(FULL) - 1:  # all was said, only the very last event is missing
        assert (events, error) == (FULL_EVENTS, None)
        return
    assert isinstance(error, StreamError) and error.is_temporary
    assert events == [e for e in FULL_EVENTS if e.type not in {"tool_call", "finish"}][: len(events)]


def kept(events):
    draft = StepDraft(1, llm("anthropic/claude-x", api_key="key-1"))
    draft.keep(events)
    return draft.message()


def test_what_was_read_goes_back_as_it_came():
    message = kept(read(*FULL)[0])
    assert message.parts[0] == ReasoningPart("Zähl 🎉", signature="sig==", provider="anthropic")
    sent = encode(WireRequest(model="m", messages=(HI, message), origin="anthropic"))
    assert sent["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "Zähl 🎉", "signature": "sig=="},
        {"type": "redacted_thinking", "data": "Ev=="},
        {"type": "text", "text": "Hé\u2028llo"},
        {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {"a": 1}},
        {"type": "tool_use", "id": "toolu_2", "name": "now", "input": {}},
    ]


def test_blocks_whose_thinking_is_not_shown_go_back_each_with_its_own_signature():
    events, _ = read(
        start(),
        *block(0, "thinking", signed("one"), thinking="", signature=""),
        *block(1, "thinking", thought("seen"), signed("two"), thinking="", signature=""),
        *block(2, "thinking", signed("three"), thinking="", signature=""),
        *block(3, "tool_use", id="t", name="f", input={}),
        *end("tool_use"),
    )
    sent = encode(WireRequest(model="m", messages=(HI, kept(events)), origin="anthropic"))["messages"][1]["content"]
    assert [(b["thinking"], b["signature"]) for b in sent[:3]] == [("", "one"), ("seen", "two"), ("", "three")]


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ("end_turn", "stop"), ("stop_sequence", "stop"), ("max_tokens", "length"), ("tool_use", "stop"),
        ("model_context_window_exceeded", "length"), ("refusal", "content_filter"), ("pause_turn", "other"),
        ("something_new", "other"), (None, "stop"), (7, "other"),
    ],
)  # fmt: skip
def test_why_it_ended(told, reason):
    events, error = read(start(), *block(0, "text", said("x"), text=""), *end(told))
    assert (events[-1].reason, error) == (reason, None)


@pytest.mark.parametrize(("told", "reason"), [("end_turn", "tool_calls"), ("max_tokens", "length")])
def test_calls_make_the_reason_unless_it_says_more(told, reason):
    events, _ = read(start(), *block(0, "tool_use", id="a", name="f", input={"x": 1}), *end(told))
    assert [e.type for e in events] == ["tool_call", "finish"] and events[-1].reason == reason


def test_tools_of_the_server_and_kinds_that_are_not_known_are_skipped():
    events, error = read(
        start(),
        {"type": "ping"},
        {"type": "weather_report", "delta": "sunny", "index": "north", "usage": 7},
        *block(0, "server_tool_use", args('{"query": "x"}'), id="srv_1", name="web_search", input={}),
        *block(1, "web_search_tool_result", tool_use_id="srv_1", content=[{"type": "web_search_result", "url": "u"}]),
        *block(2, "text", {"type": "citations_delta", "citation": {"cited_text": "y"}}, said("So."), text=""),
        *block(3, "hologram", {"type": "hologram_delta", "text": {"x": 1}}, text=[1], data={}, signature=0, id=9),
        *block(5, "compaction", {"type": "compaction_delta", "content": "z"}, content=None),
        {"type": "content_block_start", "index": 4, "content_block": None},
        {"type": "content_block_delta", "index": 4, "delta": None},
        {"type": "content_block_stop"},
        *end(),
    )  # fmt: skip
    assert error is None
    assert [e.type for e in events] == ["text_delta", "finish"] and events[0].delta == "So."


def test_null_and_missing_fields_harm_nothing():
    nulls = {"id": None, "model": None, "usage": None}
    events, error = read(
        {"type": "message_start", "message": nulls},
        *block(0, "tool_use", args(None), {"type": "text_delta", "text": None}, id=None, name=None, input=None),
        {"type": "message_delta", "delta": None, "usage": None},
        {"type": "message_delta", "delta": {"stop_reason": None}, "usage": {"output_tokens": None, "iterations": None}},
        {"type": "message_stop"},
    )
    assert error is None
    assert events == [ModelToolCall(ToolCall(id="call_0", name="", arguments="{}")), Finish("tool_calls")]


@pytest.mark.parametrize("usage", [{"input_tokens": {}}, [1], "many", 7])
def test_figures_that_cannot_be_read_cost_no_answer(usage):
    begun = {"type": "message_start", "message": {"usage": usage}}
    events, error = read(begun, *block(0, "text", said("x"), text=""), *end(output_tokens="5"))
    assert (events, error) == ([TextDelta("x"), Finish("stop", TokenUsage(output_tokens=5))], None)


def test_calls_without_an_id_get_the_same_one_each_time():
    stream = (start(), *block(0, "tool_use", name="f"), *block(1, "tool_use", name="f"), *end())
    ids = [c.id for c in calls_of(read(*stream)[0])]
    assert ids == ["call_456789abcdef_0", "call_456789abcdef_1"] == [c.id for c in calls_of(read(*stream)[0])]


def test_arguments_that_come_with_the_beginning_of_a_block_count():
    events, _ = read(start(), *block(0, "tool_use", id="a", name="f", input={"x": [1]}), *end())
    assert calls_of(events)[0].arguments == '{"x":[1]}'


def test_a_block_that_is_never_ended_and_an_index_used_twice():
    events, error = read(
        start(),
        {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "a"}},
        {"type": "content_block_delta", "index": 0, "delta": signed("s")},
        *block(0, "tool_use", args('{"n": 1}'), id="a", name="f"),
        *block(0, "tool_use", args('{"n": 2}'), id="b", name="f"),
        *end(),
    )
    assert error is None
    assert events[:2] == [ReasoningDelta("a"), PartEnd("s")]
    assert [(c.id, c.arguments) for c in calls_of(events)] == [("a", '{"n": 1}'), ("b", '{"n": 2}')]


def test_the_last_figures_count_and_compaction_is_added():
    first = {"cache_read_input_tokens": 4, "output_tokens": 1}
    events, _ = read(start(**first), *end(input_tokens=10, output_tokens=20))
    assert events[-1].usage == TokenUsage(input_tokens=14, output_tokens=20, cache_read_tokens=4)
    parts = [
        {"type": "compaction", "input_tokens": 100, "output_tokens": 30, "cache_read_input_tokens": 5},
        {"type": "message", "input_tokens": 10, "output_tokens": 20, "cache_creation_input_tokens": 2},
    ]
    events, _ = read(start(), *end(output_tokens=20, iterations=parts, output_tokens_details={"thinking_tokens": 3}))
    assert events[-1].usage == TokenUsage(
        input_tokens=117, output_tokens=50, cache_read_tokens=5, cache_write_tokens=2, reasoning_tokens=3
    )
    events, _ = read(start(), *end(output_tokens=20, iterations=parts[1:]))
    assert events[-1].usage == TokenUsage(input_tokens=3, output_tokens=20)


@pytest.mark.parametrize(
    ("data", "said", "is_temporary"),
    [
        (b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n',
         "Overloaded", True),
        (b'event: error\ndata: {"error":{"type":"api_error","message":"Internal"}}\n\n', "Internal", True),
        (b'data: {"type":"error","error":{"type":"timeout_error","message":"Too slow"}}\n\n', "Too slow", True),
        (b'data: {"type":"error","error":{"type":"invalid_request_error","message":"Bad"}}\n\n', "Bad", False),
        (b'event: error\ndata: upstream went away\n\n', "upstream went away", False),
        (b'event: error\ndata: {"type":"error"}\n\n', "broke the answer off", False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("how", ["whole", "bytes"])
def test_an_error_in_the_stream_is_raised_after_the_text_and_calls_nothing(data, said, is_temporary, how):
    before = b"".join(sse(*FULL[:-2]))
    events, error = decode(FORMAT, pieces(before + data, how))
    assert text_of(events) == "Hé\u2028llo" and not calls_of(events)
    assert isinstance(error, StreamError) and said in str(error)
    assert error.is_temporary is is_temporary


@pytest.mark.parametrize(
    "data",
    [b"data: {oops\n\n", b"data: 7\n\n", b'data: "x"\n\n', b"data: \xff\n\n",
     b'data: {"type":"content_block_delta","delta":{"type":"text_delta","text":7}}\n\n'],
)  # fmt: skip
def test_what_is_not_of_the_format_is_said(data):
    events, error = decode(FORMAT, [data])
    assert events == [] and "not an Anthropic Messages chunk" in str(error)


def test_a_done_line_of_a_compatible_server_is_no_event():
    assert decode(FORMAT, [*sse(*FULL)[:-1], b"data: [DONE]\n\n"]) == (FULL_EVENTS, None)


WHOLE = {
    "type": "message", "id": "msg_1", "role": "assistant", "model": "claude-x", "stop_reason": "tool_use",
    "content": [
        {"type": "thinking", "thinking": "hm", "signature": "s"}, {"type": "text", "text": "So."},
        {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}},
    ],
    "usage": {"input_tokens": 3, "output_tokens": 4},
}  # fmt: skip


async def test_an_answer_that_was_not_streamed_counts_too():
    with FakeServer([Reply(body=json.dumps(WHOLE))]) as server:
        provider = llm("anthropic/m", base_url=server.base_url, api_key="key-1")
        events = [event async for event in provider.generate_stream([HI])]
    assert events == [
        ReasoningDelta("hm"), PartEnd("s"), TextDelta("So."),
        ModelToolCall(ToolCall(id="a", name="f", arguments='{"x":1}')),
        Finish("tool_calls", TokenUsage(input_tokens=3, output_tokens=4), "claude-x"),
    ]  # fmt: skip


ANSWER = Answer(
    text="Two numbers, added: 🎉.",
    reasoning="I add them.",
    signature="EtYD==",
    tool_calls=(
        ToolCall(id="toolu_a", name="add", arguments='{"a": 12345, "b": 2}'),
        ToolCall(id="toolu_b", name="now"),
    ),
    usage=TokenUsage(input_tokens=50, output_tokens=20, cache_read_tokens=30, cache_write_tokens=5, reasoning_tokens=6),
)


async def test_an_answer_of_the_server_arrives_whole():
    with FakeServer([ANSWER]) as server:
        answer = await llm("anthropic/m", base_url=server.base_url, api_key="key-1").generate(
            [HI], options=ModelOptions(reasoning="low")
        )
    assert (answer.text, answer.reasoning, answer.tool_calls) == (ANSWER.text, ANSWER.reasoning, ANSWER.tool_calls)
    assert (answer.finish_reason, answer.usage) == ("tool_calls", ANSWER.usage)
    assert server.requests[0].model == "m" and server.requests[0].body["output_config"] == {"effort": "low"}


@pytest.mark.parametrize("reason", ["stop", "length", "content_filter", "other"])
async def test_the_server_says_why_it_ended(reason):
    with FakeServer([Answer(text="x", finish=reason)]) as server:
        answer = await llm("anthropic/m", base_url=server.base_url, api_key="key-1").generate([HI])
    assert answer.finish_reason == reason


@pytest.mark.parametrize(
    ("status", "kind", "message", "error"),
    [
        (529, "overloaded_error", "Overloaded", OverloadedError),
        (400, "invalid_request_error", "prompt is too long: 9 tokens > 8 maximum", ContextLengthError),
    ],
)
async def test_a_refusal_is_read(status, kind, message, error, monkeypatch):
    monkeypatch.setattr("random.uniform", lambda a, b: 0.001)
    body = json.dumps({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"})
    with FakeServer([Reply(status=status, body=body)]) as server, pytest.raises(error) as caught:
        await llm("anthropic/m", base_url=server.base_url, api_key="key-1").generate([HI])
    assert message in str(caught.value)


async def test_the_vendors_own_client_reads_the_same_from_the_server():
    with FakeServer([ANSWER]) as server:
        async with anthropic.AsyncAnthropic(api_key="key-1", base_url=server.base_url.removesuffix("/v1")) as client:
            asked = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
            async with client.messages.stream(**asked) as stream:
                message = await stream.get_final_message()
    thinking, text, *calls = message.content
    assert (thinking.type, thinking.thinking, thinking.signature) == ("thinking", ANSWER.reasoning, ANSWER.signature)
    assert text.text == ANSWER.text
    assert [(c.id, c.name, c.input) for c in calls] == [(c.id, c.name, c.parsed()) for c in ANSWER.tool_calls]
    assert message.stop_reason == "tool_use" and message.model == "m"
    usage = message.usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (15, 30, 5)
    assert (usage.output_tokens, usage.output_tokens_details.thinking_tokens) == (20, 6)


async def test_the_vendors_own_client_sees_errors_and_redacted_blocks():
    redacted = '{"type":"redacted_thinking","data":"Ev=="}'
    script = [Answer(text="x", signature=redacted), Reply(answer=Answer(text="a b"), error_after=3)]
    asked = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
    with FakeServer(script) as server:
        async with anthropic.AsyncAnthropic(api_key="key-1", base_url=server.base_url.removesuffix("/v1")) as client:
            async with client.messages.stream(**asked) as stream:
                message = await stream.get_final_message()
            assert (message.content[0].type, message.content[0].data) == ("redacted_thinking", "Ev==")
            with pytest.raises(anthropic.APIStatusError, match="overloaded"):
                async with client.messages.stream(**asked) as stream:
                    await stream.get_final_message()


@pytest.mark.parametrize("piece", list(served_format(FORMAT).events(ANSWER, {})))
def test_each_event_of_the_server_is_one_that_the_vendors_client_knows(piece):
    data = msgspec.json.decode(piece.partition(b"data: ")[2])
    if data["type"] != "ping":
        known = pydantic.TypeAdapter(anthropic.types.RawMessageStreamEvent)
        assert known.validate_python(data).type == data["type"]


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


async def test_an_agent_sends_back_what_the_model_thought_before_it_called_a_tool():
    call = ToolCall(id="toolu_a", name="add", arguments='{"a": 2, "b": 3}')
    script = [Answer(text="I add.", reasoning="Two numbers.", signature="EtYD==", tool_calls=(call,)), "It is 5."]
    with FakeServer(script) as server:
        agent = Agent(name="a", model=llm("anthropic/m", base_url=server.base_url, api_key="key-1"), tools=[add])
        assert (await agent.generate("What is 2+3?")).response == "It is 5."
    assert server.requests[1].body["messages"] == [
        {"role": "user", "content": "What is 2+3?"},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Two numbers.", "signature": "EtYD=="},
                {"type": "text", "text": "I add."},
                {"type": "tool_use", "id": "toolu_a", "name": "add", "input": {"a": 2, "b": 3}},
            ],
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_a", "content": "5"}]},
    ]
