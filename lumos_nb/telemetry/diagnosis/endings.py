"""Why a run ended: what it failed of, who stopped it, or that its process is gone.

One idea: the type of the error says most. Where one type stands for several causes, the words
that this library itself chose for them decide, never the words of a server alone.
"""

from __future__ import annotations

import re

from lumos_nb.phrases import seconds
from lumos_nb.telemetry.diagnosis.case import Case
from lumos_nb.telemetry.diagnosis.finding import Evidence, Finding, one_line, quoted

_BY_TYPE = {
    "OverloadedError": "overloaded",
    "ContextLengthError": "context_length",
    "OutputError": "answer_form",
    "LimitExceededError": "limit",
    "StoreError": "database",
    "ThreadNotFoundError": "database",
    "ConflictError": "database",
    "TapeError": "tape",
    "TapeMiss": "tape",
    "TapeUnused": "tape",
    "UsageError": "setup",
    "SettingsError": "setup",
    "MissingDependencyError": "setup",
    "ToolDefinitionError": "setup",
    "InterpolationError": "setup",
    "LumosCancelled": "interrupted",
}
_TIMES_OUT = re.compile(r"\bthe time that \w+_s allows")
_UNREACHED = re.compile(
    r"^(?:Nothing answers at|The host '[^']*' of .* was not found|No secure connection to|The proxy on the way to"
    r"|\S+ closed the connection without an answer|A request to .* cannot be sent|The headers for)"
    r"|is not there: it answers with a redirect|^\S+ sent no answer, but "
)
_STATUS = re.compile(r"\(HTTP (\d{3})\b")
_FROM_SERVER = "The server broke the answer off:"
_PASSING = re.compile(r"overload|unavailable|api_error|server_error|internal|\b5\d\d\b", re.IGNORECASE)


def kind_of(error_type: str, message: str) -> str:
    """Return the kind of finding that an error is, from its type name and its first sentence.

    Example:
        >>> kind_of("CredentialError", "Provider 'openai' has no API key.")
        'no_key'
        >>> kind_of("ZeroDivisionError", "division by zero")
        'unknown'
    """
    match error_type:
        case "CredentialError":
            return _credential_error(message)
        case "RateLimitError":
            return "no_credit" if "no credit left" in message else "rate_limit"
        case "StreamError":
            return _broken_stream(message)
        case "ProviderError":
            return _provider_error(message)
    return _BY_TYPE.get(error_type, "unknown")


def _credential_error(message: str) -> str:
    if re.search(r"has (?:no|neither an) API key", message):
        return "no_key"
    # The key was read, and what it asked for is not for it: a model, a region, a project.
    return "not_allowed" if "does not allow this (HTTP 403" in message else "refused_key"


def _broken_stream(message: str) -> str:
    if _TIMES_OUT.search(message):
        return "timeout"
    if message.startswith(_FROM_SERVER) and _PASSING.search(message):
        return "overloaded"
    return "cut_stream"


def _provider_error(message: str) -> str:
    if _TIMES_OUT.search(message):
        return "timeout"
    if _UNREACHED.search(message):
        return "connection"
    status = _STATUS.search(message)
    if status is None:
        return "unknown"
    if status[1] == "404":
        return "unknown_model"
    return "timeout" if status[1] == "408" else "bad_request"


_DO = {
    "no_key": "Set the key of the provider, or run %lumos login.",
    "refused_key": "Look at the key and at what it may use.",
    "not_allowed": "Look at what the key, the account and its region may use.",
    "unknown_model": "Look at the name of the model: `lumos models` and the vendor's own list name what there is.",
    "rate_limit": "Wait a while, or set LUMOS_MAX_RETRIES to more than it is.",
    "overloaded": "Run it again in a while, or name a second model that takes over: model=[…, …].",
    "connection": "Look at base_url and the network.",
    "timeout": "Ask for less, or allow more time with LUMOS_READ_TIMEOUT_S.",
    "cut_stream": "Run it again; ModelOptions(retry_broken=True) asks again by itself.",
    "unknown": "Read the error below; the cell that reproduces it asks the same again.",
}


def end_findings(case: Case) -> list[Finding]:
    """Return what ended the run, or why it has no end; nothing for a run that ended by itself."""
    if case.run["status"] == "completed":
        return []
    if case.run["status"] in {"failed", "cancelled"}:
        return [_interrupted(case) if case.error_type in {"", "LumosCancelled"} else _failed(case)]
    return [_unended(case)]


def _failed(case: Case) -> Finding:
    kind = kind_of(case.error_type, case.error_message)
    message = case.error_message.strip() or f"It failed of {case.error_type!r} and said no more."
    title = one_line(message, 300)
    evidence = [quoted("runs.error_type", case.error_type)]
    if quoted("", message).value != title:  # else it stands above
        evidence.append(quoted("runs.error_message", message))
    if (status := _STATUS.search(message)) is not None:
        evidence.append(Evidence("HTTP status", status[1]))
    retries = [n for n in case.notes if n.kind == "retry"]
    if retries:
        evidence.append(quoted("events retry", f"tried {len(retries) + 1} times; {one_line(_state(retries[-1].data))}"))
    if kind == "answer_form":
        evidence += _answers(case)
    return Finding(
        kind=kind,
        title=title,
        suggestion=one_line(case.error_hint or _DO.get(kind) or _DO["unknown"], 300),
        step=case.last_step,
        evidence=tuple(evidence),
    )


def _state(data: dict[str, object]) -> object:
    return data.get("state") or data.get("error") or ""


def _answers(case: Case) -> list[Evidence]:
    """Return how the answers ended that did not have the form: one that was cut could not have it."""
    return [
        Evidence(f"steps.stop_reason of step {step['step']}", str(step["stop_reason"]))
        for step in case.steps[-3:]
        if step["stop_reason"]
    ]


def _interrupted(case: Case) -> Finding:
    doing = _doing(case)
    return Finding(
        kind="interrupted",
        title=f"It was stopped after {seconds(case.duration_s)}{doing}.",
        suggestion=_take_up(case),
        step=case.last_step,
        tool=next((c["tool"] for c in case.calls if c["status"] == "cancelled"), None),
        evidence=(quoted("runs.status", case.run["status"]), *_open_calls(case, "cancelled")),
    )


def _take_up(case: Case) -> str:
    short = str(case.run["run_id"])
    if case.calls or len(case.steps) > 1:
        return f"`%agent resume {short}` goes on from where it was; tools that had ended are not run again."
    return "Run the cell again: it had not come to a tool, so nothing is lost."


def _doing(case: Case) -> str:
    """Say what went on when it ended."""
    if any(c["status"] == "cancelled" and c["asked_at"] and not c["decision"] for c in case.calls):
        return ", while a tool call waited for an answer"
    open_ = [c["tool"] for c in case.calls if c["status"] in {"cancelled", "running"}]
    if open_:
        return f", while the tool {open_[-1]!r} was at work"
    if case.last_step is not None and case.last_step > len(case.steps):
        return f", while the model was asked in step {case.last_step}"
    return ""


def _open_calls(case: Case, status: str) -> list[Evidence]:
    return [
        quoted(f"tool_calls {c['tool']!r}, step {c['step']}", f"{c['status']}: {one_line(c['args_json'] or '')}")
        for c in case.calls
        if c["status"] == status
    ][:5]


def _unended(case: Case) -> Finding:
    process = case.run["process"] or "not recorded"
    evidence = (
        quoted("runs.status", case.run["status"] or "none"),
        quoted("runs.process", process),
        quoted("events.ts, last", f"{seconds(case.duration_s)} after the start"),
        *_open_calls(case, "running"),
        *_open_calls(case, "waiting"),
    )
    match case.place:
        case "here" | "elsewhere" | "away":
            where = {"here": "in this process", "elsewhere": f"in process {process!r}"}.get(case.place, "")
            title = f"It is still running {where}." if where else (
                f"It has no end, and its process {process!r} is on another machine: whether it lives cannot be seen."
            )  # fmt: skip
            do = "`%agent` shows what runs here; `%agent stop` ends it." if case.place == "here" else (
                "Look at the notebook or program where it was started."
            )  # fmt: skip
            return Finding(kind="running", severity="note", title=title, suggestion=do, step=case.last_step,
                           evidence=evidence)  # fmt: skip
        case "unrecorded":
            return Finding(
                kind="database", step=case.last_step, evidence=evidence,
                title="It ran in this process and is over, and its end could not be written into the database.",
                suggestion="Look at the disk and at the file that `%lumos doctor` names, then run it again.",
            )  # fmt: skip
    return Finding(
        kind="killed",
        title=f"Its process ended without a word{_doing(case)}: the kernel was restarted or killed, "
        "or the machine ran out of memory.",
        suggestion=_take_up(case),
        step=case.last_step,
        evidence=evidence,
    )
