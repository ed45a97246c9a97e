"""What goes wrong in a kernel without any cell hearing of it: failed tasks and threads, and what is left at the end.

One idea: it stands beside the notebook. It is started and asked by requests that have no number, it puts no name
into the namespace, and what was there before it is called as before.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

_KERNELS_OWN = ("ipykernel", "tornado", "zmq", "jupyter_client", "comm", "lumos_nb", "IPython", "ipywidgets")
_LASTING = ("multiprocessing.resource_tracker", "multiprocessing.forkserver", "joblib.externals.loky")
"""Processes that stay on purpose, for the next who needs them."""

_BEGINNINGS = ("threading.py", "tasks.py", "events.py")
"""Files in which threads and tasks begin; their frames say nothing."""

_found: list[str] = []
_before: set[Any] = set()
_n_missed = [0]
_live = ExitStack()


class Answer:
    """What a runner is told; `user_expressions` carry it as JSON."""

    def __init__(self, problems: list[str]) -> None:
        self._value = {"problems": problems}

    def _repr_mimebundle_(self, **options: object) -> dict[str, Any]:
        return {"application/json": self._value, "text/plain": ""}


def start() -> Answer:
    """Begin to watch this kernel; before its first cell."""
    _watch_loops()
    _watch_threads()
    _watch_unraisable()
    _know_place()
    _before.update(_tasks(), _children())
    gc.collect()
    gc.freeze()  # what is loaded by now is not looked through again after each cell
    return Answer([])


def after_cell() -> Answer:
    """Return what went wrong since it was asked last."""
    gc.collect(1)
    return Answer([*_taken(), *_missed()])


def at_end() -> Answer:
    """Return what went wrong, and what is left over: runs, tasks, processes, and what the tape still has.

    It may be asked again, for what is left may take a moment to be gone.
    """
    gc.unfreeze()
    gc.collect()
    return Answer([*_found, *_runs_left(), *_tasks_left(), *_processes_left(), *_of_tape()])


def close_tape() -> Answer:
    """End the use of the tape, for all of the notebook has run; what it no longer asks for is dropped by refresh."""
    from lumos_nb.errors import LumosError

    try:
        if modes := sys.modules.get("lumos_nb.tapes.modes"):
            modes.close()
    except LumosError as error:
        return Answer([f"{type(error).__name__}: {error}"])
    return Answer([])


def go_live(is_live: bool) -> Answer:
    """Ask without a tape for the next cell, or with it again."""
    _live.close()
    if is_live:
        from lumos_nb.tapes import using

        _live.enter_context(using(None))
    return Answer([])


def _taken() -> list[str]:
    taken, _found[:] = list(_found), []
    return taken


def _missed() -> list[str]:
    """Return what was asked for since and is not on the tape, also where the cell went on without it."""
    modes = sys.modules.get("lumos_nb.tapes.modes")
    missed = getattr(getattr(modes, "_deck", None), "missed", [])
    new = missed[_n_missed[0] :]
    _n_missed[0] = len(missed)
    return [f"TapeMiss: {words}" for words in new]


def _said(what: str, error: BaseException | None, kind: type[BaseException] | None = None) -> None:
    if error is None:
        _found.append(f"{what}{': ' + kind.__name__ if kind else ''}")
        return
    shown = traceback.TracebackException.from_exception(error)
    frames = [frame for frame in shown.stack if Path(frame.filename).name not in _BEGINNINGS]
    shown.stack = traceback.StackSummary.from_list(frames)
    _found.append(f"{what}:\n{_with_cells(''.join(shown.format()).rstrip())}")


def _with_cells(text: str) -> str:
    """Return a traceback that names cells as they are numbered, not the files that they are kept in."""
    from IPython import get_ipython

    files = getattr(getattr(get_ipython(), "compile", None), "_filename_map", {})
    for file, count in files.items():
        text = text.replace(f'File "{file}"', f"Cell In[{count}]")
    return text


def _watch_loops() -> None:
    """Hear of what no loop's own handler takes, whichever loop it is."""
    before = asyncio.BaseEventLoop.default_exception_handler

    def handler(loop: Any, context: dict[str, Any]) -> None:
        task = context.get("task") or context.get("future")
        name = getattr(getattr(task, "get_coro", lambda: None)(), "__qualname__", "")
        what = f"{context.get('message') or 'An exception that nobody took'}{f' ({name})' if name else ''}"
        _said(what, context.get("exception"))
        before(loop, context)

    asyncio.BaseEventLoop.default_exception_handler = handler  # type: ignore[assignment, method-assign]


def _watch_threads() -> None:
    before = threading.excepthook

    def hook(args: Any, /) -> None:
        if args.exc_type is not SystemExit:
            _said(f"A thread failed ({args.thread.name if args.thread else 'unnamed'})", args.exc_value, args.exc_type)
        before(args)

    threading.excepthook = hook


def _watch_unraisable() -> None:
    before = sys.unraisablehook

    def hook(args: Any, /) -> None:
        _said(f"{args.err_msg or 'Exception ignored in'} {args.object!r}", args.exc_value, args.exc_type)
        before(args)

    sys.unraisablehook = hook


def _know_place() -> None:
    """Say where the notebook is, for requests of notebooks that do not load the extension."""
    from IPython import get_ipython

    from lumos_nb.tapes.scenes import Place, Scene, set_place

    def place() -> Place:
        from lumos_nb.notebook.place import tape_place

        return tape_place(get_ipython())

    def scene() -> Scene:
        from lumos_nb.notebook.place import tape_scene

        return tape_scene(get_ipython())

    set_place(place, scene)


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


def _of_tape() -> list[str]:
    """Return what is wrong with the tape."""
    if os.environ.get("LUMOS_TAPE", "off") == "off":
        return []
    from lumos_nb import tapes
    from lumos_nb.errors import LumosError
    from lumos_nb.tapes import modes

    try:
        deck = tapes.current()
        for each in [*modes.put_aside(), *([deck] if deck is not None else [])]:
            each.check()
    except LumosError as error:
        return [f"{type(error).__name__}: {error}"]
    return []
