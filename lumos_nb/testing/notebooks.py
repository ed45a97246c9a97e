"""Run a notebook from its first cell to its last, as CI does, and watch its agents as they stream."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import msgspec

from lumos_nb.errors import LumosError, MissingDependencyError, UsageError


class NotebookFailed(LumosError):
    """A cell of the notebook failed; the executed notebook up to there is kept."""


class NotebookRun(msgspec.Struct, frozen=True, kw_only=True):
    """What came of running a notebook."""

    #: The executed notebook.
    notebook: Path
    #: Its HTML, if it was asked for.
    html: Path | None
    duration_s: float
    n_cells: int


def run_notebook(
    path: str | Path, *, output_dir: str | Path, html: bool = False, echo: TextIO | None = None, timeout_s: int = 600
) -> NotebookRun:
    """Execute a notebook in a fresh kernel and write it, with its outputs, to another folder.

    Args:
        path: The notebook; it is not changed.
        output_dir: Where the executed notebook goes.
        html: Write an HTML page beside it.
        echo: Gets every run as plain text while it streams.
        timeout_s: Seconds that one cell may take.

    Raises:
        UsageError: There is no such notebook.
        NotebookFailed: A cell failed; the message has its error.
        MissingDependencyError: nbclient is not installed.
    """
    path, folder = Path(path), Path(output_dir)
    if not path.is_file():
        raise UsageError(f"There is no notebook {str(path)!r}.", hint="Give the path of an .ipynb file.")
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / path.name
    started = time.perf_counter()
    with _echoing(echo) as environment:
        notebook, failure = _execute(path, target, environment, timeout_s)
    if failure is not None:
        raise NotebookFailed(f"{path.name} failed: {failure}", hint=f"What ran so far is in {target}.")
    page = _write_html(notebook, target.with_suffix(".html")) if html else None
    return NotebookRun(
        notebook=target, html=page, duration_s=time.perf_counter() - started, n_cells=len(notebook.cells)
    )


def _execute(path: Path, target: Path, environment: dict[str, str], timeout_s: int) -> tuple[Any, str | None]:
    try:
        import nbformat
        from nbclient import NotebookClient
        from nbclient.exceptions import CellExecutionError
    except ImportError:
        raise MissingDependencyError(
            "Running notebooks needs nbclient.", hint='Install it: pip install "lumos-nb[test]"'
        ) from None
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=timeout_s, resources={"metadata": {"path": str(path.parent.absolute())}})
    # A kernel on this machine for this notebook: its word on encryption would stand before every run.
    client.extra_arguments = ["--IPKernelApp.log_level=ERROR"]
    failure = None
    try:
        client.execute(env={**os.environ, **environment, "JPY_SESSION_NAME": str(path.absolute())})
    except CellExecutionError as error:
        failure = f"{error.ename}: {error.evalue}"
    finally:
        nbformat.write(notebook, target)
    return notebook, failure


def _write_html(notebook: Any, target: Path) -> Path:
    from nbconvert import HTMLExporter

    body, _ = HTMLExporter().from_notebook_node(notebook)
    target.write_text(body, encoding="utf-8")
    return target


@contextmanager
def _echoing(out: TextIO | None) -> Iterator[dict[str, str]]:
    """Copy what the kernel's runs write to their echo file to `out` while inside."""
    if out is None:
        yield {}
        return
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "echo.txt"
        source.touch()
        ended = threading.Event()
        thread = threading.Thread(target=_follow, args=(source, out, ended), daemon=True)
        thread.start()
        try:
            yield {"LUMOS_ECHO": str(source)}
        finally:
            ended.set()
            thread.join()


def _follow(source: Path, out: TextIO, ended: threading.Event) -> None:
    with source.open(encoding="utf-8", errors="replace") as lines:
        while True:
            last = ended.is_set()
            text = lines.read()
            if text:
                out.write(text)
                out.flush()
            if last:
                return
            ended.wait(0.03)
