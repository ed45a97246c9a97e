"""A provider against a server that does everything a bad network and a busy vendor do."""

import asyncio
import contextlib

import pytest

from lumos_nb import Agent, settings
from lumos_nb.errors import (
    ContextLengthError,
    CredentialError,
    OverloadedError,
    ProviderError,
    RateLimitError,
    StreamError,
    UsageError,
)
from lumos_nb.events import Finish, TextDelta, TokenUsage
from lumos_nb.messages import ImagePart, Message, ToolCall
from lumos_nb.providers import ModelOptions, ToolSpec, llm
from lumos_nb.providers.base import Watch
from lumos_nb.testing import Answer, FakeServer, Reply
from lumos_nb.tools import tool
from lumos_nb.transcript import Transcript

KEY = "sk-very-secret-0123456789"
PICTURE = (ImagePart(data=b"(a picture)", media_type="image/png"),)
ASK = [Message(role="user", content="Say hello")]


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch):
    monkeypatch.setattr("random.uniform", lambda a, b: 0.001)


def model(server, spec="openai/fake-model", **options):
    return llm(spec, base_url=server.base_url, api_key=KEY, **options)


async def events_of(provider, **options):
    return [event async for event in provider.generate_stream(ASK, **options)]


async def failure_of(*script, error=ProviderError, spec="openai/fake-model", models=("fake-model",)):
    with FakeServer(list(script), models=models) as server, pytest.raises(error) as caught:
        await events_of(model(server, spec))
    shown = f"{caught.value}{caught.value!r}{caught.value.__dict__}"
    assert KEY not in shown
    assert caught.value.__context__ is None and caught.value.__cause__ is None
    assert caught.value.hint.endswith((".", "!", "?")) or ":" in caught.value.hint
    return caught.value, server


async def test_an_answer_arrives_as_events_and_the_request_is_what_was_asked():
    with FakeServer(
        [Answer(text="Hello there", reasoning="hm", usage=TokenUsage(input_tokens=5, output_tokens=3))]
    ) as server:
        answer = await model(server).generate(ASK, options=ModelOptions(max_tokens=5))
    assert (answer.text, answer.reasoning, answer.finish_reason) == ("Hello there", "hm", "stop")
    assert answer.usage == TokenUsage(input_tokens=5, output_tokens=3)
    request = server.requests[0]
    assert request.path == "/v1/chat/completions"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["accept"] == "text/event-stream"
    assert request.body == {
        "model": "fake-model",
        "messages": [{"role": "user", "content": "Say hello"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_completion_tokens": 5,
    }


async def test_tool_calls_arrive_whole():
    calls = (ToolCall(id="a", name="add", arguments='{"a": 12345, "b": 2}'), ToolCall(id="b", name="now"))
    with FakeServer([Answer(tool_calls=calls)]) as server:
        answer = await model(server).generate(ASK, tools=[ToolSpec(name="add")])
    assert answer.tool_calls == calls and answer.finish_reason == "tool_calls"


async def test_batches_flatten_to_the_same_events():
    with FakeServer([Answer(text="a b c d")]) as server:
        provider = model(server)
        batches = [batch async for batch in provider.generate_batches(ASK)]
        assert [e for b in batches for e in b] == await events_of(provider)
    assert all(batches)


async def test_the_connection_is_used_again_also_when_the_caller_stops_at_the_finish():
    with FakeServer(["Hello"]) as server:
        provider = model(server)
        for _ in range(3):
            async for event in provider.generate_stream(ASK):
                if isinstance(event, Finish):
                    break
    assert {r.connection for r in server.requests} == {1}


async def test_interleaved_streams_of_one_provider_do_not_mix():
    with FakeServer() as server:
        provider = model(server)
        asked = [f"question number {n}" for n in range(8)]
        got = await asyncio.gather(*(provider.generate([Message(role="user", content=a)]) for a in asked))
    assert [g.text for g in got] == asked


async def test_a_server_that_does_not_stream_is_read_too():
    body = (
        '{"model":"m",\n "choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}],\n"usage":{"prompt_tokens":1}}'
    )
    with FakeServer([Reply(body=body)]) as server:
        answer = await model(server).generate(ASK)
    assert (answer.text, answer.usage.input_tokens) == ("Hi", 1)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_names_the_variable_and_the_address_and_never_the_key(status):
    body = f'{{"error":{{"message":"Incorrect API key provided: {KEY}","code":"invalid_api_key"}}}}'
    with FakeServer([Reply(status=status, body=body)]) as server:
        provider = llm("openai/m", base_url=server.base_url)
        with pytest.MonkeyPatch.context() as env:
            env.setenv("OPENAI_API_KEY", KEY)
            with pytest.raises(CredentialError) as caught:
                await events_of(provider)
    assert "OPENAI_API_KEY" in caught.value.hint and server.base_url in str(caught.value)
    assert KEY not in f"{caught.value!r}{caught.value}{provider!r}"
    assert len(server.requests) == 1


async def test_an_odd_key_that_the_server_sends_back_is_hidden_too():
    server = FakeServer([Reply(status=400, body='{"error":"no such thing: plainword"}')])
    with server, pytest.raises(ProviderError) as caught:
        await events_of(llm("openai/m", base_url=server.base_url, api_key="plainword"))
    assert "plainword" not in f"{caught.value}{caught.value.args}"


async def test_without_a_key_nothing_is_sent_and_the_variable_is_named(monkeypatch):
    monkeypatch.delenv("DEEPSEEK_API_KEY", raising=False)
    with pytest.raises(CredentialError, match="Set DEEPSEEK_API_KEY, or run %lumos login deepseek"):
        await events_of(llm("deepseek/deepseek-flash"))


async def test_a_server_of_ones_own_needs_no_key(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with FakeServer(["Hi"]) as server:
        await events_of(llm("openai/m", base_url=server.base_url))
        await events_of(llm("mine/m", base_url=server.base_url))
    assert all("authorization" not in r.headers for r in server.requests)


@pytest.mark.parametrize("key", ["schlüssel", "sk-a\nb"])
async def test_a_key_that_cannot_be_a_key_is_said_before_anything_is_sent(key):
    with FakeServer(["Hi"]) as server, pytest.raises(CredentialError, match="characters that no key has"):
        await events_of(llm("openai/m", base_url=server.base_url, api_key=key))
    assert server.requests == []


async def test_an_unknown_model_is_answered_with_the_nearest_one():
    error, server = await failure_of(Reply(status=404), spec="openai/fake-modle", models=["fake-model", "other"])
    assert "'fake-modle'" in error.message and error.hint == "Did you mean 'fake-model'?"
    assert [r.path for r in server.other_requests] == ["/v1/models"]


async def test_a_wrong_path_without_a_list_of_models_is_answered_with_base_url():
    with FakeServer([Reply(status=404, body="Not Found", content_type="text/plain")]) as server:
        provider = llm("mine/m", base_url=server.base_url.removesuffix("/v1") + "/wrong")
        with pytest.raises(ProviderError, match="base_url"):
            await events_of(provider)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, ProviderError), (408, ProviderError), (422, ProviderError), (429, RateLimitError), (500, OverloadedError),
     (502, OverloadedError), (503, OverloadedError), (529, OverloadedError)],
)  # fmt: skip
async def test_a_status_becomes_its_error_after_the_tries_that_make_sense(status, kind):
    error, server = await failure_of(Reply(status=status, headers={"x-request-id": "r9"}), error=kind)
    assert type(error) is kind
    assert (error.status, error.provider, error.request_id) == (status, "openai", "r9")
    assert f"HTTP {status}: Scripted {status}" in error.message and server.base_url in error.message
    assert len(server.requests) == (1 if status in {400, 422} else 3)


@pytest.mark.parametrize("first", [Reply(status=503), Reply(status=429, headers={"retry-after": "0"}),
                                   Reply(answer=Answer(text="x"), cut_after=0, cut="reset"),
                                   Reply(answer=Answer(text="x"), error_after=0)])  # fmt: skip
async def test_a_request_that_failed_before_the_first_word_is_tried_again_and_the_caller_is_told(first):
    told = []
    with FakeServer([first, "Hello"]) as server:
        batches = [b async for b in model(server).generate_batches(ASK, watch=Watch(on_wait=told.append))]
    assert batches[0][0] == TextDelta("Hello")
    assert told[0]["state"].startswith("retrying in ") and told[0]["attempt"] == 1
    assert told[1:] == [{"state": "asking again: try 2 of 3"}]


async def test_the_wait_that_the_server_asks_for_is_kept_and_told(monkeypatch):
    waits = []

    async def no_sleep(seconds):
        waits.append(seconds)

    monkeypatch.setattr("lumos_nb.clock.sleep", no_sleep, raising=True)
    first = Reply(status=429, headers={"retry-after-ms": "1500", "retry-after": "9"})
    told = []
    with FakeServer([first, "Hello"]) as server:
        async for _ in model(server).generate_batches(ASK, watch=Watch(on_wait=told.append)):
            pass
    assert 1.5 in waits
    assert told[0]["state"].startswith("retrying in 1.5 s: ") and "HTTP 429" in told[0]["state"]


async def test_a_wait_of_minutes_is_not_waited_for():
    error, server = await failure_of(Reply(status=429, headers={"retry-after": "600"}), error=RateLimitError)
    assert error.retry_after_s == 600 and "600 s" in error.hint and len(server.requests) == 1


async def test_an_empty_account_is_not_asked_again():
    body = '{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}'
    error, server = await failure_of(Reply(status=429, body=body), error=RateLimitError)
    assert "credit" in str(error) and len(server.requests) == 1


async def test_no_tries_are_made_if_the_setting_says_so():
    settings.configure(max_retries=0)
    _, server = await failure_of(Reply(status=503), error=OverloadedError)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        '{"error":{"message":"This model\'s maximum context length is 8192 tokens.","code":"context_length_exceeded"}}',
        '{"error":{"code":400,"message":"request (9031 tokens) exceeds","type":"exceed_context_size_error"}}',
        '{"error":{"code":"tokens_too_long","message":"too long"}}',
    ],
)
async def test_a_conversation_that_is_too_long_has_its_own_error(body):
    error, server = await failure_of(Reply(status=400, body=body), error=ContextLengthError)
    assert "thread" in error.hint and len(server.requests) == 1


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"cut_after": 2, "cut": "reset"}, "broke off"),
        ({"cut_after": 2, "cut": "close"}, "broke off"),
        ({"garbage_after": 2}, "not a Chat Completions chunk"),
        ({"error_after": 2}, "overloaded_error"),
    ],
)
async def test_an_answer_that_fails_in_the_middle_keeps_its_text_and_is_not_asked_for_again(fault, said):
    got = []
    server = FakeServer([Reply(answer=Answer(text="one two three four"), **fault)])
    with server, pytest.raises(StreamError, match=said) as caught:
        async for event in model(server).generate_stream(ASK):
            got.append(event)
    assert [e.delta for e in got] == ["one ", "two "]
    assert len(server.requests) == 1 and caught.value.provider == "openai"


async def test_a_stalled_answer_ends_after_the_read_timeout():
    settings.configure(read_timeout_s=0.1)
    server = FakeServer([Reply(answer=Answer(text="one two three"), cut_after=2, cut="stall")])
    with server, pytest.raises(StreamError, match="no byte arrived"):
        await events_of(model(server))


async def test_a_first_byte_that_does_not_come_is_asked_for_again():
    settings.configure(first_byte_timeout_s=0.1)
    told = []
    with FakeServer([Reply(first_byte_delay_s=30), "Hello"]) as server:
        batches = [b async for b in model(server).generate_batches(ASK, watch=Watch(on_wait=told.append))]
        assert await asyncio.to_thread(server.requests[0].done.wait, 10) and server.requests[0].client_left
    assert batches[0][0] == TextDelta("Hello") and "first_byte_timeout_s" in told[0]["state"]


@pytest.mark.parametrize(
    "reply", [Reply(first_byte_delay_s=30), Reply(answer=Answer(chunks=["x "] * 999, delay_s=0.01))]
)
async def test_an_answer_that_takes_too_long_as_a_whole_is_not_asked_for_again(reply):
    settings.configure(total_timeout_s=0.2)
    with FakeServer([reply]) as server, pytest.raises(ProviderError, match="total_timeout_s allows") as caught:
        await events_of(model(server))
    assert caught.value.provider == "openai" and "LUMOS_TOTAL_TIMEOUT_S" in caught.value.hint
    assert len(server.requests) == 1


async def test_a_web_page_is_not_an_answer():
    page = Reply(body="<html><title>Sign in</title></html>", content_type="text/html")
    error, _ = await failure_of(page)
    assert "web page" in error.message and "/v1" in error.hint


async def test_a_redirect_is_not_followed_and_names_its_target():
    with FakeServer(["never asked"]) as new:
        target = f"{new.base_url.replace('//', '//ada:pw@')}/chat/completions?key={KEY}"
        error, old = await failure_of(Reply(status=308, headers={"location": target}, body="moved"))
        assert f"(HTTP 308) to {new.base_url}/chat/completions." in error.message
        assert error.hint == f"Set base_url to {new.base_url}, if that is the server you mean."
        assert "pw" not in str(error) and len(old.requests) == 1 and new.requests == []


async def test_nobody_there():
    settings.configure(max_retries=1)
    told = []
    with pytest.raises(ProviderError, match=r"Nothing answers at http://127.0.0.1:9/v1") as caught:
        async for _ in llm("mine/m", base_url="http://127.0.0.1:9/v1").generate_batches(
            ASK, watch=Watch(on_wait=told.append)
        ):
            pass
    assert caught.value.provider == "mine" and [t.get("kind") for t in told] == ["retry", None]


@pytest.mark.parametrize("how", ["cancel", "leave"])
async def test_stopping_closes_the_connection_and_leaves_no_task(how):
    with FakeServer([Answer(chunks=["x "] * 2000, delay_s=0.01)]) as server:
        provider = model(server)
        before = asyncio.all_tasks()
        started = asyncio.Event()

        async def consume():
            async with contextlib.aclosing(provider.generate_stream(ASK)) as events:
                async for _ in events:
                    started.set()
                    if how == "leave":
                        return

        task = asyncio.create_task(consume())
        await asyncio.wait_for(started.wait(), 10)
        if how == "cancel":
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(server.requests[0].done.wait, 10)
        assert server.requests[0].client_left
        assert asyncio.all_tasks() == before


async def test_a_closed_provider_opens_new_connections():
    with FakeServer(["Hello"]) as server:
        provider = model(server)
        await events_of(provider)
        await provider.aclose()
        await events_of(provider)
    assert [r.connection for r in server.requests] == [1, 2]


async def test_the_models_of_a_server_can_be_listed():
    with FakeServer(models=["b", "a"]) as server:
        assert await model(server).list_models() == ["a", "b"]


async def test_a_person_may_pass_tools_as_they_are():
    made = tool(name="rows")(lambda limit=5: limit)
    with FakeServer(["Hello"]) as server:
        async for _ in model(server).generate_stream(ASK, tools=[made]):
            pass
        assert server.requests[0].body["tools"][0]["function"]["name"] == "rows"


async def test_an_answer_that_broke_off_is_asked_for_again_only_if_that_is_wanted():
    cut, again = Reply(answer=Answer(text="one two three"), cut_after=2), ModelOptions(retry_broken=True)
    with FakeServer([cut, "one two three four"]) as server:
        events = await events_of(model(server), options=again)
    kinds = [event.type for event in events]
    anew = events[kinds.index("restart") :]
    assert "".join(e.delta for e in anew if e.type == "text_delta") == "one two three four"
    assert kinds[:3] == ["text_delta", "text_delta", "restart"] and kinds[-1] == "finish"
    with FakeServer([cut, "one two three four"]) as server:
        assert (await model(server).generate(ASK, options=again)).text == "one two three four"
    with FakeServer([cut, "one"]) as server, pytest.raises(StreamError):
        await events_of(model(server))


async def test_a_run_whose_answer_began_anew_has_the_whole_one_and_shows_both():
    cut = Reply(answer=Answer(text="one two three"), cut_after=2)
    shown = Transcript()
    with FakeServer([cut, "All of it."]) as server:
        agent = Agent(model=model(server), options=ModelOptions(retry_broken=True))
        result = await agent.generate("Go", on_events=shown.apply)
    assert result.response == "All of it."
    assert [item["text"] for item in shown.doc["items"]] == [
        "one two  …\n\n*(It broke off here; the answer begins again.)*", "All of it.",
    ]  # fmt: skip


async def test_a_picture_that_is_not_taken_is_said_before_it_is_sent():
    ask = [Message(role="user", content=PICTURE)]
    with FakeServer() as server, pytest.raises(UsageError, match="takes no image") as caught:
        await model(server, "deepseek/m").generate(ask)
    assert "or send text" in str(caught.value) and not server.requests


async def test_an_earlier_picture_does_not_end_the_conversation_with_a_model_that_takes_none():
    before = [Message(role="user", content=PICTURE), Message(role="assistant", content="A line.")]
    with FakeServer(["Hi"]) as server:
        await model(server, "deepseek/m").generate([*before, Message(role="user", content="And in words?")])
    said = [message["content"] for message in server.requests[0].body["messages"]]
    assert "A picture was here" in said[0] and said[1:] == ["A line.", "And in words?"]
