"""The doubles that are shipped: a provider and a server with a script."""

import httpx
import pytest

from lumos_nb import testing
from lumos_nb.errors import RateLimitError, UsageError
from lumos_nb.events import TokenUsage
from lumos_nb.messages import Message, ToolCall
from lumos_nb.providers import ModelOptions, ToolSpec
from lumos_nb.testing import Answer, FakeServer, Reply, ScriptedProvider, markdown

ASK = [Message(role="user", content="Say hello")]


async def events_of(model):
    return [event async for event in model.generate_stream(ASK)]


async def test_a_script_plays_line_by_line_and_records_what_was_asked():
    call = ToolCall(id="1", name="rows")
    model = ScriptedProvider(["Hello there", call, [call, call], lambda messages: messages[-1].text.upper()])
    answers = [await model.generate(ASK, tools=[ToolSpec(name="rows")], options=ModelOptions(seed=1)) for _ in range(4)]
    assert [a.text for a in answers] == ["Hello there", "", "", "SAY HELLO"]
    assert [len(a.tool_calls) for a in answers] == [0, 1, 2, 0]
    assert [a.finish_reason for a in answers] == ["stop", "tool_calls", "tool_calls", "stop"]
    assert model.requests[0].messages == tuple(ASK)
    assert model.requests[0].tools[0].name == "rows" and model.requests[0].options.seed == 1


async def test_an_answer_comes_in_its_pieces_with_reasoning_first():
    usage = TokenUsage(input_tokens=9)
    model = ScriptedProvider([Answer(chunks=("He", "llo"), reasoning="hm", usage=usage, finish="length")])
    events = await events_of(model)
    assert [e.type for e in events] == ["reasoning_delta", "text_delta", "text_delta", "finish"]
    assert (events[-1].reason, events[-1].usage) == ("length", usage)


@pytest.mark.parametrize("after", [0, 1, 9])
async def test_an_error_comes_where_the_script_says(after):
    model = ScriptedProvider([Answer(text="one two", error=RateLimitError("full"), error_after=after)])
    got = []
    with pytest.raises(RateLimitError):
        async for event in model.generate_stream(ASK):
            got.append(event)
    assert len(got) == min(after, 2)


async def test_a_script_that_is_over_says_how_to_go_on():
    model = ScriptedProvider([])
    with pytest.raises(UsageError, match="0 answers, and this is model call 1"):
        await events_of(model)
    with pytest.raises(UsageError, match="cannot hold 'float'"):
        await events_of(ScriptedProvider([1.5]))


async def test_one_function_serves_every_call():
    model = ScriptedProvider(lambda messages: f"{len(messages)}")
    assert [(await model.generate(ASK * n)).text for n in (1, 2)] == ["1", "2"]


def post(server, model="m", text="Hi"):
    body = {"model": model, "messages": [{"role": "user", "content": text}]}
    return httpx.post(f"{server.base_url}/chat/completions", json=body, trust_env=False, timeout=10)


def test_the_server_answers_by_model_and_repeats_its_last_line():
    with FakeServer({"fake-short": ["one", "two"], "*": lambda request: request.body["model"] + "!"}) as server:
        texts = [post(server, "fake-short").text for _ in range(3)]
        assert ['"one"' in texts[0], '"two"' in texts[1], '"two"' in texts[2]] == [True] * 3
        assert '"other!"' in post(server, "other").text
        assert "fake-short" in httpx.get(f"{server.base_url}/models", trust_env=False).text
        assert httpx.get(f"{server.base_url}/nothing", trust_env=False).status_code == 404
    assert [r.body["model"] for r in server.requests] == ["fake-short"] * 3 + ["other"]


def test_the_server_echoes_without_a_script():
    with FakeServer() as server:
        assert '"there"' in post(server, text="Hello there").text


def test_the_server_sends_status_headers_and_body_as_scripted():
    with FakeServer([Reply(status=429, headers={"retry-after": "3"}, body="slow down")]) as server:
        answer = post(server)
    assert (answer.status_code, answer.headers["retry-after"], answer.text) == (429, "3", "slow down")


def test_a_server_with_a_stalled_answer_stops_at_once():
    with FakeServer([Reply(answer=Answer(text="a b"), cut_after=1, cut="stall")]) as server:
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{server.base_url}/chat/completions", json={}, trust_env=False, timeout=0.1)
        assert server.requests[0].done.wait(10)
        assert server.requests[0].client_left


def test_an_answer_in_markdown_has_what_a_view_must_show():
    text = markdown(600)
    assert len(text.split()) >= 600
    for mark in ("## ", "|---|", "```python", "**", "$\\bar x", "](https://"):
        assert mark in text


def test_the_promise_of_the_package():
    assert testing.__all__ == sorted(testing.__all__)
    assert all(getattr(testing, name) for name in testing.__all__)
