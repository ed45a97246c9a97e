"""Puts the capture into a shell while tools work, and takes it out again.

One idea: every way to a cell's output has one place where it can be asked whose output this is:
stdout and stderr, log handlers that hold one of them, the display publisher, the display hook and
the shell's tracebacks. Each is changed on its own object, and changed back if it is still ours.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

from lumos_nb.notebook.capture import current, take_display, take_update

_lock = threading.Lock()
_users = 0
_undo: list[Callable[[], None]] = []


@contextlib.contextmanager
def captured(shell: Any) -> Iterator[None]:
    """Install the capture while tools work; nested and concurrent uses count."""
    global _users
    with _lock:
        _users += 1
        if _users == 1:
            _install(shell)
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                while _undo:
                    _undo.pop()()


class _Stream:
    """Stands before a text stream and passes on what no sink takes."""

    def __init__(self, stream: Any, kind: str) -> None:
        self._lumos_stream = stream
        self._lumos_kind = kind

    def write(self, text: str) -> int:
        sink = current()
        if sink is None:
            return self._lumos_stream.write(text)  # type: ignore[no-any-return]
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        sink.emit(self._lumos_kind, text, {})
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lumos_stream, name)


def _install(shell: Any) -> None:
    for name in ("stdout", "stderr"):
        _replace_stream(name)
    if (publisher := getattr(shell, "display_pub", None)) is not None:
        _replace(publisher, "publish", _publish)
        _replace(publisher, "clear_output", _clear_output)
    if hasattr(getattr(shell, "displayhook", None), "finish_displayhook"):
        _replace(shell.displayhook, "finish_displayhook", _finish_displayhook)
    if hasattr(shell, "_showtraceback"):
        _replace(shell, "_showtraceback", _show_traceback)


def _replace_stream(name: str) -> None:
    before = getattr(sys, name)
    if isinstance(before, _Stream):  # left by code that had put it aside while we took it out
        before = before._lumos_stream
    ours = _Stream(before, name)
    setattr(sys, name, ours)
    _repoint_logs(before, ours)

    def undo() -> None:
        if getattr(sys, name) is ours:
            setattr(sys, name, before)
        _repoint_logs(ours, before)

    _undo.append(undo)


def _repoint_logs(before: Any, after: Any) -> None:
    """Give another stream to the log handlers that hold this one."""
    loggers = [logging.getLogger(), *logging.Logger.manager.loggerDict.values()]
    for logger in loggers:
        for handler in getattr(logger, "handlers", ()):
            if isinstance(handler, logging.StreamHandler) and handler.stream is before:
                handler.stream = after


def _replace(owner: Any, name: str, made: Callable[[Any, Callable[..., Any]], Callable[..., Any]]) -> None:
    """Put `made(owner, original)` in the place of a method, on this object alone."""
    before = vars(owner).get(name)
    ours = made(owner, getattr(owner, name))
    setattr(owner, name, ours)

    def undo() -> None:
        if vars(owner).get(name) is not ours:  # somebody else has replaced it since
            return
        if before is None:
            delattr(owner, name)
        else:
            setattr(owner, name, before)

    _undo.append(undo)


def _publish(publisher: Any, original: Callable[..., Any]) -> Callable[..., Any]:
    def publish(data: Any, metadata: Any = None, *args: Any, **kwargs: Any) -> Any:
        display_id = (kwargs.get("transient") or {}).get("display_id") or ""
        if kwargs.get("update"):
            if take_update(data, display_id):
                return None
        elif (sink := current()) is not None:
            return take_display(sink, data, display_id)
        return original(data, metadata, *args, **kwargs)

    return publish


def _clear_output(publisher: Any, original: Callable[..., Any]) -> Callable[..., Any]:
    def clear_output(wait: bool = False) -> Any:
        if (sink := current()) is None:
            return original(wait)
        return sink.emit("clear", "wait" if wait else "", {})

    return clear_output


def _finish_displayhook(hook: Any, original: Callable[..., Any]) -> Callable[..., Any]:
    def finish_displayhook() -> Any:
        sink, message = current(), getattr(hook, "msg", None)
        if sink is None or message is None:  # a terminal's hook prints
            return original()
        hook.msg = None
        if data := message["content"]["data"]:
            take_display(sink, data, "")
        return None

    return finish_displayhook


def _show_traceback(shell: Any, original: Callable[..., Any]) -> Callable[..., Any]:
    def show_traceback(kind: Any, value: Any, lines: list[str]) -> Any:
        if (sink := current()) is None:
            return original(kind, value, lines)
        return sink.emit("stderr", shell.InteractiveTB.stb2text(lines) + "\n", {})

    return show_traceback
