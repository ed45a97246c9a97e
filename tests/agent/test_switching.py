"""One thread over several vendors: each gets what it understands, and nothing of the others' secrets."""

import json

import pytest

from lumos_nb import Agent, llm, tool
from lumos_nb.messages import ToolCall
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
