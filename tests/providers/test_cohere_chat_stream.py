"""Reading Cohere's streams, and a server that writes them so that its own client reads the same."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lumos_nb.agent.step import StepDraft
from lumos_nb.errors import ProviderError, StreamError
from lumos_nb.events import Finish, PartEnd, ReasoningDelta, TextDelta, TokenUsage
from lumos_nb.messages import Message, ToolCall
from lumos_nb.providers import ModelOptions, ToolSpec, llm
from lumos_nb.providers.wire import WireRequest, load_format
from lumos_nb.testing import Answer, FakeServer, Reply
from tests.providers.streams import calls_of, cut_at, decode, pieces, recorded, text_of

FORMAT = "cohere-chat"
USER = [Message(role="user", content="Hi")]


def event(type, **fields):
    return f"event: {type}\ndata: {json.dumps({'type': type, **fields}, ensure_ascii=False)}\n\n".encode()


def part(type, index=0, **message):
    return event(type, index=index, delta={"message": message})


def content(**content):
    return part("content-delta", content=content)


def end(reason="COMPLETE", **fields):
    return event("message-end", delta={"finish_reason": reason, **fields})


USAGE = {
    "billed_units": {"input_tokens": 46.0, "output_tokens": 14.0},
    "tokens": {"input_tokens": 1445.0, "output_tokens": 43.0},
    "cached_tokens": 704.0,
}
EVENTS = [
    event("message-start", id="reply-1234567890ab", delta={"message": {"role": "assistant", "content": []}}),
    part("content-start", content={"type": "thinking", "thinking": "ne"}),
    content(thinking="ed 漢"),
    event("content-end", index=0),
    part("content-start", 1, content={"type": "text", "text": ""}),
    part("content-delta", 1, content={"text": "One 🌟"}),
    event("content-end", index=1),
    event("citation-start", index=0, delta={"message": {"citations": {"start": 0, "end": 3, "sources": []}}}),
    event("citation-end", index=0),
    part("tool-plan-delta", tool_plan="I "),
    part("tool-plan-delta", tool_plan="will."),
    part("tool-call-start", tool_calls={"id": "w_1", "type": "function", "function": {"name": "weather"}}),
    part("tool-call-delta", tool_calls={"function": {"arguments": '{"city":'}}),
    part("tool-call-delta", tool_calls={"function": {"arguments": ' "Oslo"}'}}),
    event("tool-call-end", index=0),
    part("tool-call-start", 1, tool_calls={"function": {"name": "now", "arguments": ""}}),
    event("tool-call-end", index=1),
    end("TOOL_CALL", usage=USAGE),
    b"data: [DONE]\n\n",
]
STREAM = b"".join(EVENTS)


@pytest.mark.parametrize("how", ["whole", "bytes", "1", "2"])
@pytest.mark.parametrize(("data", "expected"), recorded("cohere-v2-sse"))
def test_a_recorded_stream_gives_what_was_recorded(data, expected, how):
    events, error = decode(FORMAT, pieces(data, how))
    assert error is None
    assert text_of(events) == expected["text"]
    assert text_of(events, "reasoning_delta") == expected["tool_plan"]
    shown = [{"id": c.id, "name": c.name, "args": json.loads(c.arguments)} for c in calls_of(events)]
    assert shown == [{k: c[k] for k in ("id", "name", "args")} for c in expected["tool_calls"]]
    usage = expected["usage"]
    counted = TokenUsage(**usage["tokens"], cache_read_tokens=usage.get("cached_tokens", 0))
    assert events[-1] == Finish("tool_calls", counted)
    assert [e.type for e in events[-3:]] == ["part_end", "tool_call", "finish"]


def test_thoughts_text_a_plan_and_calls():
    assert decode(FORMAT, [STREAM])[0][:-3] == [
        ReasoningDelta("ne"), ReasoningDelta("ed 漢"), PartEnd(), TextDelta("One 🌟"),
        ReasoningDelta("I "), ReasoningDelta("will."), PartEnd("tool_plan"),
    ]  # fmt: skip
    events, error = decode(FORMAT, [STREAM])
    assert error is None
    assert calls_of(events) == [
        ToolCall("w_1", "weather", '{"city": "Oslo"}'), ToolCall("call_1234567890ab_1", "now", "{}"),
    ]  # fmt: skip
    usage = TokenUsage(input_tokens=1445, output_tokens=43, cache_read_tokens=704)
    assert events[-1] == Finish("tool_calls", usage)


@settings(max_examples=100, deadline=None)
@given(st.sets(st.integers(0, len(STREAM)), max_size=12))
def test_any_chunking_decodes_alike(cuts):
    assert decode(FORMAT, cut_at(STREAM, cuts)) == decode(FORMAT, [STREAM]) == decode(FORMAT, pieces(STREAM, "bytes"))


@pytest.mark.parametrize("done", [b"", b"data: [DONE]\n\n"])
def test_an_answer_that_was_cut_is_never_a_success(done):
    for n in range(len(EVENTS) - 2):
        events, error = decode(FORMAT, [*EVENTS[:n], done])
        assert isinstance(error, StreamError) and error.is_temporary and "broke off" in str(error), n
        assert not calls_of(events) and "finish" not in {e.type for e in events}
    assert decode(FORMAT, EVENTS[:-1]) == decode(FORMAT, EVENTS), "the end of the message is the end"


@pytest.mark.parametrize(
    ("reason", "shown"),
    [("COMPLETE", "stop"), ("STOP_SEQUENCE", "stop"), ("MAX_TOKENS", "length"), ("TOOL_CALL", "stop"),
     ("SOMETHING", "other"), (None, "stop"), (7, "other")],
)  # fmt: skip
def test_reasons_of_the_end(reason, shown):
    assert decode(FORMAT, [content(text="x"), end(reason)]) == ([TextDelta("x"), Finish(shown)], None)


@pytest.mark.parametrize(
    ("usage", "counted"),
    [
        (None, TokenUsage()),
        ({}, TokenUsage()),
        ({"tokens": None, "cached_tokens": None}, TokenUsage()),
        ({"billed_units": {"input_tokens": 2}}, TokenUsage(input_tokens=2)),
    ],
)
def test_a_usage_may_lack_anything(usage, counted):
    assert decode(FORMAT, [end(usage=usage)])[0] == [Finish("stop", counted)]


@pytest.mark.parametrize(
    ("last", "says", "is_temporary"),
    [
        (end("ERROR", error="the model is overloaded"), "the model is overloaded", True),
        (end("ERROR"), "ERROR", False),
        (end("TIMEOUT"), "TIMEOUT", True),
        (end("COMPLETE", error="no luck"), "no luck", False),
        (event("error", message="no luck"), "no luck", False),
        (b'event: error\ndata: "no luck"\n\n', "no luck", False),
        (b'data: {"message":"no luck"}\n\n', "no luck", False),
        (b'data: {"error":{"message":"no luck"}}\n\n', "no luck", False),
        (b"event: error\ndata: no luck\n\n", "no luck", False),
        (b"data: {oops\n\n", "Cohere", False),
        (b"data: \xff\n\n", "Cohere", False),
    ],
)
def test_an_error_ends_it_and_the_text_before_it_counts(last, says, is_temporary):
    events, error = decode(FORMAT, [*EVENTS[:-2], last, end(), b"data: [DONE]\n\n"])
    assert text_of(events) == "One 🌟" and not calls_of(events)
    assert isinstance(error, StreamError) and says in str(error) and error.is_temporary is is_temporary


@pytest.mark.parametrize(
    "odd",
    [
        b": keep-alive\n\n", event("debug", prompt="…"), event("something-new", delta={"x": 1}), b"data: {}\n\n",
        event("content-delta", delta=None), part("content-delta", content=None), content(text=None, audio=1),
        part("tool-plan-delta", tool_plan=None), part("tool-call-delta", tool_calls=None), content(),
        event("content-delta", index=None, delta={"message": None}), event("content-end"), event("tool-call-end"),
    ],
)  # fmt: skip
def test_what_is_unknown_or_empty_is_skipped(odd):
    assert decode(FORMAT, [odd, content(text="Hi"), odd, end()]) == ([TextDelta("Hi"), Finish("stop")], None)


def test_an_answer_that_was_not_streamed_is_one_event():
    whole = {
        "id": "x",
        "finish_reason": "COMPLETE",
        "message": {
            "role": "assistant",
            "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Hi"}],
            "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        },
        "usage": USAGE,
    }
    events, error = decode(FORMAT, [b"data: " + json.dumps(whole).encode() + b"\n\ndata: [DONE]\n\n"])
    assert error is None
    assert [e.type for e in events] == ["reasoning_delta", "part_end", "text_delta", "tool_call", "finish"]
    assert events[-1].usage.input_tokens == 1445


def sent_back(events):
    draft = StepDraft(1, llm("cohere/m", base_url="http://127.0.0.1:9"))
    draft.keep(events)
    request = WireRequest(model="m", messages=(draft.message(),), origin="cohere")
    return load_format(FORMAT).encode(request)["messages"]


def test_what_came_goes_back_as_it_came():
    calls = [
        {"id": "w_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}},
        {"id": "call_1234567890ab_1", "type": "function", "function": {"name": "now", "arguments": "{}"}},
    ]
    without_text = [e for e in decode(FORMAT, [STREAM])[0] if e.type != "text_delta"]
    thought = [{"type": "thinking", "thinking": "need 漢"}]
    assert sent_back(without_text) == [
        {"role": "assistant", "content": thought, "tool_plan": "I will.", "tool_calls": calls}
    ]
    answer = [content(thinking="hm"), event("content-end"), content(text="Yes"), event("content-end"), end()]
    assert sent_back(decode(FORMAT, answer)[0]) == [
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Yes"}]}
    ]


CALLS = (ToolCall("c1", "weather", '{"city": "Oslo"}'), ToolCall("c2", "now", "{}"))
COUNTED = TokenUsage(input_tokens=11, output_tokens=22, cache_read_tokens=5)
FULL = Answer(text="It is 漢 warm.", reasoning="I should look.", tool_calls=CALLS, usage=COUNTED)
PLANNED = Answer(reasoning="I will look.", signature="tool_plan", tool_calls=CALLS)


async def test_a_whole_answer_over_http():
    with FakeServer([FULL, PLANNED, Answer(text="cut", finish="length")]) as server:
        model = llm("cohere/m", base_url=server.base_url, api_key="co-key")
        tools = [ToolSpec(name="weather"), ToolSpec(name="now")]
        answer = await model.generate(USER, tools=tools, options=ModelOptions(reasoning="high"))
        assert (answer.text, answer.reasoning) == (FULL.text, FULL.reasoning)
        assert answer.tool_calls == CALLS
        assert (answer.finish_reason, answer.usage) == ("tool_calls", COUNTED)
        assert (await model.generate(USER, tools=tools)).reasoning == PLANNED.reasoning
        assert (await model.generate(USER)).finish_reason == "length"
    request = server.requests[0]
    assert (request.path, request.headers["authorization"]) == ("/v1/chat", "Bearer co-key")
    assert request.body["thinking"] == {"type": "enabled"} and len(request.body["tools"]) == 2


async def test_a_refusal_is_read():
    reply = Reply(status=400, body='{"id":"x","message":"invalid request: no such role"}')
    with FakeServer([reply]) as server, pytest.raises(ProviderError, match="no such role"):
        await llm("cohere/m", base_url=server.base_url, api_key="co-key").generate(USER)


async def official(client, **options):
    """Return text, thoughts, plan, calls, reason and usage as the official client reads them."""
    texts, thoughts, plan, calls, last = [], [], [], {}, None
    async for row in client.chat_stream(model="m", messages=[{"role": "user", "content": "Hi"}], **options):
        message = getattr(getattr(row, "delta", None), "message", None)
        match row.type:
            case "content-start" | "content-delta":
                texts.append(message.content.text or "")
                thoughts.append(message.content.thinking or "")
            case "tool-plan-delta":
                plan.append(message.tool_plan)
            case "tool-call-start":
                calls[row.index] = [message.tool_calls.id, message.tool_calls.function.name, ""]
            case "tool-call-delta":
                calls[row.index][2] += message.tool_calls.function.arguments
            case "message-end":
                last = last or row.delta
    return "".join(texts), "".join(thoughts), "".join(plan), [ToolCall(*call) for call in calls.values()], last


async def test_the_official_client_reads_the_same_from_the_fake_server():
    cohere = pytest.importorskip("cohere")
    with FakeServer([FULL, PLANNED, Reply(answer=Answer(text="one two"), error_after=3)]) as server:
        client = cohere.AsyncClientV2(api_key="co-key", base_url=server.base_url.removesuffix("/v1"))
        text, thought, plan, calls, last = await official(client)
        assert (text, thought, plan, tuple(calls)) == (FULL.text, FULL.reasoning, "", CALLS)
        tokens = last.usage.tokens
        assert (tokens.input_tokens, tokens.output_tokens, last.usage.cached_tokens) == (11, 22, 5)
        assert last.finish_reason == "TOOL_CALL"
        assert (await official(client))[2:4] == (PLANNED.reasoning, list(CALLS))
        assert (await official(client))[-1].error == "The model is overloaded"
        await client._client_wrapper.httpx_client.httpx_client.aclose()
    assert server.requests[0].path == "/v2/chat"
