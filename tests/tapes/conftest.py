"""A tape recorded from a real socket, and an agent that plays it."""

import pytest

from lumos_nb import Agent, clock, llm, settings, tool
from lumos_nb.messages import ToolCall
from lumos_nb.tapes import Deck, using
from lumos_nb.testing import Answer, FakeServer


@tool
def mean_order(region: str) -> str:
    """Average order of a region."""
    return {"south": "$42.10 — größer"}.get(region, "none")


def script():
    call = ToolCall(id="call_1", name="mean_order", arguments='{"region": "south"}')
    # Slow enough for a read to get one piece.
    texts = (
        Answer(text="I look it up.", tool_calls=[call], delay_s=0.01),
        Answer(text="It is $42.10 — größer als “alles”.\u2028End.", delay_s=0.01),
    )
    return list(texts)


@pytest.fixture
def recorded(tmp_path):
    """Return a function that asks a server, or the tape of an earlier call."""
    path = tmp_path / "orders.tape.jsonl"

    async def ask(deck, url="http://127.0.0.1:9/v1", **options):
        model = llm("mine/fake-model", base_url=url)
        agent = Agent("analyst", model=model, tools=[mean_order], instructions="Be brief.")
        with using(deck):
            return await agent.generate("What is the average order in the south?", **options)

    async def record():
        with FakeServer(script()) as server:
            deck = Deck(path, "record")
            result = await ask(deck, server.base_url)
            deck.close()
        return result

    ask.record, ask.path = record, path
    return ask


@pytest.fixture
def quick(monkeypatch):
    """Waits of the machine's clock take one turn of the loop."""
    monkeypatch.setenv("LUMOS_DB", "")
    with clock.using(None, waits=False):
        yield
    settings.reset()
