"""What went wrong with a run's tool calls.

One idea: calls that failed alike are one finding, told by the first of them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

from lumos_nb.phrases import count
from lumos_nb.stores.reading import Row
from lumos_nb.telemetry.diagnosis.case import Case
from lumos_nb.telemetry.diagnosis.finding import Evidence, Finding, one_line, quoted

LOOP_CALLS = 3
"""So many times the same call with the same arguments and the same result, the last ones, is a loop."""
CHANGING_CALLS = 10
"""Whose result changes asks how far something is; so many times is a loop all the same."""

SHOWN = 5
"""No more loops, and no more kinds of failures, are told of one run: the first say enough."""

_STOPPED = {"Cancelled", "ToolInterruptedError", "CancelledError"}
_FRAME = re.compile(r'^  File "(?P<file>.*)", line (?P<line>\d+), in (?P<name>.*)\n(?:    (?P<code>\S.*)\n)?', re.M)
_FOREIGN = re.compile(r"[/\\](?:site-packages|dist-packages)[/\\]|[/\\]lib[/\\]python3|<frozen ")


def tool_findings(case: Case) -> list[Finding]:
    """Return what went wrong with the tool calls of a run."""
    groups: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for call in case.calls:
        if kind := kind_of_call(call, case):
            groups[kind, call["tool"] or "", call["error_type"] or ""].append(call)
    found = [_finding(kind, calls, case) for (kind, _, _), calls in list(groups.items())[: 4 * SHOWN]]
    return [*found, *_loops(case)]


def kind_of_call(call: Row, case: Case) -> str:
    """Return the kind of finding that a call is; empty for one that went well or was only stopped."""
    error_type, message = call["error_type"] or "", call["error_message"] or ""
    if call["status"] == "denied" or error_type == "Denied":
        return "denied"
    if call["status"] != "error" or (error_type in _STOPPED and case.run["status"] == "cancelled"):
        return ""
    if error_type != "ToolError":
        return "tool_bug"
    if message.startswith(f"There is no tool {call['tool']!r}.") and call["tool"] not in (case.tools or ()):
        return "unknown_tool"
    # What a person reads of an argument error is written by us, and names the tool.
    if not message.startswith(f"The arguments of {call['tool']!r} were not"):
        return "tool_error"
    return "cut_arguments" if _was_cut(call, case) else "tool_arguments"


def _was_cut(call: Row, case: Case) -> bool:
    """Whether the answer ended at its limit of length in the middle of these arguments."""
    cut = any(step["step"] == call["step"] and step["stop_reason"] == "length" for step in case.steps)
    return cut and "they are not valid JSON" in (call["error_message"] or "")


def _finding(kind: str, calls: list[Row], case: Case) -> Finding:
    call, n = calls[0], len(calls)
    title, do, more = _TOLD[kind](call, case)
    again = f" ({n} times)" if n > 1 else ""
    evidence = (
        quoted("tool_calls.args_json", call["args_json"] or ""),
        *more,
        *([Evidence("tool_calls", ", ".join(f"step {c['step']}" for c in calls[:20]))] if n > 1 else []),
    )
    return Finding(
        kind=_KIND.get(kind, kind), severity="warning", title=f"{title}{again}", suggestion=do, step=call["step"],
        tool=call["tool"], tool_call_id=call["tool_call_id"], evidence=evidence,
    )  # fmt: skip


_KIND = {"cut_arguments": "truncated"}
"""What is told in a way of its own and is called as others are."""

Told = tuple[str, str, list[Evidence]]


def _bug(call: Row, case: Case) -> Told:
    trace = case.tracebacks.get((call["step"], call["tool_call_id"]), "")
    frame = own_frame(trace)
    where = f" (line {frame['line']} of {frame['name']!r})" if frame else ""
    line = f"`{one_line(frame['code'])}`" if frame and frame["code"] else ""
    error = one_line(call["error_message"] or call["error_type"] or "an error")
    more = [quoted("tool_calls.error_message", error)]
    if frame:
        more.append(quoted("traceback", f"{frame['file']}, line {frame['line']}, in {frame['name']}\n{frame['code']}"))
    if within := case.failed_within.get(call["tool_call_id"]):
        more.append(quoted("runs.run_id of the run within", within))
        return (
            f"The tool {call['tool']!r} ran an agent that failed: {error}",
            f"`lumos.diagnose({within!r})` says why that run failed.",
            more,
        )
    do = f"Mend {line} of {call['tool']!r}" if line else f"Mend {call['tool']!r}"
    return (
        f"The tool {call['tool']!r} raised {error}{where}.",
        f"{do}, or raise ToolError with what the model should do instead.",
        more,
    )


def own_frame(traceback: str) -> dict[str, str] | None:
    """Return file, line, name and code of the last frame that is the tool's own, or None.

    Example:
        >>> own_frame('  File "/nb/cell.py", line 3, in mean\\n    return sum(v) / len(v)\\n')["code"]
        'return sum(v) / len(v)'
    """
    frames = [match.groupdict("") for match in _FRAME.finditer(traceback)]
    own = [frame for frame in frames if not _FOREIGN.search(frame["file"])]
    found = own or frames
    return found[-1] if found else None


def _arguments(call: Row, case: Case) -> Told:
    problem = one_line(call["error_message"], 300)
    return (
        f"The model called {call['tool']!r} with arguments that it does not take.",
        f"Say in the docstring of {call['tool']!r} what each parameter takes, with an example; "
        "an enum or a Literal leaves less to guess.",
        [quoted("tool_calls.error_message", problem)],
    )


def _cut(call: Row, case: Case) -> Told:
    step = next(step for step in case.steps if step["step"] == call["step"])
    return (
        f"The answer was cut at the limit of length in the middle of the arguments of {call['tool']!r}.",
        "Allow more with options=ModelOptions(max_tokens=…), or let the tool take less at once.",
        [
            quoted("steps.stop_reason", "length"),
            Evidence("steps.output_tokens", f"{step['output_tokens'] or 0:,}"),
            quoted("tool_calls.error_message", one_line(call["error_message"], 300)),
        ],
    )


def _unknown(call: Row, case: Case) -> Told:
    had = ", ".join(case.tools or ()) or "none"
    return (
        f"The model called a tool {call['tool']!r} that the run does not have.",
        f"Add {call['tool']!r} to the agent's tools, or take its name out of the instructions.",
        [quoted("run_start.tools", had)],
    )


def _said_no(call: Row, case: Case) -> Told:
    return (
        f"The tool {call['tool']!r} told the model that it could not do it.",
        "Read what it said; if the model could not do better with that, say in the message what to do instead.",
        [quoted("tool_calls.error_message", call["error_message"] or "")],
    )


def _denied(call: Row, case: Case) -> Told:
    by_person = call["decided_by"] == "person"
    reason = one_line(call["decision_reason"] or "", 200).rstrip(".")
    who = "A person" if by_person else "A rule"
    do = "Say in the instructions what the agent must not do, so that it does not ask." if by_person else (
        f"To allow it, pass approve=[{call['tool']!r}] or on_approval=, or change the setting permissions."
    )  # fmt: skip
    return (
        f"{who} denied the call of {call['tool']!r}{f': {reason}' if reason else ''}.",
        do,
        [quoted("tool_calls.decided_by", call["decided_by"] or "not recorded"),
         quoted("tool_calls.decision_reason", call["decision_reason"] or "none")],
    )  # fmt: skip


_TOLD: dict[str, Any] = {
    "tool_bug": _bug, "tool_arguments": _arguments, "unknown_tool": _unknown, "tool_error": _said_no, "denied": _denied,
    "cut_arguments": _cut,
}  # fmt: skip


def _loops(case: Case) -> list[Finding]:
    """Return calls that were made again and again with the same arguments."""
    same: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for call in case.calls:
        same[call["tool"] or "", call["args_hash"] or call["args_json"] or ""].append(call)
    loops = sorted((calls for calls in same.values() if _is_loop(calls)), key=len, reverse=True)
    return [_loop(calls) for calls in loops[:SHOWN]]


def _is_loop(calls: list[Row]) -> bool:
    """Whether calls gave nothing new; one that asks how far a job is gives something else at last."""
    given = {(c["status"], c["result_preview"], c["error_message"]) for c in calls[-LOOP_CALLS:]}
    return len(calls) >= CHANGING_CALLS or (len(calls) >= LOOP_CALLS and len(given) == 1)


def _loop(calls: list[Row]) -> Finding:
    first = calls[0]
    results = {c["result_preview"] for c in calls}
    always = "gave the same each time" if len(results) == 1 else f"gave {count(len(results), 'different result')}"
    return Finding(
        kind="tool_loop",
        severity="warning",
        title=f"The model called {first['tool']!r} {len(calls)} times with the same arguments; it {always}.",
        suggestion=f"Let the result of {first['tool']!r} say what it means and what to do next, "
        "or say in the instructions when to stop.",
        step=first["step"],
        tool=first["tool"],
        tool_call_id=first["tool_call_id"],
        evidence=(
            quoted("tool_calls.args_json", first["args_json"] or ""),
            quoted("tool_calls.result_preview", first["result_preview"] or ""),
            Evidence("tool_calls", ", ".join(f"step {c['step']}" for c in calls[:20])),
        ),
    )
