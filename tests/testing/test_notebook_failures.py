"""What makes a cell fail, in real kernels: each way once, all in one run of the command."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]

GOES_ON = [
    ("task", "import asyncio\nasync def f():\n    raise ValueError('lost')\nt = asyncio.create_task(f())\n"
             "await asyncio.sleep(0)\nawait asyncio.sleep(0)\ndel t", []),
    ("thread", "import threading\nt = threading.Thread(target=lambda: 1 / 0)\nt.start()\nt.join()", []),
    ("finalizer", "class A:\n    def __del__(self):\n        raise OSError('in del')\na = A()\ndel a", []),
    ("kept-task", "async def g():\n    raise ValueError('kept')\nkept = asyncio.create_task(g())\n"
                  "await asyncio.sleep(0)\nawait asyncio.sleep(0)", []),
    ("heard-task", "async def h():\n    raise ValueError('heard')\nheard = asyncio.create_task(h())\n"
                   "try:\n    await heard\nexcept ValueError:\n    pass", []),
    ("says-so", "import sys\nprint('UsageError: as a log has it', file=sys.stderr)", []),
    ("calm", "1", ["raises-exception"]),
    ("expected", "1 / 0", ["raises-exception"]),
    ("expected-magic", "%nosuchmagic", ["raises-exception"]),
    ("skipped", "1 / 0", ["lumos-skip"]),
    ("live", "1 / 0", ["lumos-live"]),
    ("other-output", "print('now')", ["lumos-compare"]),
    ("ignored-output", "print('now')", ["lumos-ignore-output", "lumos-compare"]),
    ("markup", "%%html\n<b>fine</b>", []),
    ("leaves", "import subprocess, asyncio\np = subprocess.Popen(['sleep', '60'])\n"
               "w = asyncio.create_task(asyncio.sleep(60))", []),
]  # fmt: skip
_SHOWN = "try:\n    1 / 0\nexcept ZeroDivisionError:\n    get_ipython().showtraceback()\n"
ENDS = {
    "into-widget": [("bad", "import ipywidgets\nwith ipywidgets.Output():\n    1 / 0", [])],
    "wiped": [("bad", _SHOWN + "from IPython.display import clear_output\nclear_output()", [])],
    "shown-late": [("bad", "import asyncio\nasync def f():\n    await asyncio.sleep(0.1)\n    try:\n        1 / 0\n"
                           "    except ZeroDivisionError:\n        get_ipython().showtraceback()\n"
                           "t = asyncio.create_task(f())", [])],
    "captured": [("bad", "%%capture\n%nosuchmagic", [])],
    "leaving": [("good", "1", []), ("bad", "exit()", []), ("after", "1", [])],
    "exception": [("good", "x = 1", []), ("bad", "def f(n):\n    return n / 0\n\nf(x)", []), ("after", "print(2)", [])],
    "shown": [("bad", "try:\n    1 / 0\nexcept ZeroDivisionError:\n    get_ipython().showtraceback()", [])],
    "magic": [("bad", "%nosuchmagic", [])],
    "cellmagic": [("bad", "%%nosuchmagic\nx", [])],
    "late": [("bad", "import time\ntime.sleep(60)", ["lumos-timeout:0.3"])],
    "stubborn": [("bad", "import time\nwhile True:\n    try:\n        time.sleep(60)\n    except KeyboardInterrupt:\n"
                         "        pass", ["lumos-timeout:0.3"])],
    "dies": [("bad", "import os\nos._exit(3)", []), ("after", "1", [])],
    "tagged": [("bad", "1", ["lumos-skipp"])],
}  # fmt: skip
FAILS = [
    ("goes-on", "task", "Task exception was never retrieved (f): ValueError: lost"),
    ("goes-on", "thread", "ZeroDivisionError: division by zero"),
    ("goes-on", "finalizer", "OSError: in del"),
    ("captured", "bad", "`%nosuchmagic` not found"),
    ("goes-on", "end", "Task exception was never retrieved (g)"),
    ("into-widget", "bad", "ZeroDivisionError"),
    ("wiped", "bad", "ZeroDivisionError"),
    ("shown-late", "end", "ZeroDivisionError"),
    ("leaving", "bad", "It ends the kernel"),
    ("goes-on", "calm", "It raised nothing"),
    ("goes-on", "other-output", "-stdout: before\n+stdout: now"),
    ("goes-on", "end", "A process was left: sleep 60"),
    ("goes-on", "end", "A task was left"),
    ("exception", "bad", "> 4  f(x)"),
    ("exception", "bad", "ZeroDivisionError: division by zero"),
    ("shown", "bad", "ZeroDivisionError"),
    ("magic", "bad", "`%nosuchmagic` not found"),
    ("cellmagic", "bad", "`%%nosuchmagic` not found"),
    ("late", "bad", "It did not end within 0.3 s."),
    ("late", "bad", "> 2  time.sleep(60)"),
    ("stubborn", "bad", "so the kernel was killed"),
    ("dies", "bad", "The kernel died (exit status 3)"),
    ("tagged", "bad", "There is no tag 'lumos-skipp'. Did you mean 'lumos-skip'?"),
    ("elsewhere", "bad", "There is no kernel 'nope'."),
]
SKIPS = [
    ("goes-on", "skipped", "lumos-skip"),
    ("leaving", "after", "not run: cell bad failed"),
    ("goes-on", "live", "lumos-live"),
    ("exception", "after", "not run: cell bad failed"),
    ("exception", "end", "not run: cell bad failed"),
    ("dies", "after", "not run: cell bad failed"),
    ("elsewhere", "end", "not run: cell bad failed"),
]
PASSES = [
    ("goes-on", "kept-task"), ("goes-on", "heard-task"), ("goes-on", "says-so"),
    ("goes-on", "expected"), ("goes-on", "expected-magic"), ("goes-on", "ignored-output"), ("goes-on", "markup"),
    ("exception", "good"), ("package.inside", "good"), ("package.inside", "end"),
]  # fmt: skip


def write(path: Path, cells, kernel: str = "python3") -> None:
    notebook = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": kernel, "display_name": kernel, "language": "python"}}
    )
    for id, source, tags in cells:
        cell = nbformat.v4.new_code_cell(source, id=id, metadata={"tags": tags} if tags else {})
        if "output" in id:
            cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text="before\n")]
        notebook.cells.append(cell)
    nbformat.write(notebook, path)


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad")
    write(folder / "goes-on.ipynb", GOES_ON)
    write(folder / "elsewhere.ipynb", [("bad", "1", [])], kernel="nope")
    for name, cells in ENDS.items():
        write(folder / f"{name}.ipynb", cells)
    (folder / "package").mkdir()
    (folder / "package/__init__.py").write_text("raise RuntimeError('imported')")
    write(folder / "package/inside.ipynb", [("good", "1", [])])
    (folder / "cut.ipynb").write_text('{"cells": [')
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "lumos_nb.cli", "test", ".", "--junit", "junit.xml"]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert (folder / "junit.xml").exists(), done.stdout + done.stderr
    cases = ET.parse(folder / "junit.xml").getroot().iter("testcase")
    return done, {(case.get("classname"), case.get("name")): case for case in cases}


@pytest.mark.parametrize(("book", "cell", "words"), FAILS)
def test_a_cell_that_goes_wrong_fails_and_says_why(ran, book, cell, words):
    failure = ran[1][f"{book}.ipynb", cell].find("failure")
    assert failure is not None
    assert words in failure.get("message") + failure.text


@pytest.mark.parametrize(("book", "cell", "words"), SKIPS)
def test_a_cell_that_is_not_run_says_why(ran, book, cell, words):
    skipped = ran[1][f"{book}.ipynb", cell].find("skipped")
    assert skipped is not None
    assert words in skipped.get("message")


@pytest.mark.parametrize(("book", "cell"), PASSES)
def test_what_is_well_passes_beside_it(ran, book, cell):
    assert list(ran[1][f"{book}.ipynb", cell]) == []


def test_a_task_that_was_heard_of_is_no_failure_at_the_end(ran):
    assert "(h)" not in ran[1]["goes-on.ipynb", "end"].find("failure").text


def test_a_file_that_is_no_notebook_is_an_error_and_the_others_run(ran):
    done = ran[0]
    assert done.returncode == 1
    assert "'cut.ipynb' is no notebook" in done.stdout
    assert "Is it cut off" in done.stdout


def test_a_terminal_without_colours_gets_none(ran):
    assert "\x1b" not in ran[0].stdout
