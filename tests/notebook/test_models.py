"""Which model a cell asks: by name, by variable, several in turn, and after a key was given."""

from __future__ import annotations

import pytest

from tests.kernels import Kernel

SETUP = """
from types import SimpleNamespace
from lumos_nb import llm
from lumos_nb.notebook import commands
from lumos_nb.testing import FakeServer, Reply

server = FakeServer({"no": [Reply(status=401)], "yes": ["Hello."]})
server.__enter__()
no, yes = (llm(f"mine/{name}", base_url=server.base_url) for name in ("no", "yes"))
"""


@pytest.fixture(scope="module")
def kernel(kernel: Kernel) -> Kernel:
    kernel.run(SETUP).ok()
    return kernel


def test_variables_can_be_asked_in_turn_as_names_can(kernel):
    cell = kernel.run("%%agent -m no,yes\nHi").ok()
    assert [item["text"] for item in cell.run["items"]] == ["Hello."]


def test_a_key_that_was_just_given_is_used_by_the_next_cell(kernel):
    kernel.run("from lumos_nb.providers import embedded; embedded.is_installed = lambda: True").ok()
    assert "local/smollm2" in kernel.run("%lumos doctor").text
    kernel.run("commands.getpass = SimpleNamespace(getpass=lambda prompt: 'k')").ok()
    kernel.run("%lumos login mistral").ok()
    assert "mistral/mistral-small-latest" in kernel.run("%lumos doctor").text
