"""Error bodies in all their shapes."""

import json
from email.utils import formatdate
from pathlib import Path
from time import time

import pytest

from lumos_nb.errors import ContextLengthError, LumosError, RateLimitError
from lumos_nb.providers.failures import from_status, from_stream, read_refusal, redact, retry_after_s
from lumos_nb.providers.fallback import allows_another


@pytest.mark.parametrize(
    ("body", "message", "code"),
    [
        ({"error": {"message": "No", "type": "t", "code": "c", "param": None}}, "No", "c"),
        ({"error": {"message": "No", "type": "t", "code": None}}, "No", "t"),
        ({"error": "No"}, "No", ""),
        (
            {"type": "error", "error": {"type": "overloaded_error", "message": "No"}, "request_id": "r"},
            "No",
            "overloaded_error",
        ),
        ({"message": "No"}, "No", ""),
        ({"object": "error", "message": "No", "type": "BadRequestError", "code": 400}, "No", "BadRequestError"),
        ({"detail": [{"loc": ["body"], "msg": "No"}]}, '[{"loc": ["body"], "msg": "No"}]', ""),
        ([{"error": {"code": 503, "message": "No", "status": "UNAVAILABLE"}}], "No", "UNAVAILABLE"),
        ({"error_code": "ModelArts.81003", "error_msg": "No"}, "No", "ModelArts.81003"),
        ({"code": "Throttling", "message": "No", "request_id": "r"}, "No", "Throttling"),
        ({"code": "c", "error": "No"}, "No", "c"),
        ({"error": {"code": 429, "message": "No", "metadata": {"raw": "busy"}}}, "No: busy", "429"),
        ("No", "No", ""),
    ],
)
def test_every_shape_of_body_is_read(body, message, code):
    refusal = read_refusal(json.dumps(body).encode())
    assert (refusal.message, refusal.code) == (message, code)


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"{}", b"3", b"\xff\xfe", b"<html>", b'{"error":{}}', b'{"error":[1]}']
)
@pytest.mark.parametrize("status", [400, 401, 404, 429, 500])
def test_no_body_makes_the_error_itself_fail(body, status):
    error = from_status(provider="p", model="m", url="http://h/v1", status=status, headers={}, body=body)
    assert isinstance(error, LumosError) and "http://h/v1" in str(error) and error.hint


def test_recorded_errors_are_read():
    for parent in Path(__file__).resolve().parents:
        file = parent / "shared" / "streams" / "errors_recorded.json"
        if file.exists():
            break
    else:
        pytest.skip("no recorded streams: set LUMOS_STREAMS to their folder")
    for row in json.loads(file.read_text()):
        refusal = read_refusal(json.dumps(row["body"]).encode())
        assert refusal.message and "{" not in refusal.message[:1], row


@pytest.mark.parametrize(
    "key",
    ["sk-proj-abc123DEF456", "gsk_abcdefgh1234", "xai-abcdefgh1234", "AIzaSyA1234567890abcdef", "AKIAIOSFODNN7EXAMPLE",
     "hf_abcdefghij", "bce-v3/ALTAK-abc/def", "0123456789abcdef0123456789abcdef.Zz12", "eyJhbGciOi.eyJzdWIi.c2ln",
     "sk-or-v1-abcdef", "sk-****abcd1234"],
)  # fmt: skip
def test_what_looks_like_a_key_is_hidden(key):
    assert key not in redact(f"Incorrect API key provided: {key}. Bearer {key}")


def test_ordinary_words_are_not_hidden():
    text = "The model gpt-5.6-luna or key-value store in task-42 is not there"
    assert redact(text).count("••••") <= 1


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({}, None), ({"retry-after": "2"}, 2.0), ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
     ({"retry-after": "soon"}, None), ({"retry-after": "0.5"}, 0.5)],
)  # fmt: skip
def test_the_wait_is_read_in_each_form(headers, seconds):
    assert retry_after_s(headers) == seconds


def test_the_wait_may_be_a_date():
    assert 20 < retry_after_s({"retry-after": formatdate(time() + 30, usegmt=True)}) <= 30


@pytest.mark.parametrize(
    ("location", "target", "base"),
    [
        ("https://h.example/v1/chat/completions", "https://h.example/v1/chat/completions", "https://h.example/v1"),
        ("https://ada:pw@h.example/v2/chat?key=pw#pw", "https://h.example/v2/chat", "https://h.example/v2"),
        ("/api/v1/chat/completions", "http://old/api/v1/chat/completions", "http://old/api/v1"),
        ("//new/v1/messages", "http://new/v1/messages", "http://new/v1"),
        ("http://new:11434/api/chat", "http://new:11434/api/chat", "http://new:11434"),
        ("https://g/v1beta/models/m:streamGenerateContent?alt=sse", "https://g/v1beta/models/m:streamGenerateContent",
         "https://g/v1beta"),
        ("https://sso.example/login?next=pw", "https://sso.example/login", "https://sso.example/login"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_names_where_it_leads_and_the_base_url_to_set(status, location, target, base):
    error = from_status(
        provider="p", model="m", url="http://old/v1", status=status, headers={"location": location}, body=b"<html>"
    )
    assert (
        error.message == f"'p' at http://old/v1 is not there: it answers with a redirect (HTTP {status}) to {target}."
    )
    assert error.hint == f"Set base_url to {base}, if that is the server you mean."
    assert "pw" not in str(error) and not error.is_temporary and error.status == status


@pytest.mark.parametrize("location", ["", " ", "http://[bad"])
def test_a_redirect_to_nowhere_is_an_error_too(location):
    error = from_status(
        provider="p", model="m", url="http://old/v1", status=302, headers={"location": location}, body=b""
    )
    assert "names no address" in error.message and "base_url" in error.hint


def test_half_a_character_in_the_words_of_a_server_can_be_shown_and_kept():
    error = from_stream(b'{"error": {"message": "no \\ud83d"}}')
    assert str(error).encode() and "no" in str(error)


def refused(status, message, code="invalid_request_error", **headers):
    body = json.dumps({"error": {"message": message, "type": code}}).encode()
    return from_status(provider="p", model="m", url="http://h/v1", status=status, headers=headers, body=body)


@pytest.mark.parametrize(
    "message",
    [
        "prompt is too long: 208310 tokens > 200000 maximum",
        "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
        "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
        "Please reduce the length of the messages or completion.",
        "This model's maximum context length is 128000 tokens.",
        "Invalid request: Your request exceeded model token limit: 131072",
        "Prompt exceeds max length",
    ],
)
def test_a_window_that_is_too_small_is_known_by_each_vendors_words(message):
    assert isinstance(refused(400, message), ContextLengthError)
    assert isinstance(from_stream(json.dumps({"error": {"message": message}}).encode()), ContextLengthError)


@pytest.mark.parametrize(
    ("status", "message", "code"),
    [
        (400, "Your credit balance is too low to access the Anthropic API.", "invalid_request_error"),
        (400, "Access denied, please make sure your account is in good standing.", "Arrearage"),
        (402, "Insufficient Balance", "unknown_error"),
        (429, "You exceeded your current quota", "insufficient_quota"),
    ],
)
def test_an_account_without_credit_is_told_apart_and_another_model_may_answer(status, message, code):
    error = refused(status, message, code)
    assert isinstance(error, RateLimitError) and "credit" in error.hint
    assert not error.is_temporary and error.status == status and allows_another(error)


def test_a_quota_that_is_used_up_in_the_middle_of_a_stream_is_known_too():
    error = from_stream(b'{"type": "error", "error": {"code": "insufficient_quota", "message": "You exceeded it."}}')
    assert isinstance(error, RateLimitError) and not error.is_temporary and allows_another(error)


@pytest.mark.parametrize(
    ("delay", "seconds"), [("34s", 34.0), ("0.5s", 0.5), ("soon", None), (34, None), ("1e9s", None), (None, None)]
)
def test_the_wait_may_stand_in_the_body(delay, seconds):
    details = [{"@type": "type.googleapis.com/google.rpc.Help"}, {"retryDelay": delay}, "?"]
    value = {"error": {"code": 429, "message": "Busy", "status": "RESOURCE_EXHAUSTED", "details": details}}
    for body in (value, [value]):
        error = from_status(
            provider="p", model="m", url="http://h", status=429, headers={}, body=json.dumps(body).encode()
        )
        assert error.retry_after_s == seconds and error.is_temporary


def test_the_id_of_a_request_is_found_in_the_headers_or_the_body():
    body = b'{"type": "error", "error": {"type": "api_error", "message": "No"}, "request_id": "req_1"}'
    for headers, id in [({}, "req_1"), ({"request-id": "req_2"}, "req_2"), ({"apim-request-id": "req_3"}, "req_3")]:
        error = from_status(provider="p", model="m", url="http://h", status=500, headers=headers, body=body)
        assert error.request_id == id
    assert from_stream(body).request_id == "req_1"
