"""Store calls from async code: one worker thread for each store.

One idea: an event loop never waits for a disk. The single thread keeps the order in which the
calls were made, and ends its work before the interpreter exits.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from lumos_nb.stores import Store

T = TypeVar("T")

_lock = threading.Lock()
_workers: WeakKeyDictionary[Store, ThreadPoolExecutor] = WeakKeyDictionary()


def submit(store: Store, call: Callable[..., T], *args: Any) -> Future[T]:
    """Start `call(*args)` in the store's thread, behind what was started there before."""
    with _lock:
        worker = _workers.get(store)
        if worker is None:
            worker = _workers[store] = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lumos-store")
    return worker.submit(call, *args)


async def in_worker(store: Store, call: Callable[..., T], *args: Any) -> T:
    """Return `call(*args)`, done in the store's thread.

    A cancelled caller stops waiting; the call itself is done all the same, so that what a
    cancelled run did is still recorded.
    """
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()

    def work() -> None:
        try:
            value = call(*args)
        except BaseException as error:
            _tell(loop, _fail, outcome, error)
        else:
            _tell(loop, _set, outcome, value)

    submit(store, work)
    return await outcome


def _tell(loop: asyncio.AbstractEventLoop, how: Callable[..., None], outcome: asyncio.Future[T], what: Any) -> None:
    with contextlib.suppress(RuntimeError):  # the loop was closed: nobody waits
        loop.call_soon_threadsafe(how, outcome, what)


def _set(outcome: asyncio.Future[T], value: T) -> None:
    if not outcome.done():  # a cancelled caller
        outcome.set_result(value)


def _fail(outcome: asyncio.Future[T], error: BaseException) -> None:
    if not outcome.done():
        outcome.set_exception(error)


def _after_fork() -> None:
    global _lock, _workers
    _lock, _workers = threading.Lock(), WeakKeyDictionary()  # the parent's threads are not here


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
