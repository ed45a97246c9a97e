"""`traceparent`: how one program tells another which trace its work is part of (W3C Trace Context).

One idea: ids of spans follow from names, so what a request carries can be told before anything is recorded.
"""

from __future__ import annotations

import hashlib
import re

import msgspec

_FORM = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_ID = re.compile("[0-9a-f]{32}")


class TraceParent(msgspec.Struct, frozen=True, kw_only=True):
    """The span of somebody else that a run is part of."""

    #: 32 hexadecimal digits.
    trace_id: str
    #: 16 hexadecimal digits.
    span_id: str
    #: Whether its trace is kept.
    is_sampled: bool = True


def parse_traceparent(text: str | None) -> TraceParent | None:
    """Return what a `traceparent` says, or None where it says nothing that can be used: it must never stop a run.

    Example:
        >>> parse_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").span_id
        '00f067aa0ba902b7'
        >>> parse_traceparent("hello") is None
        True
    """
    found = _FORM.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        return None
    version, trace, span, flags, more = found.groups()
    if version == "ff" or (version == "00" and more) or not int(trace, 16) or not int(span, 16):
        return None
    return TraceParent(trace_id=trace, span_id=span, is_sampled=bool(int(flags, 16) & 1))


def format_traceparent(trace_id: str, span_id: str, *, is_sampled: bool = True) -> str:
    """Return the header's text.

    Example:
        >>> format_traceparent("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")
        '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    """
    return f"00-{trace_id}-{span_id}-{'01' if is_sampled else '00'}"


def trace_id(run_id: str) -> str:
    """Return the trace id of a run that nobody handed one over: 32 hexadecimal digits.

    Example:
        >>> trace_id("0199c2a1-7c1e-7000-8123-456789abcdef")
        '0199c2a17c1e70008123456789abcdef'
    """
    digits = run_id.replace("-", "")
    return digits if _ID.fullmatch(digits) else hashlib.blake2b(run_id.encode(), digest_size=16).hexdigest()


def span_id(run_id: str, part: str | int = "") -> str:
    """Return the id of a run's span, or of a part of it: a step's number, a tool call's id; 16 hexadecimal digits.

    It can be told before and after from the names alone, so nobody has to remember it.

    Example:
        >>> run = "0199c2a1-7c1e-7000-8123-456789abcdef"
        >>> len(span_id(run)), span_id(run, 1) == span_id(run, 1), span_id(run, 1) == span_id(run, "call_1")
        (16, True, False)
    """
    named = part if isinstance(part, str) else f"step/{part}"
    return hashlib.blake2b(f"{run_id}/{named}".encode(errors="replace"), digest_size=8).hexdigest()
