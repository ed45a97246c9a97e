"""The project's own notebooks, from their tapes: as tests, in other runners, again and again, always the same."""

import os
import subprocess
import sys

import pytest

from lumos_nb.tapes import read_tape
from tests.bench.soak_notebooks import SHOWS_REAL_TIMES, run_all
from tests.kernels import ROOT

NOTEBOOKS = ROOT / "notebooks"
TIMES = 5


def run(*command, **environment):
    env = {k: v for k, v in os.environ.items() if not k.endswith("_API_KEY") and not k.startswith("LUMOS_")}
    env |= {"PYTHONPATH": str(ROOT), "CI": "true", **environment}
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )


def test_all_notebooks_are_green_time_after_time_and_come_out_the_same(tmp_path):
    shown = [run_all(tmp_path / str(n)) for n in range(TIMES)]
    names = {path.name for path in NOTEBOOKS.glob("*.ipynb")}
    assert {path.name for path in (tmp_path / "0").rglob("*.ipynb")} == names
    assert all(name in shown[0] for name in names - {SHOWS_REAL_TIMES})
    assert len(shown[0]) > 50_000
    assert shown[1:] == shown[:1] * (TIMES - 1)


@pytest.mark.parametrize("name", sorted(path.name for path in NOTEBOOKS.glob("*.ipynb")))
def test_nbval_finds_the_stored_outputs(name):
    way = "--nbval-lax" if name == SHOWS_REAL_TIMES else "--nbval"
    ran = run("pytest", "-q", "-p", "no:cacheprovider", way, f"notebooks/{name}")
    assert ran.returncode == 0, ran.stdout[-3000:]


def test_each_notebook_has_its_tape_and_nothing_on_them_needs_mending():
    names = {path.name.removesuffix(".tape.jsonl") for path in (NOTEBOOKS / "tapes").glob("*.tape.jsonl")}
    assert names == {path.stem for path in NOTEBOOKS.glob("*.ipynb")}
    linted = run("lumos_nb.cli", "tape", "lint", "notebooks/tapes")
    assert linted.returncode == 0 and "0 errors, 0 warnings" in linted.stdout, linted.stdout
    hosts = {
        each.request.url.split("/v1")[0]
        for path in (NOTEBOOKS / "tapes").glob("*.tape.jsonl")
        for each in read_tape(path).interactions
    }
    # Recorded from a real server, the embedded model's, and from none at all.
    assert hosts == {"embedded://smollm2", "http://127.0.0.1:9"}


def test_nothing_that_is_stored_names_a_folder_of_this_machine():
    for path in [*NOTEBOOKS.glob("*.ipynb"), *(NOTEBOOKS / "tapes").glob("*.tape.jsonl")]:
        text = path.read_text()
        assert str(ROOT) not in text and os.path.expanduser("~") + "/" not in text, path.name
