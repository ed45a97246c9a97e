"""`@tool(tape=True)`: calls are recorded with the model's answers, and played without calling the function."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lumos_nb import Agent, llm, tapes, tool
from lumos_nb.errors import TapeMiss
from lumos_nb.events import AgentGenerateResult
from lumos_nb.messages import ToolCall
from lumos_nb.tapes import Deck, read_tape
from lumos_nb.testing import Answer, FakeServer

called: list[str] = []


@tool(tape=True)
def look_up(word: str) -> str:
    """Look a word up; another answer each time."""
    called.append(word)
    if word == "nothing":
        raise ValueError("There is nothing.")
    return f"{word}: {len(called)}"


def script(request: object) -> Answer | str:
    messages = request.body["messages"]  # type: ignore[attr-defined]
    if messages[-1]["role"] == "tool":
        return f"Found {messages[-1]['content']}"
    words = messages[-1]["content"].split()
    calls = [ToolCall(id=f"c{n}", name="look_up", arguments=f'{{"word": "{w}"}}') for n, w in enumerate(words)]
    return Answer(tool_calls=calls)


@pytest.fixture
def server() -> Iterator[FakeServer]:
    called.clear()
    with FakeServer(script) as made:
        yield made


def agent_of(server: FakeServer) -> Agent:
    return Agent("finder", model=llm("mine/m", base_url=server.base_url), tools=[look_up])


async def asked(server: FakeServer, prompt: str, path: Path, mode: str) -> AgentGenerateResult:
    with tapes.using(Deck(path, mode)) as deck:
        result = await agent_of(server).generate(prompt)
        assert deck is not None
        deck.check()
        return result


async def test_a_recorded_call_is_played_without_calling_the_function(server: FakeServer, tmp_path: Path) -> None:
    path = tmp_path / "t.tape.jsonl"
    live = await asked(server, "sun moon", path, "record")
    assert called == ["sun", "moon"] and len(read_tape(path).tools) == 2
    played = await asked(server, "sun moon", path, "replay-strict")
    assert called == ["sun", "moon"] and len(server.requests) == 2
    assert played.response == live.response
    assert [r.content for r in played.steps[0].tool_results] == ["sun: 1", "moon: 2"]
    assert played.cost_usd == 0.0 and {step.tape for step in played.steps} == {"t"}


async def test_the_same_call_twice_is_played_in_the_order_of_the_recording(server: FakeServer, tmp_path: Path) -> None:
    path = tmp_path / "t.tape.jsonl"
    await asked(server, "sun sun", path, "record")
    played = await asked(server, "sun sun", path, "replay-strict")
    assert [r.content for r in played.steps[0].tool_results] == ["sun: 1", "sun: 2"]


async def test_a_call_that_raised_raises_no_more_and_says_the_same(server: FakeServer, tmp_path: Path) -> None:
    path = tmp_path / "t.tape.jsonl"
    live = await asked(server, "nothing", path, "record")
    played = await asked(server, "nothing", path, "replay-strict")
    assert called == ["nothing"]
    (one,), (other,) = live.steps[0].tool_results, played.steps[0].tool_results
    assert one.is_error and other == one


async def test_a_call_that_is_not_on_the_tape_ends_the_run(server: FakeServer, tmp_path: Path) -> None:
    path = tmp_path / "t.tape.jsonl"
    await asked(server, "sun", path, "record")
    tape = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in tape if '"k":"tool"' not in line))
    with pytest.raises(TapeMiss, match=r'The call look_up\(\{"word": ?"sun"\}\) is not on the tape'):
        await asked(server, "sun", path, "replay-strict")
    assert called == ["sun"]


async def test_without_a_tape_it_is_an_ordinary_tool(server: FakeServer) -> None:
    result = await agent_of(server).generate("sun")
    assert result.response == "Found sun: 1" and called == ["sun"]
