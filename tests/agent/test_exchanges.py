"""What was on the wire is kept byte for byte, without secrets, and each request once."""

import asyncio
import base64
import json
import sqlite3
import zlib
from contextlib import asynccontextmanager

import msgspec
import pytest

from lumos_nb import Agent, frames, llm, settings, tool
from lumos_nb.errors import LumosError
from lumos_nb.memory.exchanges import read_exchanges
from lumos_nb.messages import ToolCall
from lumos_nb.stores import default_store
from lumos_nb.testing import Answer, FakeServer, Reply
from lumos_nb.transport import new_transport
from lumos_nb.transport.base import Request

KEY = "sk-planted-0123456789abcdef"


@tool
def rows(n: int) -> str:
    """Rows.

    Args:
        n: How many.
    """
    return "row " * n


def call(n, id="c1"):
    return Answer(tool_calls=[ToolCall(id=id, name="rows", arguments=json.dumps({"n": n}))])


def agent(server, **more):
    model = llm("mock/any", base_url=server.base_url, api_key=more.pop("api_key", None))
    return Agent("a", model=model, tools=[rows], **more)


def kept(run_id):
    return read_exchanges(default_store(), run_id)


async def test_each_request_is_kept_as_the_server_received_it():
    with FakeServer([call(2000, "c1"), call(3, "c2"), "Done."]) as server:
        result = await agent(server).generate("Count the rows.", thread_id="t")
        found = kept(result.run_id)
        assert [json.loads(e.request_body) for e in found] == [r.body for r in server.requests]
    assert [(e.n, e.step, e.status, e.http_status) for e in found] == [(n, n, "ok", 200) for n in (1, 2, 3)]
    assert b"[DONE]" in found[2].response_body and b"Done." in found[2].response_body
    assert all(0 < e.first_byte_s <= e.duration_s for e in found)
    assert found[0].response_headers["content-type"].startswith("text/event-stream")


async def test_a_request_that_grows_is_kept_as_what_is_new_in_it(database):
    with FakeServer([*(call(500, f"c{n}") for n in range(12)), "Done."]) as server:
        result = await agent(server, max_steps=20).generate("Count the rows.")
    sizes = [len(e.request_body) for e in kept(result.run_id)]
    connection = sqlite3.connect(database)
    stored = connection.execute("SELECT sum(length(request_body)) FROM exchanges_lazy").fetchone()[0]
    connection.close()
    assert stored < 2 * sizes[-1] < sum(sizes) / 3


async def test_a_try_that_was_refused_is_kept_with_what_was_said(monkeypatch):
    refused = Reply(status=429, body='{"error": {"message": "Slow down."}}', headers={"retry-after": "0"})
    with FakeServer([refused, "Done."]) as server:
        result = await agent(server).generate("Hi.")
    first, second = kept(result.run_id)
    assert (first.status, first.http_status, first.error_type) == ("refused", 429, "RateLimitError")
    assert b"Slow down." in first.response_body and first.response_headers["retry-after"] == "0"
    assert (second.status, second.n, second.step) == ("ok", 2, 1)


async def test_an_answer_that_broke_off_is_kept_as_far_as_it_came():
    with FakeServer([Reply(answer=Answer(text="one two three"), cut_after=2)]) as server, pytest.raises(LumosError):
        await agent(server).generate("Hi.")
    (run_id,) = next(default_store().select("runs", ["run_id"]))
    (only,) = kept(run_id)
    assert only.status == "broken" and b"two" in only.response_body and b"three" not in only.response_body


async def test_a_run_that_is_stopped_keeps_what_had_arrived():
    with FakeServer([Reply(answer=Answer(text="one two three"), cut_after=2, cut="stall")]) as server:
        stream = agent(server).stream("Hi.")
        async for event in stream:
            if event.type == "text_delta":
                break
        await stream.aclose()
    (run_id,) = next(default_store().select("runs", ["run_id"]))
    assert [(e.status, b"one" in e.response_body) for e in kept(run_id)] == [("cancelled", True)]


async def test_a_server_that_cannot_be_reached_leaves_a_request_without_an_answer():
    settings.configure(max_retries=0)
    model = llm("mine/m", base_url="http://127.0.0.1:9/v1")
    with pytest.raises(LumosError):
        await Agent("a", model=model).generate("Hi.")
    (run_id,) = next(default_store().select("runs", ["run_id"]))
    assert [(e.status, e.http_status, e.response_body) for e in kept(run_id)] == [("broken", None, b"")]


async def test_no_key_is_kept_wherever_it_stands(database):
    """In a header, in what the person wrote, and in what the server sent back."""
    echoed = Reply(status=400, body=json.dumps({"error": {"message": f"Bad key {KEY}."}}), headers={"x-key": KEY})
    with FakeServer([echoed]) as server, pytest.raises(LumosError):
        await agent(server, api_key=KEY).generate(f"My key is {KEY}.", save_to_memory=False)
    (run_id,) = next(default_store().select("runs", ["run_id"]))
    (only,) = kept(run_id)
    assert "authorization" not in only.request_headers and "x-key" not in only.response_headers
    assert KEY.encode() not in only.request_body + only.response_body and KEY not in str(only)
    connection = sqlite3.connect(database)
    bodies = connection.execute("SELECT request_body, response_body FROM exchanges_lazy").fetchall()
    connection.close()
    for body in (body for row in bodies for body in row):
        assert KEY.encode() not in (zlib.decompress(body[1:]) if body[:1] == b"\1" else body)


SLASHED = "planted/0123+456789=abcdef"


@pytest.mark.parametrize(
    ("sent", "secret", "echoed"),
    [
        ({"api_key": SLASHED}, SLASHED, SLASHED),
        ({"api_key": SLASHED}, "abcdef", "planted%2F0123%2B456789%3Dabcdef"),
        ({"api_key": SLASHED}, "cGxhbnRlZC8wMTIz", base64.b64encode(SLASHED.encode()).decode()),
        ({"api_key": SLASHED}, "0123+456789", SLASHED.replace("/", "\\/")),
        ({"headers": {"x-gateway-key": "gateway-777888999"}}, "777888999", "no such x-gateway-key gateway-777888999"),
        ({"user": "ada:password-1234"}, "password-1234", "http://ada:password-1234@host/v1"),
        ({"user": "ada:password-1234"}, "YWRhOnBhc3N3b3", "Basic YWRhOnBhc3N3b3JkLTEyMzQ="),
        ({"query": "?api_key=query-1234"}, "query-1234", "/v1/chat/completions?api_key=query-1234"),
    ],
)
async def test_no_secret_that_was_sent_is_kept_or_told_in_whatever_form_it_comes_back(sent, secret, echoed):
    rows = {"gate": {"base_url": "http://x/v1", "headers": sent.get("headers", {})}}
    settings.configure(max_retries=0, vendors=rows)
    refusal = Reply(
        status=400, body=f'{{"error": {{"message": "Refused: {echoed}."}}}}', headers={"x-request-id": echoed}
    )
    with FakeServer([refusal]) as server:
        url = server.base_url.replace("://", f"://{sent['user']}@") if "user" in sent else server.base_url
        model = llm("gate/m", base_url=url + sent.get("query", ""), api_key=sent.get("api_key"))
        with pytest.raises(LumosError) as failure:
            await Agent("a", model=model).generate("Hi.")
    (run_id,) = next(default_store().select("runs", ["run_id"]))
    (only,) = kept(run_id)
    assert secret not in str(only) and b"Refused" in only.response_body
    assert secret not in str(failure.value) and secret not in repr(vars(failure.value))


async def test_the_session_token_of_a_signed_request_is_not_kept(monkeypatch):
    pytest.importorskip("botocore")
    token = "IQoJb3JpZ2luX2VjEAAaCXVzLWVhc3QtMSJ"
    for name, value in {"ACCESS_KEY_ID": "AKIAPLANTED", "SECRET_ACCESS_KEY": "planted", "SESSION_TOKEN": token}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    refusal = Reply(status=403, body=json.dumps({"message": f"The canonical string is: x-amz-security-token:{token}"}))
    with FakeServer([refusal]) as server, pytest.raises(LumosError) as failure:
        await Agent("a", model=llm("bedrock/m", base_url=server.base_url.removesuffix("/v1"))).generate("Hi.")
    (run_id,) = next(default_store().select("runs", ["run_id"]))
    (only,) = kept(run_id)
    assert b"canonical" in only.response_body and token not in str(only) + str(failure.value)


async def test_nothing_is_kept_where_that_is_turned_off():
    settings.configure(keep_exchanges=False)
    with FakeServer(["Done."]) as server:
        result = await agent(server).generate("Hi.")
    assert kept(result.run_id) == []


async def test_many_runs_at_once_keep_their_own():
    with FakeServer() as server:
        one = agent(server)
        results = await asyncio.gather(*(one.generate(f"Say {n}.") for n in range(50)))
    for n, result in enumerate(results):
        (only,) = kept(result.run_id)
        assert f"Say {n}." in only.request_body.decode() and f"{n}" in only.response_body.decode()


def test_a_request_shows_no_header():
    assert "Bearer" not in repr(Request(url="http://127.0.0.1/", headers={"authorization": "Bearer abc"}))


async def test_a_run_with_a_large_request_is_whole_as_soon_as_it_is_over():
    with FakeServer() as server:
        one = agent(server)
        for n in range(10):
            result = await one.generate(f"{n} " * 5_000)
            run = frames.runs(run_id=result.run_id)
            assert run.status.tolist() == ["completed"] and len(kept(result.run_id)) == 1


async def test_nothing_is_kept_where_runs_are_not_recorded():
    settings.configure(enable_telemetry=False)
    with FakeServer(["Done."]) as server:
        await agent(server).generate("Hi.", thread_id="t")
    assert list(default_store().select("exchanges", ["n"])) == []
    assert len(frames.messages()) == 2


class OddHeaders:
    """A transport of somebody's own, which gives a header in a form that it must not have."""

    def __init__(self):
        self.over = new_transport("auto")

    @asynccontextmanager
    async def open(self, request):
        async with self.over.open(request) as response:
            yield msgspec.structs.replace(response, headers={**response.headers, "date": b"today"})

    async def aclose(self):
        await self.over.aclose()


async def test_a_request_that_cannot_be_kept_costs_the_run_nothing_else(caplog):
    with FakeServer(["Done."]) as server:
        model = llm("mock/any", base_url=server.base_url, api_key=KEY, transport=OddHeaders())
        result = await Agent("a", model=model).generate("Hello")
        await model.aclose()
    assert "could not be recorded" in caplog.text
    events = frames.events(run_id=result.run_id)
    assert frames.runs().status[0] == "completed" and "generation_complete" in events.to_string()
