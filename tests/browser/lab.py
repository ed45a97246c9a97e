# ruff: noqa: E501 (commands stand on one line)
"""A JupyterLab server for the tests: Lab and Notebook 7, with kernels of every version of ipykernel."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from tests.kernels import INSTALLED, VERSIONS, python_path

REPO = Path(__file__).resolve().parents[2]


def kernel_name(version: str) -> str:
    return f"ipykernel-{version}"


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


class Lab:
    """A JupyterLab server of our own: its root, settings and data are in one temporary folder."""

    def __init__(self, root: Path) -> None:
        self.root, self.port = root / "work", free_port()
        self.root.mkdir(parents=True)
        self.url = f"http://127.0.0.1:{self.port}"
        env = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "LUMOS_"))}
        env.pop("CI", None)  # under CI a cell shows its run once, at the end; here people watch
        env.update(
            PYTHONPATH=str(REPO), IPYTHONDIR=str(root / "ipython"), JUPYTER_CONFIG_DIR=str(root / "config"),
            JUPYTER_DATA_DIR=str(root / "data"), JUPYTER_RUNTIME_DIR=str(root / "runtime"), HOME=str(root),
        )  # fmt: skip
        for version in VERSIONS:
            self._offer(version, root / "data/kernels")
        quiet = root / "config/lab/user-settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings"
        quiet.parent.mkdir(parents=True)
        quiet.write_text('{"fetchNews": "false", "checkForUpdates": false}')
        self._log = (root / "lab.log").open("w")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={self.port}",
             "--ServerApp.ip=127.0.0.1", "--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True",
             "--ServerApp.port_retries=0", "--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
             f"--ServerApp.root_dir={self.root}"],
            env=env, stdout=self._log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self._await()

    def _offer(self, version: str, folder: Path) -> None:
        """Let notebooks choose a kernel of this version of ipykernel by its name."""
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        spec = {"argv": argv, "display_name": f"ipykernel {version}", "language": "python",
                "env": {"PYTHONPATH": python_path(version)}}  # fmt: skip
        path = folder / kernel_name(version) / "kernel.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(spec))

    def _await(self) -> None:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{self.url}/api/status", timeout=1).close()
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"JupyterLab did not start; see {self._log.name}")

    def close(self) -> None:
        """End this server, by the process that was started."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
        self._log.close()

    def write(self, name: str, cells: list[str], version: str = INSTALLED) -> Path:
        """Create a notebook with these code cells, for a kernel of this version of ipykernel."""
        import nbformat.v4 as v4

        notebook = v4.new_notebook(cells=[v4.new_code_cell(c) for c in cells])
        kernel = {"name": kernel_name(version), "display_name": f"ipykernel {version}", "language": "python"}
        notebook.metadata["kernelspec"] = kernel
        path = self.root / name
        path.parent.mkdir(exist_ok=True)
        import nbformat

        nbformat.write(notebook, path)
        return path

    def read(self, name: str) -> dict[str, Any]:
        """Return a notebook as it is on disk."""
        loaded: dict[str, Any] = json.loads((self.root / name).read_text())
        return loaded

    def restart_kernel(self, name: str) -> None:
        """Restart the kernel of a notebook behind its page's back, as a crash does."""
        sessions = json.load(urllib.request.urlopen(f"{self.url}/api/sessions"))
        kernel = next(s["kernel"]["id"] for s in sessions if s["path"] == name)
        request = urllib.request.Request(f"{self.url}/api/kernels/{kernel}/restart", method="POST")
        urllib.request.urlopen(request).close()

    def shut_down_kernels(self) -> None:
        """End all kernels of this server."""
        kernels = json.load(urllib.request.urlopen(f"{self.url}/api/sessions"))
        for session in kernels:
            request = urllib.request.Request(f"{self.url}/api/sessions/{session['id']}", method="DELETE")
            urllib.request.urlopen(request).close()
