"""Reading streams of Gemini: what was recorded, what was seen elsewhere, and any chunking of it."""

import asyncio
import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lumos_nb import Agent
from lumos_nb.agent.step import StepDraft
from lumos_nb.errors import ProviderError, StreamError
from lumos_nb.events import Finish, ModelToolCall, PartEnd, ReasoningDelta, TextDelta, TokenUsage
from lumos_nb.messages import Message, TextPart, ToolCall
from lumos_nb.providers import ToolSpec, llm
from lumos_nb.providers.wire import WireRequest
from lumos_nb.providers.wire.gemini import encode
from lumos_nb.testing import Answer, FakeServer, Reply, ScriptedProvider
from lumos_nb.testing.wire.gemini import GARBAGE, error, events
from tests.providers.streams import calls_of, cut_at, decode, pieces, recorded, text_of

FORMAT = "gemini"


@pytest.mark.parametrize("how", ["whole", "bytes", "1", "2"])
@pytest.mark.parametrize(("data", "expected"), recorded("gemini-sse"))
def test_a_recorded_stream_gives_what_was_recorded(data, expected, how):
    read, failure = decode(FORMAT, pieces(data, how))
    assert failure is None and text_of(read) == expected["text"]
    reasoning = text_of(read, "reasoning_delta")
    assert hashlib.sha256(reasoning.encode()).hexdigest() == expected["reasoning_sha256"]
    calls = calls_of(read)
    assert [{"name": c.name, "args": json.loads(c.arguments)} for c in calls] == [
        {"name": c["name"], "args": c["args"]} for c in expected["tool_calls"]
    ]
    for call, row in zip(calls, expected["tool_calls"], strict=True):
        assert call.id == row["id"] if row["id"] else call.id.startswith("call_")
    assert len({c.id for c in calls}) == len(calls)
    # Of several calls the first alone is signed.
    assert [bool(c.signature) for c in calls] == [True, *[False] * (len(calls) - 1)]
    finish, usage = read[-1], expected["usage"]
    assert (finish.type, finish.reason) == ("finish", "tool_calls") and finish.model.startswith("gemini-")
    assert finish.usage.input_tokens == usage["promptTokenCount"]
    assert finish.usage.total_tokens == usage["totalTokenCount"]
    assert finish.usage.reasoning_tokens == usage["thoughtsTokenCount"]


def framed(chunk):
    return b"data: " + json.dumps(chunk, ensure_ascii=False).encode() + b"\r\n\r\n"


def chunk(*parts, **more):
    """Return a chunk with these parts; `finishReason` and the like stand in its candidate."""
    candidate = {"content": {"parts": [*parts], "role": "model"}, "index": 0, **more}
    return framed({"candidates": [candidate], "modelVersion": "m", "responseId": "resp-1"})


STOP = chunk({"text": ""}, finishReason="STOP")


def said(text, **more):
    return {"text": text, **more}


def thought(text, **more):
    return {"text": text, "thought": True, **more}


def called(name="f", args=None, signature=None, **more):
    call = {"functionCall": {"name": name, **({} if args is None else {"args": args}), **more}}
    return {**call, "thoughtSignature": signature} if signature else call


def read(*chunks):
    got, failure = decode(FORMAT, chunks)
    assert failure is None
    return got


def message_of(*chunks):
    """Return what an agent keeps of a stream."""
    provider = ScriptedProvider([""])
    provider.provider = "google"
    draft = StepDraft(1, provider)
    draft.keep(read(*chunks))
    return draft.message()


def sent_again(*chunks):
    request = WireRequest(model="gemini-3.6-flash", messages=(message_of(*chunks),), origin="google")
    return encode(request)["contents"][0]["parts"]


SIGNED = {"thoughtSignature": "U0lH"}


@pytest.mark.parametrize(
    "parts",
    [
        [said("Hi")],
        [said("a"), said("b", **SIGNED)],
        [said("a", **SIGNED), said("b", thoughtSignature="QQ==")],
        [said("a", **SIGNED), said("b")],
        [said("a"), said("", **SIGNED)],
        [said("", **SIGNED)],
        [said("a"), thought("hm", **SIGNED), said("b"), said("", thoughtSignature="QQ==")],
        [thought("hm", **SIGNED), said("a"), called("f", {"a": 1}, "U0lH", id="x"), called("g", {}, id="y")],
        [called("f", {}, "U0lH", id="x"), thought("hm", thoughtSignature="QQ=="), called("g", {}, id="y")],
        [said("a"), called("f", {}, "U0lH", id="x"), said("", thoughtSignature="QQ==")],
        [called("f", {"a": [1, None, {"b": "é🎉"}]}, "U0lH")],
    ],
)
def test_parts_go_back_as_they_came(parts):
    assert sent_again(*map(chunk, parts), STOP) == parts
    assert sent_again(chunk(*parts), STOP) == parts


def test_pieces_without_a_signature_are_one_part():
    assert message_of(chunk(said("a")), chunk(said("b")), STOP).content == "ab"
    assert sent_again(chunk(said("a")), chunk(thought("x")), chunk(said("b")), STOP) == [said("a"), said("b")]


def test_a_signed_piece_is_a_part_of_its_own():
    got = read(chunk(said("a")), chunk(said("b", **SIGNED)), chunk(thought("hm")), chunk(thought("", **SIGNED)), STOP)
    assert got == [
        TextDelta("a"),
        PartEnd(part="text"),
        TextDelta("b"),
        PartEnd("U0lH", part="text"),
        ReasoningDelta("hm"),
        PartEnd(part="reasoning"),
        PartEnd("U0lH", part="reasoning"),
        Finish("stop", model="m"),
    ]


def test_calls_come_after_the_text_and_a_missing_id_is_made_from_the_response():
    rows = chunk(called("f", {"a": 1}), called("g")), chunk(said("Hi")), STOP
    assert read(*rows) == [
        TextDelta("Hi"),
        ModelToolCall(ToolCall(id="call_resp-1_0", name="f", arguments='{"a": 1}')),
        ModelToolCall(ToolCall(id="call_resp-1_1", name="g", arguments="{}")),
        Finish("tool_calls", model="m"),
    ]
    assert read(*rows) == read(*rows)


def change(path, **value):
    return {"jsonPath": path, **value}


def partial(*changes, more=True, **call):
    return {"functionCall": {**({"partialArgs": [*changes]} if changes else {}), "willContinue": more, **call}}


def test_a_call_in_pieces_becomes_whole():
    rows = [
        chunk({**partial(name="f", id="x"), **SIGNED}),
        chunk(partial(change("$.city", stringValue="Bos", willContinue=True))),
        chunk(partial(change("$.city", stringValue="ton"), change("$.rows[0].n", numberValue=1.5))),
        chunk(partial(change("$.rows[1].n", boolValue=False), change("$['a.b']", nullValue="NULL_VALUE"))),
        chunk(partial(change("$.city", stringValue="Rome"), change("$.rows[9]", stringValue="far"), change("$"))),
        chunk({"functionCall": {}}),
        chunk({"functionCall": {}}),
        chunk(partial(change("$.n", numberValue=2), name="g", more=False)),
    ]
    first, second = calls_of(read(*rows, STOP))
    assert (first.id, first.name, first.signature) == ("x", "f", "U0lH")
    rows_read = [{"n": 1.5}, {"n": False}, "far"]
    assert first.parsed() == {"city": "Rome", "rows": rows_read, "a.b": None}
    assert (second.name, second.parsed()) == ("g", {"n": 2})
    # A call that is still open when the answer was cut is no call.
    assert not calls_of(read(*rows[:3], chunk(finishReason="MAX_TOKENS")))
    assert calls_of(read(*rows[:3], STOP))[0].parsed()["city"] == "Boston"


@pytest.mark.parametrize(
    ("said_by_server", "reason"),
    [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"),
        ("PROHIBITED_CONTENT", "content_filter"),
        ("OTHER", "other"),
        ("SOMETHING_NEW", "other"),
    ],
)
def test_why_an_answer_ended(said_by_server, reason):
    assert read(chunk(said("Hi"), finishReason=said_by_server)) == [TextDelta("Hi"), Finish(reason, model="m")]
    with_call = read(chunk(called(), finishReason=said_by_server))
    assert with_call[-1].reason == (reason if reason in {"length", "content_filter"} else "tool_calls")


@pytest.mark.parametrize("why", ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "MALFORMED_RESPONSE"])
def test_a_slip_of_the_model_is_an_error_that_may_pass(why):
    got, failure = decode(FORMAT, [chunk(said("Hi"), called(), finishReason=why, finishMessage="Malformed: f(")])
    assert got == [TextDelta("Hi")]
    assert isinstance(failure, StreamError) and failure.is_temporary and f"{why}: Malformed: f(" in str(failure)


def test_a_prompt_that_was_blocked_is_an_error_that_says_why():
    feedback = {"blockReason": "PROHIBITED_CONTENT", "blockReasonMessage": "not this"}
    got, failure = decode(FORMAT, [framed({"promptFeedback": feedback, "usageMetadata": {"promptTokenCount": 3}})])
    assert got == [] and not failure.is_temporary and "PROHIBITED_CONTENT (not this)" in str(failure)
    assert "SAFETY" in str(decode(FORMAT, [framed({"promptFeedback": {"blockReason": "SAFETY"}})])[1])
    rated = framed({"promptFeedback": {"safetyRatings": []}, "candidates": [{"finishReason": "STOP"}]})
    assert read(rated) == [Finish("stop")]


def test_the_last_count_of_tokens_counts_also_after_the_reason_to_finish():
    first = {"promptTokenCount": 5, "thoughtsTokenCount": 2, "totalTokenCount": 7}
    last = {
        "promptTokenCount": 9, "toolUsePromptTokenCount": 3, "cachedContentTokenCount": 4,
        "candidatesTokenCount": 10, "thoughtsTokenCount": 6, "promptTokensDetails": [{"modality": "TEXT"}],
    }  # fmt: skip
    rows = [framed({"usageMetadata": first}), STOP, framed({"candidates": [], "usageMetadata": last})]
    rows += [framed({"usageMetadata": {"trafficType": "ON_DEMAND", "promptTokenCount": None}})]
    assert read(*rows)[-1].usage == TokenUsage(
        input_tokens=12, output_tokens=16, cache_read_tokens=4, reasoning_tokens=6
    )


def test_what_is_not_known_is_skipped():
    rows = [
        framed({"candidates": [{"content": {}}, {"index": 1, "content": {"parts": [said("other")]}}]}),
        framed({"candidates": [{"content": {"role": "model", "parts": None}, "safetyRatings": [{}]}], "new": 1}),
        chunk({"executableCode": {"code": "1"}}, {"inlineData": {"data": "x"}}, {}, said(None), said(3), said("")),
        chunk({"functionCall": {}}, {"functionCall": None}),
        chunk(said("é🎉\u2028", partMetadata={})),
    ]
    body = b": ping\n\n" + b"".join(rows) + STOP + b"data: [DONE]\n\n"
    assert decode(FORMAT, [body]) == ([TextDelta("é🎉\u2028"), Finish("stop", model="m")], None)


BUSY = {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}
BAD = {"code": 400, "message": "Bad thing", "status": "INVALID_ARGUMENT", "details": [{"@type": "x"}]}


@pytest.mark.parametrize(
    ("row", "what", "is_temporary"),
    [
        (framed({"error": BUSY}), "UNAVAILABLE: The model is overloaded", True),
        (framed([{"error": BUSY}]), "UNAVAILABLE: The model is overloaded", True),
        (framed({"error": {"code": 429, "message": "Slow down", "status": "RESOURCE_EXHAUSTED"}}), "Slow down", True),
        (framed({"error": {"code": 500, "message": "Oops", "status": "INTERNAL"}}), "INTERNAL: Oops", True),
        (framed({"error": BAD}), "INVALID_ARGUMENT: Bad thing", False),
        (b"event: error\r\n" + framed({"message": "Bad thing"}), "Bad thing", False),
        (b"event: error\r\ndata: oops\r\n\r\n", "oops", False),
    ],
)
def test_an_error_in_the_stream_ends_it_and_no_call_comes_of_it(row, what, is_temporary):
    got, failure = decode(FORMAT, [chunk(said("Hi"), called()) + row + chunk(said("never")) + STOP])
    assert got == [TextDelta("Hi")]
    assert isinstance(failure, StreamError) and what in str(failure) and failure.is_temporary is is_temporary


@pytest.mark.parametrize("data", [GARBAGE, b"data: [1]\n\n", b'data: {"candidates":3}\n\n', b'data: "\xff"\n\n'])
def test_an_event_that_cannot_be_read_is_an_error(data):
    got, failure = decode(FORMAT, [chunk(said("Hi")) + data])
    assert got == [TextDelta("Hi")] and "not a Gemini chunk" in str(failure)


CALLS = (
    ToolCall(id="8hd0", name="add", arguments='{"a": 1, "b": 22}', signature="RXNJTg=="),
    ToolCall(id="k0sr", name="now", arguments="{}"),
)
USAGE = TokenUsage(input_tokens=90, output_tokens=30, cache_read_tokens=40, reasoning_tokens=20)
FULL = Answer(text="Hello — there 🎉", reasoning="Let me think", signature="RXNJTg==", tool_calls=CALLS, usage=USAGE)
FULL_STREAM = list(events(FULL, {"model": "m"}))


def test_an_answer_that_ends_anywhere_before_its_end_is_never_a_success():
    for n in range(len(FULL_STREAM)):
        got, failure = decode(FORMAT, FULL_STREAM[:n])
        assert isinstance(failure, StreamError) and failure.is_temporary and not calls_of(got), n
    assert "broke off" in str(decode(FORMAT, [b"".join(FULL_STREAM)[:-40]])[1])
    assert decode(FORMAT, FULL_STREAM)[1] is None


@settings(max_examples=100, deadline=None)
@given(st.data(), st.sampled_from([b"".join(FULL_STREAM), b"".join(FULL_STREAM[:4]) + error("busy", "x")]))
def test_any_chunking_decodes_alike(data, body):
    cuts = data.draw(st.sets(st.integers(0, len(body)), max_size=12))
    got, failure = decode(FORMAT, cut_at(body, cuts))
    whole, whole_failure = decode(FORMAT, [body])
    assert got == whole and str(failure) == str(whole_failure)


def model(server, name="gemini-3.6-flash"):
    return llm(f"google/{name}", base_url=server.base_url, api_key="a-key-of-nobody")


async def test_the_double_and_the_decoder_agree_over_http():
    with FakeServer([FULL]) as server:
        tools = [ToolSpec(name="add", description="Add.")]
        stream = model(server).generate_stream([Message(role="user", content="Hi")], tools=tools)
        got = [event async for event in stream]
        assert server.requests[0].path == "/v1/models/gemini-3.6-flash:streamGenerateContent?alt=sse"
        assert server.requests[0].headers["x-goog-api-key"] == "a-key-of-nobody"
    assert (text_of(got), text_of(got, "reasoning_delta")) == (FULL.text, FULL.reasoning)
    assert calls_of(got) == list(CALLS)
    assert got[-1] == Finish("tool_calls", USAGE, "gemini-3.6-flash")


async def test_what_an_agent_was_told_goes_back_unchanged():
    def add(a: int, b: int) -> int:
        """Add."""
        return a + b

    answers = [Answer(reasoning="hm", text="Let me see.", signature="RXNJTg==", tool_calls=CALLS[:1]), "23"]
    with FakeServer(answers) as server:
        result = await Agent(model=model(server), tools=[add]).generate("Add")
        sent = server.requests[1].body["contents"]
    assert result.response == "23"
    call = {"name": "add", "args": {"a": 1, "b": 22}, "id": "8hd0"}
    assert sent == [
        {"role": "user", "parts": [{"text": "Add"}]},
        {"role": "model", "parts": [said("Let me see."), {"functionCall": call, "thoughtSignature": "RXNJTg=="}]},
        {
            "role": "user",
            "parts": [{"functionResponse": {"name": "add", "response": {"result": "23"}, "id": "8hd0"}}],
        },
    ]


async def test_a_text_keeps_the_signature_that_came_behind_it():
    with FakeServer([Answer(text="Hi there", signature="RXNJTg==")]) as server:
        result = await Agent(model=model(server)).generate("Hi")
    assert result.messages[-1].parts == (TextPart("Hi there"), TextPart("", signature="RXNJTg==", provider="google"))
    assert result.response == "Hi there"


@pytest.mark.parametrize(
    ("reply", "what"),
    [
        (Reply(answer=FULL, error_after=2), "overloaded"),
        (Reply(answer=FULL, garbage_after=2), "not a Gemini chunk"),
        (Reply(answer=FULL, cut_after=2, cut="close"), "broke off"),
    ],
)
async def test_faults_of_the_double_are_errors_and_what_came_before_is_kept(reply, what):
    got = []
    with FakeServer([reply]) as server, pytest.raises(StreamError, match=what):
        async for event in model(server).generate_stream([Message(role="user", content="Hi")]):
            got.append(event)
    assert text_of(got, "reasoning_delta") and not calls_of(got)


async def test_a_refusal_of_the_prompt_names_the_vendor():
    blocked = Reply(body=b'data: {"promptFeedback":{"blockReason":"SAFETY"}}\n\n', content_type="text/event-stream")
    with FakeServer([blocked]) as server, pytest.raises(ProviderError, match="SAFETY") as caught:
        await model(server).generate([Message(role="user", content="Hi")])
    assert caught.value.provider == "google" and "safetySettings" in caught.value.hint
    assert len(server.requests) == 1, "it would be refused again"


def official_client(server):
    genai = pytest.importorskip("google.genai")
    options = genai.types.HttpOptions(base_url=server.base_url.removesuffix("/v1"), api_version="v1")
    return genai.Client(api_key="k", vertexai=False, http_options=options)


async def test_the_official_client_reads_the_double_alike():
    with FakeServer([FULL]) as server:
        client = official_client(server)
        stream = await client.aio.models.generate_content_stream(model="m", contents="Hi")
        chunks = [chunk async for chunk in stream]
        await client.aio.aclose()
    parts = [part for chunk in chunks for part in chunk.candidates[0].content.parts]
    assert "".join(p.text for p in parts if p.thought) == FULL.reasoning
    assert "".join(p.text for p in parts if p.text and not p.thought) == FULL.text
    calls = [p for p in parts if p.function_call]
    assert [(p.function_call.id, p.function_call.name, p.function_call.args) for p in calls] == [
        (c.id, c.name, c.parsed()) for c in CALLS
    ]
    assert [p.thought_signature for p in calls] == [b"EsIN", None]
    assert chunks[-1].candidates[0].finish_reason.value == "STOP"
    usage = chunks[-1].usage_metadata
    assert usage.prompt_token_count == 90 and usage.cached_content_token_count == 40
    assert (usage.candidates_token_count, usage.thoughts_token_count) == (10, 20)
    await asyncio.sleep(0)


def test_arguments_that_are_nested_too_deeply_are_an_error():
    piece = {"name": "f", "partialArgs": [{"jsonPath": "$" + ".a" * 5_000, "stringValue": "x"}]}
    chunk = {"candidates": [{"content": {"parts": [{"functionCall": piece}]}, "finishReason": "STOP"}]}
    _, error = decode(FORMAT, [f"data: {json.dumps(chunk)}\n\n".encode()])
    assert isinstance(error, StreamError)
