"""The cell that does a run again: Python text, from what was recorded.

One idea: what is short stands in the cell, where it can be changed; what is long or may be secret
is loaded from the log by the run's id. A fault of a tool is played without a model, a fault of a
model is asked for anew.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from lumos_nb.messages import ToolCall
from lumos_nb.providers.embedded_server import MODELS
from lumos_nb.providers.vendors import expanded, vendors
from lumos_nb.telemetry.diagnosis.case import Case
from lumos_nb.telemetry.diagnosis.finding import Finding, hidden, one_line
from lumos_nb.telemetry.diagnosis.recording import NO_MORE, Recording

SHORT_CHARS = 1_000
"""A longer text is loaded from the log."""
LINE_CHARS = 100

_TOOLS_ANEW = {"tool_bug", "tool_arguments", "tool_error"}
_OFFLINE = {*_TOOLS_ANEW, "unknown_tool", "tool_loop", "denied", "answer_form", "reasked"}
_URL = re.compile(r"https?://[^\s'\"()]+")
_CALL_PATH = re.compile(r"/(?:chat/completions|responses|messages|(?:api/)?chat|models(?:/.*)?|model/.*)$")


def cell_of(case: Case, findings: Sequence[Finding], recording: Recording) -> str:
    """Return the text of a cell that does the run again, as far as its first finding needs.

    Empty for a run that goes on: a second one beside it costs twice and tells nothing.
    """
    cause = findings[0].kind if findings else ""
    if case.place in {"here", "elsewhere"}:
        return ""
    is_offline = cause in _OFFLINE or not _can_ask(case)
    real = _real_tools(findings) if cause in _TOOLS_ANEW else []
    arguments = [
        repr(_name(case)),
        f"model={_scripted(recording) if is_offline else _model(case)}",
        *(["instructions=run.instructions"] if recording.instructions else []),
        *_tools(real, recording),
        *(["output=run.output"] if recording.output else []),
        *([f"max_steps={max(1, len(case.steps))}"] if cause in {"max_steps", "tool_loop"} else []),
    ]
    body = f"agent = {_call('Agent', arguments)}\nresult = await agent.generate({_prompt(recording, is_offline)})"
    comments = [*_comments(case, findings), *_notes(case, findings, recording, real, is_offline=is_offline)]
    if "run." in body:
        body = f"run = recorded({case.run['run_id']!r})\n{body}"
    return "\n".join([*comments, *_imports(body), "", body, "result"])


def _imports(body: str) -> list[str]:
    """Return the imports that a cell needs."""
    homes = {
        "lumos_nb": [r"Agent(", "llm("], "lumos_nb.messages": ["ToolCall("], "lumos_nb.telemetry": ["recorded("],
        "lumos_nb.testing": ["ScriptedProvider("],
    }  # fmt: skip
    used = {home: [name.rstrip("(") for name in names if name in body] for home, names in homes.items()}
    return [f"from {home} import {', '.join(names)}" for home, names in used.items() if names]


def _prompt(recording: Recording, is_offline: bool) -> str:
    asked = recording.prompt if is_offline else recording.messages
    pasted = _pasted(asked[0].text) if len(asked) == 1 and isinstance(asked[0].content, str) else None
    return pasted or ("run.prompt" if is_offline else "run.messages")


def _name(case: Case) -> str:
    name = case.run["agent"] or ""
    return name if _pasted(name) else "again"


def _pasted(text: str) -> str | None:
    """Return a text as Python, or None for one that is long, empty, or may hold a key."""
    if not text.strip() or len(text) > SHORT_CHARS or hidden(text) != text:
        return None
    return repr(text)


def _call(name: str, arguments: Sequence[str]) -> str:
    """Return a call, on several lines if it is long."""
    short = f"{name}({', '.join(arguments)})"
    if len(short) <= LINE_CHARS:
        return short
    inside = "".join(f"    {line},\n" for line in (a.replace("\n", "\n    ") for a in arguments))
    return f"{name}(\n{inside})"


def _can_ask(case: Case) -> bool:
    """Whether the model can be named: one of the caller's own class cannot."""
    return (case.run["provider"] or "") in vendors() or _address(case) != ""


def _is_embedded(case: Case) -> bool:
    return case.run["provider"] == "local" and case.run["model"] in MODELS


def _address(case: Case) -> str:
    """Return the address of the server; empty if neither its requests nor its error name it."""
    if _is_embedded(case):  # its server has another address and key in each process
        return ""
    found = _URL.search(case.url) or _URL.search(case.error_message)
    if found is None:
        return ""
    url = urlsplit(found[0].rstrip(".:,;"))
    return url._replace(path=_CALL_PATH.sub("", url.path), query="", fragment="").geturl()


def _model(case: Case) -> str:
    vendor, model = case.run["provider"] or "", case.run["model"] or ""
    named, row = _address(case), vendors().get(vendor)
    is_usual = row is not None and expanded(row.base_url).rstrip("/") == named.rstrip("/")
    return f"llm({f'{vendor}/{model}'!r}{'' if is_usual or not named else f', base_url={named!r}'})"


def _scripted(recording: Recording) -> str:
    """Return a model that gives the recorded answers, pasted if they are short."""
    is_over = bool(recording.answers) and isinstance(recording.answers[-1], str)
    lines = [*map(_line, recording.answers), *([] if is_over else [repr(NO_MORE)])]
    pasted = [line for line in lines if line is not None]
    if len(pasted) == len(lines) and sum(map(len, pasted)) <= SHORT_CHARS:
        return f"ScriptedProvider({_list(pasted)})"
    return f"ScriptedProvider([*run.answers{'' if is_over else f', {NO_MORE!r}'}])"


def _list(values: Sequence[str]) -> str:
    """Return a list, on several lines if it is long."""
    short = f"[{', '.join(values)}]"
    if len(short) <= LINE_CHARS - 40:
        return short
    return "[\n" + "".join(f"    {value},\n" for value in (v.replace("\n", "\n    ") for v in values)) + "]"


def _line(answer: Any) -> str | None:
    if isinstance(answer, str):
        return _pasted(answer) if answer.strip() else repr(answer)
    calls = [_tool_call(call) for call in answer]
    if not all(calls):
        return None
    return str(calls[0]) if len(calls) == 1 else _list([str(call) for call in calls])


def _tool_call(call: ToolCall) -> str | None:
    arguments = _pasted(call.arguments or "{}")
    return arguments and f"ToolCall(id={call.id!r}, name={call.name!r}, arguments={arguments})"


def _real_tools(findings: Sequence[Finding]) -> list[str]:
    names = dict.fromkeys(f.tool for f in findings if f.kind in _TOOLS_ANEW and f.tool)
    return [name for name in names if name.isidentifier() and not keyword.iskeyword(name)]


def _tools(real: list[str], recording: Recording) -> list[str]:
    if set(recording.names) <= set(real):
        return [f"tools=[{', '.join(real)}]"] if real else []
    return [f"tools=run.tools({', '.join(real)})"]


def _comments(case: Case, findings: Sequence[Finding]) -> list[str]:
    what = findings[0].title if findings else "nothing was found to be wrong."
    return [f"# Run {case.run['run_id']}: {one_line(what, 200)}"]


def _notes(
    case: Case, findings: Sequence[Finding], recording: Recording, real: list[str], *, is_offline: bool
) -> list[str]:
    """Return what somebody should know who runs the cell."""
    lines = ["# No model is asked: the answers are those of the log."]
    if not is_offline:
        price = "" if _is_embedded(case) else ": it needs its key, and may cost something"
        lines = [f"# This asks the model again{price}."]
    if recording.is_partial:
        lines.append("# More was sent than the log keeps of a first step: add its pictures, files or conversation.")
    if set(recording.names) - set(real):
        lines.append("# run.tools() gives what the tools gave; name a function in it to run that one anew.")
    if real:
        names = ", ".join(real)
        lines.append(f"# This runs {names} as the notebook has it now: run the cell that defines it first.")
        lines += _alone(case, findings[0], recording, real)
    return lines


def _alone(case: Case, finding: Finding, recording: Recording, real: list[str]) -> list[str]:
    """Return how to call a tool by itself, for a debugger."""
    failed = (arguments for name, arguments, _, is_error in recording.results if name == finding.tool and is_error)
    given = next(failed, "")
    if finding.kind != "tool_bug" or finding.tool not in real or len(given) > 2 * LINE_CHARS or _pasted(given) is None:
        return []
    try:
        arguments = ToolCall(id="", name="", arguments=given).parsed()
    except (ValueError, RecursionError):
        return []
    is_safe = all(call["side_effect"] != "unsafe" for call in case.calls if call["tool"] == finding.tool)
    warning = "" if is_safe else " It then does what it does: nobody is asked."
    return [f"# To step into it: {finding.tool}(**{arguments!r}), and then %debug.{warning}"]
