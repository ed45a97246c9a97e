"""While a tape is played nothing but this machine is reached, whatever library tries.

The addresses are of TEST-NET (RFC 5737, RFC 3849): nobody answers there.
"""

import asyncio
import socket
import threading
import urllib.request
from contextlib import suppress

import httpx
import pandas
import pytest

from lumos_nb import settings
from lumos_nb.errors import NetworkForbidden
from lumos_nb.tapes import Deck, network, using
from lumos_nb.testing import FakeServer

FAR = "192.0.2.7"


@pytest.fixture
def deck(tmp_path, recorded_tape):
    """A tape that is played."""
    with using(Deck(recorded_tape, "replay")) as deck:
        yield deck
    settings.reset()


@pytest.fixture
def recorded_tape(tmp_path):
    path = tmp_path / "orders.tape.jsonl"
    path.write_text('{"k":"tape","v":1}\n')
    return path


async def by_asyncio():
    await asyncio.open_connection(FAR, 80)


async def by_asyncio_name():
    await asyncio.open_connection("api.example", 80)


async def by_httpx():
    async with httpx.AsyncClient(trust_env=False) as client:
        await client.get("https://api.example/v1")


async def by_aiohttp():
    aiohttp = pytest.importorskip("aiohttp")
    async with aiohttp.ClientSession() as session:
        await session.get(f"http://{FAR}/v1")


def by_socket():
    with socket.socket() as s:
        s.connect((FAR, 80))


def by_udp():
    with socket.socket(type=socket.SOCK_DGRAM) as s:
        s.sendto(b"hello", (FAR, 53))


def by_ipv6():
    with socket.socket(socket.AF_INET6) as s:
        s.connect(("fe80::1%1", 80, 0, 1))


def by_requests():
    pytest.importorskip("requests").get("https://api.example/v1")


WAYS = {
    "socket": by_socket,
    "UDP": by_udp,
    "IPv6 with a scope": by_ipv6,
    "a name in bytes": lambda: socket.getaddrinfo(b"api.example", 443),
    "gethostbyname": lambda: socket.gethostbyname("api.example"),
    "urllib": lambda: urllib.request.urlopen("http://api.example/x.csv"),
    "pandas": lambda: pandas.read_csv("http://api.example/x.csv"),
    "requests": by_requests,
    "httpx, not async": lambda: httpx.get("http://api.example", trust_env=False),
    "asyncio": lambda: asyncio.run(by_asyncio()),
    "asyncio, a name": lambda: asyncio.run(by_asyncio_name()),
    "httpx": lambda: asyncio.run(by_httpx()),
    "aiohttp": lambda: asyncio.run(by_aiohttp()),
}


@pytest.mark.parametrize("way", WAYS)
def test_no_library_reaches_another_machine(way, deck):
    with pytest.raises(NetworkForbidden):
        WAYS[way]()
    assert len(deck.tried) >= 1


def test_the_error_says_who_and_what_to_do(deck):
    with pytest.raises(NetworkForbidden) as caught:
        socket.create_connection(("api.example", 443))
    assert str(caught.value) == (
        "'api.example:443' was to be reached, and while the tape 'orders' is played no other machine is. "
        "Allow it with LUMOS_TAPE_HOSTS=api.example, tag the cell lumos-live, or type: %lumos tape off"
    )


def test_a_thread_is_no_way_out(deck, recorded_tape, monkeypatch):
    monkeypatch.setenv("LUMOS_TAPE", "replay")
    monkeypatch.setenv("LUMOS_TAPE_FILE", str(recorded_tape))
    settings.reset()
    caught = []

    def work():
        try:
            by_socket()
        except NetworkForbidden as error:
            caught.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert len(caught) == 1


def test_this_machine_is_reached(deck):
    with FakeServer(["Hello."]) as server:
        port = int(server.base_url.split(":")[2].split("/")[0])
        for host in ("127.0.0.1", "localhost", "127.1", "0.0.0.0", b"localhost", "::ffff:127.0.0.1"):
            socket.create_connection((host, port)).close()
        socket.getaddrinfo(None, port)
        socket.gethostbyname(socket.gethostname())
    a, b = socket.socketpair()
    a.close(), b.close()
    assert deck.tried == []


def test_a_unix_socket_is_reached(deck, tmp_path):
    with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX) as s:
        listening.bind(str(tmp_path / "s"))
        listening.listen()
        s.connect(str(tmp_path / "s"))
    assert deck.tried == []


@pytest.mark.parametrize("hosts", ["api.example", "*.example", "other.example, API.Example", "*"])
def test_hosts_of_the_settings_may_be_looked_up(deck, hosts):
    settings.configure(tape_hosts=hosts)
    with pytest.raises(socket.gaierror):  # there is no such name; it was asked for
        socket.getaddrinfo("api.example", 443)
    assert deck.tried == []


@pytest.mark.parametrize("hosts", [FAR, "192.0.2.*", "192.0.2.0/24"])
def test_addresses_of_the_settings_may_be_reached(deck, hosts):
    settings.configure(tape_hosts=hosts)
    with socket.socket(type=socket.SOCK_DGRAM) as s:
        s.connect((FAR, 9))  # UDP: nothing is sent
    with pytest.raises(NetworkForbidden):
        socket.getaddrinfo("198.51.100.1", 80)


def test_what_an_allowed_name_resolves_to_may_be_reached(deck, monkeypatch):
    settings.configure(tape_hosts="api.example")
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: [(2, 1, 6, "", (FAR, 0))])  # no name server is asked here
    with socket.socket(type=socket.SOCK_DGRAM) as s:
        s.connect((FAR, 9))
    network._resolved.clear()


def test_a_live_cell_may_reach_anybody(deck):
    with using(None), socket.socket(type=socket.SOCK_DGRAM) as s:
        s.connect((FAR, 9))
    assert deck.tried == []


@pytest.mark.parametrize("mode", ["record", "refresh", "verify"])
def test_who_records_may_reach_anybody(deck, recorded_tape, mode):
    with using(Deck(recorded_tape, mode)), socket.socket(type=socket.SOCK_DGRAM) as s:
        s.connect((FAR, 9))
    with using(None), socket.socket(type=socket.SOCK_DGRAM) as s:
        s.connect((FAR, 9))
    assert deck.tried == []


def test_a_library_that_goes_on_without_an_answer_fails_a_strict_replay(recorded_tape):
    with using(Deck(recorded_tape, "replay-strict")) as deck:
        with suppress(NetworkForbidden):
            by_socket()
        with pytest.raises(NetworkForbidden, match=f"while the tape 'orders' was played: {FAR}:80"):
            deck.check()
