"""The everyday transport, against real sockets."""

import asyncio
import contextlib
import os
import ssl
import subprocess
import sys
import threading

import pytest

from lumos_nb import settings
from lumos_nb.errors import ProviderError, StreamError, UsageError
from lumos_nb.testing import Answer, FakeServer, Reply
from lumos_nb.transport import Request, default_transport, new_transport
from lumos_nb.transport.failures import explain
from lumos_nb.transport.tls import ssl_context

BODY = b'{"model":"m","messages":[{"role":"user","content":"Hi"}]}'


def call(server, **changes):
    return Request(url=f"{server.base_url}/chat/completions", body=BODY, **changes)


async def read(transport, request):
    async with transport.open(request) as response:
        return response, await response.read()


async def test_bytes_and_headers_arrive_as_they_were_sent():
    with FakeServer([Reply(body=b"\xff\x00raw", headers={"X-Request-Id": "r1"})]) as server:
        response, body = await read(default_transport(), call(server))
    assert (response.status, response.headers["x-request-id"], body) == (200, "r1", b"\xff\x00raw")


async def test_a_body_read_to_its_end_leaves_the_connection_for_the_next_request():
    with FakeServer(["Hello"]) as server:
        for _ in range(3):
            await read(default_transport(), call(server))
    assert [r.connection for r in server.requests] == [1, 1, 1]


async def test_many_requests_at_once_do_not_wait_for_one_another():
    with FakeServer([Reply(first_byte_delay_s=0.05)]) as server:
        await asyncio.gather(*(read(default_transport(), call(server)) for _ in range(130)))
    assert len({r.connection for r in server.requests}) == 130


async def test_cancelling_closes_the_connection_and_leaves_no_task():
    with FakeServer([Answer(chunks=["x "] * 1000, delay_s=0.01)]) as server:
        before = asyncio.all_tasks()
        started = asyncio.Event()

        async def consume():
            async with default_transport().open(call(server)) as response:
                async for _ in response.chunks:
                    started.set()

        task = asyncio.create_task(consume())
        await asyncio.wait_for(started.wait(), 10)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(server.requests[0].done.wait, 10)
        assert server.requests[0].client_left
        assert asyncio.all_tasks() == before


def test_one_transport_serves_several_loops_and_threads():
    transport = new_transport(settings.current().transport)
    got = []

    async def once(server):
        got.append((await read(transport, call(server)))[1])
        await transport.aclose()

    with FakeServer([Reply(body=b"ok")]) as server:
        threads = [threading.Thread(target=lambda: asyncio.run(once(server))) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    assert got == [b"ok"] * 3


async def test_closing_waits_for_a_request_that_is_under_way():
    transport = new_transport(settings.current().transport)
    with FakeServer([Answer(chunks=["a", "b", "c"], delay_s=0.01)]) as server:
        async with transport.open(call(server)) as response:
            await transport.aclose()
            assert b"[DONE]" in await response.read()


async def test_the_proxy_of_the_environment_is_not_used_for_this_machine(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    transport = new_transport(settings.current().transport)
    with FakeServer([Reply(body=b"direct")]) as server:
        assert (await read(transport, call(server)))[1] == b"direct"
    await transport.aclose()


@pytest.mark.parametrize(
    ("url", "said", "hint"),
    [
        ("http://127.0.0.1:9/v1", "Nothing answers at http://127.0.0.1:9/v1.", "base_url"),
        ("nonsense", "'nonsense' cannot be sent", "http://"),
        ("ftp://host/v1", "'ftp://host/v1' cannot be sent", "http://"),
        ("//127.0.0.1/v1", "'//127.0.0.1/v1' cannot be sent", "http://"),
        ("http://[::1/v1", "'http://[::1/v1' cannot be sent", "http://"),
        ("http://127.0.0.1/a\nb", "'http://127.0.0.1/a\\nb' cannot be sent", "http://"),
        ("http://xn--a.invalid/v1", "xn--a.invalid/v1", ""),
        ("ftp://user:pass@host/v1?key=secret", "'ftp://host/v1?…' cannot be sent", "http://"),
        ("http://user:pass@127.0.0.1:9/v1", "Nothing answers at http://127.0.0.1:9/v1.", "base_url"),
    ],
)
async def test_an_address_that_cannot_work_is_named_with_what_to_check(url, said, hint):
    with pytest.raises(ProviderError) as caught:
        await read(default_transport(), Request(url=url))
    assert said in caught.value.message
    assert hint in caught.value.hint
    assert "pass" not in str(caught.value) and "secret" not in str(caught.value)
    assert caught.value.__context__ is None and caught.value.__cause__ is None


async def test_a_server_that_takes_a_request_and_says_nothing_is_named_with_the_setting():
    settings.configure(read_timeout_s=0.05)
    server = FakeServer([Reply(first_byte_delay_s=30)])
    with server, pytest.raises(ProviderError, match="sent nothing") as caught:
        await read(default_transport(), call(server))
    assert "LUMOS_READ_TIMEOUT_S" in caught.value.hint
    assert caught.value.is_temporary


@pytest.mark.parametrize(("cut", "said"), [("reset", "broke off"), ("stall", "no byte arrived")])
async def test_a_body_that_breaks_off_is_a_stream_error(cut, said):
    settings.configure(read_timeout_s=0.1)
    server = FakeServer([Reply(answer=Answer(text="a b c"), cut_after=2, cut=cut)])
    with server, pytest.raises(StreamError, match=said) as caught:
        await read(default_transport(), call(server))
    assert server.base_url in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("stray", ["\n", "\0", "\u200b", "ü"])
async def test_a_header_that_cannot_be_sent_does_not_show_its_value(stray):
    with FakeServer(["x"]) as server, pytest.raises(ProviderError, match="headers") as caught:
        await read(default_transport(), call(server, headers={"authorization": f"Bearer sk-abc{stray}def"}))
    assert "sk-abc" not in str(caught.value) and "key" in caught.value.hint
    assert server.requests == []


def test_a_request_shows_no_header():
    assert "secret" not in repr(Request(url="http://h/v1", headers={"authorization": "Bearer secret"}))


def test_importing_the_seam_and_the_providers_loads_no_http_client():
    code = (
        "import sys; from lumos_nb.providers import llm; from lumos_nb import transport;"
        "llm('openai/gpt-5.6-luna');"
        "print([m for m in ('httpx', 'aiohttp', 'pydantic', 'ssl', 'xllamacpp') if m in sys.modules and m != 'ssl'])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


async def test_a_key_counts_more_than_a_name_and_password_in_the_address():
    with FakeServer([Reply(body=b"ok")]) as server:
        address = server.base_url.replace("http://", "http://ada:secret@") + "/chat/completions"
        await read(default_transport(), Request(url=address, body=BODY))
        await read(default_transport(), Request(url=address, body=BODY, headers={"authorization": "Bearer k"}))
    assert [r.headers["authorization"] for r in server.requests] == ["Basic YWRhOnNlY3JldA==", "Bearer k"]


@pytest.mark.parametrize(
    ("url", "said"),
    [("https://127.0.0.1:9/v1", "Nothing answers"), ("https://no-such-host.invalid/v1", "'no-such-host.invalid' of")],
)
async def test_a_secure_address_that_is_not_reached_is_no_fault_of_a_certificate(url, said):
    with pytest.raises(ProviderError, match=said) as caught:
        await read(default_transport(), Request(url=url))
    assert caught.value.is_temporary and "SSL" not in str(caught.value)


def test_a_handshake_that_takes_too_long_is_a_time_out_whatever_stands_behind_it():
    late = type("ConnectTimeout", (Exception,), {})()
    late.__context__ = ssl.SSLWantReadError(2, "The operation did not complete")
    error = explain(late, "https://h/v1", is_streaming=False)
    assert "connect_timeout_s" in error.message and error.is_temporary


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_that_ends_leaves_its_parents_connections_alone():
    code = """if True:
        import asyncio, os, sys
        from lumos_nb.transport import Request, new_transport
        transport = new_transport(sys.argv[1])
        async def read():
            async with transport.open(Request(url=sys.argv[2], body=b"{}", read_timeout_s=2)) as response:
                return await response.read()
        loop = asyncio.new_event_loop()
        loop.run_until_complete(read())
        if child := os.fork():
            os.waitpid(child, 0)
            print(loop.run_until_complete(read()))
            loop.run_until_complete(transport.aclose())
            loop.close()
        else:
            asyncio.run(read())
    """
    with FakeServer([Reply(body=b"ok")]) as server:
        name, url = settings.current().transport, f"{server.base_url}/chat/completions"
        done = subprocess.run([sys.executable, "-c", code, name, url], capture_output=True, text=True, timeout=30)
    assert (done.stdout, done.stderr) == ("b'ok'\n", "")
    assert [r.connection for r in server.requests] == [1, 2, 1]


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("raise ImportError('No module named aiohttp')", "No module named aiohttp"),
        ("raise AttributeError('multidict')", "multidict"),
        ("import aiohttp.payload; del aiohttp.payload.Payload.write_with_length", "too old"),
    ],
    ids=["absent", "broken", "too old"],
)
def test_without_an_aiohttp_that_can_be_used_requests_go_over_httpx(tmp_path, broken, said):
    if broken.startswith("raise"):
        (tmp_path / "aiohttp.py").write_text(broken)
        broken = ""
    code = f"""if True:
        {broken}
        from lumos_nb.errors import UsageError
        from lumos_nb.transport import new_transport
        print(new_transport("auto"))
        try:
            new_transport("aiohttp")
        except UsageError as error:
            print(error)
    """
    path = os.pathsep.join([str(tmp_path), *sys.path])
    environment = os.environ | {"PYTHONPATH": path}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.stdout.startswith("<HttpxTransport>\nThe transport 'aiohttp' cannot be used: "), done.stderr
    assert said in done.stdout and "lumos-nb[fast]" in done.stdout


@pytest.mark.parametrize(
    "proxy", ["ftp://ada:geheim@127.0.0.1:9", "http://ada:geh/eim@127.0.0.1", "socks5://127.0.0.1:9"]
)
async def test_a_proxy_that_cannot_be_used_is_said_without_its_password(monkeypatch, proxy):
    monkeypatch.setitem(sys.modules, "socksio", None)
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(UsageError, match="proxy that the environment names") as caught:
        await read(default_transport(), Request(url="https://host.invalid/v1"))
    assert "geh" not in str(caught.value) and "ALL_PROXY" in caught.value.hint
    assert ("httpx[socks]" in caught.value.hint) == proxy.startswith("socks")
    assert caught.value.__context__ is None


async def test_another_proxy_counts_once_the_connections_are_closed(monkeypatch):
    transport, request = new_transport(settings.current().transport), Request(url="http://host.invalid/v1")
    with pytest.raises(ProviderError, match="was not found"):
        await read(transport, request)
    await transport.aclose()
    with FakeServer([Reply(body=b"by proxy")]) as server:
        monkeypatch.setenv("HTTP_PROXY", server.base_url.removesuffix("/v1"))
        response, _ = await read(transport, request)
        assert response.status == 404 and await transport.aclose() is None


@pytest.mark.parametrize("content", [None, "no certificate"])
async def test_certificates_that_cannot_be_read_are_named(monkeypatch, tmp_path, content):
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    ssl_context.cache_clear()
    with pytest.raises(UsageError, match=str(file)) as caught:
        await read(default_transport(), Request(url="https://127.0.0.1:9/v1"))
    assert "SSL_CERT_FILE" in caught.value.hint and caught.value.__context__ is None
