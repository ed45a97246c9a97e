"""Reading Ollama's streams, and a server that writes them so that its own client reads the same."""

import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lumos_nb.errors import ProviderError, StreamError
from lumos_nb.events import Finish, TokenUsage
from lumos_nb.messages import Message, ReasoningPart, TextPart, ToolCall
from lumos_nb.providers import ModelOptions, ToolSpec, llm
from lumos_nb.providers.wire import WireRequest, load_format
from lumos_nb.testing import Answer, FakeServer, Reply
from tests.providers.streams import calls_of, cut_at, decode, pieces, recorded, text_of

FORMAT = "ollama-chat"
STREAM = b"""\
{"model":"qwen3","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":"","thinking":"need "},"done":false}
{"model":"qwen3","created_at":"2026-01-01T00:00:01Z","message":{"role":"assistant","content":"","thinking":"\xe6\xbc\xa2"},"done":false}
{"model":"qwen3","created_at":"2026-01-01T00:00:02Z","message":{"role":"assistant","content":"One \xf0\x9f\x8c\x9f"},"done":false}
{"model":"qwen3","created_at":"2026-01-01T00:00:03Z","message":{"role":"assistant","content":"","tool_calls":[{"id":"call_s1","function":{"index":0,"name":"weather","arguments":{"city":"Oslo"}}}]},"done":false}
{"model":"qwen3","created_at":"2026-01-01T00:00:04Z","message":{"role":"assistant","content":".","tool_calls":[{"function":{"index":1,"name":"weather","arguments":{"city":"Rome"}}},{"function":{"name":"now","arguments":{}}}]},"done":false}
{"model":"qwen3","created_at":"2026-01-01T00:00:05Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","total_duration":1,"prompt_eval_count":40,"eval_count":20}
"""  # noqa: E501
USER = [Message(role="user", content="Hi")]


def line(**fields):
    return json.dumps(fields).encode() + b"\n"


def address(server):
    """Return the server's address as Ollama has it: behind `/v1` stands its other format."""
    return server.base_url.removesuffix("/v1")


def said(text, **fields):
    return line(message={"role": "assistant", "content": text}, done=False, **fields)


END = line(done=True, done_reason="stop", prompt_eval_count=3, eval_count=4)


@pytest.mark.parametrize("how", ["whole", "bytes", "1", "2"])
@pytest.mark.parametrize(("data", "expected"), recorded("ollama-ndjson"))
def test_a_recorded_stream_gives_what_was_recorded(data, expected, how):
    events, error = decode(FORMAT, pieces(data, how), has_think_tags=True)
    assert text_of(events) == expected["text"]
    reasoning = text_of(events, "reasoning_delta")
    assert hashlib.sha256(reasoning.encode()).hexdigest() == expected["reasoning_sha256"]
    shown = [{"name": c.name, "args": json.loads(c.arguments)} for c in calls_of(events)]
    assert shown == [{k: c[k] for k in ("name", "args")} for c in expected["tool_calls"]]
    if expected["errors"]:
        assert expected["errors"][0] in str(error)
        return
    assert error is None and [e.type for e in events].count("finish") == 1
    finish = events[-1]
    assert finish.reason == ("tool_calls" if shown else expected["finish"])
    usage = expected["usage"]
    assert (finish.usage.input_tokens, finish.usage.output_tokens) == (usage["prompt_eval_count"], usage["eval_count"])
    assert finish.model in {"gemma3:1b", "llama3.2"}


def test_thoughts_text_and_whole_calls_of_any_line():
    events, error = decode(FORMAT, [STREAM])
    assert error is None
    assert (text_of(events, "reasoning_delta"), text_of(events)) == ("need 漢", "One 🌟.")
    calls = calls_of(events)
    assert [(c.name, c.arguments) for c in calls] == [
        ("weather", '{"city":"Oslo"}'), ("weather", '{"city":"Rome"}'), ("now", "{}"),
    ]  # fmt: skip
    assert calls[0].id == "call_s1" and len({c.id for c in calls}) == 3
    assert events[-1] == Finish("tool_calls", TokenUsage(input_tokens=40, output_tokens=20), "qwen3")
    assert [e.type for e in events[-4:]] == ["tool_call"] * 3 + ["finish"]


def test_an_id_that_is_missing_is_made_from_the_answer():
    row = {"function": {"name": "f", "arguments": {}}}
    data = [line(created_at=at, message={"tool_calls": [row, row]}, done=True) for at in ("1", "1", "2")]
    ids = [[c.id for c in calls_of(decode(FORMAT, [d])[0])] for d in data]
    assert ids[0] == ids[1] and len({*ids[0], *ids[2]}) == 4


@settings(max_examples=100, deadline=None)
@given(st.sets(st.integers(0, len(STREAM)), max_size=12))
def test_any_chunking_decodes_alike(cuts):
    assert decode(FORMAT, cut_at(STREAM, cuts)) == decode(FORMAT, [STREAM]) == decode(FORMAT, pieces(STREAM, "bytes"))


def test_an_answer_that_was_cut_is_never_a_success():
    for n in range(len(STREAM.rstrip())):
        events, error = decode(FORMAT, [STREAM[:n]])
        assert isinstance(error, StreamError) and error.is_temporary and "broke off" in str(error), n
        assert not calls_of(events) and "finish" not in {e.type for e in events}
    assert decode(FORMAT, [STREAM.rstrip()]) == decode(FORMAT, [STREAM])


def test_an_answer_that_was_not_streamed_is_one_line():
    whole = {"role": "assistant", "content": "Hi", "thinking": "hm", "tool_calls": [{"function": {"name": "f"}}]}
    events, error = decode(FORMAT, [line(model="m", message=whole, done=True, done_reason="stop").rstrip()])
    assert error is None
    assert [e.type for e in events] == ["reasoning_delta", "text_delta", "tool_call", "finish"]


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        ({"done_reason": "stop"}, "stop"),
        ({"done_reason": "length"}, "length"),
        ({"done_reason": "load"}, "other"),
        ({"done_reason": "unload"}, "other"),
        ({"done_reason": 7}, "other"),
        ({}, "stop"),
        ({"prompt_eval_count": "many", "eval_count": None, "done_reason": None}, "stop"),
    ],
)
def test_reasons_of_the_end(end, reason):
    events, error = decode(FORMAT, [said("x"), line(done=True, **end)])
    assert error is None and events[-1] == Finish(reason)


def test_a_prompt_that_was_cached_has_no_count():
    events, _ = decode(FORMAT, [line(done=True, eval_count=4)])
    assert events[-1].usage == TokenUsage(output_tokens=4)


def test_calls_of_an_answer_that_ran_out_of_length_are_given_with_that_reason():
    calls = {"tool_calls": [{"function": {"name": "f"}}]}
    events, _ = decode(FORMAT, [line(message=calls, done=True, done_reason="length")])
    assert (len(calls_of(events)), events[-1].reason) == (1, "length")


@pytest.mark.parametrize(
    "error", [{"error": "model runner has crashed"}, {"error": {"message": "model runner has crashed", "code": 500}}]
)
def test_an_error_may_come_at_any_time_and_the_text_before_it_counts(error):
    call = line(message={"tool_calls": [{"function": {"name": "f"}}]}, done=False)
    events, failure = decode(FORMAT, [said("Hel"), call, line(**error), said("lo"), END])
    assert text_of(events) == "Hel" and not calls_of(events)
    assert isinstance(failure, StreamError) and "model runner has crashed" in str(failure)


@pytest.mark.parametrize("junk", [b"{oops\n", b"<html>\n", b"\xff\xfe\n", b"[1]\n", b'data: {"a":1}\n', b"7\n"])
def test_a_line_that_cannot_be_read_is_an_error(junk):
    events, error = decode(FORMAT, [said("Hi"), junk, END])
    assert text_of(events) == "Hi"
    assert isinstance(error, StreamError)
    assert "Ollama" in str(error)


@pytest.mark.parametrize(
    "odd",
    [
        b"\n", b"\r\n", b"  \n", b"{}\n",
        b'{"logprobs":[],"message":{"images":null}}\n', b'{"message":null,"done":0}\n',
        b'{"message":{"content":null,"thinking":null,"tool_calls":null}}\n', b'{"error":null}\n',
        b'{"message":{"tool_calls":[null,{},{"function":null}]},"done":null,"model":[]}\n',
    ],
)  # fmt: skip
def test_what_is_unknown_or_empty_is_skipped(odd):
    events, error = decode(FORMAT, [odd, said("Hi"), odd, END])
    assert error is None and text_of(events) == "Hi" and not calls_of(events)


def test_arguments_may_be_text():
    rows = [{"function": {"name": "f", "arguments": a}} for a in ('{"a":1}', "", None, {}, '{"a":')]
    events, _ = decode(FORMAT, [line(message={"tool_calls": rows}, done=True)])
    assert [c.arguments for c in calls_of(events)] == ['{"a":1}', "{}", "{}", "{}", '{"a":']


def test_thoughts_between_tags_are_split_off_where_the_vendor_says_so():
    stream = [said("<thi"), said("nk>hm</th"), said("ink>\n\nYes"), END]
    split, _ = decode(FORMAT, stream, has_think_tags=True)
    assert (text_of(split, "reasoning_delta"), text_of(split)) == ("hm", "Yes")
    raw, _ = decode(FORMAT, stream)
    assert text_of(raw) == "<think>hm</think>\n\nYes"


def test_what_came_goes_back_as_it_came():
    events, _ = decode(FORMAT, [STREAM])
    parts = (
        ReasoningPart(text_of(events, "reasoning_delta"), provider="ollama"),
        TextPart(text_of(events)),
        *calls_of(events),
    )
    messages = (Message(role="assistant", content=parts),)
    body = load_format(FORMAT).encode(WireRequest(model="m", messages=messages, origin="ollama"))
    ids = [call.id for call in calls_of(events)]
    assert body["messages"] == [
        {
            "role": "assistant",
            "content": "One 🌟.",
            "thinking": "need 漢",
            "tool_calls": [
                {"id": ids[0], "function": {"index": 0, "name": "weather", "arguments": {"city": "Oslo"}}},
                {"id": ids[1], "function": {"index": 1, "name": "weather", "arguments": {"city": "Rome"}}},
                {"id": ids[2], "function": {"index": 2, "name": "now", "arguments": {}}},
            ],
        }
    ]


FULL = Answer(
    text="It is 漢 warm.",
    reasoning="I should look.",
    tool_calls=(ToolCall("c1", "weather", '{"city": "Oslo"}'), ToolCall("c2", "now", "{}")),
    usage=TokenUsage(input_tokens=11, output_tokens=22),
)


async def test_a_whole_answer_over_http():
    with FakeServer([FULL, Answer(text="cut", finish="length")]) as server:
        model = llm("ollama/m", base_url=address(server))
        tools = [ToolSpec(name="weather"), ToolSpec(name="now")]
        answer = await model.generate(USER, tools=tools, options=ModelOptions(reasoning="low"))
        assert (answer.text, answer.reasoning) == (FULL.text, FULL.reasoning)
        calls = [(c.id, c.name, json.loads(c.arguments)) for c in answer.tool_calls]
        assert calls == [("c1", "weather", {"city": "Oslo"}), ("c2", "now", {})]
        assert (answer.finish_reason, answer.usage) == ("tool_calls", FULL.usage)
        assert (await model.generate(USER)).finish_reason == "length"
    request = server.requests[0]
    assert (request.path, request.headers["accept"]) == ("/api/chat", "application/x-ndjson")
    assert request.body["think"] is True and len(request.body["tools"]) == 2


async def test_a_whole_answer_as_json_over_http():
    whole = line(model="m", message={"role": "assistant", "content": "Hi"}, done=True, done_reason="stop")
    two = said("Hi ") + said("you") + END
    replies = [Reply(body=body, content_type="application/json; charset=utf-8") for body in (whole, two)]
    with FakeServer(replies) as server:
        model = llm("ollama/m", base_url=address(server))
        assert [(await model.generate(USER)).text for _ in replies] == ["Hi", "Hi you"]


async def test_a_refusal_is_read():
    reply = Reply(status=404, body='{"error":"model \'m\' not found"}')
    with FakeServer([reply]) as server, pytest.raises(ProviderError, match="model 'm' not found"):
        await llm("ollama/m", base_url=address(server)).generate(USER)


async def test_the_official_client_reads_the_same_from_the_fake_server():
    ollama = pytest.importorskip("ollama")
    with FakeServer([FULL, Reply(answer=Answer(text="one two"), error_after=1)]) as server:
        client = ollama.AsyncClient(host=address(server))
        sent = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
        parts = [part async for part in await client.chat(**sent)]
        with pytest.raises(ollama.ResponseError, match="overloaded"):
            [part async for part in await client.chat(**sent)]
        await client._client.aclose()
    assert "".join(part.message.content for part in parts) == FULL.text
    assert "".join(part.message.thinking or "" for part in parts) == FULL.reasoning
    calls = [call.function for part in parts for call in part.message.tool_calls or ()]
    assert [(c.name, c.arguments) for c in calls] == [("weather", {"city": "Oslo"}), ("now", {})]
    last = parts[-1]
    assert (last.done, last.done_reason, last.prompt_eval_count, last.eval_count) == (True, "stop", 11, 22)
