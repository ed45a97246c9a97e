"""Waiting for what a kernel was asked: its reply, and the end of its output.

One idea: nothing is waited for without an end, and what did not come is said.
"""

from __future__ import annotations

import time
from typing import Any, Protocol

import msgspec

TURN_MS = 250
"""How often it is seen whether the kernel lives, and whether the time is up."""
OUTPUT_S = 10.0
"""How long the end of a cell's output may keep everybody waiting after its reply."""
GRACE_S = 5.0
"""How long a cell that is interrupted may take to end."""


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """How a cell ended."""

    #: The reply; empty where none came.
    reply: dict[str, Any]
    #: What ended it from outside: a time-out, a kernel that died.
    fault: str = ""
    #: Whether the kernel is gone.
    is_gone: bool = False
    duration_s: float = 0.0


class Kernel(Protocol):
    """What is waited for."""

    client: Any

    def take(self, message: dict[str, Any]) -> str:
        """Take a message of the output, and return the request that ended with it, or nothing."""

    def is_alive(self) -> bool:
        """Whether its process runs."""

    def died(self) -> str:
        """Return the words for a kernel that is gone."""

    def interrupt(self) -> None:
        """Interrupt what runs."""

    def stop(self, *, now: bool = False) -> None:
        """End it."""


class Waiting:
    """Waits for the two ends of a request, and does what is due if they do not come."""

    def __init__(self, kernel: Kernel, request: str, timeout_s: float) -> None:
        self._kernel, self._request, self._timeout_s = kernel, request, timeout_s
        self._began = time.perf_counter()
        self._until = self._began + timeout_s
        self._reply: dict[str, Any] | None = None
        self._has_output = self._is_late = False

    def wait(self) -> Ran:
        """Wait, and return how it ended."""
        import zmq

        client = self._kernel.client
        poller = zmq.Poller()
        for channel in (client.shell_channel, client.iopub_channel):
            poller.register(channel.socket, zmq.POLLIN)
        while self._reply is None or not self._has_output:
            if not poller.poll(TURN_MS):
                if fault := self._due():
                    return self._ran(fault)
                continue
            self._read(client)
            if time.perf_counter() > self._until and (fault := self._due()):
                return self._ran(fault)
        return self._ran(self._late() if self._is_late else "")

    def _read(self, client: Any) -> None:
        while client.iopub_channel.msg_ready():
            if self._kernel.take(client.get_iopub_msg(timeout=0)) == self._request:
                self._has_output = True
        while client.shell_channel.msg_ready():
            message = client.get_shell_msg(timeout=0)
            if message["parent_header"].get("msg_id") == self._request:
                self._reply = message["content"]
                if not self._has_output:
                    self._until = time.perf_counter() + OUTPUT_S

    def _due(self) -> str:
        """Return why there is nothing more to wait for, or nothing; interrupt it when its time is up."""
        if not self._kernel.is_alive():
            return self._kernel.died()
        if time.perf_counter() <= self._until:
            return ""
        if self._reply is not None:
            return f"The end of its output did not come within {OUTPUT_S:g} s: some of it is lost."
        if self._is_late:
            self._kernel.stop(now=True)
            return f"{self._late()} It did not hear the interrupt, so the kernel was killed."
        self._is_late, self._until = True, time.perf_counter() + GRACE_S
        self._kernel.interrupt()
        return ""

    def _late(self) -> str:
        return f"It did not end within {self._timeout_s:g} s."

    def _ran(self, fault: str) -> Ran:
        gone = not self._kernel.is_alive()
        duration_s = time.perf_counter() - self._began
        return Ran(reply=self._reply or {}, fault=fault, is_gone=gone, duration_s=duration_s)
