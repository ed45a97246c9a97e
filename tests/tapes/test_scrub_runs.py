"""Secrets in real runs that are recorded: what the person is told, what the server saw, what is in the file."""

import pytest

from lumos_nb import Agent, llm, tool
from lumos_nb.errors import LumosError, SecretOnTape
from lumos_nb.messages import ToolCall
from lumos_nb.tapes import Deck, read_tape, using
from lumos_nb.tapes.scenes import SCENE, Scene
from lumos_nb.testing import Answer, FakeServer, Reply

KEY = "sk-proj-0123456789abcdef0"
PASSWORD = "tr0ub4dor-and-3"


@pytest.fixture(autouse=True)
def known(monkeypatch):
    """A secret of this machine, and a cell."""
    monkeypatch.setenv("SHOP_PASSWORD", PASSWORD)
    token = SCENE.set(Scene(cell="cell-1"))
    yield
    SCENE.reset(token)


@tool
def settings_of(shop: str) -> str:
    """Settings of a shop."""
    return f"password={PASSWORD}"


def agent(server, **given):
    return Agent("analyst", model=llm("mine/fake-model", base_url=server.base_url, api_key="mine-12345678"), **given)


async def test_a_prompt_with_a_key_is_recorded_without_it_and_played_again(tmp_path):
    path, prompt = tmp_path / "t.tape.jsonl", f"Is {KEY}\nin /home/ada/keys.txt?"
    with FakeServer([f"Yes: {KEY}"]) as server:
        with using(Deck(path, "record")) as deck:
            await agent(server).generate(prompt)
            deck.close()
        assert KEY in str(server.requests[0].body)  # the model was told
        assert "mine-12345678" not in path.read_text() and KEY not in path.read_text() and "ada" not in path.read_text()
        with using(Deck(path, "replay-strict")) as deck:
            played = await agent(server).generate(prompt)
            deck.check()
    assert played.response == "Yes: ••••" and len(server.requests) == 1


async def test_a_prompt_with_a_secret_of_this_machine_is_neither_sent_nor_recorded(tmp_path):
    path = tmp_path / "t.tape.jsonl"
    with FakeServer(["Yes."]) as server, using(Deck(path, "record")):
        with pytest.raises(
            SecretOnTape, match="The request of cell 'cell-1' holds the value of SHOP_PASSWORD"
        ) as caught:
            await agent(server).generate(f"Is {PASSWORD} a good one?")
        assert server.requests == [] and PASSWORD not in str(caught.value)
    assert not path.exists() or PASSWORD not in path.read_text()


async def test_a_secret_that_a_tool_returned_ends_the_run_before_it_is_sent(tmp_path):
    path, call = tmp_path / "t.tape.jsonl", ToolCall(id="c", name="settings_of", arguments='{"shop": "south"}')
    with (
        FakeServer([Answer(tool_calls=[call]), "Done."]) as server,
        using(Deck(path, "record")),
        pytest.raises(SecretOnTape, match="SHOP_PASSWORD"),
    ):
        await agent(server, tools=[settings_of]).generate("What are the settings?")
    assert len(server.requests) == 1 and PASSWORD not in path.read_text()
    assert len(read_tape(path).interactions) == 1


async def test_a_key_that_a_model_says_token_by_token_fails_the_run_and_the_next_is_recorded(tmp_path):
    path = tmp_path / "t.tape.jsonl"
    pieces = Answer(chunks=["It is ", "sk-pro", "j-0123", "456789", "abcdef0", "."])
    with FakeServer([pieces, "Hello."]) as server, using(Deck(path, "record")) as deck:
        with pytest.raises(SecretOnTape, match="in pieces over several events") as caught:
            await agent(server).generate("What is the key?")
        assert KEY not in str(caught.value)
        await agent(server).generate("Hello?")
        deck.close()
    tape = read_tape(path)
    assert [each.request.cell for each in tape.interactions] == ["cell-1"]
    assert "0123" not in path.read_text() and "abcdef0" not in path.read_text()


async def test_an_error_of_the_server_that_repeats_the_key_is_recorded_without_it(tmp_path):
    path, body = tmp_path / "t.tape.jsonl", '{"error":{"message":"Bad key: mine-12345678 bWluZS0xMjM0NTY3OA=="}}'
    with FakeServer([Reply(status=401, body=body)]) as server, using(Deck(path, "record")) as deck:
        with pytest.raises(LumosError):
            await agent(server).generate("Hello?")
        deck.close()
    assert "mine-12345678" not in path.read_text() and "bWluZS0xMjM0NTY3OA" not in path.read_text()
    assert "Bad key: ••••" in path.read_text()
