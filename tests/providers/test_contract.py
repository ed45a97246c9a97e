"""One contract for every wire format, over real sockets: what holds for one holds for all."""

import asyncio
import json
import re
from itertools import zip_longest

import pytest

from lumos_nb import Agent, llm, settings, tool
from lumos_nb.errors import LumosError, OverloadedError, ProviderError, StreamError, UsageError
from lumos_nb.events import TokenUsage
from lumos_nb.messages import FilePart, ImagePart, Message, TextPart, ToolCall, ToolResult, ToolSpec
from lumos_nb.providers import ModelOptions, OutputSchema
from lumos_nb.providers.wire import FORMATS, Quirks, load_format
from lumos_nb.testing import Answer, FakeServer, Reply
from lumos_nb.testing.wire import served_format
from tests.providers.streams import decode, text_of

VENDORS = {
    "openai-chat": "openai", "openai-responses": "openai", "anthropic-messages": "anthropic", "gemini": "google",
    "cohere-chat": "cohere", "ollama-chat": "ollama", "bedrock-converse": "bedrock",
}  # fmt: skip
ASK = [Message(role="user", content="Say hello")]
ADD = ToolSpec(
    name="add",
    description="Add two numbers.",
    parameters={"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}},
)
PICTURE = b"\x89PNG\r\n"


@pytest.fixture(params=FORMATS)
def format(request):
    return request.param


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch):
    monkeypatch.setattr("random.uniform", lambda a, b: 0.001)


def model(server, format):
    return llm(f"{VENDORS[format]}/m", base_url=server.base_url, api_key="key-1", format=format)


async def events_of(script, format, messages=ASK, **options):
    with FakeServer(script) as server:
        return [event async for event in model(server, format).generate_stream(messages, **options)]


async def test_text_streams_in_pieces_and_ends_with_one_finish(format):
    events = await events_of(["Grüße 🎉 and  more\n\nlines  "], format)
    assert text_of(events) == "Grüße 🎉 and  more\n\nlines  "
    assert [event.type for event in events].count("text_delta") >= 4
    assert [event.type for event in events].count("finish") == 1 and events[-1].reason == "stop"


async def test_several_tool_calls_come_whole_and_in_order_behind_the_text(format):
    calls = [
        ToolCall(id="c1", name="add", arguments='{"a": 1, "b": {"deep": [1, "é"]}}'),
        ToolCall(id="c2", name="add", arguments='{"a": 2}'),
        ToolCall(id="c3", name="now"),
    ]
    events = await events_of([Answer(text="Let me see.", tool_calls=calls)], format, tools=[ADD])
    got = [event for event in events if event.type == "tool_call"]
    assert [(call.name, json.loads(call.arguments)) for call in got] == [
        ("add", {"a": 1, "b": {"deep": [1, "é"]}}), ("add", {"a": 2}), ("now", {}),
    ]  # fmt: skip
    assert len({call.id for call in got}) == 3 and all(call.id for call in got)
    assert events[-1].reason == "tool_calls"


async def test_reasoning_is_told_apart_from_the_answer(format):
    events = await events_of([Answer(text="4", reasoning="two and two", signature="c2ln")], format)
    assert (text_of(events, "reasoning_delta"), text_of(events)) == ("two and two", "4")


async def test_the_usage_has_the_same_meaning_everywhere(format):
    usage = TokenUsage(
        input_tokens=100, output_tokens=50, cache_read_tokens=60, cache_write_tokens=8, reasoning_tokens=20
    )
    script = [Answer(text="4", reasoning="hm", usage=usage)]
    got = (await events_of(script, format))[-1].usage
    assert (got.input_tokens, got.output_tokens) == (100, 50)
    # Not every vendor tells all the parts; what is told must be right.
    assert got.cache_read_tokens in {0, 60} and got.cache_write_tokens in {0, 8} and got.reasoning_tokens in {0, 20}
    if format in {"openai-chat", "openai-responses", "anthropic-messages", "gemini", "bedrock-converse", "cohere-chat"}:
        assert got.cache_read_tokens == 60


async def test_an_answer_that_was_cut_by_its_length_says_so(format):
    events = await events_of([Answer(text="one two", finish="length")], format, options=ModelOptions(max_tokens=2))
    assert events[-1].reason == "length"


@pytest.mark.parametrize("status", [400, 429, 500, 503])
async def test_an_error_before_the_answer_has_its_status_and_the_vendor(format, status):
    with (
        FakeServer([Reply(status=status, headers={"retry-after": "0"})]) as server,
        pytest.raises(ProviderError) as caught,
    ):
        await model(server, format).generate(ASK)
    assert (caught.value.status, caught.value.provider) == (status, VENDORS[format])
    assert len(server.requests) == (1 if status == 400 else 3)


async def test_an_error_in_the_middle_keeps_the_text_and_says_what_the_server_said(format):
    reply, got = Reply(answer=Answer(text="one two three"), error_after=_pieces_before(format, "one ") + 1), []
    with FakeServer([reply]) as server, pytest.raises(StreamError, match="overloaded"):
        async for event in model(server, format).generate_stream(ASK):
            got.append(event)
    assert text_of(got).startswith("one") and not any(event.type == "finish" for event in got)


async def test_an_event_that_cannot_be_read_ends_the_answer_behind_its_text(format):
    reply, got = Reply(answer=Answer(text="one two three"), garbage_after=_pieces_before(format, "one ") + 1), []
    with FakeServer([reply]) as server, pytest.raises(StreamError, match="not an? .* chunk"):
        async for event in model(server, format).generate_stream(ASK):
            got.append(event)
    assert text_of(got).startswith("one") and not any(event.type == "finish" for event in got)


async def test_an_error_in_place_of_the_answer_is_tried_again(format):
    with FakeServer([Reply(answer=Answer(text="x"), error_after=0), "Hello"]) as server:
        assert (await model(server, format).generate(ASK)).text == "Hello"
    assert len(server.requests) == 2


def _pieces_before(format, text):
    """Return the number of pieces that a server sends before the one that says `text`."""
    pieces = list(served_format(format).events(Answer(text="one two three"), {"model": "m"}))
    return next(n for n, piece in enumerate(pieces) if text.strip().encode() in piece)


@pytest.mark.parametrize("how", ["close", "reset"])
async def test_an_answer_that_is_cut_after_any_piece_is_never_a_success(format, how, monkeypatch):
    monkeypatch.setenv("LUMOS_MAX_RETRIES", "0")
    settings.reset()
    answer = Answer(text="one two", reasoning="hm", tool_calls=[ToolCall(id="1", name="add", arguments='{"a": 1}')])
    n_pieces = len(list(served_format(format).events(answer, {"model": "m"})))
    # From the last piece on that says that it is the end, the answer counts as whole.
    n_enough = n_pieces - {"openai-chat": 2, "bedrock-converse": 1, "cohere-chat": 1, "anthropic-messages": 1}.get(
        format, 0
    )
    for n in range(n_enough if format != "gemini" else n_pieces - 1):
        with FakeServer([Reply(answer=answer, cut_after=n, cut=how)]) as server:
            got, failure = [], None
            try:
                async for event in model(server, format).generate_stream(ASK, tools=[ADD]):
                    got.append(event)
            except ProviderError as error:
                failure = error
        assert failure is not None and failure.is_temporary, f"cut after {n} of {n_pieces} pieces"
        assert not any(event.type in {"tool_call", "finish"} for event in got), "half an answer must not be acted on"
        assert "one two".startswith(text_of(got))


def test_two_interleaved_streams_do_not_mix(format):
    answers = [
        Answer(text=f"{word} two", reasoning="hm", tool_calls=[ToolCall(id=word, name=word, arguments='{"a": 1}')])
        for word in ("left", "right")
    ]
    streams = [list(served_format(format).events(answer, {"model": "m"})) for answer in answers]
    decoders = [load_format(format).Decoder(Quirks()) for _ in streams]
    got = [[], []]
    for pieces in zip_longest(*streams, fillvalue=b""):
        for events, decoder, piece in zip(got, decoders, pieces, strict=True):
            events += decoder.feed(piece)
    for events, decoder, stream in zip(got, decoders, streams, strict=True):
        assert decode(format, stream) == ([*events, *decoder.close()], None)


async def test_cancelling_closes_the_connection_and_leaves_no_task(format):
    with FakeServer([Answer(text="word " * 200, delay_s=0.01)]) as server:
        before = asyncio.all_tasks()
        started = asyncio.Event()

        async def read():
            async for _ in model(server, format).generate_stream(ASK):
                started.set()

        task = asyncio.create_task(read())
        await asyncio.wait_for(started.wait(), 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert server.requests[0].done.wait(1) and server.requests[0].client_left
        assert asyncio.all_tasks() == before


async def test_the_connection_is_used_again(format):
    with FakeServer(["Hello"]) as server:
        provider = model(server, format)
        for _ in range(3):
            await provider.generate(ASK)
    assert {request.connection for request in server.requests} == {1}


UNKNOWN = {
    "openai-chat": b'data: {"object":"new.thing","novel":[1]}\n\n: a comment\n\n',
    "openai-responses": b'event: response.novel\ndata: {"type":"response.novel","x":{"y":1}}\n\n',
    "anthropic-messages": b'event: novel\ndata: {"type":"novel","index":9,"delta":{"type":"novel_delta"}}\n\n',
    "gemini": b'data: {"novel":{"x":1},"candidates":[{"content":{"parts":[{"novel":1}]}}]}\n\n',
    "cohere-chat": b'event: novel\ndata: {"type":"novel","delta":{"message":{"novel":1}}}\n\n',
    "ollama-chat": b'{"model":"m","novel":1,"message":{"role":"assistant","content":"","novel":2},"done":false}\n',
}


async def test_events_that_nobody_knows_yet_are_passed_over(format):
    served = served_format(format)
    pieces = list(served.events(Answer(text="one two"), {"model": "m"}))
    unknown = UNKNOWN.get(format) or _novel_frame()
    body = b"".join(piece + unknown if n < len(pieces) - 1 else piece for n, piece in enumerate(pieces))
    events = await events_of([Reply(body=body, content_type=served.CONTENT_TYPE)], format)
    assert text_of(events) == "one two" and events[-1].reason == "stop"


def _novel_frame():
    from lumos_nb.testing.wire.bedrock_converse import framed

    return framed(b'{"x":1}', message_type="event", event_type="novel")


TURN = [
    Message(role="system", content="Be brief."),
    Message(role="user", content=(TextPart("What is it?"), ImagePart(data=PICTURE))),
    Message(role="assistant", content=(TextPart("Let me see."), ToolCall(id="c1", name="add", arguments='{"a": 1}'))),
    Message(role="tool", content=(ToolResult(call_id="c1", name="add", content="5", is_error=False),)),
]


async def test_a_turn_with_a_picture_and_a_result_is_sent(format):
    with FakeServer(["Five."]) as server:
        await model(server, format).generate(TURN, tools=[ADD])
    sent = json.dumps(server.requests[0].body)
    assert "iVBORw0K" in sent and "Be brief." in sent and "Let me see." in sent and '"5"' in sent
    assert "Add two numbers." in sent


async def test_a_form_is_asked_for_in_the_formats_own_way_or_by_a_tool(format):
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    said = '{"city": "Oslo"}'
    is_by_tool = format == "bedrock-converse"
    answer = Answer(tool_calls=[ToolCall(id="1", name="answer", arguments=said)]) if is_by_tool else Answer(text=said)
    with FakeServer([answer]) as server:
        options = ModelOptions(output=OutputSchema(schema=schema))
        got = await model(server, format).generate(ASK, options=options)
    assert json.loads(got.text) == {"city": "Oslo"} and got.tool_calls == () and got.finish_reason == "stop"
    assert '"city"' in json.dumps(server.requests[0].body)


@pytest.mark.parametrize(
    "part", [FilePart(media_type="audio/wav", data=b"RIFF"), FilePart(media_type="application/pdf", data=b"%PDF")]
)
async def test_a_sound_or_a_document_is_sent_or_refused_in_words_before_anything_is_sent(format, part):
    with FakeServer(["I see."]) as server:
        provider = model(server, format)
        messages = [Message(role="user", content=(TextPart("Look"), part))]
        if part.kind in (provider.vendor.accepts or ()) and (part.kind, format) != ("audio", "openai-responses"):
            assert (await provider.generate(messages)).text == "I see."
        else:
            with pytest.raises(UsageError, match=part.kind):
                await provider.generate(messages)
            assert server.requests == []


@tool
def add(a: int, b: int = 0) -> int:
    """Add two numbers."""
    return a + b


async def test_an_agent_works_the_same_over_every_format(format):
    calls = [
        ToolCall(id="c1", name="add", arguments='{"a": 2, "b": 2}'),
        ToolCall(id="c2", name="add", arguments='{"a": 5}'),
    ]
    script = [Answer(reasoning="sum", signature="c2ln", text="One moment.", tool_calls=calls), "4 and 5."]
    with FakeServer(script) as server:
        result = await Agent(model=model(server, format), tools=[add]).generate("Add")
    assert result.response == "4 and 5."
    assert [r.content for r in result.steps[0].tool_results] == ["4", "5"]
    assert "One moment." in json.dumps(server.requests[1].body)


async def test_a_refused_overload_is_an_overload(format):
    with FakeServer([Reply(status=529)]) as server, pytest.raises(OverloadedError):
        await model(server, format).generate(ASK)


@pytest.mark.parametrize("arguments", ["", '{"a": 1, "b'])
async def test_a_call_that_the_length_cut_is_never_made(arguments):
    function = {"name": "add", "arguments": arguments}
    begun = {"type": "tool_use", "id": "c", "name": "add", "input": {}}
    cut = {
        "openai-chat": [
            {"choices": [{"delta": {"tool_calls": [{"index": 0, "id": "c", "function": function}]}}]},
            {"choices": [{"delta": {}, "finish_reason": "length"}]},
        ],
        "anthropic-messages": [
            {"type": "content_block_start", "content_block": begun},
            {"type": "content_block_delta", "delta": {"type": "input_json_delta", "partial_json": arguments}},
            {"type": "message_delta", "delta": {"stop_reason": "max_tokens"}},
            {"type": "message_stop"},
        ],
        "cohere-chat": [
            {"type": "tool-call-start", "delta": {"message": {"tool_calls": {"id": "c", "function": function}}}},
            {"type": "message-end", "delta": {"finish_reason": "MAX_TOKENS"}},
        ],
    }
    for format, rows in cut.items():
        events, error = decode(format, [b"data: " + json.dumps(row).encode() + b"\n\n" for row in rows])
        assert error is None and [event.type for event in events] == ["finish"], format
        assert events[-1].reason == "length"


@pytest.mark.parametrize("format", FORMATS)
async def test_messages_that_say_nothing_are_an_error_before_anything_is_sent(format):
    with FakeServer(["never"]) as server:
        with pytest.raises(UsageError, match="nothing to ask"):
            await model(server, format).generate([])
        assert server.requests == []


@pytest.mark.parametrize("usage", ['"12"', "[]", "3", '{"prompt_tokens": "x", "promptTokenCount": "x"}'])
def test_an_answer_is_not_lost_for_its_figures(usage):
    chat = '{"choices": [{"delta": {"content": "Hi"}, "finish_reason": "stop"}], "usage": %s}'
    gemini = '{"candidates": [{"content": {"parts": [{"text": "Hi"}]}, "finishReason": "STOP"}], "usageMetadata": %s}'
    for format, row in (("openai-chat", chat), ("gemini", gemini)):
        events, error = decode(format, [f"data: {row.replace('%s', usage)}\n\n".encode()])
        assert error is None and text_of(events) == "Hi" and events[-1].usage == TokenUsage()


def test_an_answer_is_not_lost_for_half_a_character():
    chat = r'{"choices": [{"delta": {"content": "Hi \ud83d"}, "finish_reason": "stop"}]}'
    gemini = r'{"candidates": [{"content": {"parts": [{"text": "Hi \ud83d"}]}, "finishReason": "STOP"}]}'
    for format, row in (("openai-chat", chat), ("gemini", gemini)):
        events, error = decode(format, [f"data: {row}\n\n".encode()])
        assert error is None and text_of(events) == "Hi \ufffd"


async def test_json_that_is_no_answer_is_told_in_the_server_s_words_and_not_asked_again(format):
    told = Reply(body=b'{"detail": "No such deployment."}')
    with FakeServer([told]) as server, pytest.raises(LumosError, match=r"No such deployment\.") as caught:
        await model(server, format).generate(ASK)
    assert not caught.value.is_temporary and len(server.requests) == 1


async def test_a_misspelt_option_is_said_before_anything_is_sent(format):
    with pytest.raises(UsageError, match="Did you mean 'high'"):
        ModelOptions(reasoning="hight")
    with FakeServer() as server, pytest.raises(UsageError, match="Did you mean 'add'"):
        await model(server, format).generate(ASK, tools=[ADD], options=ModelOptions(tool_choice="ad"))
    assert not server.requests


@pytest.mark.parametrize("format", [each for each in FORMATS if each != "bedrock-converse"])  # its frames have sums
async def test_an_answer_is_not_lost_for_a_figure_that_is_none(format):
    served = served_format(format)
    whole = b"".join(served.events(Answer(text="Hello"), {"stream": True, "model": "m"}))
    figure = rb'("(?:(?:in|out)put_tokens|(?:prompt|completion)_tokens|promptTokenCount|prompt_eval_count)"): ?\d+'
    odd, n = re.subn(figure, rb'\1:"many"', whole)
    with FakeServer([Reply(body=odd, content_type=served.CONTENT_TYPE)]) as server:
        assert (await model(server, format).generate(ASK)).text == "Hello"
    assert n
