"""One kernel that runs the cells of one notebook, one after the other, and loses no output on the way.

One idea: a cell has run when both its reply and the end of its output are here. What comes between is put into
the notebook as any runner does it; what does not come is a failure, never a silence.
"""

from __future__ import annotations

import tempfile
from typing import Any

from lumos_nb.errors import LumosError, MissingDependencyError, nearest
from lumos_nb.testing.runner.books import Book
from lumos_nb.testing.runner.waiting import GRACE_S, Ran, Waiting

START_S = 60.0


class KernelFailed(LumosError):
    """The kernel of a notebook did not start, or is gone."""


class NotebookKernel:
    """A kernel for one notebook.

    Args:
        book: The notebook; the cells of its node get their outputs.
        name: Name of the kernel; empty: what the notebook names.
        environment: Its environment variables, all of them.
    """

    def __init__(self, book: Book, *, name: str, environment: dict[str, str]) -> None:
        self._book, self._environment = book, environment
        self._name = name or _kernel_of(book)
        self._cells: dict[str, int] = {}
        self._shown: list[dict[str, Any]] = []
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  closed with the kernel
        self._manager: Any = None
        self._outputs: Any = None
        self.client: Any = None

    def start(self) -> None:
        """Start it, and wait until it answers.

        Raises:
            KernelFailed: There is no such kernel, or it does not answer.
        """
        from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
        from jupyter_client.manager import KernelManager

        try:
            KernelSpecManager().get_kernel_spec(self._name)  # its own manager would print a traceback
        except NoSuchKernel:
            raise KernelFailed(self._no_such(), hint="Name one: --kernel python3.") from None
        self._manager = KernelManager(kernel_name=self._name)
        arguments = ["--IPKernelApp.log_level=ERROR", "--HistoryManager.hist_file=:memory:"]
        self._manager.start_kernel(
            extra_arguments=arguments if self._manager.ipykernel else [], env=self._environment,
            cwd=str(self._book.path.parent.absolute()), stdout=self._said, stderr=self._said,
        )  # fmt: skip
        self._outputs = _outputs(self._book)  # loaded while the kernel starts
        self.client = self._manager.blocking_client()
        self.client.start_channels()
        self.client.allow_stdin = False
        try:
            self.client.wait_for_ready(timeout=START_S)
        except RuntimeError as error:
            raise KernelFailed(f"The kernel {self._name!r} did not start: {error}.{self._words()}") from None
        self._outputs.kc = self.client

    def run(self, index: int, source: str, *, cell_id: str, timeout_s: float) -> Ran:
        """Execute a cell, with all its output; it is interrupted, then killed, if it takes too long."""
        cell = self._book.node.cells[index]
        cell["outputs"], cell["execution_count"] = [], None
        self._outputs.clear_before_next_output = False
        content = {
            "code": source, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False,
            "stop_on_error": False,
        }  # fmt: skip
        request = self._send(content, {"cellId": cell_id})
        self._cells[request] = index
        return Waiting(self, request, timeout_s).wait()

    def ask(self, expression: str) -> dict[str, Any]:
        """Return what an expression of `lumos_nb.testing.runner.watching` says; the notebook does not notice.

        Raises:
            KernelFailed: The kernel cannot say it, or does not answer.
        """
        value = f"__import__('lumos_nb.testing.runner.watching', fromlist=['start']).{expression}"
        content = {
            "code": "", "silent": True, "store_history": False, "user_expressions": {"watching": value},
            "allow_stdin": False, "stop_on_error": False,
        }  # fmt: skip
        ran = Waiting(self, self._send(content, {}), GRACE_S * 4).wait()
        if ran.fault:
            raise KernelFailed(ran.fault)
        answer = ran.reply.get("user_expressions", {}).get("watching", {})
        if answer.get("status") != "ok":
            said = f"{answer.get('ename', '')}: {answer.get('evalue', '')}"
            raise KernelFailed(
                f"The kernel {self._name!r} cannot be watched ({said}).",
                hint="Install lumos-nb where it runs, or name another: --kernel python3.",
            )
        return dict(answer["data"]["application/json"])

    def tracebacks(self) -> list[dict[str, Any]]:
        """Return what was shown as a traceback since it was asked last, wherever it went.

        A cell's outputs do not have all: some go into a widget, are wiped away, or come when their cell is over.
        """
        shown, self._shown = self._shown, []
        return shown

    def put_widgets(self) -> None:
        """Put the state of the widgets into the notebook, for who shows it later."""
        self._outputs.set_widgets_metadata()

    def kill(self) -> None:
        """End its process at once, from any thread; who waits for it notices."""
        process = getattr(getattr(self._manager, "provisioner", None), "process", None)
        if process is not None:
            process.kill()

    def interrupt(self) -> None:
        """Interrupt what runs."""
        self._manager.interrupt_kernel()

    def stop(self, *, now: bool = False) -> None:
        """End it: it may finish what it keeps, or `now` at once."""
        if self._manager is None:
            return
        if self._outputs is not None:
            self._outputs.kc = None
        if self._manager.has_kernel:
            self._manager.shutdown_kernel(now=now)
        if self.client is not None:
            self.client.stop_channels()
        self._manager.cleanup_resources()
        self._said.close()
        self._manager = None

    def is_alive(self) -> bool:
        """Whether its process runs."""
        return self._manager is not None and bool(self._manager.is_alive())

    def take(self, message: dict[str, Any]) -> str:
        """Put a message of the kernel's into its cell; return the request whose output ended with it, or nothing."""
        from nbclient.exceptions import CellExecutionComplete

        request = message["parent_header"].get("msg_id", "")
        index = self._cells.get(request)
        if message["msg_type"] == "error":
            self._shown.append({"output_type": "error", **message["content"]})
        try:
            if index is not None:
                self._outputs.process_message(message, self._book.node.cells[index], index)
            elif message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                return str(request)
        except CellExecutionComplete:
            return str(request)
        return ""

    def died(self) -> str:
        """Return the words for a kernel that is gone."""
        process = getattr(getattr(self._manager, "provisioner", None), "process", None)
        code = None if process is None else process.poll()
        how = "" if code is None else f" (signal {-code})" if code < 0 else f" (exit status {code})"
        return f"The kernel died{how}.{self._words()}"

    def _send(self, content: dict[str, Any], metadata: dict[str, Any]) -> str:
        # Its own `execute` sends no metadata, and by them the kernel knows which cell it runs.
        message = self.client.session.msg("execute_request", content, metadata=metadata)
        self.client.shell_channel.send(message)
        return str(message["header"]["msg_id"])

    def _words(self) -> str:
        self._said.seek(0)
        lines = self._said.read()[-2000:].decode(errors="replace").strip()
        return f" Its last words:\n{lines}" if lines else ""

    def _no_such(self) -> str:
        from jupyter_client.kernelspec import KernelSpecManager

        there = sorted(KernelSpecManager().find_kernel_specs())
        return f"There is no kernel {self._name!r}. {nearest(self._name, there)}".rstrip()


def _outputs(book: Book) -> Any:
    """Return who puts messages into a notebook."""
    try:
        from nbclient import NotebookClient
    except ImportError:
        raise MissingDependencyError(
            "Notebooks as tests need nbclient.", hint='Install it: pip install "lumos-nb[test]"'
        ) from None
    outputs = NotebookClient(book.node, record_timing=False)
    outputs.reset_execution_trackers()
    return outputs


def _kernel_of(book: Book) -> str:
    spec = (book.raw.get("metadata") or {}).get("kernelspec") or {}
    return str(spec.get("name") or "python3")
