"""Which model a cell asks: by name, by variable, several in turn, and after a key was given."""

from __future__ import annotations

import pytest

from tests.kernels import Kernel

SETUP = '''
from types import SimpleNamespace
from lumos_nb import llm
from lumos_nb.notebook.commands import lumos as commands
from lumos_nb.testing import Answer, FakeServer, Reply

steps = [Answer(tool_calls=[ToolCall("c", "add", '{"a": 1}')]), "2."]
server = FakeServer({"no": [Reply(status=401)], "yes": ["Hello."], "calls": steps})
server.__enter__()
no, yes, calls = (llm(f"mine/{name}", base_url=server.base_url) for name in ("no", "yes", "calls"))

@tool
def add(a: int) -> int:
    """Add one."""
    return a + 1
'''


@pytest.fixture(scope="module")
def kernel(kernel: Kernel) -> Kernel:
    kernel.run(SETUP).ok()
    return kernel


def test_variables_can_be_asked_in_turn_as_names_can(kernel):
    cell = kernel.run("%%agent -m no,yes\nHi").ok()
    assert [item["text"] for item in cell.run["items"]] == ["Hello."]


def test_the_run_names_the_model_that_answered_and_the_one_in_whose_place(kernel):
    cell = kernel.run("%%agent -m no,yes\nHi").ok()
    assert (cell.run["model"], cell.run["in_place_of"]) == ("yes", ["no"])
    assert "agent · yes · " in cell.text and " · in place of no" in cell.text


def test_who_could_not_answer_is_named_once_in_a_run_of_several_steps(kernel):
    cell = kernel.run("%%agent -m no,calls --tools add\nAdd").ok()
    assert (cell.run["n_steps"], cell.run["model"], cell.run["in_place_of"]) == (2, "calls", ["no"])


def test_a_key_that_was_just_given_is_used_by_the_next_cell(kernel):
    kernel.run("from lumos_nb.providers import embedded; embedded.is_installed = lambda: True").ok()
    assert "local/smollm2" in kernel.run("%lumos doctor").text
    kernel.run("commands.getpass = SimpleNamespace(getpass=lambda prompt: 'k')").ok()
    kernel.run("%lumos login mistral").ok()
    assert "mistral/mistral-small-latest" in kernel.run("%lumos doctor").text
