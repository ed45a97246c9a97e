"""How many requests are under way at once to one server: over real sockets, loops and threads."""

import asyncio
import threading
from contextlib import aclosing, asynccontextmanager

import pytest

from lumos_nb import settings
from lumos_nb.errors import OverloadedError
from lumos_nb.messages import Message
from lumos_nb.providers import gate, llm
from lumos_nb.providers.base import Watch
from lumos_nb.testing import Answer, FakeServer, Reply
from lumos_nb.transport.httpx_transport import HttpxTransport

ASK = [Message(role="user", content="Hello")]
HERE = "http://here:1/v1"


class Counting(HttpxTransport):
    """The everyday transport, which also counts how many exchanges are under way."""

    def __init__(self):
        super().__init__()
        self.now = self.most = 0
        self.counting = threading.Lock()

    @asynccontextmanager
    async def open(self, request):
        with self.counting:
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            async with super().open(request) as response:
                yield response
        finally:
            with self.counting:
                self.now -= 1


def model(server, transport, **options):
    return llm("mine/m", base_url=server.base_url, transport=transport, **options)


async def hold(name, order, release, server=HERE):
    async with gate.turn(server, lambda told: told.get("kind") or order.append(f"{name} waits")):
        order.append(name)
        await release.wait()


async def started(tasks):
    for _ in range(5):
        await asyncio.sleep(0)
    return [t for t in tasks if not t.done()]


@pytest.fixture(autouse=True)
def nothing_is_left():
    yield
    assert gate._gates == {}


async def test_no_more_requests_than_allowed_are_under_way():
    settings.configure(max_in_flight=3)
    transport = Counting()
    with FakeServer([Answer(text="a b c", delay_s=0.005)]) as server:
        answers = await asyncio.gather(*(model(server, transport).generate(ASK) for _ in range(12)))
        await transport.aclose()
    assert [a.text for a in answers] == ["a b c"] * 12
    assert transport.most == 3


async def test_without_a_limit_all_are_under_way_at_once():
    transport = Counting()
    with FakeServer([Reply(first_byte_delay_s=0.1)]) as server:
        await asyncio.gather(*(model(server, transport).generate(ASK) for _ in range(12)))
        await transport.aclose()
    assert transport.most == 12


def test_the_limit_holds_over_threads_and_their_event_loops():
    settings.configure(max_in_flight=2)
    transport, texts = Counting(), []

    async def several(server):
        answers = await asyncio.gather(*(model(server, transport).generate(ASK) for _ in range(4)))
        texts.extend(a.text for a in answers)
        await transport.aclose()

    with FakeServer([Answer(text="a b", delay_s=0.005)]) as server:
        threads = [threading.Thread(target=lambda: asyncio.run(several(server))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    settings.reset()
    assert texts == ["a b"] * 16
    assert transport.most == 2


async def test_who_has_to_wait_is_told_when_it_begins_and_ends_and_who_has_not_is_told_nothing():
    settings.configure(max_in_flight=1)
    told = {1: [], 2: []}
    transport = Counting()

    async def ask(n, server):
        async for _ in model(server, transport).generate_batches(ASK, watch=Watch(on_wait=told[n].append)):
            pass

    with FakeServer([Answer(text="a b", delay_s=0.01)]) as server:
        await asyncio.gather(ask(1, server), ask(2, server))
        await transport.aclose()
        address = server.base_url.removesuffix("/v1")
    place = {"server": address, "max_in_flight": 1}
    waiting, over = told[2]
    assert told[1] == [] and waiting == {"state": "waiting for a free request", **place}
    assert over.pop("wait_s") > 0
    assert over == {"kind": "queued", "state": "waiting for the first token", **place}


async def test_first_come_is_first_served():
    settings.configure(max_in_flight=1)
    order, release = [], asyncio.Event()
    release.set()
    first = asyncio.Event()
    tasks = [asyncio.create_task(hold("a", order, first))]
    await started(tasks)
    tasks += [asyncio.create_task(hold(name, order, release)) for name in "bcd"]
    await started(tasks)
    first.set()
    # Comes when a place is free for a moment, and is not served before those who wait.
    tasks.append(asyncio.create_task(hold("e", order, release)))
    await asyncio.gather(*tasks)
    assert [o for o in order if "waits" not in o] == list("abcde")


async def test_a_server_does_not_wait_for_another_one():
    settings.configure(max_in_flight=1)
    order, release = [], asyncio.Event()
    tasks = [asyncio.create_task(hold("a", order, release, HERE))]
    tasks += [asyncio.create_task(hold("b", order, release, "http://there:1/v1"))]
    tasks += [asyncio.create_task(hold("c", order, release, "http://u:p@HERE:1/other?x=1"))]
    await started(tasks)
    assert order == ["a", "b", "c waits"]
    release.set()
    await asyncio.gather(*tasks)


@pytest.mark.parametrize("when", ["waiting", "just handed a place", "at work"])
async def test_cancelling_gives_the_place_to_the_next(when):
    settings.configure(max_in_flight=1)
    order, release, open_ = [], asyncio.Event(), asyncio.Event()
    open_.set()
    first = asyncio.create_task(hold("a", order, release))
    await started([first])
    second = asyncio.create_task(hold("b", order, release))
    third = asyncio.create_task(hold("c", order, open_))
    await started([second, third])
    if when == "at work":
        first.cancel()
        await started([first])
        assert order[-1] == "b"
        second.cancel()
    elif when == "just handed a place":
        release.set()
        while not first.done():
            await asyncio.sleep(0)
        second.cancel()
    else:
        second.cancel()
        await started([second])
        release.set()
    await asyncio.wait_for(third, 5)
    await asyncio.gather(first, second, return_exceptions=True)
    assert order[-1] == "c"


async def test_an_error_gives_the_place_back():
    settings.configure(max_in_flight=1, max_retries=0)
    transport = Counting()
    with FakeServer([Reply(status=503), "Hello"]) as server:
        with pytest.raises(OverloadedError):
            await model(server, transport).generate(ASK)
        assert (await model(server, transport).generate(ASK)).text == "Hello"
        await transport.aclose()


async def test_a_listener_that_fails_leaves_no_one_in_the_queue():
    settings.configure(max_in_flight=1)
    release = asyncio.Event()
    first = asyncio.create_task(hold("a", [], release))
    await started([first])
    with pytest.raises(ZeroDivisionError):
        async with gate.turn(HERE, lambda told: 1 / 0):
            raise AssertionError("it had no place")
    release.set()
    await first


async def test_a_stream_that_is_left_gives_its_place_back():
    settings.configure(max_in_flight=1)
    transport = Counting()
    with FakeServer([Answer(chunks=["x "] * 1000, delay_s=0.01), "Hello"]) as server:
        async with aclosing(model(server, transport).generate_stream(ASK)) as events:
            async for _ in events:
                break
        assert (await model(server, transport).generate(ASK)).text == "Hello"
        await transport.aclose()


async def test_who_waits_before_a_further_try_holds_no_place(monkeypatch):
    settings.configure(max_in_flight=1)
    monkeypatch.setattr("random.uniform", lambda a, b: 0.5)
    transport = Counting()
    with FakeServer([Reply(status=429, headers={"retry-after-ms": "400"}), "second", "third"]) as server:
        patient = asyncio.create_task(model(server, transport).generate(ASK))
        while not server.requests or not server.requests[0].done.is_set() or transport.now:
            await asyncio.sleep(0.005)
        other = await asyncio.wait_for(model(server, transport).generate(ASK), 5)
        assert not patient.done() and other.text == "second"
        assert (await patient).text == "third"
        await transport.aclose()


def test_a_loop_that_is_gone_gets_no_place():
    settings.configure(max_in_flight=1)
    order, loop = [], asyncio.new_event_loop()

    async def main():
        release = asyncio.Event()
        first = asyncio.create_task(hold("a", order, release))
        await started([first])
        dead = gate._gates["http://here:1"].enter(1)
        dead.loop = loop
        last = asyncio.create_task(hold("c", order, release))
        await started([last])
        release.set()
        await asyncio.gather(first, last)
        assert not dead.has_place

    loop.close()
    asyncio.run(main())
    settings.reset()
    assert order == ["a", "c waits", "c"]


async def test_a_limit_that_is_lifted_lets_all_go_at_the_next_end():
    settings.configure(max_in_flight=1)
    order, first, release = [], asyncio.Event(), asyncio.Event()
    tasks = [asyncio.create_task(hold("a", order, first))]
    await started(tasks)
    tasks += [asyncio.create_task(hold(name, order, release)) for name in "bc"]
    await started(tasks)
    settings.configure(max_in_flight=0)
    first.set()
    await started(tasks)
    assert order[-2:] == ["b", "c"]
    release.set()
    await asyncio.gather(*tasks)
