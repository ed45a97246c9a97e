"""A tape's file: what is wrong with it is said with its line, and what is on it comes back byte for byte."""

import json
import time
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lumos_nb.errors import TapeError
from lumos_nb.tapes import Tape, read_tape, write_tape
from lumos_nb.tapes.format import ChunkLine, EndLine, Header, Interaction, RequestLine, ResponseLine

HEADER = '{"k":"tape","v":1,"lumos":"1","notebook":"","recorded_at":"","default_model":""}'
REQUEST = '{"k":"request","i":0,"url":"http://h/v1","body":{"a":1}}'
ANSWER = '{"k":"response","i":0,"t":0.1,"status":200,"headers":{}}'
CHUNK = '{"k":"chunk","i":0,"t":0.2,"text":"hello"}'
END = '{"k":"end","i":0,"t":0.3,"how":"complete","error":null}'
WHOLE = [HEADER, REQUEST, ANSWER, CHUNK, END]


def written(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "a.tape.jsonl"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def lines(*given: str) -> str:
    return "\n".join(given) + "\n"


DAMAGED = {
    "a newer version": (lines(HEADER.replace('"v":1', '"v":2,"new":[1]'), "what is this"), r"is of version 2; .*up to 1"),  # noqa: E501
    "no tape": ("Dear diary,\n", "is no tape: line 1"),
    "a notebook": (json.dumps({"cells": [], "nbformat": 4}, indent=1), "is no tape: line 1"),
    "nothing": ("", "is empty"),
    "white space": (" \n\n", "is empty"),
    "not UTF-8": (lines(HEADER).encode() + b'{"k":"\xff\xfe"}\n', "Line 2 of .* is not UTF-8"),
    "half a line": (lines(*WHOLE) + '{"k":"request","i":1,"ur', "Line 6 .* was cut in the middle"),
    "half an interaction": (lines(HEADER, REQUEST, ANSWER, CHUNK), "was cut: request 0 does not end"),
    "a line that is no JSON": (lines(HEADER, REQUEST, "oops", ANSWER), "Line 3 .* is no JSON"),
    "a conflict": (lines(HEADER, "<<<<<<< HEAD", REQUEST), "Line 2 .* is a conflict that git left"),
    "a kind that is not known": (lines(HEADER, '{"k":"video","i":0}'), "Line 2 .*'video'"),
    "a line without a kind": (lines(HEADER, '{"i":0}'), "Line 2 .* missing required field `k`"),
    "a wrong type": (lines(HEADER, REQUEST.replace('"i":0', '"i":"x"')), r"Line 2 .* Expected `int`"),
    "the same number twice": (lines(*WHOLE, REQUEST), "Line 6 .* begins request 0 a second time"),
    "two tapes in one": (lines(*WHOLE, HEADER), "Line 6 .* second first line"),
    "a chunk of another request": (lines(HEADER, REQUEST, ANSWER, CHUNK.replace('"i":0', '"i":7')), "belongs to request 7"),  # noqa: E501
    "a chunk before the answer": (lines(HEADER, REQUEST, CHUNK, END), "Line 3 .* not begun before it"),
    "an answer to nothing": (lines(HEADER, ANSWER), "Line 2 .* belongs to request 0"),
    "two answers": (lines(HEADER, REQUEST, ANSWER, ANSWER), "Line 4 .* a second time"),
    "a request within another": (lines(HEADER, REQUEST, REQUEST.replace('"i":0', '"i":1')), "Line 3 .* has not ended"),
    "an end that is not known": (lines(*WHOLE[:-1], END.replace("complete", "happy")), "Line 5 .* not known: 'happy'"),
    "Base64 that is none": (lines(HEADER, REQUEST, ANSWER, CHUNK.replace('"text":"hello"', '"base64":"%%%"')), "no Base64"),  # noqa: E501
}  # fmt: skip


@pytest.mark.parametrize(("text", "said"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_tape_says_where_and_what_to_do(tmp_path, text, said):
    path = written(tmp_path, text)
    with pytest.raises(TapeError, match=said) as caught:
        read_tape(path)
    assert str(path) in caught.value.message and caught.value.hint.endswith((".", "NOTEBOOK"))


def test_a_tape_that_is_not_there_says_how_to_record_it(tmp_path):
    with pytest.raises(TapeError, match="There is no tape .* lumos run NOTEBOOK"):
        read_tape(tmp_path / "none.tape.jsonl")


def test_a_tape_cut_at_any_byte_is_whole_before_or_an_error(tmp_path):
    text = lines(*WHOLE).encode()
    for end in range(len(text)):
        path = written(tmp_path, text[:end])
        try:
            tape = read_tape(path)
        except TapeError:
            continue
        # Behind the header nothing is on it yet; without its last line break it is whole.
        assert len(tape.interactions) == (1 if end >= len(text) - 1 else 0)
        assert end >= len(text) - 1 or text[:end].rstrip(b"\n") == HEADER.encode()


def test_empty_lines_and_a_byte_order_mark_do_no_harm(tmp_path):
    path = written(tmp_path, b"\xef\xbb\xbf" + "\r\n".join([*WHOLE, "", ""]).encode())
    assert [chunk.data for chunk in read_tape(path).interactions[0].chunks] == [b"hello"]


def test_a_tape_of_five_megabytes_is_read_in_well_under_a_second(tmp_path, capsys):
    path = tmp_path / "big.tape.jsonl"
    chunks = [
        ChunkLine(i=0, t=n / 100, text=f'data: {{"choices":[{{"delta":{{"content":"{n} …"}}}}]}}\n\n')
        for n in range(25)
    ]
    many = [interaction(n, chunks) for n in range(2_000)]
    write_tape(path, Tape(header=Header(), interactions=many))
    began = time.perf_counter()
    tape = read_tape(path)
    took_s = time.perf_counter() - began
    with capsys.disabled():
        print(f"  {path.stat().st_size / 1e6:.1f} MB, {len(tape.interactions)} requests read in {took_s:.2f} s")
    assert len(tape.interactions) == 2_000


def test_a_request_without_a_body_has_none_on_the_tape(tmp_path):
    path = tmp_path / "get.tape.jsonl"
    write_tape(path, Tape(header=Header(), interactions=[interaction(0, [], b"")]))
    assert "body" not in path.read_text() and bytes(read_tape(path).interactions[0].request.body) == b""


def interaction(i: int, chunks: list[ChunkLine], body: bytes = b'{"messages":[]}') -> Interaction:
    return Interaction(
        request=RequestLine(i=i, url="http://h/v1", body=msgspec.Raw(body)),
        response=ResponseLine(i=i, t=0.1, status=200),
        chunks=[msgspec.structs.replace(chunk, i=i) for chunk in chunks],
        end=EndLine(i=i, t=1.0, how="complete"),
    )


ODD = st.sampled_from(["\u2028", "\u2029", "\x85", "\r\n", "\n", "\r", "\x00", "ü", "🎉", "\ufeff"]).map(str.encode)
PIECES = st.lists(st.one_of(st.binary(max_size=40), ODD, st.just(b"\xff\xfe"), st.just("🎉".encode()[:2])), max_size=8)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(PIECES, max_size=3))
def test_any_bytes_come_back_in_the_pieces_in_which_they_came(tmp_path, pieces):
    path = tmp_path / "any.tape.jsonl"
    tapes = [interaction(n, [ChunkLine.of(n, 0.1, piece) for piece in each]) for n, each in enumerate(pieces)]
    write_tape(path, Tape(header=Header(), interactions=tapes))
    assert [[chunk.data for chunk in each.chunks] for each in read_tape(path).interactions] == pieces


def test_a_body_with_line_breaks_stands_on_one_line_and_says_the_same(tmp_path):
    path = tmp_path / "pretty.tape.jsonl"
    body = json.dumps({"a": [1, "x\ny", 1.50]}, indent=2).encode()
    write_tape(path, Tape(header=Header(), interactions=[interaction(0, [], body)]))
    assert len(path.read_text().splitlines()) == 4
    assert json.loads(bytes(read_tape(path).interactions[0].request.body)) == {"a": [1, "x\ny", 1.5]}


def test_a_body_stands_on_the_tape_as_it_was_sent(tmp_path):
    path = tmp_path / "exact.tape.jsonl"
    body = '{"b":1.50,"a":1e2, "n":123456789012345678901234567890,"t":"\\u00fc ü"}'.encode()
    write_tape(path, Tape(header=Header(), interactions=[interaction(0, [], body)]))
    assert bytes(read_tape(path).interactions[0].request.body) == body and body in path.read_bytes()
