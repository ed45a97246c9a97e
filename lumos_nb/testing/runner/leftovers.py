"""What a notebook leaves behind in its kernel: runs, tasks, processes, and failed tasks that nobody asked.

One idea: what was there before the first cell is not the notebook's.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_KERNELS_OWN = ("ipykernel", "tornado", "zmq", "jupyter_client", "comm", "lumos_nb", "IPython", "ipywidgets")
_LASTING = ("multiprocessing.resource_tracker", "multiprocessing.forkserver", "joblib.externals.loky")
"""Processes that stay on purpose, for the next who needs them."""

_before: set[Any] = set()


def note() -> None:
    """Take what is there now as not the notebook's."""
    _before.update(_tasks(), _children())


def left() -> list[str]:
    """Return what is left over, each in a sentence."""
    return [*_runs_left(), *_tasks_left(), *_processes_left()]


def kept_failures() -> Iterator[tuple[str, BaseException]]:
    """Yield tasks that failed and that nobody asked, once: a name still holds them, so no loop has said it."""
    for each in gc.get_objects():
        if not issubclass(type(each), asyncio.Task) or not getattr(each, "_log_traceback", False):
            continue
        if _is_users(each) and (error := each.exception()) is not None:
            yield _name(each), error


def _runs_left() -> list[str]:
    background = sys.modules.get("lumos_nb.notebook.background")
    runs = background._open if background else ()
    return [
        f"A run still goes on: {run!r}. Wait for it in the last cell: await lumos.wait()."
        for run in sorted(runs, key=lambda run: run.run_id)
        if not run.done()
    ]


def _tasks() -> set[Any]:
    try:
        return set(asyncio.all_tasks(asyncio.get_running_loop()))
    except RuntimeError:
        return set()


def _tasks_left() -> list[str]:
    left = [task for task in _tasks() - _before if not task.done() and _is_users(task)]
    return [f"A task was left: {task.get_name()} ({_name(task)})." for task in sorted(left, key=lambda t: t.get_name())]


def _name(task: Any) -> str:
    coroutine = task.get_coro()
    return str(getattr(coroutine, "__qualname__", repr(coroutine)))


def _is_users(task: Any) -> bool:
    code = getattr(task.get_coro(), "cr_code", None)
    if code is None or task is asyncio.current_task():
        return False
    parts = Path(code.co_filename).parts
    return not any(name in parts for name in _KERNELS_OWN)


def _children() -> set[Any]:
    try:
        import psutil
    except ImportError:
        return set()
    return set(psutil.Process().children(recursive=True))


def _processes_left() -> list[str]:
    return [
        f"A process was left: {line} (pid {child.pid})."
        for child in sorted(_children() - _before, key=lambda child: child.pid)
        for line in _line(child)
        if not any(name in line for name in _LASTING)
    ]


def _line(process: Any) -> Iterator[str]:
    """Yield how a process was started, if it is there still and no mere entry of one that ended."""
    with contextlib.suppress(Exception):  # it ends while it is looked at
        if process.status() != "zombie":
            yield " ".join(process.cmdline())[:200]
