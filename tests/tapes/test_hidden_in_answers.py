"""An answer in which something was replaced is still one that each format can read."""

import pytest

from lumos_nb import Agent
from lumos_nb.hiding.shapes import Found
from lumos_nb.tapes import Deck, Playing, using
from lumos_nb.tapes.edits import edited
from lumos_nb.tapes.frames import edited_frames
from lumos_nb.testing import Answer, FakeServer
from lumos_nb.testing.wire.bedrock_converse import framed
from tests.tapes.formats import VENDORS, model

NOWHERE = "http://127.0.0.1:9/v1"


@pytest.mark.parametrize("format", VENDORS)
@pytest.mark.parametrize("rechunk", ["recorded", "bytes"])
async def test_a_key_and_a_path_in_an_answer(tmp_path, format, rechunk):
    async def ask(deck, url=NOWHERE):
        with using(deck):
            return await Agent("a", model=model(format, url)).generate("Where is it?")

    path = tmp_path / "t.tape.jsonl"
    pieces = ["größer: ", "/home/ada/x.csv, ", "sk-proj-0123456789abcdef0 and /Users/bob/y", " — end"]
    with FakeServer([Answer(chunks=pieces, delay_s=0.01)]) as server:
        await ask(Deck(path, "record"), server.base_url)
    deck = Deck(path, "replay-strict", playing=Playing(rechunk=rechunk))
    assert (await ask(deck)).response == "größer: ~/x.csv, •••• and ~/y — end"
    deck.check()


@pytest.mark.parametrize("size", [1, 2, 7, 40, 1000])
def test_messages_with_something_replaced_are_those_that_would_have_been_sent(size):
    said = [b'{"a": "secret and secret"}', b'{"b": 1}', b'{"c": "secret"}']
    data, want = (
        b"".join(framed(each.replace(b"secret", by), event_type="x") for each in said) for by in (b"secret", b"no")
    )
    parts = [data[n : n + size] for n in range(0, len(data), size)]
    places = [Found(at, at + 6) for at in range(len(data)) if data.startswith(b"secret", at)]
    assert b"".join(edited_frames(parts, places, b"no")) == want
    assert len(edited_frames(parts, places, b"no")) == len(parts)
    cut = data[:-3]  # the last message never came to its end
    assert edited_frames([cut], places, b"no")[0].startswith(want[: -len(framed(said[2], event_type="x"))])
    assert edited_frames([b"no frames, a secret"], [Found(13, 19)], b"no") == edited([b"no frames, a no"], [], b"")
