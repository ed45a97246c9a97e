"""Server-sent events out of bytes."""

import itertools
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumos_nb.errors import StreamError
from lumos_nb.providers.wire.sse import SseParser
from tests.providers.streams import cut_at


def parse(*chunks, **options):
    parser = SseParser(**options)
    return [event for chunk in chunks for event in parser.feed(chunk)] + parser.close()


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_all_line_ends_are_read(end):
    lines = [b"event: x", b"data: 1", b"data:  2", b"", b": comment", b"id: 7", b"retry: 1", b"data:3", b""]
    assert parse(end.join(lines) + end) == [("x", b"1\n 2"), ("", b"3")]


def test_an_event_without_data_is_no_event_and_its_name_is_forgotten():
    assert parse(b"event: ping\n\ndata: 1\n\n") == [("", b"1")]


def test_a_separator_of_unicode_does_not_end_a_line():
    data = "a\u2028b\u0085c".encode()
    assert parse(b"data: " + data + b"\n\n") == [("", data)]


def test_an_event_without_the_last_empty_line_counts_at_the_end():
    assert parse(b"data: 1\n\ndata: 2") == [("", b"1"), ("", b"2")]


@pytest.mark.parametrize("chunks", [[b"data: " + b"x" * 200], [b"data: xxxxxxxx\n"] * 30, [b"x"] * 200])
def test_an_endless_event_is_refused(chunks):
    with pytest.raises(StreamError, match="longer than 100 bytes"):
        parse(*chunks, max_bytes=100)


def test_many_small_events_are_not_an_endless_one():
    assert len(parse(*[b"data: 12345678\n\n"] * 100, max_bytes=100)) == 100


_lines = st.lists(
    st.sampled_from([b"data: a", b"data:b", b"", b": c", b"event: e", "data: 漢🌟".encode(), b"\xef\xbb\xbf", b"data"])
)


@given(_lines, st.sampled_from([b"\n", b"\r\n", b"\r"]), st.lists(st.integers(0, 60), max_size=6))
def test_any_chunking_parses_alike(lines, end, cuts):
    stream = end.join(lines)
    assert parse(*cut_at(stream, [min(cut, len(stream)) for cut in cuts])) == parse(stream)


@pytest.mark.parametrize("line", [b"data:\n", b"data\n"])
def test_lines_of_data_without_text_are_counted_too(line):
    with pytest.raises(StreamError, match="longer than 100 bytes"):
        parse(*[line] * 200, max_bytes=100)


def test_many_lines_of_one_event_cost_no_more_than_they_are_long():
    # Had every read to count all lines before it, this would take minutes.
    n = 200_000
    [(_, data)] = parse(*[b"data: x\n"] * n, b"\n")
    assert data == b"\n".join([b"x"] * n)


def test_events_before_an_endless_one_are_given():
    parser = SseParser(max_bytes=100)
    assert parser.feed(b"data: 1\n\ndata: " + b"x" * 200) == [("", b"1")]
    with pytest.raises(StreamError, match="longer than 100 bytes"):
        parser.feed(b"x")


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_an_endless_line_holds_no_more_memory_than_is_allowed(size):
    limit = 200_000
    chunks = (bytes([n % 200 + 32]) * size for n in itertools.count())
    parser = SseParser(max_bytes=limit)
    tracemalloc.start()
    try:
        with pytest.raises(StreamError):
            for chunk in chunks:
                parser.feed(chunk)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert limit <= held < 1.5 * limit + size


def test_a_byte_order_mark_may_be_cut_anywhere():
    data = b"\xef\xbb\xbfdata: 1\r\n\r\n"
    assert parse(*[data[n : n + 1] for n in range(len(data))]) == [("", b"1")]


@pytest.mark.parametrize("end", [b"\r", b"\r\r", b"\r\n\r", b""])
def test_a_body_may_end_anywhere_in_its_last_line_end(end):
    assert parse(b"data: 1", end) == parse(b"data: 1" + end) == [("", b"1")]
