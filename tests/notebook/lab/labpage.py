"""A page of JupyterLab with the extension, as a kernel sees it: a client of its own that opens a link."""

from __future__ import annotations

import itertools
import time
import uuid
from typing import Any

import zmq
from jupyter_client.blocking.client import BlockingKernelClient

from tests.kernels import Kernel


class LabPage:
    """Opens a link to a kernel, and asks."""

    def __init__(self, kernel: Kernel, page: str = "") -> None:
        self.client = BlockingKernelClient(
            context=zmq.Context()
        )  # its own: closing it leaves the kernel's client alone
        self.client.load_connection_info(kernel.manager.get_connection_info())
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)
        self.page = page or uuid.uuid4().hex
        self.comm_id = uuid.uuid4().hex
        self.numbers = itertools.count(1)
        #: What the kernel told, unasked.
        self.news: list[dict[str, Any]] = []
        #: What the kernel asked of this page.
        self.asked: list[dict[str, Any]] = []

    def kernels_comms(self) -> dict[str, Any]:
        """Return what the kernel answers to who looks for it."""
        message = self.client.session.msg("comm_info_request", {"target_name": "lumos_nb"})
        self.client.shell_channel.send(message)
        while True:
            reply = self.client.get_shell_msg(timeout=30)
            if reply["parent_header"].get("msg_id") == message["header"]["msg_id"]:
                return dict(reply["content"]["comms"])

    def open(self) -> LabPage:
        self._send("comm_open", {"target_name": "lumos_nb", "data": {"v": 1, "page": self.page}})
        self.until(lambda data: "v" in data)
        return self

    def leave(self) -> None:
        """Say that the page goes, as a tab does that is closed or reloaded."""
        self._send("comm_close", {"data": {}})

    def close(self) -> None:
        self.leave()
        self.client.stop_channels()
        self.client.context.destroy(linger=200)

    def ask(self, name: str, /, **given: Any) -> Any:
        """Return the answer, or raise `Problem`."""
        data = self.reply(name, **given)
        if "problem" in data:
            raise Problem(data["problem"])
        return data["answer"]

    def reply(self, name: str, /, **given: Any) -> dict[str, Any]:
        number = next(self.numbers)
        self.say({"id": number, "ask": name, "with": given})
        return self.until(lambda data: data.get("id") == number and "ask" not in data)

    def say(self, data: Any) -> None:
        self._send("comm_msg", {"data": data})

    def until(self, done: Any, timeout: float = 30) -> dict[str, Any]:
        """Read messages of the link until one is it, and return that one."""
        deadline = time.monotonic() + timeout
        while True:
            message = self.client.get_iopub_msg(timeout=max(0.01, deadline - time.monotonic()))
            if message["msg_type"] != "comm_msg" or message["content"]["comm_id"] != self.comm_id:
                continue
            data = message["content"]["data"]
            if "news" in data:
                self.news.append(data)
            elif "ask" in data:
                self.asked.append(data)
            if done(data):
                return dict(data)

    def until_changed(self, what: str) -> None:
        """Wait until the kernel tells that this is not as it was."""
        self.until(lambda data: data.get("news") == "changed" and what in data["with"]["what"])

    def _send(self, kind: str, content: dict[str, Any]) -> None:
        self.client.shell_channel.send(self.client.session.msg(kind, {"comm_id": self.comm_id, **content}))


class Problem(Exception):
    """What the kernel could not do."""

    def __init__(self, problem: dict[str, str]) -> None:
        super().__init__(problem["message"])
        self.type, self.hint = problem["type"], problem["hint"]
