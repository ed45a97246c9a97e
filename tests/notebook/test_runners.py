"""Notebooks run by others: nbclient, nbval, the command line, and a terminal."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pexpect
import pytest

ROOT = Path(__file__).parents[2]
LOAD = "%load_ext lumos_nb\nfrom lumos_nb import Agent\nfrom lumos_nb.testing import ScriptedProvider, Answer"
GOOD = "a = Agent('a', model=ScriptedProvider(lambda m: 'Hello **you**.'))"
BAD = "a = Agent('a', model=ScriptedProvider([Answer(text='So far', error=OSError('gone'), error_after=1)]))"


def environment(**more: str) -> dict[str, str]:
    env = {k: v for k, v in os.environ.items() if not k.endswith("_API_KEY") and not k.startswith("LUMOS_")}
    return {**env, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore", **more}


def write(folder: Path, *cells: str) -> Path:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path = folder / "book.ipynb"
    nbformat.write(notebook, path)
    return path


def python(*arguments: str, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=cwd, env=environment(**more), capture_output=True, text=True, check=False)


def test_the_command_line_streams_runs_and_writes_notebook_and_page(tmp_path):
    path = write(tmp_path, LOAD, GOOD, "%%agent a\nHi")
    ran = python("lumos_nb.cli", "run", str(path), "--output-dir", str(tmp_path / "out"), "--html", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert "> Hi\nHello **you**.\n" in ran.stdout
    saved = nbformat.read(tmp_path / "out" / "book.ipynb", as_version=4)
    (output,) = saved.cells[2].outputs
    assert "application/vnd.jupyter.widget-view+json" not in output.data
    assert "Hello" in output.data["text/plain"]
    page = (tmp_path / "out" / "book.html").read_text()
    assert "<strong>you</strong>" in page
    assert "model not found" not in page


def test_a_failing_agent_fails_the_run_and_keeps_its_text(tmp_path):
    path = write(tmp_path, LOAD, BAD, "%%agent a\nHi", "print('never')")
    ran = python("lumos_nb.cli", "run", str(path), "--output-dir", str(tmp_path / "out"), cwd=tmp_path)
    assert ran.returncode == 1
    assert "OSError: gone" in ran.stderr
    assert "So far" in (tmp_path / "out" / "book.ipynb").read_text()


@pytest.mark.parametrize(("agent", "passes"), [(GOOD, True), (BAD, False)])
def test_nbval_is_green_and_red_where_it_should_be(tmp_path, agent, passes):
    path = write(tmp_path, LOAD, agent, "%%agent a\nHi")
    ran = python("pytest", "-q", "-p", "no:cacheprovider", "--nbval-lax", str(path), cwd=tmp_path, CI="true")
    assert (ran.returncode == 0) is passes, ran.stdout


@pytest.mark.parametrize(("agent", "passes"), [(GOOD, True), (BAD, False)])
def test_papermill_is_green_and_red_where_it_should_be(tmp_path, agent, passes):
    path = write(tmp_path, LOAD, agent, "%%agent a\nHi")
    ran = python("papermill", str(path), str(tmp_path / "out.ipynb"), cwd=tmp_path)
    assert (ran.returncode == 0) is passes, ran.stderr
    assert ("Hello" if passes else "So far") in (tmp_path / "out.ipynb").read_text()


def test_a_terminal_streams_plain_text(tmp_path):
    arguments = ["-m", "IPython", "--simple-prompt", "--no-banner", "--colors=nocolor"]
    env = environment(IPYTHONDIR=str(tmp_path / "ipython"), TERM="dumb")
    child = pexpect.spawn(sys.executable, arguments, cwd=str(tmp_path), env=env, encoding="utf-8", timeout=60)
    child.expect(r"In \[1\]: ")
    for n, line in enumerate((*LOAD.splitlines(), GOOD), start=2):
        child.sendline(line)
        child.expect(rf"In \[{n}\]: ")
    child.sendline("%%agent a\nHi\n\n")
    child.expect(r"In \[6\]: ")
    shown = child.before
    child.close(force=True)
    assert "Hello **you**." in shown
    assert re.search(r"1 step · \d+ in, \d+ out", shown), shown


ASKING = """
from lumos_nb import Agent, tool
from lumos_nb.messages import ToolCall
from lumos_nb.testing import ScriptedProvider

ran = []

@tool(permission="ask")
def run_python(code: str) -> str:
    ran.append(code)
    return "ran"

call = ToolCall(id="q1", name="run_python", arguments='{"code": "1 + 1"}')
model = ScriptedProvider(lambda messages: "Done." if messages[-1].role == "tool" else call)
asks = Agent("asks", model=model, tools=[run_python])
"""


def test_a_runner_without_a_person_denies_what_would_be_asked_and_says_how_to_allow_it(tmp_path):
    path = write(tmp_path, f"{LOAD}\n{ASKING}", "%%agent asks\nGo", "assert ran == []", "%lumos doctor",
                 "%%agent asks --approve run_python\nGo", "assert ran == ['1 + 1']")  # fmt: skip
    ran = python("lumos_nb.cli", "run", str(path), "--output-dir", str(tmp_path / "out"), cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    cells = nbformat.read(tmp_path / "out" / "book.ipynb", as_version=4).cells
    assert "Allow it ahead with `--approve run_python`" in cells[1].outputs[0].data["text/markdown"]
    assert "nobody can be asked here" in cells[3].outputs[0].data["text/plain"]


def test_a_terminal_asks_in_a_line(tmp_path):
    (tmp_path / "mine.py").write_text(ASKING)
    arguments = ["-m", "IPython", "--simple-prompt", "--no-banner", "--colors=nocolor"]
    env = environment(IPYTHONDIR=str(tmp_path / "ipython"), TERM="dumb")
    child = pexpect.spawn(sys.executable, arguments, cwd=str(tmp_path), env=env, encoding="utf-8", timeout=60)
    question = r'Allow run_python\(code="1 \+ 1"\)\? \[y\]es \[t\]hread \[e\]dit \[n\]o '
    child.expect(r"In \[1\]: ")
    child.sendline("%load_ext lumos_nb")
    child.expect(r"In \[2\]: ")
    child.sendline("from mine import asks, ran")
    child.expect(r"In \[3\]: ")
    child.sendline("%%agent asks --new\nGo\n\n")
    for said in ("what?", "n"):
        child.expect(question)
        child.sendline(said)
    child.expect("Why not, for the model")
    child.sendline("not here")
    child.expect("denied by you: not here")
    child.expect(r"In \[4\]: ")
    child.sendline("%%agent asks --new\nGo\n\n")
    child.expect(question)
    # As a person does: a key that comes between the prompt and the wait for it is lost by readline itself.
    for _ in range(12):
        child.sendintr()
        if child.expect(["Interrupted: the run was stopped", pexpect.TIMEOUT], timeout=5) == 0:
            break
    else:
        raise AssertionError(f"^C was not heard: {child.before!r}")
    child.expect(r"In \[5\]: ")
    child.sendline("%%agent asks --new\nGo\n\n")
    child.expect(question)
    child.sendline("y")
    child.expect("Done.")
    child.expect(r"In \[6\]: ")
    child.sendline("print('it ran', ran)")
    child.expect(r"it ran \['1 \+ 1'\]")
    child.close(force=True)


def test_a_plain_python_script_can_use_an_agent(tmp_path):
    (tmp_path / "script.py").write_text(
        "from lumos_nb import Agent\nfrom lumos_nb.testing import ScriptedProvider\n"
        "print(Agent('a', model=ScriptedProvider(['Hi'])).generate_sync('x').response)\n"
    )
    command = [sys.executable, "script.py"]
    ran = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("Hi\n", "")


@pytest.mark.model
def test_the_notebook_of_approvals_runs_without_a_person(tmp_path):
    path = ROOT / "notebooks" / "02_approvals.ipynb"
    ran = python("lumos_nb.cli", "run", str(path), "--output-dir", str(tmp_path), cwd=tmp_path, CI="true",
                 LUMOS_DB=str(tmp_path / "lumos.db"))  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "delete_orders denied by policy: Nobody could be asked here." in ran.stdout
    assert "✓ delete_orders" in ran.stdout and "What is a median?" in ran.stdout
