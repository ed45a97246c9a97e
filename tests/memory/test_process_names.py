"""A run names the process that it goes on in: whether that lives is asked before the run is taken up."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

from lumos_nb.memory.reopening import runs_elsewhere, this_process

NAME = "from lumos_nb.memory.reopening import this_process; print(this_process(), flush=True); input()"


@pytest.fixture
def other():
    process = subprocess.Popen([sys.executable, "-c", NAME], stdin=-1, stdout=-1, text=True)
    yield process
    process.kill()
    process.communicate()


def test_one_that_lives_and_one_that_has_ended(other):
    name = other.stdout.readline().strip()
    assert runs_elsewhere(name) and not runs_elsewhere(this_process())
    other.communicate("\n")
    assert not runs_elsewhere(name)


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="only there is it known when a process began")
def test_another_process_that_has_got_its_number_is_not_it(other):
    pid, _, place = other.stdout.readline().strip().partition("@")
    host = place.partition("#")[0]
    assert not runs_elsewhere(f"{pid}@{host}#1")
    assert runs_elsewhere(f"{pid}@{host}")  # of an older Lumos, which did not note it


@pytest.mark.parametrize("name", [None, "", "x", "1@elsewhere", f"-1@{platform.node()}", f"{10**30}@{platform.node()}"])
def test_what_names_no_process_of_this_machine(name):
    assert not runs_elsewhere(name)
