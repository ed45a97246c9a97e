"""Clicks that arrive while the cell is busy.

One idea: what a page says to the view of a run must not wait behind the cell in the kernel's queue. While
the view is open, its messages are taken out where the kernel reads them from the wire; everything else goes
on as it came, in its order. From ipykernel 7 on a thread of its own reads the wire, so that a click arrives
while a tool blocks the notebook. Before, the main thread reads: it does so while the cell is awaited, and
where it is blocked it must be told to (`poll`). All of it is probed; where a part is missing, clicks take
the kernel's own way.
"""

from __future__ import annotations

import inspect
import logging
import threading
from typing import Any
from weakref import WeakKeyDictionary

CONTROL = "jupyter.widget.control"
"""Target of the comm by which a page that was reloaded asks what widgets there are."""

LAB = "lumos_nb"
"""Target of the comm that a page of JupyterLab opens."""

APART = "read by a thread of the kernel"
POLLED = "read by the main thread while no tool blocks it"

_log = logging.getLogger(__name__)
_readers: WeakKeyDictionary[Any, _Reader] = WeakKeyDictionary()


def route_clicks(comm: Any) -> bool:
    """Let the messages of this comm arrive while a cell runs, until `release_clicks`.

    Call it on the cell's own thread.

    Returns:
        Whether the kernel lets us.

    Example:
        >>> route_clicks(object())
        False
    """
    kernel = getattr(comm, "kernel", None)
    try:
        reader = _readers.get(kernel) or _Reader(kernel)
        _readers[kernel] = reader
        reader.add(comm.comm_id)
    except Exception:  # parts of another package: any of them may be missing or have moved
        _log.info("clicks take the kernel's own way", exc_info=True)
        return False
    return True


def release_clicks(comm: Any) -> None:
    """End what `route_clicks` began; the kernel is as it was when the last comm is released."""
    kernel = getattr(comm, "kernel", None)
    reader = _readers.get(kernel) if kernel is not None else None
    if reader is not None:
        reader.drop(comm.comm_id)


def poll_clicks() -> bool:
    """Read what waits on the wire, if this is the thread that the kernel reads with and blocks.

    Returns:
        Whether to call it again soon: there are views whose clicks would wait otherwise.
    """
    readers = [reader for reader in list(_readers.values()) if reader.must_poll]
    for reader in readers:
        reader.poll()
    return bool(readers)


def route_of(kernel: Any) -> str:
    """Return how clicks reach this kernel's views while a cell runs, as far as was seen.

    Example:
        >>> route_of(None)
        ''
    """
    reader = _readers.get(kernel) if kernel is not None else None
    return reader.route if reader is not None else ""


class _Reader:
    """Stands where one kernel reads its shell channel, while views are open."""

    def __init__(self, kernel: Any) -> None:
        self._kernel = kernel
        self._stream = kernel.shell_stream
        self._thread = getattr(kernel, "shell_channel_thread", None) or threading.main_thread()
        self._is_apart = self._thread is not threading.main_thread()
        self._comms: set[str] = set()
        self._controls: set[str] = set()
        self._usual: Any = None
        self._stands = False
        self.route = ""
        for part in ("on_recv", "_recv_callback", "io_loop", "socket"):
            getattr(self._stream, part)
        for part in ("session", "shell_handlers", "comm_manager"):
            getattr(kernel, part)

    @property
    def must_poll(self) -> bool:
        """Whether clicks wait for this very thread, and it is the one that reads them."""
        return bool(self._comms) and not self._is_apart and threading.current_thread() is self._thread

    def add(self, comm_id: str) -> None:
        self._comms.add(comm_id)
        self._on_thread(self._settle)

    def drop(self, comm_id: str) -> None:
        self._comms.discard(comm_id)
        self._on_thread(self._settle)

    def _on_thread(self, fn: Any) -> None:
        if threading.current_thread() is self._thread:
            fn()
        else:
            self._stream.io_loop.add_callback(fn)

    def _settle(self) -> None:
        """Stand there or go, as there are views or none. Who came after us stays: then we stay, and pass all on."""
        if self._comms and not self._stands:
            self._usual = self._stream._recv_callback
            self._stream.on_recv(self._take, copy=False)
            self._stands = True
        elif self._stands and not self._comms and self._stream._recv_callback == self._take:
            self._stream.on_recv(self._usual, copy=False)
            self._stands = False
            self._controls.clear()

    def poll(self) -> None:
        import zmq  # not there in a terminal without a kernel

        while True:
            try:
                frames = self._stream.socket.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.ZMQError:  # nothing more waits
                self._stream.flush(zmq.POLLOUT)
                return
            going_on = self._take(frames)
            if inspect.isawaitable(going_on):
                self._stream.io_loop.add_callback(lambda waiting=going_on: waiting)

    def _take(self, frames: Any) -> Any:
        """Handle a message that is for a view of ours; hand on all others as the kernel would have got them."""
        try:
            is_ours = self._is_ours(frames)
        except Exception:  # not for us to judge: the kernel has its own words for a message it cannot read
            is_ours = False
        if not is_ours:
            return self._usual(frames)
        try:
            self._handle(frames)
        except Exception:
            _log.exception("a message of the page could not be handled")
        return None

    def _is_ours(self, frames: Any) -> bool:
        session = self._kernel.session
        _, parts = session.feed_identities(frames, copy=False)
        message = session.deserialize(parts, content=False, copy=False)
        kind = message["header"]["msg_type"]
        if kind == "comm_info_request":
            return True
        if kind not in {"comm_open", "comm_msg", "comm_close"}:
            return False
        content = session.unpack(message["content"])
        if kind == "comm_close":  # a tab that was closed is not asked meanwhile; widgets end as they do in any kernel
            comm = self._kernel.comm_manager.comms.get(content.get("comm_id"))
            return comm is not None and comm.target_name == LAB
        if kind == "comm_open":
            if content.get("target_name") == CONTROL:
                self._controls.add(content["comm_id"])
            return content.get("target_name") in {CONTROL, LAB}
        comm_id = content.get("comm_id")
        return comm_id in self._comms | self._controls and comm_id in self._kernel.comm_manager.comms

    def _handle(self, frames: Any) -> None:
        kernel = self._kernel
        identities, parts = kernel.session.feed_identities(frames, copy=False)
        message = kernel.session.deserialize(parts, content=True, copy=False)
        kind = message["header"]["msg_type"]
        if kind == "comm_msg":
            self.route = APART if self._is_apart else POLLED
            comm = kernel.comm_manager.comms[message["content"]["comm_id"]]
            # `comm.handle_msg` tells the shell that a cell begins and ends, which shows half-drawn figures.
            (getattr(comm, "_msg_callback", None) or comm.handle_msg)(message)
            return
        answer = kernel.shell_handlers[kind](self._stream, identities, message)
        if kind == "comm_info_request":
            self._finish(answer)
            for state in ("busy", "idle"):  # a request is over for the page when it has heard both
                kernel._publish_status(state, "shell", parent=message)

    @staticmethod
    def _finish(answer: Any) -> None:
        """Run a coroutine that waits for nothing: there may be no loop that is free to run it."""
        if inspect.iscoroutine(answer):
            try:
                answer.send(None)
            except StopIteration:
                return
            answer.close()
            raise RuntimeError("the kernel's answer waits for something")
