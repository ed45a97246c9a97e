"""What a notebook under test notices of the test: nothing. And what the test notices of it: all that it shows."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
CELLS = {
    "names": "import json, os, sys\nprint(json.dumps([sorted(n for n in globals() if n[:2] != '__'), In, list(Out)]))",
    "world": "names = ['CI', 'LUMOS_TAPE', 'JPY_SESSION_NAME', 'PYTHONHASHSEED', 'PYTEST_CURRENT_TEST']\n"
             "print(json.dumps([os.getcwd(), *map(os.environ.get, names)]))",
    "cell": "from lumos_nb.notebook.place import cell_id\nprint(cell_id(get_ipython()))",
    "later": "import threading, time\ngo = threading.Event()\n"
             "t = threading.Thread(target=lambda: (go.wait(), print('from the thread')))\nt.start()\nprint('first')",
    "joined": "go.set()\nt.join()\ntime.sleep(0.2)",
    "much": "for i in range(20_000):\n    print('line', i, flush=i % 50 == 0)",
    "handle": "from IPython.display import display\nh = display('before', display_id=True)",
    "update": "h.update('after')",
}  # fmt: skip


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("calm")
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    cells = [nbformat.v4.new_code_cell(source, id=id) for id, source in CELLS.items()]
    nbformat.write(nbformat.v4.new_notebook(metadata=metadata, cells=cells), folder / "calm.ipynb")
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "random"}
    command = [sys.executable, "-m", "lumos_nb.cli", "test", "calm.ipynb", "--output-dir", "out", "--html"]
    ran = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    saved = nbformat.read(folder / "out/calm.ipynb", as_version=4)
    return folder, {cell.id: cell for cell in saved.cells}


def text(cell) -> str:
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


def test_names_history_and_numbers_are_the_notebooks_own(executed):
    names, inputs, out = json.loads(text(executed[1]["names"]))
    usual = {"In", "Out", "_", "__", "___", "_dh", "_i", "_i1", "_ih", "_ii", "_iii", "_oh", "exit", "get_ipython",
             "json", "open", "os", "quit", "sys"}  # fmt: skip
    assert set(names) <= usual
    assert inputs == ["", CELLS["names"]]
    assert out == []
    assert [cell.execution_count for cell in executed[1].values()] == list(range(1, len(CELLS) + 1))


def test_a_kernel_knows_its_notebook_its_cell_and_that_this_is_ci(executed):
    folder, cells = executed
    path = str(folder / "calm.ipynb")
    assert json.loads(text(cells["world"])) == [str(folder), "true", "replay-strict", path, "0", None]
    assert text(cells["cell"]) == "cell\n"


def test_what_comes_late_is_not_lost(executed):
    assert text(executed[1]["later"]) + text(executed[1]["joined"]) == "first\nfrom the thread\n"
    assert executed[1]["handle"].outputs[0].data["text/plain"] == "'after'"


def test_no_line_of_many_is_lost(executed):
    assert text(executed[1]["much"]).splitlines() == [f"line {i}" for i in range(20_000)]


def test_the_page_is_beside_the_notebook(executed):
    assert "from the thread" in (executed[0] / "out/calm.html").read_text()


def test_an_interrupt_ends_the_kernels_too(tmp_path):
    source = "import os, time, pathlib\npathlib.Path('pid').write_text(str(os.getpid()))\ntime.sleep(600)"
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    cells = [nbformat.v4.new_code_cell(source, id="long")]
    nbformat.write(nbformat.v4.new_notebook(metadata=metadata, cells=cells), tmp_path / "long.ipynb")
    command = [sys.executable, "-m", "lumos_nb.cli", "test"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    running = subprocess.Popen(command, cwd=tmp_path, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert running.poll() is None
    running.send_signal(signal.SIGINT)
    assert running.wait(timeout=60) == 2
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
