"""`%trace`: one run, step by step, and all of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lumos_nb import frames
from lumos_nb.notebook.commands import Command
from lumos_nb.notebook.shown import Shown, written
from lumos_nb.runtime import Runtime
from lumos_nb.telemetry import ExecutionTrace, load_trace


def trace_show(runtime: Runtime, run: str = "last") -> ExecutionTrace:
    """A run, step by step: `last`, a run id, or its beginning or end."""
    return load_trace(run)


def trace_df(runtime: Runtime) -> Any:
    """All runs as a DataFrame."""
    return frames.runs()


def trace_export(runtime: Runtime, run: str, path: str) -> Shown:
    """Write a run's trace as JSON."""
    data = {"v": 1, **load_trace(run).to_dict()}
    return written(Path(path).expanduser(), json.dumps(data, ensure_ascii=False, indent=1))


COMMANDS: dict[str, Command] = {"last": trace_show, "df": trace_df, "export": trace_export, "*": trace_show}
