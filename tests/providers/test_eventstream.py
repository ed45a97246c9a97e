"""AWS event streams: whole messages out of any pieces, and what is damaged is said."""

import struct
from zlib import crc32

import pytest
from botocore.eventstream import EventStreamBuffer

from lumos_nb.errors import StreamError
from lumos_nb.providers.wire.eventstream import EventStreamParser
from lumos_nb.testing.wire.bedrock_converse import framed
from tests.providers.streams import pieces

ONE, TWO = framed(b'{"a":1}', event_type="x", message_type="event"), framed(b"\xff\x00")
READ = [({":event-type": "x", ":message-type": "event"}, b'{"a":1}'), ({}, b"\xff\x00")]


def parsed(chunks, **options):
    parser = EventStreamParser(**options)
    return [frame for chunk in chunks for frame in parser.feed(chunk)] + parser.close()


def message(headers, payload=b"{}"):
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    whole = prelude + struct.pack(">I", crc32(prelude)) + headers + payload
    return whole + struct.pack(">I", crc32(whole))


@pytest.mark.parametrize("how", ["whole", "bytes", "1", "2"])
def test_messages_come_out_whole_whatever_the_pieces(how):
    assert parsed(pieces(ONE + TWO, how)) == READ


def test_each_split_point_gives_the_same():
    stream = ONE + TWO
    for at in range(len(stream)):
        assert parsed([stream[:at], stream[at:]]) == READ


def test_a_message_that_is_not_whole_is_none():
    for n in range(1, len(TWO)):
        assert parsed([ONE + TWO[:n]]) == READ[:1]


def test_headers_of_other_kinds_are_stepped_over():
    kinds = [(0, b""), (1, b""), (2, b"x"), (3, b"xx"), (4, b"xxxx"), (5, b"x" * 8), (6, b"\0\3abc"), (8, b"x" * 8)]
    kinds += [(9, b"x" * 16), (7, b"\0\2\xc3\xbc")]
    data = message(b"".join(b"\2h" + bytes([48 + kind, kind]) + value for kind, value in kinds))
    assert parsed([data]) == [({"h7": "ü"}, b"{}")]
    buffer = EventStreamBuffer()
    buffer.add_data(data)
    assert next(iter(buffer)).headers["h7"] == "ü", "AWS's own reader sees the same header"


@pytest.mark.parametrize("at", range(len(TWO)))
def test_a_flipped_bit_anywhere_is_noticed_and_what_came_before_it_counts(at):
    damaged = TWO[:at] + bytes([TWO[at] ^ 4]) + TWO[at + 1 :]
    for how in ("whole", "bytes"):
        frames = parsed(pieces(ONE + damaged + ONE, how))
        assert frames[0] == READ[0] and len(frames) == 2 and isinstance(frames[1], StreamError)
        assert "damaged" in str(frames[1])


@pytest.mark.parametrize("headers", [b"\x09ab", b"\2h7\x07\0\x09x"[:3], b"\2h7\x07", b"\2h7\x0c"])
def test_headers_that_make_no_sense_are_damage(headers):
    (error,) = parsed([message(headers)])
    assert isinstance(error, StreamError)


def test_a_web_page_is_not_taken_for_a_very_long_message():
    (error,) = parsed([b"<html><body>Not found</body></html>"])
    assert "not an AWS event stream" in str(error)


def test_a_message_that_is_too_long_is_refused_before_it_is_kept():
    (error,) = parsed([framed(b"x" * 100)[:12]], max_bytes=50)
    assert "longer than 50 bytes" in str(error)
    assert parsed([framed(b"x" * 100)], max_bytes=116) == [({}, b"x" * 100)]
