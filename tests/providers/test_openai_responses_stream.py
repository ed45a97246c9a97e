"""Reading streams of Responses: what was recorded, what was seen elsewhere, and any chunking of it."""

import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lumos_nb import Agent
from lumos_nb.errors import ProviderError, StreamError
from lumos_nb.events import Finish, ModelToolCall, PartEnd, ReasoningDelta, TextDelta, TokenUsage
from lumos_nb.messages import Message, ReasoningPart, TextPart, ToolCall
from lumos_nb.providers import ToolSpec, llm
from lumos_nb.providers.wire import WireRequest
from lumos_nb.providers.wire.openai_responses import Decoder, encode
from lumos_nb.testing import Answer, FakeServer, Reply
from lumos_nb.testing.wire.openai_responses import GARBAGE, error, events
from tests.providers.streams import calls_of, cut_at, decode, pieces, recorded, text_of

FORMAT = "openai-responses"


@pytest.mark.parametrize("how", ["whole", "bytes", "1", "2"])
@pytest.mark.parametrize(("data", "expected"), recorded("openai-responses-sse"))
def test_a_recorded_stream_gives_what_was_recorded(data, expected, how):
    read, failure = decode(FORMAT, pieces(data, how))
    assert text_of(read) == expected["text"]
    reasoning = text_of(read, "reasoning_delta")
    assert hashlib.sha256(reasoning.encode()).hexdigest() == expected["reasoning_sha256"]
    shown = [{"id": c.id, "name": c.name, "args": json.loads(c.arguments)} for c in calls_of(read)]
    assert shown == expected["tool_calls"]
    if expected["errors"]:
        assert expected["errors"][0]["message"][:60] in str(failure) and not failure.is_temporary
        return
    assert failure is None and [e.type for e in read].count("finish") == 1
    finish, usage = read[-1], expected["usage"]
    assert finish.reason == ("tool_calls" if shown else "stop") and finish.model
    assert finish.usage == TokenUsage(
        input_tokens=usage["input_tokens"],
        output_tokens=usage["output_tokens"],
        cache_read_tokens=usage["input_tokens_details"]["cached_tokens"],
        reasoning_tokens=usage["output_tokens_details"]["reasoning_tokens"],
    )
    opaque = [json.loads(e.signature) for e in read if e.type == "part_end" and e.signature]
    assert len(opaque) == (expected["signatures_or_opaque"] or bool(reasoning))
    assert all(item["type"] == "reasoning" and item["id"] for item in opaque)


def stream(*rows):
    """Return events as the body of a response; a text stands for the event's type without `response.`."""
    framed = []
    for kind, fields in rows:
        kind = kind if kind in {"error", ""} else f"response.{kind}"
        data = json.dumps({**({"type": kind} if kind else {}), **fields}, ensure_ascii=False)
        framed.append((f"event: {kind}\n" if kind else "") + f"data: {data}\n\n")
    return "".join(framed).encode()


def text(delta, **at):
    return ("output_text.delta", {"delta": delta, **at})


def added(index, **item):
    return ("output_item.added", {"output_index": index, "item": item})


def done(index, **item):
    return ("output_item.done", {"output_index": index, "item": item})


def call_item(id="call_1", arguments='{"a":1}', **more):
    return {"type": "function_call", "id": f"fc_{id}", "call_id": id, "name": "f", "arguments": arguments, **more}


def reasoning_item(n=1, **more):
    return {"type": "reasoning", "id": f"rs_{n}", "summary": [], "encrypted_content": f"gA{n}", **more}


def ended(kind="completed", **response):
    return (kind, {"response": {"id": "resp_1", "model": "m", "status": kind} | response})


def read(*rows):
    got, failure = decode(FORMAT, [stream(*rows)])
    assert failure is None
    return got


def called(id="call_1", arguments='{"a":1}'):
    return ModelToolCall(ToolCall(id=id, name="f", arguments=arguments))


def thought_end(n=1, **more):
    return PartEnd(json.dumps(reasoning_item(n, **more), separators=(",", ":")))


def summary(delta, part, index=0):
    return ("reasoning_summary_text.delta", {"delta": delta, "summary_index": part, "output_index": index})


def test_parts_of_a_summary_are_paragraphs_and_the_item_is_kept():
    parts = [{"type": "summary_text", "text": "ab"}, {"type": "summary_text", "text": "c"}]
    item = {"type": "reasoning", "id": "rs_1", "summary": parts, "encrypted_content": "gA1"}
    rows = added(0, type="reasoning", id="rs_1"), summary("a", 0), summary("b", 0), summary("c", 1), done(0, **item)
    assert read(*rows, text("Hi", output_index=1), ended()) == [
        ReasoningDelta("a"),
        ReasoningDelta("b"),
        ReasoningDelta("\n\nc"),
        PartEnd(json.dumps(item, separators=(",", ":"))),
        TextDelta("Hi"),
        Finish("stop", model="m"),
    ]


def test_the_same_thoughts_in_full_and_in_short_are_read_once():
    full = ("reasoning_text.delta", {"delta": "long", "content_index": 0, "output_index": 0})
    item = {"type": "reasoning", "id": "r", "content": [{"type": "reasoning_text", "text": "long"}]}
    got = read(full, summary("short", 0), done(0, **item), ended())
    assert text_of(got, "reasoning_delta") == "long"
    assert json.loads(got[1].signature) == {**item, "summary": []}


def test_reasoning_without_anything_to_send_back_only_ends():
    got = read(summary("a", 0), done(0, type="reasoning", id="rs_1", summary=[]), ended())
    assert got[:2] == [ReasoningDelta("a"), PartEnd()]
    assert [e.type for e in read(done(0, type="reasoning", id="rs_1"), ended())] == ["finish"]


def test_the_order_of_reasoning_and_calls_is_kept():
    rows = [
        done(0, **reasoning_item(1)),
        added(1, **call_item("call_1", "")),
        done(1, **call_item("call_1")),
        summary("b", 0, 2),
        done(2, **reasoning_item(2)),
        done(3, **call_item("call_2")),
        text("Hi", output_index=4),
    ]
    assert read(*rows, ended()) == [
        thought_end(1),
        TextDelta("Hi"),
        called("call_1"),
        ReasoningDelta("b"),
        thought_end(2),
        called("call_2"),
        Finish("tool_calls", model="m"),
    ]


def test_a_refusal_is_text():
    assert text_of(read(("refusal.delta", {"delta": "I cannot"}), ended())) == "I cannot"


def test_the_phase_of_each_message_is_kept_apart():
    first = {"type": "message", "id": "m1", "phase": "commentary", "content": "a"}
    rows = [text("a", output_index=0), done(0, **first), added(1, type="message"), text("b", output_index=1)]
    rows += [added(2, type="message"), text("c", output_index=2), done(2, type="message", phase="final_answer")]
    assert read(*rows, ended())[:-1] == [
        TextDelta("a"),
        PartEnd('{"phase":"commentary"}', part="text"),
        TextDelta("b"),
        PartEnd(part="text"),
        TextDelta("c"),
        PartEnd('{"phase":"final_answer"}', part="text"),
    ]


FRAGMENTS = [added(0, **call_item("call_1", "", status="in_progress"))] + [
    ("function_call_arguments.delta", {"delta": piece, "output_index": 0, "item_id": "other"})
    for piece in ('{"a"', ":1}")
]


@pytest.mark.parametrize(
    "rows",
    [
        [done(0, **call_item())],
        [*FRAGMENTS, done(0, **call_item())],
        [*FRAGMENTS, done(0, **call_item(arguments=""))],
        FRAGMENTS,
        [FRAGMENTS[0], ("function_call_arguments.done", {"arguments": '{"a":1}', "output_index": 0})],
        [added(0, **call_item(arguments={"a": 1}))],
    ],
)
@pytest.mark.parametrize("output", [None, [], [call_item()], [reasoning_item(encrypted_content=None), call_item()]])
def test_a_call_comes_once_whichever_events_tell_it(rows, output):
    assert read(*rows, ended(output=output)) == [called(), Finish("tool_calls", model="m")]


def test_what_only_the_last_event_brings_is_read():
    message = {
        "type": "message",
        "content": [{"type": "output_text", "text": "Hi"}, {"type": "refusal", "refusal": "!"}],
    }
    thought = reasoning_item(summary=[{"type": "summary_text", "text": "a"}])
    assert read(ended(output=[thought, message, call_item(), call_item("call_2"), {"type": "new"}])) == [
        ReasoningDelta("a"),
        thought_end(summary=[{"type": "summary_text", "text": "a"}]),
        TextDelta("Hi!"),
        called(),
        called("call_2"),
        Finish("tool_calls", model="m"),
    ]
    late = [text("Hi", output_index=1), summary("a", 0), ended(output=[thought, message])]
    assert (text_of(read(*late)), text_of(read(*late), "reasoning_delta")) == ("Hi", "a")
    with_done = [done(0, type="message"), ended(output=[message, call_item()])]
    assert [e.type for e in read(*with_done)] == ["tool_call", "finish"]


def test_an_answer_that_was_not_streamed_is_read():
    message = {"type": "message", "content": [{"type": "output_text", "text": "Hi"}]}
    whole = {"id": "r", "object": "response", "status": "completed", "error": None, "model": "m", "output": [message]}
    assert read(("", whole)) == [TextDelta("Hi"), Finish("stop", model="m")]


def test_call_ids_that_are_missing_are_made_from_the_response():
    rows = [done(n, type="function_call", name="f", arguments="") for n in range(2)]
    got = [c.id for c in calls_of(read(*rows, ended()))]
    assert got == ["call_resp_1_0", "call_resp_1_1"] == [c.id for c in calls_of(read(*rows, ended()))]
    assert [c.arguments for c in calls_of(read(*rows, ended()))] == ["{}", "{}"]


@pytest.mark.parametrize(
    ("why", "reason"),
    [("max_output_tokens", "length"), ("content_filter", "content_filter"), ("new", "other"), (None, "other")],
)
def test_a_cut_answer_says_why_and_gives_no_half_call(why, reason):
    details = {"reason": why} if why else None
    rows = [
        done(0, **call_item()),
        added(1, **call_item("call_2", "")),
        done(2, **call_item("c3", status="incomplete")),
    ]
    got = read(text("Hi"), ended("incomplete", incomplete_details=details))
    assert got == [TextDelta("Hi"), Finish(reason, model="m")]
    cut = read(*rows, ended("incomplete", incomplete_details=details))
    assert [c.id for c in calls_of(cut)] == ["call_1"]
    assert cut[-1].reason == ("tool_calls" if reason == "other" else reason)


def test_usage_counts_reasoning_once_and_survives_nulls():
    details = {"input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 2}, "output_tokens_details": None}
    usage = {"input_tokens": 9, "output_tokens": 4, "total_tokens": 13, **details}
    assert read(ended(usage=usage))[-1].usage == TokenUsage(
        input_tokens=9, output_tokens=4, cache_read_tokens=3, cache_write_tokens=2
    )
    apart = {
        "input_tokens": 432,
        "output_tokens": 68,
        "total_tokens": 636,
        "output_tokens_details": {"reasoning_tokens": 136},
    }
    assert read(ended(usage=apart))[-1].usage == TokenUsage(input_tokens=432, output_tokens=204, reasoning_tokens=136)
    assert read(ended(usage={"input_tokens": None}))[-1].usage == TokenUsage()


def test_what_is_not_known_is_skipped():
    rows = [
        ("new.event", {"item": {"type": "x"}, "delta": {"a": 1}}),
        ("output_item.done", {"item": None}),
        ("output_item.done", {"output_index": 7, "item": {"type": "web_search_call", "status": 3, "content": "x"}}),
        ("output_item.done", {"output_index": 8, "item": {"type": "message", "content": ["x", None, {"text": 3}]}}),
        ("function_call_arguments.delta", {"delta": "x", "item_id": "nowhere"}),
        ("output_text.delta", {"delta": None}),
        ("reasoning_text.delta", {"delta": ["x"]}),
        text("é🎉\u2028", logprobs=[], obfuscation="x"),
    ]
    data = b": ping\n\n" + stream(*rows) + b"data: [DONE]\n\n" + stream(ended()) + b"data: [DONE]\n\n"
    assert decode(FORMAT, [data]) == ([TextDelta("é🎉\u2028"), Finish("stop", model="m")], None)


QUOTA = {"code": "insufficient_quota", "message": "No money"}
BUSY = {"code": "server_error", "message": "The server is busy"}


@pytest.mark.parametrize(
    ("row", "said", "is_temporary"),
    [
        (("error", {"error": QUOTA}), "insufficient_quota: No money", False),
        (("error", {**QUOTA, "param": None, "sequence_number": 1}), "insufficient_quota: No money", False),
        (("error", BUSY), "server_error: The server is busy", True),
        (("", {"error": BUSY}), "server_error: The server is busy", True),
        (("", {"object": "error", **BUSY}), "server_error: The server is busy", True),
        (ended("failed", error=BUSY), "server_error: The server is busy", True),
        (ended("failed", error=None), "ended as failed", False),
        (ended(status="failed", error=QUOTA), "No money", False),
        (ended("cancelled"), "ended as cancelled", False),
    ],
)
def test_an_error_in_the_stream_ends_it_and_no_call_comes_of_it(row, said, is_temporary):
    got, failure = decode(FORMAT, [stream(text("Hi"), done(1, **call_item()), row, text("never"))])
    assert got == [TextDelta("Hi")]
    assert isinstance(failure, ProviderError) and said in str(failure) and failure.is_temporary is is_temporary


@pytest.mark.parametrize("data", [GARBAGE, b"data: [1]\n\n", b'data: {"type":3}\n\n', b"data: \xff\n\n"])
def test_an_event_that_cannot_be_read_is_an_error(data):
    got, failure = decode(FORMAT, [stream(text("Hi")) + data])
    assert got == [TextDelta("Hi")] and "not a Responses chunk" in str(failure)


def test_an_error_that_is_no_json_is_an_error_all_the_same():
    assert "busy" in str(decode(FORMAT, [b"event: error\ndata: busy\n\n"])[1])


CALLS = (ToolCall(id="call_1", name="add", arguments='{"a": 1, "b": 22}'), ToolCall(id="call_2", name="now"))
FULL = Answer(
    text="Hello — there 🎉",
    reasoning="Let me\n\nthink",
    signature="gAAAA",
    tool_calls=CALLS,
    usage=TokenUsage(
        input_tokens=90, output_tokens=30, cache_read_tokens=40, cache_write_tokens=5, reasoning_tokens=20
    ),
)
FULL_STREAM = list(events(FULL, {"model": "m"}))


def test_an_answer_that_ends_anywhere_before_its_end_is_never_a_success():
    for n in range(len(FULL_STREAM)):
        got, failure = decode(FORMAT, FULL_STREAM[:n])
        assert isinstance(failure, StreamError) and failure.is_temporary and not calls_of(got), n
    cut = b"".join(FULL_STREAM)[:-40]
    assert "broke off" in str(decode(FORMAT, [cut])[1])
    assert decode(FORMAT, FULL_STREAM)[1] is None


@settings(max_examples=100, deadline=None)
@given(st.data(), st.sampled_from([b"".join(FULL_STREAM), b"".join(FULL_STREAM[:9]) + error("busy", "x")]))
def test_any_chunking_decodes_alike(data, body):
    cuts = data.draw(st.sets(st.integers(0, len(body)), max_size=12))
    got, failure = decode(FORMAT, cut_at(body, cuts))
    whole, whole_failure = decode(FORMAT, [body])
    assert got == whole and str(failure) == str(whole_failure)


def test_nothing_is_read_after_the_end():
    decoder = Decoder()
    decoder.feed(stream(ended()))
    assert decoder.is_done and decoder.feed(stream(text("x"))) == [] == decoder.close()


ADD = ToolSpec(name="add", description="Add.")


def model(server):
    return llm("openai/m", base_url=server.base_url, api_key="a-key-of-nobody", format=FORMAT)


async def test_the_double_and_the_decoder_agree_over_http():
    with FakeServer([FULL]) as server:
        provider = model(server)
        got = [event async for event in provider.generate_stream([Message(role="user", content="Hi")], tools=[ADD])]
        assert server.requests[0].path == "/v1/responses" and server.requests[0].body["stream"] is True
    assert (text_of(got), text_of(got, "reasoning_delta")) == (FULL.text, FULL.reasoning)
    assert calls_of(got) == list(CALLS)
    assert got[-1] == Finish("tool_calls", FULL.usage, "m")


async def test_what_an_agent_was_told_goes_back_unchanged():
    def add(a: int, b: int) -> int:
        """Add."""
        return a + b

    first = Answer(reasoning="hm", signature="gAAAA", text="Let me see.", tool_calls=CALLS[:1])
    with FakeServer([first, "23"]) as server:
        provider = model(server)
        result = await Agent(model=provider, tools=[add]).generate("Add")
        sent = server.requests[1].body["input"]
    assert result.response == "23"
    thought = {"type": "reasoning", "id": "rs_fake_0", "summary": [{"type": "summary_text", "text": "hm"}]}
    assert sent == [
        {"role": "user", "content": "Add"},
        {**thought, "encrypted_content": "gAAAA"},
        {"type": "message", "role": "assistant", "content": "Let me see."},
        {"type": "function_call", "call_id": "call_1", "name": "add", "arguments": '{"a": 1, "b": 22}'},
        {"type": "function_call_output", "call_id": "call_1", "output": "23"},
    ]


def test_decoded_parts_encode_to_the_items_they_came_from():
    phase = '{"phase":"final_answer"}'
    origin = f"openai:{FORMAT}"
    parts = (
        ReasoningPart("", signature=thought_end(1).signature, provider=origin),
        TextPart("a", signature=phase, provider=origin),
    )
    message = Message(role="assistant", content=parts)
    sent = encode(WireRequest(model="m", messages=(message,), origin=origin))["input"]
    assert sent[0] == reasoning_item(1) and sent[1]["phase"] == "final_answer"


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(answer=FULL, error_after=9), "overloaded"),
        (Reply(answer=FULL, garbage_after=9), "not a Responses chunk"),
        (Reply(answer=FULL, cut_after=9, cut="close"), "broke off"),
    ],
)
async def test_faults_of_the_double_are_errors_and_what_came_before_is_kept(reply, said):
    got = []
    with FakeServer([reply]) as server:
        provider = model(server)
        with pytest.raises(StreamError, match=said):
            async for event in provider.generate_stream([Message(role="user", content="Hi")]):
                got.append(event)
    assert text_of(got, "reasoning_delta") and not calls_of(got)


async def test_the_official_client_reads_the_double_alike():
    openai = pytest.importorskip("openai")
    with FakeServer([FULL]) as server:
        client = openai.AsyncOpenAI(base_url=server.base_url, api_key="k")
        async with client, client.responses.stream(model="m", input="Hi") as answer:
            kinds = [event.type async for event in answer]
            response = await answer.get_final_response()
    assert "response.reasoning_summary_text.delta" in kinds and "response.function_call_arguments.delta" in kinds
    assert response.output_text == FULL.text and response.output[0].summary[0].text == FULL.reasoning
    assert response.output[0].encrypted_content == FULL.signature
    calls = [item for item in response.output if item.type == "function_call"]
    assert [(c.call_id, c.name, c.arguments) for c in calls] == [(c.id, c.name, c.arguments) for c in CALLS]
    usage, counts = response.usage, FULL.usage
    assert (usage.input_tokens, usage.output_tokens) == (counts.input_tokens, counts.output_tokens)
    assert usage.input_tokens_details.cached_tokens == counts.cache_read_tokens
    assert usage.output_tokens_details.reasoning_tokens == counts.reasoning_tokens


async def test_the_official_client_reads_faults_of_the_double_alike():
    openai = pytest.importorskip("openai")
    script = [Reply(answer=FULL, error_after=6), Answer(text="Hi", finish="length")]
    with FakeServer(script) as server:
        async with openai.AsyncOpenAI(base_url=server.base_url, api_key="k", max_retries=0) as client:
            with pytest.raises(openai.APIError, match="overloaded"):
                async for _ in await client.responses.create(model="m", input="Hi", stream=True):
                    pass
            last = [e async for e in await client.responses.create(model="m", input="Hi", stream=True)][-1]
    assert last.type == "response.incomplete" and last.response.incomplete_details.reason == "max_output_tokens"


@pytest.mark.parametrize("output", ['"x"', "[1]", '[{"type": "message"}, null]'])
def test_a_whole_answer_of_another_form_is_an_error_that_says_so(output):
    body = f'data: {{"object": "response", "output": {output}}}\n\n'.encode()
    events, error = decode("openai-responses", [body])
    assert events == [] and isinstance(error, StreamError)
