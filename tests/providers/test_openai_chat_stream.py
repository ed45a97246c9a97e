"""Reading Chat Completions streams: what was recorded, what was seen elsewhere, and any chunking of it."""

import hashlib
import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lumos_nb.providers.wire.openai_chat import Decoder
from tests.providers.streams import calls_of, cut_at, decode, pieces, recorded, text_of

FORMAT = "openai-chat"


def samples():
    rows = []
    for file in sorted((Path(__file__).parent.parent / "samples" / "wire").glob("*.sse")):
        expected = json.loads(file.with_suffix(".json").read_text())
        rows.append(pytest.param(file.read_bytes(), expected, id=file.stem))
    return rows


@pytest.mark.parametrize("how", ["whole", "bytes", "1", "2"])
@pytest.mark.parametrize(("data", "expected"), recorded("openai-chat-sse"))
def test_a_recorded_stream_gives_what_was_recorded(data, expected, how):
    has_tags = expected["text"].startswith("<think>")
    events, error = decode(FORMAT, pieces(data, how), has_think_tags=False)
    assert text_of(events) == expected["text"]
    reasoning = text_of(events, "reasoning_delta")
    assert hashlib.sha256(reasoning.encode()).hexdigest() == expected["reasoning_sha256"]
    shown = [{"id": c.id, "name": c.name, "args": json.loads(c.arguments)} for c in calls_of(events)]
    assert shown == [{k: c[k] for k in ("id", "name", "args")} for c in expected["tool_calls"]]
    if expected["errors"]:
        assert expected["errors"][0]["message"] in str(error)
        return
    assert error is None and [e.type for e in events].count("finish") == 1
    finish = events[-1]
    assert finish.reason == (expected["finish"] or ("tool_calls" if shown else "stop"))
    usage = expected["usage"]
    assert finish.usage.input_tokens == usage["prompt_tokens"]
    details = usage.get("completion_tokens_details") or {}
    assert finish.usage.reasoning_tokens == details.get("reasoning_tokens", 0)
    assert finish.usage.total_tokens == usage["total_tokens"] or expected["framing"] == "raw"
    if has_tags:
        split, _ = decode(FORMAT, pieces(data, how), has_think_tags=True)
        thought, _, said = expected["text"].removeprefix("<think>").partition("</think>")
        assert (text_of(split, "reasoning_delta").strip(), text_of(split)) == (thought.strip(), said.lstrip())


@pytest.mark.parametrize("how", ["whole", "bytes", "1", "2"])
@pytest.mark.parametrize(("data", "expected"), samples())
def test_a_sample_gives_what_its_shape_means(data, expected, how):
    events, error = decode(FORMAT, pieces(data, how), has_think_tags=True)
    assert text_of(events) == expected["text"]
    if "error" in expected:
        assert expected["error"] in str(error)
        assert not calls_of(events), "half a call must never run"
        return
    assert error is None
    assert text_of(events, "reasoning_delta") == expected["reasoning"]
    assert [[c.id, c.name, c.arguments] for c in calls_of(events)] == expected["calls"]
    assert events[-1].reason == expected["finish"]
    assert list(msgspec.structs.astuple(events[-1].usage)) == expected["usage"]


SAMPLES = [parameter.values[0] for parameter in samples()]


@settings(max_examples=150, deadline=None)
@given(st.data(), st.sampled_from(SAMPLES))
def test_any_chunking_decodes_alike(data, stream):
    cuts = data.draw(st.sets(st.integers(0, len(stream)), max_size=12))
    events, error = decode(FORMAT, cut_at(stream, cuts), has_think_tags=True)
    whole, whole_error = decode(FORMAT, [stream], has_think_tags=True)
    assert events == whole
    assert str(error) == str(whole_error)


def test_events_of_one_read_come_in_one_list():
    chunk = b'data: {"choices":[{"delta":{"content":"x"}}]}\n\n'
    assert len(Decoder().feed(chunk * 64)) == 64


def test_nothing_is_read_after_the_end():
    decoder = Decoder()
    decoder.feed(b'data: {"choices":[{"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n')
    assert decoder.is_done
    assert decoder.feed(b'data: {"choices":[{"delta":{"content":"x"}}]}\n\n') == [] == decoder.close()


@pytest.mark.parametrize(
    "body", [b'{"detail":"Not Found"}', b'{"error_code":336003,"error_msg":"Not Found"}', b'{"message":"Not Found"}']
)
def test_a_body_that_holds_no_answer_is_an_error_in_the_words_of_the_server(body):
    events, error = decode(FORMAT, [b"data: " + body + b"\n\ndata: [DONE]\n\n"])
    assert events == [] and "Not Found" in str(error)


def test_an_end_with_nothing_before_it_is_no_answer():
    events, error = decode(FORMAT, [b"data: [DONE]\n\n"])
    assert events == [] and error is not None and error.is_temporary


@pytest.mark.parametrize("reason", ["error", "network_error", "insufficient_system_resource", "abort"])
@pytest.mark.parametrize("end", [b"data: [DONE]\n\n", b""])
def test_a_reason_to_finish_that_is_a_failure_is_one(reason, end):
    row = b'data: {"choices":[{"delta":{"content":"Half"},"finish_reason":"%s"}]}\n\n' % reason.encode()
    events, error = decode(FORMAT, [row, end])
    assert text_of(events) == "Half" and not any(event.type == "finish" for event in events)
    assert error is not None and error.is_temporary and reason in str(error)
