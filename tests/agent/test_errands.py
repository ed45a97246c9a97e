"""Work for another thread or loop: done once, ended with who asked for it, and waited for."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time

import pytest

from lumos_nb.agent.errands import Errand, LoopErrand, ThreadGuard, ToolInterruptedError
from lumos_nb.agent.loops import LoopThread


async def test_who_is_cancelled_before_the_work_began_goes_at_once_and_it_is_never_done():
    done: list[int] = []
    errand = Errand(lambda: done.append(1))
    task = asyncio.create_task(errand.outcome())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    errand.do()
    assert done == []


async def test_who_is_cancelled_while_the_work_is_done_waits_until_it_has_ended():
    begun, go_on = threading.Event(), threading.Event()
    errand = Errand(lambda: begun.set() or go_on.wait(10))
    threading.Thread(target=errand.do).start()
    task = asyncio.create_task(errand.outcome())
    await asyncio.to_thread(begun.wait, 10)
    task.cancel()
    assert not (await asyncio.wait({task}, timeout=0.05))[0]
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_let_go_waits_no_longer():
    go_on = threading.Event()
    errand = Errand(lambda: go_on.wait(10))
    errand.in_thread()
    await errand.begun.wait()
    task = asyncio.create_task(errand.outcome())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    errand.let_go()
    with pytest.raises(asyncio.CancelledError):
        await task
    go_on.set()


async def test_a_thread_is_interrupted_in_the_function_and_nowhere_else():
    guard, after = ThreadGuard(), []

    def loops() -> None:
        try:
            guard(lambda: [time.sleep(0.001) for _ in range(60_000)])
        finally:
            after.append(sum(range(1000)))

    errand = Errand(loops)
    errand.in_thread(guard.interrupt)
    await errand.begun.wait()
    task = asyncio.create_task(errand.outcome())
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert after == [499500]


async def test_an_interrupt_at_any_step_of_a_thread_still_brings_its_outcome():
    for n in range(300):
        guard = ThreadGuard()
        errand = Errand(lambda guard=guard: guard(lambda: sum(range(200))))
        errand.in_thread(guard.interrupt)
        for _ in range(n % 30):
            pass
        guard.interrupt()
        with contextlib.suppress(ToolInterruptedError):
            assert await asyncio.wait_for(errand.outcome(), 10) == 19900


async def test_a_coroutine_of_another_loop_is_cancelled_there_and_waited_for():
    loop, told = LoopThread("test-loop").loop(), []

    async def naps() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            told.append(asyncio.get_running_loop() is loop)
            await asyncio.sleep(0.01)
            told.append("ended")
            raise

    errand = LoopErrand(naps, loop)
    await errand.begun.wait()
    task = asyncio.create_task(errand.outcome())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert told == [True, "ended"]
