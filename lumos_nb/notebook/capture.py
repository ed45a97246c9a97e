"""What a tool prints or shows goes to that tool's place in the view, and nowhere else.

One idea: a `ContextVar` says whose output this is. While agents run, stdout, stderr and the
shell's display publisher ask it; without a sink in the context they behave as before. IPython's
own ways either mix concurrent tools or lose their output.
"""

from __future__ import annotations

import base64
import contextlib
import sys
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from lumos_nb.agent.home import Emit

SINK: ContextVar[Emit | None] = ContextVar("lumos_sink", default=None)

_lock = threading.Lock()
_users = 0
_restore: list[Any] = []


class _Stream:
    """Stands before a text stream and passes on what no sink takes."""

    def __init__(self, stream: Any, kind: str) -> None:
        self._lumos_stream = stream
        self._lumos_kind = kind

    def write(self, text: str) -> int:
        sink = SINK.get()
        if sink is None:
            return self._lumos_stream.write(text)  # type: ignore[no-any-return]
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        sink(self._lumos_kind, text, {})
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lumos_stream, name)


@contextlib.contextmanager
def captured(shell: Any) -> Iterator[None]:
    """Install the capture while agents run; nested and concurrent uses count."""
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
                for undo in _restore:
                    undo()
                _restore.clear()


def _install(shell: Any) -> None:
    for name in ("stdout", "stderr"):
        before = getattr(sys, name)
        ours = _Stream(before, name)
        setattr(sys, name, ours)
        _restore.append(_restorer(sys, name, ours, before))
    publisher = getattr(shell, "display_pub", None)
    if publisher is not None:
        before, publish = vars(publisher).get("publish"), publisher.publish

        def routed(data: Any, metadata: Any = None, *args: Any, **kwargs: Any) -> Any:
            sink = SINK.get()
            if sink is None:
                return publish(data, metadata, *args, **kwargs)
            sink("display", "", encoded(data))
            return None

        publisher.publish = routed
        _restore.append(_unpatcher(publisher, routed, before))


def _restorer(owner: Any, name: str, ours: Any, before: Any) -> Any:
    """Put the old value back, but only if nobody else has replaced ours since."""

    def undo() -> None:
        if getattr(owner, name) is ours:
            setattr(owner, name, before)

    return undo


def _unpatcher(publisher: Any, ours: Any, before: Any) -> Any:
    def undo() -> None:
        if vars(publisher).get("publish") is not ours:
            return
        if before is None:
            del publisher.publish
        else:
            publisher.publish = before

    return undo


def encoded(data: dict[str, Any]) -> dict[str, Any]:
    """Return a MIME bundle with its bytes in base64, so that it is JSON."""
    return {m: base64.b64encode(d).decode() if isinstance(d, bytes) else d for m, d in data.items()}


def flush_figures() -> None:
    """Show figures that a tool drew and did not show, as a cell's end would."""
    inline = sys.modules.get("matplotlib_inline.backend_inline")
    if inline is not None and "matplotlib.pyplot" in sys.modules:
        inline.flush_figures()
