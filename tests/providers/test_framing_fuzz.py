"""Bytes that no server should send, in great number: errors are typed, memory and time are bounded."""

import random
import re
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lumos_nb import settings as lumos_settings
from lumos_nb.errors import LumosError, StreamError
from lumos_nb.events import TokenUsage
from lumos_nb.messages import ToolCall
from lumos_nb.providers.failures import read_refusal, shorten
from lumos_nb.providers.wire import FORMATS, Quirks, load_format
from lumos_nb.providers.wire.ndjson import NdjsonParser
from lumos_nb.providers.wire.sse import SseParser
from lumos_nb.providers.wire.think import ThinkSplitter
from lumos_nb.testing import Answer
from lumos_nb.testing.wire import served_format
from tests.providers.streams import cut_at

N_DAMAGED, N_SOUPS = 10_000, 20_000  # for each format, for each parser: over 100,000 together
ANSWER = Answer(
    text="Hi 漢🌟 there",
    reasoning="need it",
    signature="c2ln",
    tool_calls=(ToolCall("c1", "add", '{"a": 1}'), ToolCall("c2", "now", "{}")),
    usage=TokenUsage(input_tokens=5, output_tokens=7),
)
BODY = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
TOKENS = [
    b"null", b"[", b"]", b"{", b"}", b'"', b"\\", b"\\ud800", b"1e999", b"-1", b"9" * 30, b"true", b"\n", b"\r",
    b"\n\n", b"\r\n", b"data: ", b"data:\n", b"event: error\n", b": c\n", b"[DONE]", b"\xef\xbb\xbf", b"\xff", b"\x00",
    b"{}\n", b'"error":', b'{"error":{"message":"no"}}\n', b'"type":', b'"index":7,', "\u2028".encode(),
]  # fmt: skip
VALUE = re.compile(rb'[:\[,]\s*("[^"\\]*"|[\[{]+[\]}]+|[-\d.]+|true|false|null|[\[{])')
OTHERS = [b"null", b"[]", b"{}", b"[{}]", b"[null]", b"7", b"-1", b"0.5", b"1e300", b'""', b'"x"', b"true", b"[[]]"]


def decode(name, chunks, has_tags=True):
    """Return the events and the text of the error; anything but a typed error passes through and fails the test."""
    decoder = load_format(name).Decoder(Quirks(has_think_tags=has_tags))
    events = [event for chunk in chunks for event in decoder.feed(chunk)]
    try:
        return [*events, *decoder.close()], ""
    except LumosError as error:
        return events, str(error)


def streams(name):
    """Return good streams of a format, and bad events of it, as its server writes them."""
    served = served_format(name)
    whole = b"".join(served.events(ANSWER, BODY))
    short = b"".join(served.events(Answer(text="Hi", finish="length"), BODY))
    return [whole, short, short + served.GARBAGE, served.error("no", "overloaded_error") + whole, served.GARBAGE]


def damaged(data, rng):
    """Return the stream with bytes flipped, cut out, doubled, moved or put in, or a value of another type."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4))):
        a = rng.randrange(len(out) + 1)
        b = min(len(out), a + rng.choice((1, 2, 8, 60, 400)))
        match rng.randrange(9):
            case 0:
                out[a:b] = bytes(byte ^ (1 << rng.randrange(8)) for byte in out[a:b])
            case 1:
                del out[a:b]
            case 2:
                out[a:a] = out[a:b]
            case 3:
                out[rng.randrange(len(out) + 1) : 0] = out[a:b]
            case 4:
                out[a:a] = rng.choice(TOKENS)
            case 5:
                del out[a:]
            case _:
                if values := list(VALUE.finditer(out)):
                    a, b = rng.choice(values).span(1)
                    out[a:b] = rng.choice(OTHERS)
    return bytes(out)


def cut(data, rng):
    """Return the bytes in chunks of any size."""
    if rng.random() < 0.1:
        return [data[n : n + 1] for n in range(len(data))]
    return cut_at(data, [rng.randrange(len(data) + 1) for _ in range(rng.randrange(6))])


def check(events, error):
    """Check what holds of any answer: one end and the last, or an error and no call."""
    kinds = [event.type for event in events]
    assert set(kinds) <= {"text_delta", "reasoning_delta", "part_end", "tool_call", "finish"}
    if error:
        assert "finish" not in kinds and "tool_call" not in kinds
    else:
        assert kinds.count("finish") == 1 and kinds[-1] == "finish"


@pytest.mark.parametrize("name", FORMATS)
def test_damaged_streams_give_typed_errors_and_the_same_in_any_chunks(name):
    rng, good = random.Random(name), streams(name)
    n_errors = 0
    for n in range(N_DAMAGED):
        data = damaged(rng.choice(good), rng)
        events, error = decode(name, [data])
        check(events, error)
        n_errors += bool(error)
        if n % 4 == 0:
            assert decode(name, cut(data, rng)) == (events, error), data
    assert N_DAMAGED / 10 < n_errors < N_DAMAGED, "the damage is neither too little nor too much"


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=100, deadline=None)
@given(chunks=st.lists(st.one_of(st.binary(max_size=40), st.sampled_from(TOKENS)), max_size=20), at=st.integers(0))
def test_any_bytes_give_typed_errors_and_the_same_in_any_chunks(name, chunks, at):
    data = b"".join(chunks)
    whole = decode(name, [data])
    check(*whole)
    assert decode(name, chunks) == whole
    good = streams(name)[0]
    check(*decode(name, [good[: at % len(good)], *chunks, good[at % len(good) :]]))


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("unit", [b"x" * 1000, b"data: " + b"x" * 993 + b"\n", b"data:\n" * 200, b"\xff" * 1000])
def test_an_endless_event_is_refused_before_it_fills_the_memory(name, unit):
    lumos_settings.configure(max_event_bytes=500_000)

    tracemalloc.start()
    try:
        decoder = load_format(name).Decoder(Quirks())
        n_fed = 0
        while not decoder.is_done and n_fed < 2_000:
            assert decoder.feed(unit) == []
            n_fed += 1
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert n_fed < 800 and held < 4_000_000
    with pytest.raises(StreamError):
        decoder.close()


@pytest.mark.parametrize("name", [n for n in FORMATS if n != "bedrock-converse"])
@pytest.mark.parametrize("deep", [b'{"x":' + b"[" * 200_000, b'{"error":' + b'{"a":' * 200_000, b"[" * 200_000])
def test_json_that_is_nested_deeply_is_a_typed_error(name, deep):
    lines = served_format(name).CONTENT_TYPE == "application/x-ndjson"
    for data in (deep + b"\n",) if lines else (b"data: " + deep + b"\n\n", b"event: error\ndata: " + deep + b"\n\n"):
        events, error = decode(name, [data])
        assert not events and error
        events, error = decode(name, [data.rstrip()])
        assert not events and error


def reference(data):
    """Return what server-sent events mean, written for reading and not for speed."""
    *lines, last = re.split(rb"\r\n|\r|\n", data.removeprefix(b"\xef\xbb\xbf"))
    events, held, name = [], [], ""
    for line in [*lines, last, b""]:
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if not line:
            events += [(name, b"\n".join(held))] if held else []
            held, name = [], ""
        elif field == b"data":
            held.append(value)
        elif field == b"event":
            name = value.decode(errors="replace")
    return events


SOUP = [
    *TOKENS,
    b"data: a",
    b"data:b",
    b"data",
    b"event: x",
    b"event:y",
    b"id: 1",
    b"a",
    b"\n",
    b"\r",
    b"\r\n",
    b"\n\n",
]


def parsed(parser, chunks):
    return [event for chunk in chunks for event in parser.feed(chunk)] + parser.close()


def test_server_sent_events_are_read_as_they_are_defined_in_any_chunks():
    rng = random.Random(1)
    n_events = 0
    for _ in range(N_SOUPS):
        data = b"".join(rng.choices(SOUP, k=rng.randrange(25)))
        expected = reference(data)
        assert parsed(SseParser(), cut(data, rng)) == expected, data
        n_events += len(expected)
    assert n_events > N_SOUPS / 4


def test_lines_are_read_as_they_are_defined_in_any_chunks():
    rng = random.Random(2)
    for _ in range(N_SOUPS):
        data = b"".join(rng.choices(SOUP, k=rng.randrange(25)))
        expected = [line.removeprefix(b"\xef\xbb\xbf").strip() for line in data.split(b"\n")]
        assert parsed(NdjsonParser(), cut(data, rng)) == [line for line in expected if line], data


@given(st.lists(st.binary(max_size=60), max_size=10), st.integers(10, 100))
def test_a_parser_gives_events_or_says_that_one_is_too_long(chunks, limit):
    for parser in (SseParser(limit), NdjsonParser(limit)):
        try:
            events = parsed(parser, chunks)
        except StreamError as error:
            assert "longer than" in error.message and sum(map(len, chunks)) > limit
        else:
            assert sum(len(e if isinstance(e, bytes) else e[1]) for e in events) <= sum(map(len, chunks))


def test_an_error_of_megabytes_is_shown_at_once():
    # Looked for keys in the whole of it, this would take hours.
    body = b"eyJ-" * 500_000
    assert len(shorten(body.decode())) < 400 and len(read_refusal(body).message) < 400


def test_white_space_without_end_is_text():
    splitter = ThinkSplitter()
    pieces = [event for _ in range(50_000) for event in splitter.feed("\n ")]
    assert "".join(piece.delta for piece in [*pieces, *splitter.close()]) == "\n " * 50_000
    assert len(pieces) > 49_000
