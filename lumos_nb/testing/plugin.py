"""The pytest plugin: `pytest notebooks/ --lumos` runs notebooks as tests, each code cell a test.

One idea: pytest imports this in every test run of everybody who has installed this library, so it costs nothing
and does nothing until it is asked. What works is in `runner`.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any

import pytest

_MODES = {"record": "record", "refresh": "refresh", "verify": "verify", "no_tape": "off"}
_FLAGS = {
    "--lumos": "run notebooks as tests, each code cell a test, from their tapes",
    "--lumos-record": "ask the models, and record their answers on the tapes",
    "--lumos-refresh": "ask the models for what is not on the tapes, and keep the rest",
    "--lumos-verify": "ask the models again, and compare the shape of their answers with the tapes",
    "--lumos-no-tape": "ask the models, without tapes",
    "--lumos-update": "write the outputs into the notebooks that ran well",
    "--lumos-live": "run cells tagged lumos-live, too; they ask without a tape",
    "--lumos-html": "write an HTML page beside each executed notebook",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("lumos", "notebooks as tests")
    for name, words in _FLAGS.items():
        group.addoption(name, action="store_true", default=False, help=words)
    group.addoption("--lumos-compare", choices=("runs", "all", "none"), default=None,
                    help="which outputs must be as stored (default: runs; none where models are asked)")  # fmt: skip
    group.addoption("--lumos-timeout", type=float, default=120.0, metavar="S", help="seconds a cell may take (120)")
    group.addoption("--lumos-jobs", type=int, default=0, metavar="N", help="notebooks at a time (default: cores)")
    group.addoption("--lumos-kernel", default="", metavar="NAME", help="the kernel, whatever the notebooks name")
    group.addoption("--lumos-output-dir", default=None, metavar="DIR", help="keep executed notebooks and databases")


def pytest_configure(config: pytest.Config) -> None:
    """Take up the work, if it is asked for."""
    mode = asked_mode(config)
    if not config.option.lumos:  # without it the others are for the fixture `tape`
        return
    from lumos_nb.testing.runner.items import NotebookTests

    config.pluginmanager.register(NotebookTests(config, mode or "replay-strict"), "lumos-notebooks")


def asked_mode(config: pytest.Config) -> str:
    """Return the mode of tapes that the options ask for, or nothing.

    Raises:
        pytest.UsageError: They ask for several, or to record in CI.
    """
    asked = [name for name in _MODES if getattr(config.option, f"lumos_{name}", False)]
    if len(asked) > 1:
        raise pytest.UsageError(f"Of these only one: {', '.join('--lumos-' + n.replace('_', '-') for n in asked)}.")
    if not asked:
        return ""
    from lumos_nb.tapes.modes import RECORDING, is_ci

    mode = _MODES[asked[0]]
    if mode in RECORDING and is_ci():
        raise pytest.UsageError(
            f"--lumos-{mode} writes tapes, and nothing is recorded in CI. Record on your machine, and commit the tape."
        )
    return mode


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Tell the kernels that nbval and nbmake start which notebook they run, so that its tape is found."""
    if item.path.suffix != ".ipynb":
        return (yield)
    before = os.environ.get("JPY_SESSION_NAME")
    os.environ["JPY_SESSION_NAME"] = str(item.path)
    try:
        return (yield)
    finally:
        if before is None:
            os.environ.pop("JPY_SESSION_NAME", None)
        else:
            os.environ["JPY_SESSION_NAME"] = before
