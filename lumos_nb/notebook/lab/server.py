"""The comms with the pages: takes requests, hands them to rooms, sends answers and news.

One idea: whatever a page asks is answered by a worker thread, so that neither the kernel's cells nor the
wire wait for it. Messages of pages are taken off the wire as clicks are (`widgets/clicks.py`): they
arrive while a cell runs.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from typing import Any, TypeVar

import msgspec

from lumos_nb.errors import LumosError, UsageError
from lumos_nb.hiding.known import masked
from lumos_nb.notebook.lab.protocol import PROTOCOL_VERSION, TARGET, News, PageAsk, Problem, requests_of
from lumos_nb.notebook.lab.room import Room
from lumos_nb.notebook.lab.rooms import ROOMS
from lumos_nb.notebook.lab.status import CHANGED, Changed
from lumos_nb.runtime import Runtime
from lumos_nb.widgets.clicks import release_clicks, route_clicks

N_WORKERS = 4
TELL_EVERY_S = 0.2
"""Least time between two messages that something changed."""

logger = logging.getLogger("lumos_nb")
T = TypeVar("T")
A = TypeVar("A")


class LabServer:
    """The kernel's end of the links to all pages.

    Args:
        shell: The kernel's shell.
        runtime: What its cells share.
    """

    def __init__(self, shell: Any, runtime: Runtime) -> None:
        self.shell, self.runtime = shell, runtime
        self.rooms: dict[type[Room], Room] = {room: room(self) for room in ROOMS}
        self._requests = {
            r.name: (getattr(room, r.method), r) for kind, room in self.rooms.items() for r in requests_of(kind)
        }
        self._pages: dict[str, Any] = {}
        #: Pages that did not answer in time, until they are heard again: their tabs sleep, or are gone.
        self.silent: set[str] = set()
        self._asked: dict[str, tuple[Future[Any], PageAsk[Any, Any], str]] = {}
        self._numbers = count(1)
        self._lock = threading.Lock()
        self._workers = ThreadPoolExecutor(N_WORKERS, thread_name_prefix="lumos-lab")
        self._changed: set[str] = set()
        self._timer: threading.Timer | None = None
        self._beacon: Any = None
        self._manager: Any = None

    # ---- coming and going -------------------------------------------------------------

    def open(self) -> None:
        """Let pages find this kernel, and open links to it."""
        from comm import create_comm, get_comm_manager

        self._manager = get_comm_manager()
        self._manager.register_target(TARGET, self._on_open)
        # A page looks whether there is a comm of this target. Not announced: other front ends know no such target.
        self._beacon = create_comm(target_name=TARGET, primary=False)
        self._manager.register_comm(self._beacon)
        self._beacon.kernel = self.shell.kernel  # which it would learn when it first speaks
        route_clicks(self._beacon)  # a page may look while the first agent's cell runs, as in Run All
        self.runtime.on_change = self.tell_changed

    def close(self) -> None:
        """End all links; pages find this kernel no more."""
        self.runtime.on_change = lambda what: None
        if self._manager is not None:
            self._manager.unregister_target(TARGET, self._on_open)
            self._manager.unregister_comm(self._beacon)
            release_clicks(self._beacon)
        for page in list(self._pages):
            self._drop(page, closes=True)
        for room in self.rooms.values():
            room.close()
        self._workers.shutdown(wait=False, cancel_futures=True)

    def _on_open(self, comm: Any, message: Any) -> None:
        data = message["content"].get("data") or {}
        page = str(data.get("page") or comm.comm_id)
        if (before := self._pages.get(page)) is not None:  # the tab was reloaded, and could not say that it goes
            self._drop(page)
            self._manager.unregister_comm(before)
        self._pages[page] = comm
        comm.on_msg(lambda heard: self._on_message(page, heard["content"].get("data")))
        comm.on_close(lambda _: self._drop(page) if self._pages.get(page) is comm else None)
        route_clicks(comm)
        self._send(comm, {"v": PROTOCOL_VERSION})

    def _drop(self, page: str, *, closes: bool = False) -> None:
        comm = self._pages.pop(page, None)
        if comm is None:
            return
        release_clicks(comm)
        comm.on_msg(None)
        if closes:
            comm.close()
        with self._lock:
            lost = [n for n, (_, _, of) in self._asked.items() if of == page]
            futures = [self._asked.pop(n)[0] for n in lost]
        for future in futures:
            future.set_exception(UsageError("The page that was asked has gone."))

    # ---- requests of pages ------------------------------------------------------------

    def _on_message(self, page: str, data: Any) -> None:
        """Take a message; what nobody can have sent in earnest is logged. On the thread that reads the wire."""
        self.silent.discard(page)
        match data:
            case {"id": int() as id, "ask": str() as name}:
                self._workers.submit(self._answer, page, id, name, data.get("with") or {})
            case {"id": str() as number, "answer": answer}:
                self._workers.submit(self._hear, number, answer, None)
            case {"id": str() as number, "problem": {"message": str() as message}}:
                self._workers.submit(self._hear, number, None, message)
            case _:
                logger.warning("refused a message of a page that is neither a request nor an answer")

    def _answer(self, page: str, id: int, name: str, given: Any) -> None:
        try:
            answer = {"id": id, "answer": self._called(name, given)}
        except LumosError as error:
            problem = Problem(type=type(error).__name__, message=masked(error.message), hint=masked(error.hint or ""))
            answer = {"id": id, "problem": msgspec.to_builtins(problem)}
        except Exception as error:
            logger.exception("The request %r of a page failed.", name)
            problem = Problem(
                type=type(error).__name__, message=masked(f"The kernel could not do this: {error}"),
                hint="The kernel's log says more.",
            )  # fmt: skip
            answer = {"id": id, "problem": msgspec.to_builtins(problem)}
        comm = self._pages.get(page)
        if comm is not None:
            self._send(comm, answer)

    def _called(self, name: str, given: Any) -> Any:
        if name not in self._requests:
            raise UsageError(
                f"This kernel's lumos_nb does not know {name!r}.",
                hint="Its version is older than the extension's: update it, and restart the kernel.",
            )
        method, request = self._requests[name]
        try:
            told = msgspec.convert(given, request.given)
        except msgspec.ValidationError as error:
            raise UsageError(f"{name}: {error}") from None
        takes_none = request.given.__name__ == "Nothing" if isinstance(request.given, type) else False
        answer = method() if takes_none else method(told)
        return msgspec.to_builtins(answer) if answer is not None else {}

    # ---- to pages ---------------------------------------------------------------------

    @property
    def pages(self) -> list[str]:
        """The pages that have a link, the newest last."""
        return list(self._pages)

    def ask(self, page: str, what: PageAsk[T, A], given: T) -> Future[A]:
        """Ask a page; the answer comes into the future, as does what the page could not do (a `UsageError`)."""
        number, future = f"k{next(self._numbers)}", Future[A]()
        comm = self._pages.get(page)
        if comm is None:
            future.set_exception(UsageError("The page that was asked has gone."))
            return future
        with self._lock:
            self._asked[number] = future, what, page
        self._send(comm, {"id": number, "ask": what.name, "with": msgspec.to_builtins(given)})
        return future

    def _hear(self, number: str, answer: Any, problem: str | None) -> None:
        with self._lock:
            future, what, _ = self._asked.pop(number, (None, None, ""))
        if future is None or what is None:
            return
        try:
            if problem is not None:
                raise UsageError(problem)
            future.set_result(msgspec.convert(answer, what.answer))
        except (msgspec.ValidationError, UsageError) as error:
            future.set_exception(error)

    def tell(self, news: News[T], given: T, pages: Iterable[str] | None = None) -> None:
        """Tell these pages, or all. Any thread may call it."""
        message = {"news": news.name, "with": msgspec.to_builtins(given)}
        for page in list(self._pages) if pages is None else pages:
            if (comm := self._pages.get(page)) is not None:
                self._send(comm, message)

    def tell_changed(self, *what: str) -> None:
        """Tell all pages soon that something is not as it was. Any thread may call it, at any rate."""
        if not self._pages:
            return
        with self._lock:
            self._changed.update(what)
            if self._timer is not None:
                return
            self._timer = threading.Timer(TELL_EVERY_S, self._tell_what_changed)
            self._timer.daemon = True
            self._timer.start()

    def _tell_what_changed(self) -> None:
        with self._lock:
            changed, self._changed, self._timer = sorted(self._changed), set(), None
        self.tell(CHANGED, Changed(changed))

    def _send(self, comm: Any, message: dict[str, Any]) -> None:
        try:
            comm.send(message)
        except Exception:  # a page is a subscriber: its loss must cost nothing
            logger.warning("a page could not be told", exc_info=True)
