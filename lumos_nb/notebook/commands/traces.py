"""`%trace`: what a run did and when, two runs beside each other, and all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lumos_nb import frames
from lumos_nb.errors import UsageError, nearest
from lumos_nb.notebook.commands import Command
from lumos_nb.notebook.shown import Shown, written
from lumos_nb.runtime import Runtime
from lumos_nb.telemetry import ExecutionTrace, TraceDiff, Traces, diff_traces, load_traces
from lumos_nb.telemetry.traces.export import FORMS, export_text, form_of


def trace_show(runtime: Runtime, name: str = "last") -> ExecutionTrace | Traces:
    """What happened when: of the last run, of a run, of each run of a thread or of a trace."""
    try:
        found = load_traces(name)
    except UsageError as error:
        near = nearest(name, COMMANDS) if name not in COMMANDS else ""  # or a subcommand was meant
        is_new = "Did you mean" in near and near not in error.hint
        failure = UsageError(error.message, hint=f"{near} {error.hint}") if is_new else error
    else:
        return found[0] if len(found) == 1 else found
    raise failure


def trace_diff(runtime: Runtime, a: str, b: str = "last") -> TraceDiff:
    """What is different between two runs, step by step: `%trace diff RUN RUN`; the second is else the last one."""
    return diff_traces(a, b)


def trace_df(runtime: Runtime) -> Any:
    """All runs as a DataFrame."""
    return frames.runs()


def trace_export(runtime: Runtime, name: str, path: str, form: str = "") -> Shown:
    """Write a trace as data (`.json`), as OpenTelemetry has it (`.otlp.json`) or as a page (`.html`)."""
    if form and form not in FORMS:
        raise UsageError(f"A trace cannot be written as {form!r}.", hint=nearest(form, FORMS))
    text = export_text(load_traces(name), form or form_of(path))
    return written(Path(path).expanduser(), text)


COMMANDS: dict[str, Command] = {
    "last": trace_show, "diff": trace_diff, "export": trace_export, "df": trace_df, "*": trace_show,
}  # fmt: skip
