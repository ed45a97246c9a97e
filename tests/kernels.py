"""A real kernel: run cells, interrupt them, see what they put out."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ipykernel
from jupyter_client.manager import KernelManager

ROOT = Path(__file__).parents[1]
INSTALLED = ipykernel.__version__
OLDER = (ROOT / "tests" / "kernels.txt").read_text().split()
"""Versions of ipykernel beside the installed one; `make .venv/.kernels` fetches them."""
VERSIONS = [*OLDER, INSTALLED]

SETUP = """
%load_ext lumos_nb
import asyncio, time
import lumos_nb as lumos
from lumos_nb import Agent, tool
from lumos_nb.messages import ToolCall
from lumos_nb.testing import ScriptedProvider
"""


def python_path(version: str) -> str:
    """Return the PYTHONPATH with which a kernel of this version starts."""
    if version == INSTALLED:
        return str(ROOT)
    folder = ROOT / ".venv" / "kernels" / version
    assert folder.is_dir(), f"ipykernel {version} is not there: run `make .venv/.kernels`"
    return os.pathsep.join([str(folder), str(ROOT)])


@dataclass
class Cell:
    """What a cell did."""

    status: str = ""
    error: str = ""
    stdout: str = ""
    outputs: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0

    def ok(self) -> Cell:
        """Return this, once it is sure that it went well."""
        assert self.status == "ok", self.error
        return self

    @property
    def text(self) -> str:
        """All plain text shown, with what was printed."""
        return self.stdout + "\n".join(o.get("text/plain", "") for o in self.outputs)

    @property
    def run(self) -> dict[str, Any]:
        """The document of the run that the cell shows."""
        return next(o["application/vnd.lumos.run+json"] for o in self.outputs if "application/vnd.lumos.run+json" in o)


class Kernel:
    """A kernel with the extension loaded, in a folder of its own."""

    def __init__(self, folder: Path, version: str = INSTALLED, **environment: str) -> None:
        self.folder = folder
        self.version = version
        self.environment = environment
        self.manager = KernelManager(kernel_name="python3")
        self.start()

    def start(self) -> None:
        env = {k: v for k, v in os.environ.items() if not k.endswith("_API_KEY") and not k.startswith("LUMOS_")}
        env |= {"PYTHONPATH": python_path(self.version), "JPY_SESSION_NAME": str(self.folder / "book.ipynb"), "CI": ""}
        self.manager.start_kernel(cwd=str(self.folder), env=env | self.environment)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)
        self.run(SETUP).ok()

    def restart(self) -> None:
        self.close()
        self.manager = KernelManager(kernel_name="python3")
        self.start()

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def send(self, code: str, allow_stdin: bool = False, cell_id: str = "") -> Running:
        return Running(self, code, allow_stdin, cell_id)

    def page(self) -> Page:
        return Page(self)

    def run(self, code: str, timeout: float = 60, cell_id: str = "") -> Cell:
        return self.send(code, cell_id=cell_id).wait(timeout)


class Running:
    """A cell that runs."""

    def __init__(self, kernel: Kernel, code: str, allow_stdin: bool = False, cell_id: str = "") -> None:
        self.kernel = kernel
        self.cell = Cell()
        self.started = time.monotonic()
        self.displays: dict[str, int] = {}
        self.comm: list[dict[str, Any]] = []
        #: Comms that the cell opened, as the page would know them.
        self.comm_ids: list[str] = []
        content = {"code": code.strip("\n"), "silent": False, "store_history": True, "user_expressions": {},
                   "allow_stdin": allow_stdin, "stop_on_error": True}  # fmt: skip
        message = kernel.client.session.msg("execute_request", content, metadata={"cellId": cell_id} if cell_id else {})
        kernel.client.shell_channel.send(message)
        self.id = message["header"]["msg_id"]

    @property
    def acks(self) -> dict[int, str]:
        """What the kernel acknowledged to the page: number of the request, problem."""
        found = [data["content"] for data in self.comm if "ack" in data.get("content", {})]
        return {content["ack"]: content["problem"] for content in found}

    def until(self, done: Any, timeout: float = 60) -> Running:
        """Read messages until `done(self)`."""
        deadline = time.monotonic() + timeout
        while not done(self):
            message = self.kernel.client.get_iopub_msg(timeout=max(0.01, deadline - time.monotonic()))
            if message["parent_header"].get("msg_id") == self.id:
                self._read(message)
        return self

    def until_asked(self) -> Running:
        """Wait until the view shows a question."""
        return self.until(lambda r: any(op[0] == "a" for m in r.comm for op in m.get("content", {}).get("o", [])))

    def wait(self, timeout: float = 60) -> Cell:
        self.until(lambda running: running.cell.seconds > 0, timeout)
        return self.replied(timeout)

    def replied(self, timeout: float = 60) -> Cell:
        """Wait for the reply of the cell."""
        while True:
            reply = self.kernel.client.get_shell_msg(timeout=timeout)
            if reply["parent_header"].get("msg_id") == self.id:
                self.cell.status = reply["content"]["status"]
                return self.cell

    def _read(self, message: dict[str, Any]) -> None:
        kind, content = message["msg_type"], message["content"]
        if kind == "stream":
            self.cell.stdout += content["text"]
        elif kind in {"display_data", "execute_result"}:
            display_id = content.get("transient", {}).get("display_id")
            if display_id:
                self.displays[display_id] = len(self.cell.outputs)
            self.cell.outputs.append(content["data"])
        elif kind == "update_display_data":
            shown = self.displays.get(content["transient"]["display_id"])
            if shown is not None:  # else it is another cell's
                self.cell.outputs[shown] = content["data"]
        elif kind == "error":
            self.cell.error = "\n".join(content["traceback"])
        elif kind == "comm_open":
            self.comm_ids.append(content["comm_id"])
        elif kind == "comm_msg":
            self.comm.append(content["data"])
        elif kind == "status" and content["execution_state"] == "idle":
            self.cell.seconds = time.monotonic() - self.started


class Page:
    """Sends what a page sends: messages of comms, with the id of a subshell or without."""

    def __init__(self, kernel: Kernel) -> None:
        self.client = kernel.client
        self.subshell_id: str | None = None

    def make_subshell(self) -> None:
        """Speak through a subshell from now on, as JupyterLab does on kernels that have them."""
        message = self.client.session.msg("create_subshell_request", {})
        self.client.control_channel.send(message)
        reply = self.client.get_control_msg(timeout=20)
        self.subshell_id = reply["content"]["subshell_id"]

    def say(self, comm_id: str, content: dict[str, Any]) -> None:
        """Send a custom message of a widget."""
        self.send("comm_msg", {"comm_id": comm_id, "data": {"method": "custom", "content": content}})

    def ask(self, running: Running, comm_id: str, n: int, **action: str) -> str:
        """Ask for something, as the view's buttons do, and return the problem that the kernel sees in it."""
        while True:
            self.say(comm_id, {**action, "n": n})
            running.until(lambda r: n in r.acks, timeout=20)
            if (problem := running.acks[n]) != "No call waits for this answer.":
                return problem
            running.comm.clear()  # we were quicker than the run, as no person is

    def send(self, kind: str, content: dict[str, Any], **metadata: Any) -> str:
        """Send a message of any kind over the shell channel and return its id."""
        message = self.client.session.msg(kind, content, metadata=metadata)
        if self.subshell_id is not None:
            message["header"]["subshell_id"] = self.subshell_id
        self.client.shell_channel.send(message)
        return str(message["header"]["msg_id"])
