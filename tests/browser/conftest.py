# ruff: noqa: E501 (texts and scripts of pages stand on one line)
"""A real JupyterLab and a real Chromium, for what only a page can show."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kernels import INSTALLED, VERSIONS, python_path

REPO = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(Path(__file__).parent))
SCREENSHOTS = Path(__file__).parent / "screenshots"
CHROMIUM = os.environ.get("LUMOS_CHROMIUM") or next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), "chromium"
)
CHROMIUM_ARGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark these tests, and leave them out of a run that did not ask for them: they take minutes."""
    here = Path(__file__).parent
    ours = [item for item in items if here in Path(str(item.path)).parents]
    for item in ours:
        item.add_marker(pytest.mark.browser)
    if "browser" not in config.option.markexpr and not any("browser" in arg for arg in config.args):
        config.hook.pytest_deselected(items=ours)
        items[:] = [item for item in items if item not in ours]


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
        import nbformat

        nbformat.write(notebook, path)
        return path

    def read(self, name: str) -> dict[str, Any]:
        """Return a notebook as it is on disk."""
        loaded: dict[str, Any] = json.loads((self.root / name).read_text())
        return loaded

    def shut_down_kernels(self) -> None:
        """End all kernels of this server."""
        kernels = json.load(urllib.request.urlopen(f"{self.url}/api/sessions"))
        for session in kernels:
            request = urllib.request.Request(f"{self.url}/api/sessions/{session['id']}", method="DELETE")
            urllib.request.urlopen(request).close()


class Notebook:
    """A notebook open in JupyterLab."""

    #: What is true in the page once the kernel is there and free.
    idle = "/\\| Idle/.test(document.querySelector('#jp-main-statusbar')?.textContent ?? '')"

    def __init__(self, page: Any, lab: Lab, name: str) -> None:
        self.page, self.lab, self.name = page, lab, name

    @property
    def address(self) -> str:
        """Where the page is found, in a workspace of its own."""
        return f"{self.lab.url}/doc/workspaces/w{time.time_ns()}/tree/{self.name}?reset"

    def open(self) -> Notebook:
        """Load the page and wait for the kernel."""
        self.page.goto(self.address)
        self.page.wait_for_selector(".jp-NotebookPanel .jp-Notebook .jp-Cell .cm-content", timeout=40_000)
        self.page.wait_for_function(self.idle, timeout=40_000)
        return self

    def run(self, index: int) -> None:
        """Run one cell; do not wait for its end."""
        cell, before = self.page.locator(".jp-Notebook .jp-Cell").nth(index), self.prompt(index)
        for _ in range(10):  # a page that has just opened takes the focus away once more
            cell.locator(".jp-InputArea-editor").click(position={"x": 20, "y": 8})
            self.page.keyboard.press("Control+Enter")
            if self._has_begun(index, before):
                return
        raise AssertionError(f"cell {index} did not run")

    def _has_begun(self, index: int, before: str) -> bool:
        deadline = time.monotonic() + 2
        while self.prompt(index) == before:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def prompt(self, index: int) -> str:
        return str(self.page.locator(".jp-Notebook .jp-Cell").nth(index).locator(".jp-InputPrompt").inner_text())

    def wait_done(self, index: int, timeout_s: float = 60) -> None:
        """Wait until a cell has a number."""
        self.page.wait_for_function(
            "i => /\\[\\d+\\]/.test(document.querySelectorAll('.jp-Notebook .jp-Cell')[i].querySelector('.jp-InputPrompt').textContent)",
            arg=index, timeout=timeout_s * 1000,
        )  # fmt: skip

    def output(self, index: int) -> Any:
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index).locator(".jp-OutputArea")

    def save(self) -> None:
        self.page.keyboard.press("Control+s")
        self.page.wait_for_function(
            "!document.querySelector('.jp-NotebookPanel .jp-mod-dirty, .jp-mod-dirty')", timeout=10_000
        )
        time.sleep(0.5)

    def shot_cell(self, index: int, name: str) -> None:
        """Take a picture of one cell, as the README shows it."""
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.evaluate("document.activeElement.blur()")
        self.page.mouse.move(0, 0)
        self.page.set_viewport_size({"width": 900, "height": 1500})
        time.sleep(1)
        self.page.locator(".jp-Notebook .jp-Cell").nth(index).screenshot(path=str(SCREENSHOTS / f"{name}.png"))

    def shot(self, name: str) -> None:
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=str(SCREENSHOTS / f"{name}.png"))


class Notebook7(Notebook):
    """A notebook open in Notebook 7."""

    idle = "document.querySelector('.jp-Notebook-ExecutionIndicator')?.dataset.status === 'idle'"

    @property
    def address(self) -> str:
        return f"{self.lab.url}/notebooks/{self.name}"


def set_theme(page: Any, dark: bool) -> None:
    """Switch the theme as a person would, by the menu."""
    name = "JupyterLab Dark" if dark else "JupyterLab Light"
    page.get_by_role("menuitem", name="Settings").click()
    page.locator(".lm-Menu-itemLabel", has_text="Theme").first.hover()
    page.locator(".lm-Menu-itemLabel", has_text=name).first.click()
    page.wait_for_function(f"document.body.dataset.jpThemeName === '{name}'", timeout=10_000)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    server = Lab(tmp_path_factory.mktemp("lab"))
    yield server
    server.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as p:
        chromium = p.chromium.launch(executable_path=CHROMIUM, headless=True, args=CHROMIUM_ARGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1100, "height": 850})
    yield context.new_page()
    context.close()


@pytest.fixture
def open_notebook(lab: Lab, page: Any) -> Any:
    def open_it(name: str, cells: list[str], version: str = INSTALLED, front: type[Notebook] = Notebook) -> Notebook:
        lab.write(name, cells, version)
        return front(page, lab, name).open()

    return open_it
