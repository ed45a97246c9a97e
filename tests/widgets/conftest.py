"""A live view without a page: the widget is replaced by a wire that keeps what is sent."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest

from lumos_nb.widgets import live


class Wire:
    """Stands for the widget: keeps what is sent."""

    def __init__(self, **_: Any) -> None:
        self.sent: list[dict[str, Any]] = []
        self.times: list[float] = []
        self.closed = False

    def on_msg(self, callback: Any) -> None:
        self.callback = callback

    def send(self, message: dict[str, Any]) -> None:
        self.sent.append(json.loads(json.dumps(message)))
        self.times.append(time.monotonic())

    def close(self) -> None:
        self.closed = True

    def hear(self, content: Any) -> dict[str, Any] | None:
        """Let the page say something; return the acknowledgement."""
        before = len(self.sent)
        self.callback(self, content, [])
        return next((m for m in self.sent[before:] if "ack" in m), None)


class Handle:
    bundle: dict[str, Any] | None = None

    def update(self, bundle: dict[str, Any], raw: bool) -> None:
        self.bundle = bundle


@pytest.fixture
def view(monkeypatch: pytest.MonkeyPatch) -> Any:
    import IPython.display

    monkeypatch.setattr(live, "LiveView", Wire)
    monkeypatch.setattr(IPython.display, "display", lambda *_, **__: Handle())
    run = live.RunView("t")
    run.open()
    yield run
    run.close()
    assert not [t for t in threading.enumerate() if t.name == "lumos-view"]
