"""Reading a stream of Bedrock Converse: what was recorded, every shape that is known, and any chunking of it."""

import base64
import hashlib
import json

import botocore.session
import pytest
from botocore.eventstream import EventStream, EventStreamBuffer
from botocore.exceptions import EventStreamError
from botocore.parsers import create_parser
from hypothesis import given, settings
from hypothesis import strategies as st

from lumos_nb.agent import Agent
from lumos_nb.agent.step import StepDraft
from lumos_nb.errors import ContextLengthError, RateLimitError, StreamError
from lumos_nb.events import Finish, ModelToolCall, PartEnd, ReasoningDelta, TextDelta, TokenUsage
from lumos_nb.messages import Message, ReasoningPart, ToolCall
from lumos_nb.providers import llm
from lumos_nb.providers.wire import WireRequest
from lumos_nb.providers.wire.bedrock_converse import encode
from lumos_nb.providers.wire.eventstream import EventStreamParser
from lumos_nb.testing import Answer, FakeServer, Reply
from lumos_nb.testing.wire import served_format
from lumos_nb.testing.wire.bedrock_converse import framed
from lumos_nb.tools import tool
from tests.providers.streams import calls_of, cut_at, decode, pieces, recorded, text_of

FORMAT = "bedrock-converse"
HI = Message(role="user", content="Hi")


def frames(*events):
    return [framed(json.dumps(e).encode(), event_type=kind, message_type="event") for kind, e in events]


def delta(index, **fields):
    return "contentBlockDelta", {"contentBlockIndex": index, "delta": fields}


def thought(index, **fields):
    return delta(index, reasoningContent=fields)


def began(index, **use):
    return "contentBlockStart", {"contentBlockIndex": index, "start": {"toolUse": use}}


def args(index, text):
    return delta(index, toolUse={"input": text})


def ended(index):
    return "contentBlockStop", {"contentBlockIndex": index}


def stop(reason="end_turn"):
    return "messageStop", {"stopReason": reason}


def figures(**usage):
    return "metadata", {"usage": {"inputTokens": 3, "outputTokens": 4, "totalTokens": 7, **usage}, "metrics": {}}


def read(*events):
    return decode(FORMAT, frames(*events))


@pytest.mark.parametrize("how", ["whole", "bytes", "1", "2"])
@pytest.mark.parametrize(("data", "expected"), recorded("aws-eventstream"))
def test_a_recorded_stream_gives_what_was_recorded(data, expected, how):
    events, error = decode(FORMAT, pieces(base64.b64decode(data), how))
    assert error is None
    assert text_of(events) == expected["text"]
    reasoning = text_of(events, "reasoning_delta")
    assert hashlib.sha256(reasoning.encode()).hexdigest() == expected["reasoning_sha256"]
    assert sum(e.type == "part_end" and bool(e.signature) for e in events) == expected["signatures_or_opaque"]
    usage = TokenUsage(input_tokens=expected["usage"]["inputTokens"], output_tokens=expected["usage"]["outputTokens"])
    assert events[-1] == Finish("stop", usage)


FULL = (
    ("messageStart", {"role": "assistant", "p": "abc"}),
    thought(0, text="Zäh"),
    thought(0, text="l 🎉"),
    thought(0, signature="sig=="),
    ended(0),
    thought(1, redactedContent="Ev8="),
    ended(1),
    delta(2, text="Hé\u2028"),
    delta(2, text="llo"),
    ended(2),
    began(3, toolUseId="tooluse_1", name="add"),
    args(3, '{"a": '),
    args(3, "1}"),
    ended(3),
    began(4, toolUseId="tooluse_2", name="now"),
    args(4, ""),
    ended(4),
    stop("tool_use"),
    figures(inputTokens=5, outputTokens=40, cacheReadInputTokens=7, cacheWriteInputTokens=2),
)
FULL_EVENTS = [
    ReasoningDelta("Zäh"),
    ReasoningDelta("l 🎉"),
    PartEnd("sig=="),
    PartEnd('{"redactedContent":"Ev8="}'),
    TextDelta("Hé\u2028"),
    TextDelta("llo"),
    ModelToolCall(ToolCall(id="tooluse_1", name="add", arguments='{"a": 1}')),
    ModelToolCall(ToolCall(id="tooluse_2", name="now", arguments="{}")),
    Finish("tool_calls", TokenUsage(input_tokens=14, output_tokens=40, cache_read_tokens=7, cache_write_tokens=2)),
]


def test_every_part_of_an_answer_becomes_its_event():
    assert read(*FULL) == (FULL_EVENTS, None)


def test_each_split_point_decodes_alike():
    stream = b"".join(frames(*FULL))
    for at in range(len(stream)):
        assert decode(FORMAT, [stream[:at], stream[at:]]) == (FULL_EVENTS, None)
    assert decode(FORMAT, pieces(stream, "bytes")) == (FULL_EVENTS, None)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_chunking_decodes_alike(data):
    stream = b"".join(frames(*FULL))
    cuts = data.draw(st.sets(st.integers(0, len(stream)), max_size=12))
    assert decode(FORMAT, cut_at(stream, cuts))[0] == FULL_EVENTS


@pytest.mark.parametrize("n", range(len(FULL)))
def test_an_answer_that_is_cut_is_no_success_and_calls_nothing(n):
    events, error = read(*FULL[:n])
    if n == len(FULL) - 1:  # all was said, only the figures are missing
        assert (events, error) == ([*FULL_EVENTS[:-1], Finish("tool_calls")], None)
        return
    assert isinstance(error, StreamError) and error.is_temporary
    assert events == [e for e in FULL_EVENTS if e.type not in {"tool_call", "finish"}][: len(events)]


def kept(events):
    draft = StepDraft(1, llm("bedrock/m", api_key="key-1"))
    draft.keep(events)
    return draft.message()


def test_what_was_read_goes_back_as_it_came():
    message = kept(read(*FULL)[0])
    assert message.parts[0] == ReasoningPart("Zähl 🎉", signature="sig==", provider="bedrock")
    sent = encode(WireRequest(model="m", messages=(HI, message), origin="bedrock"))
    assert sent["messages"][1]["content"] == [
        {"reasoningContent": {"reasoningText": {"text": "Zähl 🎉", "signature": "sig=="}}},
        {"reasoningContent": {"redactedContent": "Ev8="}},
        {"text": "Hé\u2028llo"},
        {"toolUse": {"toolUseId": "tooluse_1", "name": "add", "input": {"a": 1}}},
        {"toolUse": {"toolUseId": "tooluse_2", "name": "now", "input": {}}},
    ]


def test_a_reasoning_block_that_is_never_ended_ends_where_the_next_one_begins():
    events, _ = read(
        thought(0, text="a"), thought(0, signature="one"), thought(1, signature="two"),
        thought(2, redactedContent="AA=="), thought(2, redactedContent="AQ=="), delta(3, text="x"),
        thought(4, text="b"), began(5, toolUseId="t", name="f"), stop(),
    )  # fmt: skip
    assert [e.signature for e in events if e.type == "part_end"] == ["one", "two", '{"redactedContent":"AAE="}', ""]
    assert [e.type for e in events[:3]] == ["reasoning_delta", "part_end", "part_end"]


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ("end_turn", "stop"), ("stop_sequence", "stop"), ("max_tokens", "length"), ("tool_use", "stop"),
        ("model_context_window_exceeded", "length"), ("guardrail_intervened", "content_filter"),
        ("content_filtered", "content_filter"), ("malformed_tool_use", "other"), (None, "stop"), (7, "other"),
    ],
)  # fmt: skip
def test_why_it_ended(told, reason):
    events, error = read(delta(0, text="x"), stop(told), figures())
    assert (events[-1].reason, error) == (reason, None)


@pytest.mark.parametrize(("told", "reason"), [("end_turn", "tool_calls"), ("max_tokens", "length")])
def test_calls_make_the_reason_unless_it_says_more(told, reason):
    events, _ = read(began(0, toolUseId="a", name="f"), args(0, '{"x": 1}'), stop(told))
    assert [e.type for e in events] == ["tool_call", "finish"] and events[-1].reason == reason


def test_tools_of_the_server_and_kinds_that_are_not_known_are_skipped():
    events, error = read(
        ("somethingNew", {"delta": 7}),
        began(0, toolUseId="s", name="nova_grounding", type="server_tool_use"),
        args(0, '{"q": 1}'),
        (
            "contentBlockStart",
            {"contentBlockIndex": 1, "start": {"toolResult": {"toolUseId": "s", "status": "success"}}},
        ),
        delta(1, toolResult=[{"text": "found"}]),
        delta(2, citation={"title": "t"}),
        delta(2, image={"source": {"bytes": "AA=="}}),
        delta(2, text="So."),
        stop(),
        figures(cacheDetails=[{"ttl": "5m"}]),
    )
    assert error is None
    assert [e.type for e in events] == ["text_delta", "finish"] and events[0].delta == "So."


def test_null_and_missing_fields_harm_nothing():
    events, error = read(
        ("messageStart", {}),
        ("contentBlockStart", {"start": None}),
        ("contentBlockDelta", {"delta": None}),
        delta(None, text=None, reasoningContent=None, toolUse={"input": None}),
        began(1, toolUseId=None, name=None),
        began(2, name="f"),
        ("contentBlockStop", {}),
        ("metadata", {"usage": None}),
        ("messageStop", {}),
        ("metadata", {"usage": {"inputTokens": None}}),
    )
    assert error is None
    assert [(c.id, c.name, c.arguments) for c in calls_of(events)] == [("call_0", "", "{}"), ("call_1", "f", "{}")]
    assert events[-1] == Finish("tool_calls")


@pytest.mark.parametrize("usage", [{"inputTokens": {}}, [1], "many", 7])
def test_figures_that_cannot_be_read_cost_no_answer(usage):
    events, error = read(delta(0, text="x"), stop(), ("metadata", {"usage": usage}))
    assert (events, error) == ([TextDelta("x"), Finish("stop")], None)


def exception(kind, **body):
    return framed(
        json.dumps(body).encode(), exception_type=kind, content_type="application/json", message_type="exception"
    )


@pytest.mark.parametrize(
    ("data", "said", "is_temporary"),
    [
        (exception("throttlingException", message="Too many tokens"), "throttlingException: Too many tokens", True),
        (exception("serviceUnavailableException", message="Down"), "Down", True),
        (exception("internalServerException", message="Oops"), "Oops", True),
        (exception("modelStreamErrorException", originalMessage="Lost", originalStatusCode=500), "Lost", True),
        (exception("validationException", message="Bad image"), "validationException: Bad image", False),
        (exception("validationException"), "validationException", False),
        (framed(b"", error_code="InternalError", error_message="Gone", message_type="error"), "Error: Gone", False),
        (framed(b"not JSON", exception_type="x", message_type="exception"), "not JSON", False),
        (framed(b'{"message":"Slow"}', event_type="throttlingException", message_type="event"), "Slow", True),
    ],
)  # fmt: skip
@pytest.mark.parametrize("how", ["whole", "bytes"])
def test_an_error_in_the_stream_is_raised_after_the_text_and_calls_nothing(data, said, is_temporary, how):
    before = b"".join(frames(*FULL[:-2]))
    events, error = decode(FORMAT, pieces(before + data, how))
    assert text_of(events) == "Hé\u2028llo" and not calls_of(events)
    assert isinstance(error, StreamError) and said in str(error)
    assert error.is_temporary is is_temporary


@pytest.mark.parametrize(
    "payload",
    [b"{oops", b"7", b"\xff", b'{"delta":{"text":7}}', b'{"delta":{"reasoningContent":{"redactedContent":"?"}}}'],
)
def test_what_is_not_of_the_format_is_said(payload):
    events, error = decode(FORMAT, [framed(payload, event_type="contentBlockDelta")])
    assert events == [] and "not a Bedrock Converse chunk" in str(error)


def test_a_damaged_message_ends_the_stream_after_what_came_before():
    stream = b"".join(frames(delta(0, text="Hel"), delta(0, text="lo"), stop(), figures()))
    damaged = stream.replace(b'"lo"', b'"lp"')
    for how in ("whole", "bytes"):
        events, error = decode(FORMAT, pieces(damaged, how))
        assert events == [TextDelta("Hel")] and "damaged" in str(error)


ANSWER = Answer(
    text="Two numbers, added: 🎉.",
    reasoning="I add them.",
    signature="EtYD==",
    tool_calls=(
        ToolCall(id="tooluse_a", name="add", arguments='{"a": 12345, "b": 2}'),
        ToolCall(id="tooluse_b", name="now"),
    ),
    usage=TokenUsage(input_tokens=50, output_tokens=20, cache_read_tokens=30, cache_write_tokens=5),
)


async def test_an_answer_of_the_server_arrives_whole():
    with FakeServer([ANSWER]) as server:
        answer = await llm("bedrock/a.b-v1:0", base_url=server.base_url, api_key="key-1").generate([HI])
    assert (answer.text, answer.reasoning, answer.tool_calls) == (ANSWER.text, ANSWER.reasoning, ANSWER.tool_calls)
    assert (answer.finish_reason, answer.usage) == ("tool_calls", ANSWER.usage)
    request = server.requests[0]
    assert request.path == "/v1/model/a.b-v1%3A0/converse-stream" and request.model == "a.b-v1:0"
    assert request.headers["authorization"] == "Bearer key-1"
    assert request.headers["accept"] == "application/vnd.amazon.eventstream"


@pytest.mark.parametrize("reason", ["stop", "length", "content_filter", "other"])
async def test_the_server_says_why_it_ended(reason):
    with FakeServer([Answer(text="x", finish=reason, signature='{"redactedContent":"AA=="}')]) as server:
        provider = llm("bedrock/m", base_url=server.base_url, api_key="key-1")
        events = [event async for event in provider.generate_stream([HI])]
    assert (events[0], events[-1].reason) == (PartEnd('{"redactedContent":"AA=="}'), reason)


@pytest.mark.parametrize(
    ("status", "message", "error"),
    [(429, "Too many tokens, wait", RateLimitError), (400, "Input is too long for this model.", ContextLengthError)],
)
async def test_a_refusal_is_read(status, message, error, monkeypatch):
    monkeypatch.setattr("random.uniform", lambda a, b: 0.001)
    reply = Reply(status=status, body=json.dumps({"message": message}), headers={"x-amzn-requestid": "r-1"})
    with FakeServer([reply]) as server, pytest.raises(error) as caught:
        await llm("bedrock/m", base_url=server.base_url, api_key="key-1").generate([HI])
    assert message.rstrip(".") in str(caught.value) and caught.value.request_id == "r-1"


@pytest.fixture(scope="module")
def operation():
    return botocore.session.Session().get_service_model("bedrock-runtime").operation_model("ConverseStream")


def as_aws_reads(data, operation):
    """Yield the events of a body as AWS's own client yields them."""

    class Raw:
        def stream(self):
            yield from pieces(data, "3")

        def close(self):
            pass

    parser = create_parser("rest-json")._event_stream_parser
    yield from EventStream(Raw(), operation.get_event_stream_output(), parser, "ConverseStream")


def test_awss_own_client_reads_the_same_from_the_server(operation):
    data = b"".join(served_format(FORMAT).events(ANSWER, {}))
    text, thought, signature, calls, last = "", "", "", {}, {}
    for event in as_aws_reads(data, operation):
        last |= {key: event[key] for key in ("messageStop", "metadata") if key in event}
        if "contentBlockStart" in event:
            use = event["contentBlockStart"]["start"]["toolUse"]
            calls[event["contentBlockStart"]["contentBlockIndex"]] = [use["toolUseId"], use["name"], ""]
        if "contentBlockDelta" in event:
            change = event["contentBlockDelta"]["delta"]
            text += change.get("text", "")
            thought += change.get("reasoningContent", {}).get("text", "")
            signature += change.get("reasoningContent", {}).get("signature", "")
            if "toolUse" in change:
                calls[event["contentBlockDelta"]["contentBlockIndex"]][2] += change["toolUse"]["input"]
    assert (text, thought, signature) == (ANSWER.text, ANSWER.reasoning, ANSWER.signature)
    assert [(i, n, a or "{}") for i, n, a in calls.values()] == [(c.id, c.name, c.arguments) for c in ANSWER.tool_calls]
    assert last["messageStop"] == {"stopReason": "tool_use"}
    assert last["metadata"]["usage"] == {
        "inputTokens": 15,
        "outputTokens": 20,
        "totalTokens": 70,
        "cacheReadInputTokens": 30,
        "cacheWriteInputTokens": 5,
    }


def test_awss_own_client_sees_the_servers_error(operation):
    data = served_format(FORMAT).error("The model is overloaded", "overloaded_error")
    with pytest.raises(EventStreamError, match="serviceUnavailableException.*overloaded"):
        list(as_aws_reads(data, operation))


def test_awss_reader_of_the_framing_agrees_with_ours():
    data = b"".join(frames(*FULL)) + exception("throttlingException", message="x")
    buffer = EventStreamBuffer()
    buffer.add_data(data)
    theirs = [(m.headers, m.payload) for m in buffer]
    assert len(theirs) == len(FULL) + 1
    assert EventStreamParser().feed(data) == theirs


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


async def test_an_agent_sends_back_what_the_model_thought_before_it_called_a_tool():
    call = ToolCall(id="tooluse_a", name="add", arguments='{"a": 2, "b": 3}')
    script = [Answer(text="I add.", reasoning="Two numbers.", signature="EtYD==", tool_calls=(call,)), "It is 5."]
    with FakeServer(script) as server:
        agent = Agent(name="a", model=llm("bedrock/m", base_url=server.base_url, api_key="key-1"), tools=[add])
        assert (await agent.generate("What is 2+3?")).response == "It is 5."
    assert server.requests[1].body["messages"] == [
        {"role": "user", "content": [{"text": "What is 2+3?"}]},
        {
            "role": "assistant",
            "content": [
                {"reasoningContent": {"reasoningText": {"text": "Two numbers.", "signature": "EtYD=="}}},
                {"text": "I add."},
                {"toolUse": {"toolUseId": "tooluse_a", "name": "add", "input": {"a": 2, "b": 3}}},
            ],
        },
        {"role": "user", "content": [{"toolResult": {"toolUseId": "tooluse_a", "content": [{"text": "5"}]}}]},
    ]
