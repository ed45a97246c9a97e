"""Who hears of every run of this process: what exports traces, what writes logs.

One idea: the core names no reader. A setting that asks for one names the module that it is in; where none is
set, a run pays for one comparison.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from lumos_nb import settings
from lumos_nb.events import AgentEvent
from lumos_nb.settings import LumosConfig

if TYPE_CHECKING:
    from lumos_nb.agent.run import Run

Watcher = Callable[["Run", Sequence[AgentEvent]], None]
"""Hears of a run's events, a list a read. It is called on the run's own thread: it must not wait for anything."""

OTLP_VARIABLES = (
    "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
)  # fmt: skip
"""OpenTelemetry's own names for where to send."""


def is_traced(config: LumosConfig) -> bool:
    """Return whether traces of this process are sent somewhere.

    Example:
        >>> is_traced(LumosConfig(otlp="http://localhost:4318"))
        True
    """
    return bool(config.otlp) or any(os.environ.get(name) for name in OTLP_VARIABLES)


READERS: dict[str, Callable[[LumosConfig], bool]] = {
    "lumos_nb.telemetry.otel.sending": is_traced,
    "lumos_nb.telemetry.logs": lambda config: config.log != "off",
}
"""Modules that follow the settings, and when each is needed; it has a function `follow(config)`."""

logger = logging.getLogger("lumos_nb")

_watchers: tuple[Watcher, ...] = ()
_followed: LumosConfig | None = None
_loaded: set[str] = set()


def watch_runs(watcher: Watcher) -> Callable[[], None]:
    """Have `watcher` hear of every run from now on; return what ends that.

    Example:
        >>> stop = watch_runs(lambda run, events: print(run.info.agent, [event.type for event in events]))
        >>> stop()
    """
    global _watchers
    _watchers = (*_watchers, watcher)

    def stop() -> None:
        global _watchers
        _watchers = tuple(each for each in _watchers if each is not watcher)

    return stop


def tell(watchers: Sequence[Watcher], run: Run, events: Sequence[AgentEvent]) -> None:
    """Let watchers hear; what one raises is its own fault."""
    for watcher in watchers:
        try:
            watcher(run, events)
        except Exception:
            logger.exception("A watcher of run %s failed.", run.info.run_id)


def followed() -> tuple[Watcher, ...]:
    """Return who hears of a run that begins now, after the settings were followed. It never raises."""
    config = settings.current()
    if config is not _followed:
        _follow(config)
    return _watchers


def _follow(config: LumosConfig) -> None:
    """Load the readers that the settings ask for, and tell those that are loaded of a change."""
    global _followed
    _followed = config
    for name, is_needed in READERS.items():
        if name not in _loaded and not is_needed(config):
            continue
        try:
            import_module(name).follow(config)
        except Exception as error:  # whoever cannot watch must not stop what it would watch
            logger.warning("%s cannot follow the settings: %s", name, error)
        _loaded.add(name)
