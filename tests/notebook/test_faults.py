"""What a person sees when a model server misbehaves: two sentences, a failed cell, and the text so far."""

from __future__ import annotations

import pytest

from lumos_nb.testing import Answer, FakeServer, Reply
from tests.kernels import Kernel

KEY = "sk-this-must-never-be-seen-1234567890"


@pytest.fixture(scope="module")
def server():
    text = Answer(text="So far so good and then some more")
    script = {
        "cut": [Reply(answer=text, cut_after=3)],
        "closed": [Reply(answer=text, cut_after=3, cut="close")],
        "garbage": [Reply(answer=text, garbage_after=3)],
        "refused": [Reply(status=401, body=f'{{"error": {{"message": "Incorrect API key provided: {KEY}"}}}}')],
        "busy": [Reply(status=429, headers={"retry-after": "0"}, body='{"error": {"message": "Rate limit reached"}}')],
        "broken": [Reply(status=500, body="<html>oops</html>", content_type="text/html")],
        "fake-model": ["fine"],
        "hidden": [Reply(status=404, body='{"error": {"message": "The model does not exist"}}')],
    }
    with FakeServer(script) as served:
        yield served


@pytest.fixture(scope="module")
def kernel(tmp_path_factory, server):
    made = Kernel(tmp_path_factory.mktemp("faults"), OPENAI_API_KEY=KEY, LUMOS_MAX_RETRIES="1")
    made.run(f"from lumos_nb import llm\ndef at(name): return llm('openai/' + name, base_url={server.base_url!r})").ok()
    yield made
    made.close()


@pytest.mark.parametrize(
    ("model", "error", "says", "kept"),
    [
        ("cut", "StreamError", "127.0.0.1", True),
        ("closed", "StreamError", "broke off", True),
        ("garbage", "StreamError", "", True),
        ("refused", "CredentialError", "OPENAI_API_KEY", False),
        ("busy", "RateLimitError", "Rate limit reached", False),
        ("broken", "OverloadedError", "500", False),
        ("hidden", "ProviderError", "hidden", False),
    ],
)
def test_a_fault_is_a_short_error_and_the_text_so_far_stays(kernel, model, error, says, kept):
    kernel.run(f"m = at({model!r})").ok()
    cell = kernel.run("%%agent -m m --new\nGo")
    assert cell.status == "error"
    assert error in cell.error
    assert says in cell.error
    assert len(cell.error.splitlines()) <= 6
    assert KEY not in cell.error + str(cell.outputs)
    assert cell.run["status"] == "failed"
    if kept:
        assert cell.run["items"][0]["text"].startswith("So far")
        assert "So far" in cell.outputs[0]["text/html"]
    last = kernel.run("r = lumos.runs().iloc[-1]; print(r.status, r.error_type)")
    assert last.stdout == f"failed {error}\n"
    kernel.run("m = at('fake-model')").ok()
    assert kernel.run("%%agent -m m\nAgain").ok().run["status"] == "completed"


def test_a_server_that_is_down_is_named(kernel):
    kernel.run("m = llm('mine/x', base_url='http://127.0.0.1:9/v1')").ok()
    cell = kernel.run("%%agent -m m --new\nGo")
    assert "http://127.0.0.1:9/v1" in cell.error
    assert len(cell.error.splitlines()) <= 6


def test_without_a_key_and_without_weights_the_error_names_both_ways(tmp_path):
    kernel = Kernel(tmp_path)
    try:
        kernel.run("import lumos_nb.providers.embedded as e; e.is_installed = lambda *a: False").ok()
        cell = kernel.run("%%agent\nHello")
        assert cell.status == "error"
        assert "OPENAI_API_KEY" in cell.error
        assert "lumos models install smollm2" in cell.error
        assert len(cell.error.splitlines()) <= 6
    finally:
        kernel.close()


def test_no_secret_is_in_the_database(kernel):
    assert KEY.encode() not in b"".join(p.read_bytes() for p in (kernel.folder / ".lumos").iterdir())
