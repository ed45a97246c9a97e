"""Where traces of this process go: to a collector as runs end, and from the database later.

One idea: there is one exporter, and the settings say which; a run that ends gives it an id and goes on.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from lumos_nb import settings
from lumos_nb.agent.watching import OTLP_VARIABLES, is_traced, watch_runs
from lumos_nb.events import AgentEvent, Error, GenerationComplete
from lumos_nb.hiding.addresses import without_secrets
from lumos_nb.settings import LumosConfig
from lumos_nb.stores import Store, default_store
from lumos_nb.telemetry.otel.content import is_content_wanted
from lumos_nb.telemetry.otel.export import Exporter, ExportStats, open_wire

if TYPE_CHECKING:
    from lumos_nb.agent.run import Run

FLUSH_AT_EXIT_S = 3.0
"""Seconds that the end of the process waits for traces to leave."""

_exporter: Exporter | None = None
_is_watching = False


def stats() -> ExportStats:
    """Return what has become of this process's traces: sent, waiting, dropped, and the last error.

    Example:
        >>> stats().n_runs_dropped
        0
    """
    return _exporter.stats() if _exporter is not None else ExportStats()


def flush(timeout_s: float = 5.0) -> bool:
    """Wait until the traces of all runs that have ended are sent; return whether that was in time.

    Example:
        >>> flush()
        True
    """
    return _exporter.flush(timeout_s) if _exporter is not None else True


def send(run_ids: Sequence[str], store: Store | None = None) -> ExportStats:
    """Send runs of the database now, such as those of an hour when the collector was away, and wait for it.

    Raises:
        MissingDependencyError: OpenTelemetry's library is not installed.
    """
    config = settings.current()
    exporter = _made(config)
    wire = open_wire(config.otlp)
    try:
        exporter.send_runs(store or default_store(), run_ids, wire)
        return msgspec.structs.replace(exporter.stats(), last_error=wire.heard.last)
    finally:
        wire.close()


def follow(config: LumosConfig) -> None:
    """Send where the settings say from now on; called where they have changed."""
    global _exporter, _is_watching
    made = _made(config) if is_traced(config) and not _is_disabled() else None
    before = _exporter
    if made is not None and before is not None and _same(made, before):
        return
    _exporter = made
    if before is not None:
        before.retire()
    if not _is_watching:
        _is_watching = True
        watch_runs(_hear)
        atexit.register(_end)


def _hear(run: Run, events: Sequence[AgentEvent]) -> None:
    """Hand over a run that has ended. Runs that are not recorded, or whose caller keeps no trace, are not sent."""
    if _exporter is None or not isinstance(events[-1], GenerationComplete | Error) or run.log is None:
        return
    parent = run.state.context.parent
    if parent is None or parent.is_sampled:
        _exporter.add(run.log.store, run.info.run_id)


def _made(config: LumosConfig) -> Exporter:
    shown = config.otlp or next((v for name in OTLP_VARIABLES if (v := os.environ.get(name))), "")
    has_content = config.otlp_content or is_content_wanted()
    return Exporter(without_secrets(shown), has_content=has_content, make_wire=lambda: open_wire(config.otlp))


def _same(one: Exporter, other: Exporter) -> bool:
    return (one.endpoint, one.has_content) == (other.endpoint, other.has_content)


def _is_disabled() -> bool:
    return os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"


def _end() -> None:
    if _exporter is not None:
        _exporter.close(FLUSH_AT_EXIT_S)


def _after_fork() -> None:
    """Begin anew in a child: the thread, and what was queued, are the parent's."""
    global _exporter
    if _exporter is not None:
        _exporter = _exporter.renewed()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
