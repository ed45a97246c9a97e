"""One tape, played in every pace, in every cut, and on bad days."""

import asyncio
import threading
import time

import pytest

from lumos_nb import clock
from lumos_nb.errors import ProviderError, RateLimitError, StreamError, UsageError
from lumos_nb.providers import ModelOptions
from lumos_nb.tapes import Deck, Fault, Playing


def deck_of(recorded, **how):
    return Deck(recorded.path, "replay-strict", playing=Playing(**how))


def said(result):
    return [(s.text, s.tool_calls, [r.content for r in s.tool_results], s.usage) for s in result.steps], result.response


@pytest.mark.parametrize("rechunk", ["recorded", "bytes", "whole", "random:1", "random:2"])
async def test_the_same_bytes_in_other_pieces_give_the_same_run(recorded, rechunk):
    live = await recorded.record()
    deck = deck_of(recorded, rechunk=rechunk)
    assert said(await recorded(deck)) == said(live)
    deck.check()


async def test_a_virtual_clock_shows_the_recorded_times_and_takes_none(recorded, tmp_path):
    await recorded.record()
    began = time.monotonic()
    # As if the model had taken a quarter of an hour for each answer.
    recorded.path.write_bytes(recorded.path.read_bytes().replace(b'"t":0.', b'"t":1000.'))
    with clock.using(clock.VirtualClock(1_000_000.0)):
        result = await recorded(deck_of(recorded, time="virtual"))
    assert result.duration_s > 2000 and all(step.duration_s > 1000 for step in result.steps)
    assert time.monotonic() - began < 60


async def test_two_virtual_waits_end_in_the_order_of_their_times():
    order = []

    async def wait(name, seconds):
        await clock.sleep(seconds)
        order.append((name, clock.time()))

    with clock.using(clock.VirtualClock(0.0)):
        await asyncio.gather(wait("c", 3), wait("a", 1), wait("b", 2))
    assert order == [("a", 1.0), ("b", 2.0), ("c", 3.0)]


async def test_a_factor_plays_faster_than_recorded(recorded):
    await recorded.record()
    result = await recorded(deck_of(recorded, time="1000"))
    assert result.response.startswith("It is $42.10")


async def test_a_refusal_and_then_success_needs_no_new_recording(recorded, quick):
    await recorded.record()
    deck = deck_of(recorded, faults=(Fault(how="refuse", status=429, retry_after_s=20.0),))
    result = await recorded(deck)
    assert result.steps[0].attempt == 2 and result.steps[1].attempt == 1
    assert result.response.startswith("It is $42.10")
    deck.check()


async def test_a_server_that_stays_away_ends_the_run_after_its_tries(recorded, quick):
    await recorded.record()
    with pytest.raises(ProviderError, match="could not be reached"):
        await recorded(deck_of(recorded, faults=(Fault(how="unreachable", times=9),)))
    with pytest.raises(RateLimitError):
        await recorded(deck_of(recorded, faults=(Fault(how="refuse", times=9),)))


@pytest.mark.parametrize("how", ["reset", "stall", "malformed"])
async def test_a_stream_that_breaks_is_a_stream_error(recorded, quick, how):
    await recorded.record()
    with pytest.raises(StreamError):
        await recorded(deck_of(recorded, faults=(Fault(how=how, request=1, after_chunk=3),)))


async def test_a_broken_answer_is_asked_for_again_where_that_is_wished(recorded, quick):
    live = await recorded.record()
    deck = deck_of(recorded)
    deck.play(faults=(Fault(how="reset", request=0, after_chunk=3),))
    again = ModelOptions(retry_broken=True)
    result = await recorded(deck, model_options=again)
    assert (result.response, result.steps[0].attempt) == (live.response, 2)
    deck.check()


async def test_a_fault_does_not_make_its_request_one_that_was_never_made(recorded, quick):
    await recorded.record()
    deck = deck_of(recorded, faults=(Fault(how="reset", request=1, after_chunk=3),))
    with pytest.raises(StreamError):
        await recorded(deck)
    deck.check()


def test_a_way_of_playing_that_there_is_not_is_named():
    with pytest.raises(UsageError, match="rechunk cannot be 'byte'"):
        Playing(rechunk="byte")
    with pytest.raises(UsageError, match="time cannot be 'fast'"):
        Playing(time="fast")


async def test_a_virtual_wait_ends_also_if_an_earlier_one_is_on_a_loop_that_stands_still():
    began, may_go = threading.Event(), threading.Event()

    async def earlier():
        wait = asyncio.ensure_future(clock.sleep(1))
        await asyncio.sleep(0)
        began.set()
        may_go.wait(60)  # its loop stands still, as a kernel's does while a cell waits for an agent
        await wait

    with clock.using(clock.VirtualClock(0.0)):
        thread = threading.Thread(target=lambda: asyncio.run(earlier()))
        thread.start()
        began.wait()
        await clock.sleep(2)
        assert clock.time() == 2.0
        may_go.set()
        thread.join()
