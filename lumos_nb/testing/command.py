"""`lumos test`: notebooks as tests, from the command line.

One idea: it is pytest with the plugin and nothing of the project's own settings; whatever it can, pytest can.
"""

from __future__ import annotations

import argparse
import os
from importlib.util import find_spec
from pathlib import Path

from lumos_nb.errors import MissingDependencyError

STATUSES = (
    "Exit status, as pytest's: 0 all passed, 1 some failed, 2 stopped, 3 an error within, 4 called wrong, "
    "5 no notebooks."
)
_PASSED = ("record", "refresh", "verify", "no_tape", "update", "live", "html")


def add_test(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lumos test [PATH…]`."""
    test = commands.add_parser(
        "test", help="run notebooks as tests, from their tapes", epilog=STATUSES,
        description="Run notebooks as tests: each code cell is one. Models' answers come from their tapes.",
    )  # fmt: skip
    test.add_argument("paths", nargs="*", default=["."], metavar="PATH", help="notebooks and folders (default: .)")
    mode = test.add_mutually_exclusive_group()
    mode.add_argument("--record", action="store_true", help="ask the models, and record their answers")
    mode.add_argument("--refresh", action="store_true", help="ask only for what is not on the tapes")
    mode.add_argument("--verify", action="store_true", help="ask again, and compare the shape of the answers")
    mode.add_argument("--no-tape", action="store_true", help="ask the models, without tapes")
    test.add_argument("--update", action="store_true", help="write the outputs into the notebooks that ran well")
    test.add_argument("--live", action="store_true", help="run cells tagged lumos-live, too")
    test.add_argument("--compare", choices=("runs", "all", "none"), help="which outputs must be as stored (runs)")
    test.add_argument("--timeout", type=float, metavar="S", help="seconds a cell may take (120)")
    test.add_argument("--kernel", metavar="NAME", help="the kernel, whatever the notebooks name")
    test.add_argument("-k", metavar="EXPR", help="only cells whose names match, and those before them")
    test.add_argument("-n", type=int, metavar="N", help="notebooks at a time (default: cores)")
    test.add_argument("-x", action="store_true", help="stop at the first failure")
    test.add_argument("--junit", metavar="FILE", help="write a JUnit report")
    test.add_argument("--output-dir", metavar="DIR", help="keep executed notebooks and their databases")
    test.add_argument("--html", action="store_true", help="write pages beside them (in executed, if not said)")
    test.set_defaults(run=run_tests)


def run_tests(options: argparse.Namespace) -> int:
    """Run pytest over notebooks, and return its exit status.

    Raises:
        MissingDependencyError: pytest or nbclient is not installed.
    """
    for name in ("pytest", "nbclient", "ipykernel"):
        if find_spec(name) is None:
            raise MissingDependencyError(
                f"Running notebooks as tests needs {name}.", hint='Install it: pip install "lumos-nb[test]"'
            )
    import pytest

    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    return int(pytest.main(arguments(options)))


def arguments(options: argparse.Namespace) -> list[str]:
    """Return what pytest is called with."""
    # No settings, plugins or cache of the project: the same command does the same everywhere.
    given = [
        "--lumos", "-p", "lumos_nb.testing.plugin", "-p", "no:cacheprovider", "-c", os.devnull, "--noconftest",
        "--rootdir", str(Path.cwd()), "-o", "python_files=", "--continue-on-collection-errors", "--no-header", "-rfEs",
    ]  # fmt: skip
    given += [f"--lumos-{name.replace('_', '-')}" for name in _PASSED if getattr(options, name)]
    named = {
        "--lumos-compare": options.compare, "--lumos-timeout": options.timeout, "--lumos-kernel": options.kernel,
        "--lumos-jobs": options.n, "--lumos-output-dir": options.output_dir, "--junitxml": options.junit,
        "-k": options.k,
    }  # fmt: skip
    for name, value in named.items():
        given += [name, str(value)] if value is not None else []
    return [*given, *(["-x"] if options.x else []), "--", *options.paths]
