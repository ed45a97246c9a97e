"""One thread over several vendors: each gets what it understands, and nothing of the others' secrets."""

import json
import re

import pytest

from lumos_nb import Agent, llm, tool
from lumos_nb.messages import Message, ReasoningPart, TextPart, ToolCall, ToolResult
from lumos_nb.testing import Answer, FakeServer

ROUTE = {
    "anthropic": ("anthropic-messages", "c2lnbmF0dXJl"),
    "openai": ("openai-responses", "Z0FBQUFB"),
    "google": ("gemini", "RXNJTg=="),
    "bedrock": ("bedrock-converse", "YmVkcm9jaw=="),
}


@tool
def add(a: int) -> int:
    """Add one."""
    return a + 1


def turn(signature):
    call = ToolCall(id="c1", name="add", arguments='{"a": 1}')
    return [Answer(reasoning="I will add.", signature=signature, tool_calls=[call]), "It is 2."]


async def run(vendor, agent, prompt):
    """Run one turn at a vendor and return the last body that it was sent, as text."""
    format, signature = ROUTE[vendor]
    with FakeServer(turn(signature)) as server:
        model = llm(f"{vendor}/m", base_url=server.base_url, api_key="k", format=format)
        result = await agent.generate(prompt, thread_id="t", model=model)
    assert result.response == "It is 2."
    return json.dumps(server.requests[-1].body, ensure_ascii=False)


@pytest.mark.parametrize("vendor", ROUTE)
async def test_what_a_vendor_signed_goes_back_to_it_in_the_same_turn_and_in_the_next(vendor, tmp_path, monkeypatch):
    monkeypatch.setenv("LUMOS_DB", str(tmp_path / "lumos.db"))
    agent, signature = Agent(tools=[add]), ROUTE[vendor][1]
    assert (await run(vendor, agent, "First")).count(signature) == 1
    assert (await run(vendor, agent, "Second")).count(signature) >= 1


async def test_another_vendor_gets_the_conversation_without_what_only_the_old_one_understands(tmp_path, monkeypatch):
    monkeypatch.setenv("LUMOS_DB", str(tmp_path / "lumos.db"))
    agent = Agent(tools=[add])
    for vendor in ROUTE:
        sent = await run(vendor, agent, f"Asked of {vendor}")
        others = [signature for other, (_, signature) in ROUTE.items() if other != vendor]
        assert not any(signature in sent for signature in others), vendor
        asked = list(ROUTE)[: list(ROUTE).index(vendor) + 1]
        assert all(f"Asked of {each}" in sent for each in asked), "the questions are all there"
        assert sent.count("It is 2.") == len(asked) - 1, "and the answers"
    back = await run("anthropic", agent, "Back again")
    assert ROUTE["anthropic"][1] in back and ROUTE["google"][1] not in back


EVERYWHERE = {
    "openai": "openai-chat", "xai": "openai-responses", "anthropic": "anthropic-messages", "google": "gemini",
    "cohere": "cohere-chat", "ollama": "ollama-chat", "bedrock": "bedrock-converse",
}  # fmt: skip


@pytest.mark.parametrize("name", ["add<|channel|>json", "", "functions.add", "größe", "x" * 99])
@pytest.mark.parametrize("vendor", EVERYWHERE)
async def test_a_name_that_a_model_made_up_does_not_make_the_thread_refused(vendor, name):
    messages = [
        Message(role="user", content="Go"),
        Message(role="assistant", content=(ToolCall(id="c1", name=name),)),
        Message(role="tool", content=(ToolResult("c1", name, "There is no such tool."),)),
    ]
    with FakeServer(["I see."]) as server:
        model = llm(f"{vendor}/m", base_url=server.base_url, api_key="k", format=EVERYWHERE[vendor])
        await model.generate(messages)
        sent = names_in(server.requests[-1].body)
    assert sent and all(re.fullmatch("[a-zA-Z0-9_-]{1,64}", each) for each in sent)


def names_in(value):
    """Return all values under the keys of names of tools."""
    if isinstance(value, list):
        return [name for each in value for name in names_in(each)]
    if not isinstance(value, dict):
        return []
    own = [each for key, each in value.items() if key in {"name", "tool_name"} and isinstance(each, str)]
    return own + [name for each in value.values() for name in names_in(each)]


@pytest.mark.parametrize("vendor", ["anthropic", "bedrock"])
async def test_thoughts_that_a_stopped_run_left_at_the_end_are_not_sent(vendor):
    thought = ReasoningPart("And now?", signature="c2ln", provider=vendor)
    messages = [
        Message(role="user", content="Go"),
        Message(role="assistant", content=(thought, TextPart("Let me see."), thought)),
        Message(role="user", content="Go on"),
    ]
    with FakeServer(["Yes."]) as server:
        await llm(f"{vendor}/m", base_url=server.base_url, api_key="k").generate(messages)
    content = server.requests[0].body["messages"][1]["content"]
    assert len(content) == 2 and "text" in content[-1]


async def test_a_user_who_speaks_right_behind_the_results_of_a_stopped_run_is_heard():
    messages = [
        Message(role="user", content="Go"),
        Message(role="assistant", content=(ToolCall(id="c1", name="add"),)),
        Message(role="tool", content=(ToolResult("c1", "add", "2"),)),
        Message(role="user", content="Go on"),
    ]
    roles = {}
    for vendor in ("mistral", "openai"):
        with FakeServer(["Yes."]) as server:
            await llm(f"{vendor}/m", base_url=server.base_url, api_key="k").generate(messages)
        sent = server.requests[0].body["messages"]
        roles[vendor] = [message["role"] for message in sent]
        assert all(message["content"] or message.get("tool_calls") for message in sent)
    assert roles["mistral"] == ["user", "assistant", "tool", "assistant", "user"]
    assert roles["openai"] == ["user", "assistant", "tool", "user"]


@pytest.mark.parametrize(("vendor", "longest"), [("openai", 40), ("xai", 64), ("anthropic", 64), ("bedrock", 64)])
async def test_an_id_that_is_too_long_for_a_server_still_finds_its_call(vendor, longest):
    id = "call-" + "0123456789abcdef-" * 5
    messages = [
        Message(role="user", content="Go"),
        Message(role="assistant", content=(ToolCall(id=id, name="add"),)),
        Message(role="tool", content=(ToolResult(id, "add", "2"),)),
    ]
    with FakeServer(["Yes."]) as server:
        model = llm(f"{vendor}/m", base_url=server.base_url, api_key="k", format=EVERYWHERE[vendor])
        await model.generate(messages)
    sent = json.dumps(server.requests[0].body)
    ids = re.findall(r'"(?:id|tool_use_id|toolUseId|call_id|tool_call_id)": "([^"]+)"', sent)
    assert len(ids) == 2 and ids[0] == ids[1] and len(ids[0]) <= longest
