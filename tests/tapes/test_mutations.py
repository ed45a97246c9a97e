"""Nothing but the recorded request is played: each value, each key and each order of it is altered in turn."""

import copy
import json

import msgspec
import pytest

from lumos_nb.errors import TapeMiss
from lumos_nb.providers import ModelOptions
from lumos_nb.providers.wire import FORMATS
from lumos_nb.tapes import Deck, using
from lumos_nb.tapes.scenes import Scene
from lumos_nb.testing import Answer, FakeServer
from lumos_nb.transport.base import Request
from tests.tapes.formats import FORM, OPTIONS, TOOLS, TURNS, model

OTHERS = {str: ["{} ", "", 0, None, ["x"]], int: [1, 1.0, "1", True, None], float: [1, "1.0", None, 2.5], bool: [1, None, "true"]}  # fmt: skip # noqa: E501
TOTAL: dict[str, int] = {}


class Sent:
    """A transport that keeps what is sent, and sends it."""

    def __init__(self, over):
        self.over, self.requests = over, []

    def open(self, request):
        self.requests.append(request)
        return self.over.open(request)

    async def aclose(self):
        await self.over.aclose()


class Nowhere:
    """What is below a tape that is replayed: nothing may come here."""

    def open(self, request):
        raise AssertionError("something was sent")

    async def aclose(self):
        pass


async def recorded(path, format, options):
    from lumos_nb.transport import default_transport

    with FakeServer([Answer(text="Colder.")]) as server:
        deck = Deck(path, "record")
        below = Sent(default_transport())
        with using(deck):
            provider = model(format, server.base_url, transport=below)
            await provider.generate(TURNS, tools=TOOLS, options=options)
        deck.close()
    return below.requests[0]


def mutants(value, path=""):
    """Yield the path of each leaf, key and list of a JSON value, and a copy of the value that differs there alone."""
    if isinstance(value, dict):
        yield f"{path}: a key more", {**value, "mutant": 1}
        for name in value:
            yield f"{path}.{name}: removed", {k: v for k, v in value.items() if k != name}
            yield f"{path}.{name}: renamed", {(f"{k}_" if k == name else k): v for k, v in value.items()}
            if value[name] is not None:
                yield f"{path}.{name}: null", {**value, name: None}
            for where, inner in mutants(value[name], f"{path}.{name}"):
                yield where, {**value, name: inner}
    elif isinstance(value, list):
        yield f"{path}: an entry more", [*value, copy.deepcopy(value[-1]) if value else 1]
        if value != value[::-1]:
            yield f"{path}: in other order", value[::-1]
        for n, entry in enumerate(value):
            yield f"{path}[{n}]: removed", value[:n] + value[n + 1 :]
            for where, inner in mutants(entry, f"{path}[{n}]"):
                yield where, [*value[:n], inner, *value[n + 1 :]]
    elif value is None:
        yield from ((f"{path}: {other!r}", other) for other in (0, "", False, "null"))
    else:
        for other in OTHERS[type(value)]:
            other = other.format(value) if isinstance(other, str) and type(value) is str else other
            if (type(other), other) != (type(value), value):
                yield f"{path}: {other!r}", other
        if isinstance(value, str) and value.swapcase() != value:
            yield f"{path}: in other case", value.swapcase()


def altered(request):
    """Yield requests that differ from one in a single thing, and what that is."""
    replace = msgspec.structs.replace
    for where, body in mutants(json.loads(request.body)):
        yield f"body{where}", replace(request, body=json.dumps(body).encode())
    yield "body: none", replace(request, body=b"")
    yield "body: no JSON", replace(request, body=request.body[:-1])
    yield "method", replace(request, method="PUT")
    for name in ("accept", "content-type", "anthropic-version"):
        if name in request.headers:
            yield f"header {name}", replace(request, headers={**request.headers, name: "text/x-other"})
            less = {k: v for k, v in request.headers.items() if k != name}
            yield f"header {name}: removed", replace(request, headers=less)
    yield "header more", replace(request, headers={**request.headers, "anthropic-beta": "new-thing"})
    for old, new in (
        ("http:", "https:"),
        ("127.0.0.1", "example.org"),
        ("/v1", "/v2"),
        ("/v1", "/V1"),
        ("/v1", "/v1/"),
    ):
        yield f"url {old} {new}", replace(request, url=request.url.replace(old, new, 1))
    mark = "&" if "?" in request.url else "?"
    yield "query more", replace(request, url=f"{request.url}{mark}mutant=1")


async def play(deck, request):
    async with deck.over(Nowhere()).open(request) as response:
        return await response.read()


@pytest.mark.parametrize("options", [OPTIONS, ModelOptions(output=FORM, max_tokens=9)], ids=["tools", "form"])
@pytest.mark.parametrize("format", FORMATS)
async def test_no_altered_request_is_played(tmp_path, format, options):
    path = tmp_path / "t.tape.jsonl"
    request = await recorded(path, format, options)
    survivors, n, deck = [], 0, Deck(path, "replay-strict")
    for where, mutant in altered(request):
        n += 1
        try:
            await play(deck, mutant)
        except TapeMiss as miss:
            assert "is not on the tape" in miss.message and ("Nearest" in miss.message), where
            # Whatever it is, it is named.
            assert any(word in miss.message for word in ("changed", "added", "removed", "is now", "no longer")), miss
        else:
            survivors.append(where)
    TOTAL[f"{format} {options is OPTIONS}"] = n
    assert survivors == [] and n > 100, f"{len(survivors)} of {n} survived"
    # The same in another spelling is the same.
    spelled = json.dumps(dict(reversed(json.loads(request.body).items())), indent=3, ensure_ascii=False).encode()
    assert await play(Deck(path, "replay-strict"), msgspec.structs.replace(request, body=spelled))


def test_there_were_hundreds_of_them(capsys):
    if len(TOTAL) != 2 * len(FORMATS):
        pytest.skip("counts what the tests before it altered")
    with capsys.disabled():
        print(f"  {sum(TOTAL.values())} altered requests over {len(FORMATS)} formats, 0 played")
    assert sum(TOTAL.values()) > 1_000


def test_a_port_of_this_machine_is_no_difference():
    from lumos_nb.tapes.canonical import key
    from lumos_nb.tapes.scrub import request_line

    one, other = (request_line(Request(url=f"http://127.0.0.1:{port}/v1"), -1, Scene()) for port in (5001, 5002))
    assert key(one) == key(other)
