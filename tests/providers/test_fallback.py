"""Several models as one: who takes over, when, and what is told and kept of it."""

import json
from contextlib import suppress

import pytest

from lumos_nb import Agent, llm
from lumos_nb.errors import CredentialError, OverloadedError, ProviderError, StreamError, UsageError
from lumos_nb.messages import Message, ToolCall
from lumos_nb.providers import FallbackProvider
from lumos_nb.providers.base import Watch
from lumos_nb.testing import Answer, FakeServer, Reply, ScriptedProvider

ASK = [Message(role="user", content="Hi")]


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch):
    monkeypatch.setattr("random.uniform", lambda a, b: 0.001)
    monkeypatch.setenv("LUMOS_MAX_RETRIES", "0")


def pair(server):
    return FallbackProvider([llm(f"{vendor}/m", base_url=server.base_url, api_key="k") for vendor in ("openai", "xai")])


@pytest.mark.parametrize("status", [401, 402, 404, 429, 500, 503])
async def test_the_next_model_takes_over_where_the_first_cannot_answer_and_the_caller_is_told(status):
    told = []
    with FakeServer([Reply(status=status), "Hello"]) as server:
        batches = [b async for b in pair(server).generate_batches(ASK, watch=Watch(on_wait=told.append))]
    assert batches[-1][-1].type == "finish"
    assert told[-1]["kind"] == "fallback" and told[-1]["state"].startswith("xai/m takes over: ")


@pytest.mark.parametrize("status", [400, 422])
async def test_a_request_that_is_wrong_is_not_sent_to_another(status):
    with FakeServer([Reply(status=status), "Hello"]) as server, pytest.raises(ProviderError) as caught:
        await pair(server).generate(ASK)
    assert caught.value.status == status and len(server.requests) == 1


async def test_half_an_answer_is_not_continued_by_another():
    with FakeServer([Reply(answer=Answer(text="one two"), cut_after=1), "x"]) as server, pytest.raises(StreamError):
        await pair(server).generate(ASK)
    assert len(server.requests) == 1


async def test_the_last_error_is_the_one_that_is_raised_and_names_those_before():
    with FakeServer([Reply(status=401), Reply(status=503)]) as server, pytest.raises(OverloadedError) as caught:
        await pair(server).generate(ASK)
    assert "Asked before: openai/m: " in caught.value.hint


async def test_a_run_stays_with_the_model_that_took_over_and_the_next_run_begins_anew():
    def now() -> str:
        """Tell the time."""
        return "noon"

    call = ToolCall(id="c", name="now", arguments="{}")
    with FakeServer([Reply(status=503), Answer(tool_calls=[call]), "Noon.", "Hello"]) as server:
        agent = Agent(model=pair(server), tools=[now])
        first = await agent.generate("When?")
        second = await agent.generate("Hi")
    assert [step.provider for step in first.steps] == ["xai", "xai"]
    assert second.steps[0].provider == "openai"
    assert len(server.requests) == 4


async def test_a_model_without_a_key_is_passed_over(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with FakeServer(["Hello"]) as server:
        models = [llm("openai/m"), llm("mine/m", base_url=server.base_url)]
        assert (await FallbackProvider(models).generate(ASK)).text == "Hello"
    with pytest.raises(CredentialError):
        await FallbackProvider(models[:1]).generate(ASK)


async def test_a_run_says_which_model_answered():
    with FakeServer([Reply(status=503), "Hello"]) as server:
        first, second = pair(server).models
        result = await Agent(model=[first, second]).generate("Hi")
    assert (result.steps[0].provider, result.response) == ("xai", "Hello")


async def test_a_retry_and_a_model_that_takes_over_are_events_and_rows(monkeypatch, tmp_path):
    import lumos_nb as lumos

    monkeypatch.setenv("LUMOS_DB", str(tmp_path / "lumos.db"))
    monkeypatch.setenv("LUMOS_MAX_RETRIES", "1")
    lumos.settings.reset()
    script = [Reply(status=503), Reply(status=503), Reply(status=503), "Hello"]
    with FakeServer(script) as server:
        result = await Agent(model=list(pair(server).models)).generate("Hi")
    rows = lumos.events()
    assert list(rows[rows.kind == "metadata"]["name"].dropna()) == ["retry", "fallback", "retry"]
    assert lumos.steps()[["provider", "attempt"]].values.tolist() == [["xai", 2]]
    assert result.steps[0].attempt == 2


async def test_a_run_is_the_model_s_that_took_over_and_so_is_the_source_of_its_price(monkeypatch, tmp_path):
    import lumos_nb as lumos

    monkeypatch.setenv("LUMOS_DB", str(tmp_path / "lumos.db"))
    lumos.settings.reset()
    lumos.configure(prices={"xai/m": {"input": 1, "output": 2}})
    for script in ([Reply(status=503), "Hello"], [Reply(status=503), Reply(status=503)]):
        with FakeServer(script) as server, suppress(OverloadedError):
            await Agent(model=list(pair(server).models)).generate("Hi")
    assert lumos.runs()[["provider", "cost_source", "status"]].values.tolist() == [
        ["xai", "settings", "completed"],
        ["xai", "settings", "failed"],
    ]


def test_several_names_make_one_model():
    assert repr(llm("local/smollm2, openai/gpt-5.6-luna")) == repr(llm(["local/smollm2", "openai/gpt-5.6-luna"]))
    with pytest.raises(UsageError, match="belong to one model"):
        llm(["openai/a", "openai/b"], api_key="k")


def test_what_holds_for_any_model_holds_for_each_of_several():
    both = llm(["openai/a", "openai/b"], supports_function_calling=False)
    assert [model.supports_function_calling for model in both.models] == [False, False]
    with pytest.raises(UsageError, match="at least one"):
        FallbackProvider([])
    with pytest.raises(UsageError, match="cannot be one of several"):
        Agent(model=[ScriptedProvider(["x"]), "openai/m"]).get_llm()


@pytest.mark.parametrize("code", ["context_length_exceeded", "insufficient_quota", "rate_limit_exceeded"])
async def test_the_next_model_takes_over_also_where_the_refusal_comes_in_place_of_the_answer(code):
    body = json.dumps({"error": {"code": code, "message": "No"}})
    with FakeServer([Reply(status=200, body=body), "Hello"]) as server:
        assert (await pair(server).generate(ASK)).text == "Hello"
