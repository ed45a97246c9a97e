# ruff: noqa: E501 (texts and scripts of pages stand on one line)
"""A real JupyterLab and a real Chromium, for what only a page can show."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kernels import INSTALLED

sys.path.insert(0, str(Path(__file__).parent))
from lab import Lab  # noqa: E402

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

    def interrupt(self) -> None:
        """Press the toolbar's ■."""
        self.page.locator(
            "[data-jp-item-name=interrupt] button, button[data-command='notebook:interrupt-kernel']"
        ).first.click()

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


SCRIPT = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\nfrom script import *"


def ready(open_notebook: Any, name: str, *cells: str) -> Any:
    """Open a notebook in which the cells know `script.py`."""
    nb = open_notebook(name, [SCRIPT, *cells])
    nb.run(0)
    nb.wait_done(0)
    return nb


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
