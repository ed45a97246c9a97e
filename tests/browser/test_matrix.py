"""A person answers by real clicks, in every kernel that is about and in both front ends."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import Notebook, Notebook7
from test_live import SETUP

from tests.kernels import INSTALLED, VERSIONS

PLACES = [*((version, Notebook) for version in VERSIONS), (INSTALLED, Notebook7)]


@pytest.fixture(params=PLACES, ids=lambda place: f"{place[0]}-{place[1].__name__}")
def notebook(request: pytest.FixtureRequest, open_notebook: Any) -> Any:
    version, front = request.param

    def make(name: str, *cells: str) -> Notebook:
        nb: Notebook = open_notebook(f"{name}-{version}-{front.__name__}.ipynb", [SETUP, *cells], version, front)
        nb.run(0)
        nb.wait_done(0)
        return nb

    return make


def test_smoke(notebook: Any) -> None:
    nb = notebook(
        "smoke",
        'view = await play([*start(), *tokens("word " * 2000, 50), *finish()])',
        "import ipykernel; print(ipykernel.__version__)",
    )
    nb.run(1)
    nb.output(1).get_by_text("word word").wait_for(timeout=15_000)
    nb.shot("smoke")
    nb.output(1).get_by_role("button", name="Stop").click()
    nb.wait_done(1, 3)
    nb.output(1).get_by_text("- Stopped").wait_for()
    nb.run(2)
    nb.wait_done(2)
    print(nb.output(2).inner_text())
