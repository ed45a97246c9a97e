"""Tapes that were written by earlier versions are read and played by this one."""

from pathlib import Path

import msgspec
import pytest

from lumos_nb.errors import LumosError, StreamError
from lumos_nb.events import ModelToolCall, TextDelta
from lumos_nb.providers.response import read_batches
from lumos_nb.providers.wire import Quirks, load_format
from lumos_nb.tapes import Deck, read_tape
from lumos_nb.tapes.format import RequestLine
from lumos_nb.transport import Request

TAPES = sorted((Path(__file__).parents[1] / "samples" / "tapes").glob("v*/*.tape.jsonl"))


class Nowhere:
    """What is below a tape that is replayed: nothing may come here."""

    def open(self, request):
        raise AssertionError("something was sent")

    async def aclose(self):
        pass


def sent(line: RequestLine) -> Request:
    return Request(url=line.url, method=line.method, headers=line.headers, body=bytes(line.body), attempt=line.attempt)


async def events(deck, format, request):
    """Return the events of an answer, and the error that it ended with."""
    found, is_sse = [], format.ACCEPT == "text/event-stream"
    try:
        async with deck.over(Nowhere()).open(request) as response:
            if response.status != 200:
                return response.status, response.headers.get("retry-after")
            async for batch in read_batches(response, format.Decoder(Quirks()), request.url, is_sse=is_sse):
                found += batch
    except LumosError as error:
        return found, error
    return found, None


@pytest.mark.parametrize("path", TAPES, ids=lambda path: f"{path.parent.name} {path.name.partition('.')[0]}")
async def test_an_old_tape_is_played_as_it_was(path):
    deck, format = Deck(path, "replay-strict", notebook="sample.ipynb"), load_format(path.name.partition(".")[0])
    refused, called, said, broken = [
        await events(deck, format, sent(each.request)) for each in read_tape(path).interactions
    ]
    assert refused == (429, "0")
    assert [(e.name, msgspec.json.decode(e.arguments)) for e in called[0] if isinstance(e, ModelToolCall)] == [
        ("weather", {"city": "Oslo"})
    ]
    assert "".join(e.delta for e in said[0] if isinstance(e, TextDelta)) == "Größer — “als” alles.\u2028End 🎉"
    assert said[1] is None and isinstance(broken[1], StreamError) and "broke off" in str(broken[1])
    deck.check()


def test_there_are_samples_of_all_formats_in_each_version():
    assert {path.parent.name for path in TAPES} == {"v1"} and len(TAPES) == 7
