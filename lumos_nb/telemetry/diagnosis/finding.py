"""What a diagnosis is made of: findings, each with its evidence and one thing to do.

One idea: a finding never says more than its evidence does, and evidence is quoted from the log.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from lumos_nb.hiding.known import masked
from lumos_nb.messages import valid_text
from lumos_nb.phrases import price, seconds
from lumos_nb.providers.failures import redact

KINDS = {
    # How a run failed.
    "database": "The database",
    "no_key": "No key",
    "refused_key": "The key was refused",
    "not_allowed": "Not allowed",
    "no_credit": "No credit",
    "unknown_model": "Unknown model",
    "rate_limit": "Rate limit",
    "overloaded": "The server could not answer",
    "context_length": "The conversation is too long",
    "timeout": "Time limit",
    "connection": "No connection",
    "cut_stream": "The answer broke off",
    "bad_request": "The request was refused",
    "answer_form": "The answer never had its form",
    "limit": "A limit of the run",
    "tape": "The tape",
    "setup": "Called wrong",
    "interrupted": "Stopped",
    "killed": "The process ended",
    "running": "Still running",
    "unknown": "Not known",
    # What went wrong on the way; the cause stands before what came of it.
    "tool_bug": "A tool raised",
    "unknown_tool": "No such tool",
    "tool_arguments": "Arguments that do not fit",
    "tool_error": "A tool said no",
    "denied": "Denied",
    "tool_loop": "The same call again and again",
    "max_steps": "Out of steps",
    "max_cost": "Out of money",
    "truncated": "The answer was cut",
    "content_filter": "Content filter",
    "empty_answer": "No answer",
    "reasked": "Asked again for the form",
    "fell_back": "Another model took over",
    "retries": "Tried again",
    # What would be quicker or cheaper.
    "slow": "Slower than usual",
    "dominated": "Where the time went",
    "serial_tools": "Tools one after another",
    "one_by_one": "One call a step",
    "uncached": "Prompt not read from a cache",
    "large_results": "Large tool results",
    "context_fills": "The context fills",
}
"""The kinds of findings, the first cause first, and what they are called."""

SEVERITIES = ("failed", "warning", "note")
"""The run failed of it; it ended well and badly; it could be quicker or cheaper."""

QUOTED_CHARS = 400
_ANSI = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Characters that do something to a terminal, or turn the text around them."""


class Evidence(msgspec.Struct, frozen=True):
    """A value of the log that a finding rests on."""

    #: Where it stands, such as `runs.error_message`.
    source: str
    #: Bounded, on its own lines, without anything that looks like a key.
    value: str


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that went wrong, or could go better."""

    #: One of `KINDS`.
    kind: str
    #: What happened, a sentence.
    title: str
    #: What to do or type.
    suggestion: str
    #: One of `SEVERITIES`.
    severity: str = "failed"
    step: int | None = None
    tool: str | None = None
    tool_call_id: str | None = None
    evidence: tuple[Evidence, ...] = ()
    #: Estimates; None where they are not known.
    saves_s: float | None = None
    saves_usd: float | None = None

    @property
    def where(self) -> str:
        """The step and tool call, or an empty text if it is about the whole run.

        Example:
            >>> Finding(kind="tool_bug", title="", suggestion="", step=2, tool="rows", tool_call_id="c1").where
            "step 2, call 'c1' of 'rows'"
        """
        step = "" if self.step is None else f"step {self.step}"
        call = f"call {self.tool_call_id!r} of {self.tool!r}" if self.tool_call_id else ""
        return ", ".join(part for part in (step, call or (f"tool {self.tool!r}" if self.tool else "")) if part)

    @property
    def saves(self) -> str:
        """What it would save, in words; empty where that is not known."""
        parts = [
            seconds(self.saves_s) if (self.saves_s or 0) >= 0.1 else "",
            price(self.saves_usd) if self.saves_usd else "",
        ]
        said = " and ".join(part for part in parts if part)
        return f"would save about {said} (estimate)" if said else ""


def hidden(text: str) -> str:
    """Return a text without anything that looks like a key, and without the keys of this process.

    Example:
        >>> hidden("Bad key: sk-abcdef123456")
        'Bad key: ••••'
    """
    # A sentence needs less of a text than a view of a request, so more is taken for a key: `redact`.
    return redact(masked(text))


def quoted(source: str, value: Any, chars: int = QUOTED_CHARS) -> Evidence:
    """Return a value as evidence: bounded, and without anything that looks like a key.

    Example:
        >>> quoted("runs.error_message", "Bad key: sk-abcdef123456")
        Evidence(source='runs.error_message', value='Bad key: ••••')
    """
    text = value if isinstance(value, str) else f"{value}"
    # Of megabytes no more is searched for keys than is shown, with room for one that crosses the end.
    text = _UNSEEN.sub("·", _ANSI.sub("", hidden(valid_text(text[: chars + 2_000])))).strip()
    return Evidence(source, text if len(text) <= chars else f"{text[:chars].rstrip()}…")


def one_line(value: Any, chars: int = 160) -> str:
    """Return a value on one line, bounded and redacted, to stand in a sentence.

    Example:
        >>> one_line("two\\n lines")
        'two lines'
    """
    return " ".join(quoted("", value, chars).value.split())


def in_order(findings: list[Finding]) -> tuple[Finding, ...]:
    """Return findings with what the run failed of first, then causes before what came of them."""
    kinds = list(KINDS)
    return tuple(sorted(findings, key=lambda f: (SEVERITIES.index(f.severity), kinds.index(f.kind), f.step or 0)))
