"""Tapes that somebody edited, links to them, and what a machine has that no message may say."""

import json
import socket
from pathlib import Path

import pytest

from lumos_nb import Agent, llm, settings, tapes, tool
from lumos_nb.errors import LumosError, NetworkForbidden, TapeError, TapeMiss
from lumos_nb.messages import ToolCall
from lumos_nb.tapes import Deck, modes, read_tape, using
from lumos_nb.tapes.edits import _homes
from lumos_nb.tapes.scenes import SCENE, Scene
from lumos_nb.testing import Answer, FakeServer
from lumos_nb.testing.wire import openai_chat

NOWHERE = "http://127.0.0.1:9/v1"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "größer als zuvor" / "t.tape.jsonl"


async def ask(deck, text, url=NOWHERE):
    with using(deck):
        return (await Agent("a", model=llm("mine/m", base_url=url)).generate(text)).response


async def record(path, *texts, mode="record"):
    deck = Deck(path, mode)
    with FakeServer([text.upper() for text in texts]) as server:
        for text in texts:
            await ask(deck, text, server.base_url)
    return deck


@pytest.mark.parametrize("end", ["", "\r\n", "\n\n"])
async def test_a_tape_whose_last_line_was_saved_otherwise_is_recorded_on(path, end):
    (await record(path, "one")).close()
    path.write_bytes(path.read_bytes().rstrip(b"\n") + end.encode())
    deck = Deck(path, "refresh")
    await ask(deck, "one")
    with FakeServer(["TWO"]) as server, using(deck):
        await ask(deck, "two", server.base_url)
    assert len(read_tape(path).interactions) == 2  # before it is closed: a kernel may be killed


async def test_a_link_to_a_tape_stays_one_and_the_file_keeps_its_rights(path, tmp_path):
    (await record(path, "one")).close()
    path.chmod(0o600)
    link = tmp_path / "link.tape.jsonl"
    link.symlink_to(path)
    (await record(link, "two")).close()
    assert link.is_symlink() and path.stat().st_mode & 0o777 == 0o600
    assert await ask(Deck(path, "replay-strict"), "two") == "TWO"


async def test_a_miss_says_no_secret_of_this_machine(path, monkeypatch):
    monkeypatch.setenv("MY_API_KEY", "correct-horse-battery")
    (await record(path, "Hello")).close()
    deck = Deck(path, "replay")
    with pytest.raises(TapeMiss) as miss:
        await ask(deck, "It is correct-horse-battery")
    assert "correct" not in str(miss.value) + repr(deck.missed) and "••••" in str(miss.value)
    call = ToolCall(id="c1", name="t", arguments='{"a": "correct-horse-battery", "b": "sk-proj-0123456789abcdef0"}')
    assert "correct" not in str(said := deck.tools.missing(call)) and "sk-proj" not in str(said)


async def test_what_was_never_asked_for_says_no_secret_that_somebody_put_on_the_tape(path):
    (await record(path, "Hello")).close()
    path.write_bytes(path.read_bytes().replace(b"Hello", b"sk-proj-0123456789abcdef0"))
    with pytest.raises(TapeError) as unused:
        Deck(path, "replay-strict").check()
    assert "sk-proj" not in str(unused.value)


@tool
def is_mine(path: str) -> str:
    """Whether a file is in the home folder of who runs this."""
    return f"{path}: {Path(path).is_relative_to(Path.home())}"


@pytest.mark.parametrize("is_whole", [True, False])
async def test_a_tool_is_given_a_path_of_who_plays_the_tape(path, monkeypatch, is_whole):
    async def find(deck, home, url=NOWHERE):
        monkeypatch.setenv("HOME", home)
        _homes.cache_clear()
        agent = Agent("a", model=llm("mine/m", base_url=url), tools=[is_mine])
        with using(deck):
            return await agent.generate(f"Is '{home}/größer als/b.txt' mine?")

    arguments = json.dumps({"path": "/home/ada/größer als/b.txt"}, ensure_ascii=False)
    if is_whole:
        monkeypatch.setattr(openai_chat, "fragments", lambda text: [text])
    with FakeServer([Answer(tool_calls=[ToolCall(id="c1", name="is_mine", arguments=arguments)]), "Yes."]) as server:
        await find(Deck(path, "record"), "/home/ada", server.base_url)
    deck = Deck(path, "replay-strict")
    result = await find(deck, "/srv/bob smith")
    deck.check()
    assert result.steps[0].tool_results[0].content == "/srv/bob smith/größer als/b.txt: True"
    _homes.cache_clear()


@pytest.mark.parametrize("wrong", ["a tape that cannot be read", "a cell that wants a live answer"])
async def test_a_tape_that_cannot_be_played_is_no_way_out(path, monkeypatch, wrong):
    (await record(path, "Hello")).close()
    monkeypatch.setenv("LUMOS_TAPE", "replay-strict")
    monkeypatch.setenv("LUMOS_TAPE_FILE", str(path))
    settings.reset()
    if wrong.startswith("a tape"):
        path.write_text("Dear diary")
    token = SCENE.set(Scene(cell="a", mode="live" if wrong.startswith("a cell") else ""))
    try:
        with pytest.raises(LumosError):
            tapes.current()
        with pytest.raises(NetworkForbidden, match=r"a tape is played no other machine is\. It cannot be: "):
            socket.create_connection(("192.0.2.1", 80), timeout=0.1)
    finally:
        SCENE.reset(token)
        modes.close()
        monkeypatch.undo()
        settings.reset()
