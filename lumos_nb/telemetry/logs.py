"""What runs do, as lines of a log: begun, ended, asked again, a tool that failed; text, or JSON for a machine.

One idea: a line is one record of the logger `lumos_nb` with the ids of its run, so that logs, traces and tables
can be joined; nothing is written unless the setting `log` (LUMOS_LOG) asks for it.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from lumos_nb import clock
from lumos_nb.agent.watching import watch_runs
from lumos_nb.events import AgentEvent, Error, GenerationComplete, Metadata, RunStart, ToolCallComplete
from lumos_nb.messages import valid_text
from lumos_nb.settings import LumosConfig
from lumos_nb.traceparent import span_id

if TYPE_CHECKING:
    from lumos_nb.agent.run import Run

MAX_TEXT_CHARS = 500
"""Longest text of a field; what tools and servers say may be long."""
LOGGED = (RunStart, GenerationComplete, Error, Metadata, ToolCallComplete)
"""The types of events that give a line; the others are not looked at."""

logger = logging.getLogger("lumos_nb")

_handler: logging.Handler | None = None
_stop: Callable[[], None] | None = None


def follow(config: LumosConfig) -> None:
    """Attach the one handler that the settings ask for, or take it away; called where they have changed."""
    global _handler, _stop
    if _handler is not None:
        logger.removeHandler(_handler)
        with contextlib.suppress(OSError, ValueError):  # the disk is full, or stderr was closed
            _handler.close()
        _handler = None
    if _stop is not None:
        _stop()
        _stop = None
    logger.setLevel(logging.NOTSET)
    if config.log == "off":
        return
    _handler = _made(config)
    _handler.setFormatter(JsonLines() if config.log == "json" else TextLines())
    logger.addHandler(_handler)
    logger.setLevel(config.log_level.upper())
    _stop = watch_runs(write)


def write(run: Run, events: Sequence[AgentEvent]) -> None:
    """Write the lines of a run's events."""
    for event in events:
        if isinstance(event, LOGGED) and (line := _line(run, event)) is not None:
            level, message, fields = line
            logger.log(level, message, extra={"lumos": {**_ids(run), **fields}})


def _ids(run: Run) -> dict[str, Any]:
    """Return what every line of a run says: where it belongs."""
    info, context = run.info, run.state.context
    return {"agent": info.agent, "run_id": info.run_id, "thread_id": info.thread_id, "trace_id": context.trace_id,
            "span_id": span_id(info.run_id)}  # fmt: skip


def _line(run: Run, event: AgentEvent) -> tuple[int, str, dict[str, Any]] | None:
    match event:
        case RunStart():
            return logging.INFO, "run begun", {"model": f"{event.provider}/{event.model}"}
        case GenerationComplete(result=result):
            return logging.INFO, "run ended", {
                "status": "completed", "duration_s": round(result.duration_s, 6), "steps": len(result.steps),
                "input_tokens": result.usage.input_tokens, "output_tokens": result.usage.output_tokens,
                "cost_usd": result.cost_usd, "stop_reason": result.stop_reason, "model": result.model,
            }  # fmt: skip
        case Error(error=error):
            level = logging.ERROR if event.status == "failed" else logging.INFO
            spent_s = round(max(0.0, clock.time() - run.info.started_at - run.info.away_s), 6)
            return level, "run ended", {"status": event.status, "duration_s": spent_s, "error": error.type,
                                        "reason": _short(str(error))}  # fmt: skip
        case ToolCallComplete(status="error"):
            fields = {"tool": event.result.name, "tool_call_id": event.call_id, "error": event.result.error_type,
                      "span_id": span_id(run.info.run_id, event.call_id), "duration_s": round(event.duration_s, 6),
                      "reason": _short(event.result.content)}  # fmt: skip
            return logging.WARNING, "tool failed", fields
        case Metadata(data=data) if data.get("kind") in {"retry", "fallback"}:
            fields = {"attempt": data.get("attempt"), "wait_s": data.get("wait_s"), "error": data.get("error"),
                      "model": data.get("model"), "reason": _short(str(data.get("state") or ""))}  # fmt: skip
            return logging.WARNING, "asked again" if data["kind"] == "retry" else "another model takes over", fields
    return None


def _short(text: str) -> str:
    return text if len(text) <= MAX_TEXT_CHARS else f"{text[: MAX_TEXT_CHARS - 1]}…"


class JsonLines(logging.Formatter):
    """Each record as one JSON object on one line, whatever it holds.

    Example:
        >>> record = logging.makeLogRecord({"msg": "run begun", "levelname": "INFO", "created": 0.5, "name": "lumos"})
        >>> JsonLines().format(record)
        '{"time":"1970-01-01T00:00:00.500Z","level":"info","logger":"lumos","message":"run begun"}'
    """

    def format(self, record: logging.LogRecord) -> str:
        data = {"time": _time(record.created), "level": record.levelname.lower(), "logger": record.name,
                "message": valid_text(record.getMessage()), **_fields(record)}  # fmt: skip
        if record.exc_info:
            data["exception"] = valid_text(self.formatException(record.exc_info))
        return msgspec.json.encode(data, enc_hook=repr).decode()


class TextLines(logging.Formatter):
    """Each record as one line for a person: time, level, message, and what belongs to it as `name=value`.

    Example:
        >>> record = logging.makeLogRecord({"msg": "run begun", "levelname": "INFO", "created": 0.5})
        >>> TextLines().format(record)
        '1970-01-01T00:00:00.500Z INFO    run begun'
    """

    def format(self, record: logging.LogRecord) -> str:
        shown = [f"{name}={_plain(value)}" for name, value in _fields(record).items()]
        line = " ".join([_time(record.created), f"{record.levelname:<7}", _plain_line(record.getMessage()), *shown])
        if record.exc_info:
            line += f" exception={_plain(self.formatException(record.exc_info))}"
        return line


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    given = getattr(record, "lumos", {})
    return {k: valid_text(v) if isinstance(v, str) else v for k, v in given.items() if v is not None}


def _time(seconds: float) -> str:
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}.{int(seconds * 1_000) % 1_000:03d}Z"


def _plain(value: Any) -> str:
    """Return a value on one line; in quotes if it is not one word."""
    text = value if isinstance(value, str) else msgspec.json.encode(value, enc_hook=repr).decode()
    return text if text.isascii() and text.isprintable() and not {" ", '"', "="} & set(text) else _quoted(text)


def _plain_line(text: str) -> str:
    return text if text.isprintable() else _quoted(text)


def _quoted(text: str) -> str:
    quoted = msgspec.json.encode(valid_text(text)).decode()
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in quoted)


def _made(config: LumosConfig) -> logging.Handler:
    if config.log_file == "stderr" or (not config.log_file and not _is_kernel()):
        return _Stderr()
    path = Path(config.log_file).expanduser() if config.log_file else config.database().with_name("lumos.log")
    path.parent.mkdir(parents=True, exist_ok=True)
    return _File(path, encoding="utf-8", delay=True)


class _Harmless(logging.Handler):
    """A log that cannot be written says so once, and costs no run anything."""

    _has_failed = False

    def handle(self, record: logging.LogRecord) -> bool:
        try:
            return bool(super().handle(record))
        except Exception:  # FileHandler opens its file outside of its own care
            self.handleError(record)
            return True

    def handleError(self, record: logging.LogRecord) -> None:
        if not self._has_failed:
            self._has_failed = True
            with contextlib.suppress(Exception):  # stderr itself may be what is closed
                sys.stderr.write(f"lumos_nb: the log cannot be written: {sys.exc_info()[1]}\n")


class _File(_Harmless, logging.FileHandler):
    """Writes to a file."""


class _Stderr(_Harmless, logging.StreamHandler[Any]):
    """Writes to what stderr is when a line comes, not to what it was when the settings changed."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def _is_kernel() -> bool:
    """Return whether stderr is a cell's output, where a log has no place unless it is asked for."""
    return type(sys.stderr).__module__.startswith("ipykernel")
