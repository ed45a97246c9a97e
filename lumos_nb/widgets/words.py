"""What a cell says of a run: how it stands, its tools, what was decided, and the line under it.

One idea: the live view, the saved output and the terminal say the same thing in the same words.
"""

from __future__ import annotations

import json
from typing import Any

from lumos_nb.phrases import count, price, seconds

_MARKS = {"completed": "✓", "failed": "✗", "cancelled": "-", "running": "·"}
_STATES = {"running": "running", "waiting": "waiting for you", "denied": "denied", "cancelled": "stopped"}
_DECISIONS = {
    "allow": "allowed by {}",
    "allow_thread": "allowed in this thread",
    "edit": "changed by {}",
    "deny": "denied by {}",
}


def title(doc: dict[str, Any]) -> list[str]:
    """Return agent, model and thread, as far as they are known."""
    thread = doc.get("thread") or ""
    return [text for text in (doc.get("agent"), doc.get("model"), thread and f"thread {thread}") if text]


_CUT_SHORT = {
    "length": "cut at the model's limit of length",
    "max_steps": "stopped at max_steps",
    "max_cost": "stopped at max_cost",
    "content_filter": "stopped by the vendor's content filter",
}


def summary(doc: dict[str, Any]) -> list[str]:
    """Return the parts of the line under a finished run.

    Example:
        >>> summary({"status": "completed", "n_steps": 2, "n_tool_calls": 1, "duration_s": 4.1})
        ['✓ 2 steps', '1 tool', '4.1 s']
        >>> summary({"status": "completed", "n_steps": 1, "n_retries": 2, "in_place_of": ["a", "b"]})
        ['✓ 1 step', 'retried 2 times', 'in place of a, b']
        >>> summary({"status": "completed", "n_steps": 2, "n_replayed": 1})
        ['✓ 2 steps', '1 of 2 replayed']
    """
    usage, ended = doc.get("usage") or {}, {"failed": "Failed", "cancelled": "Stopped"}
    tokens = (usage.get("input_tokens") or 0, usage.get("output_tokens") or 0)
    status = doc.get("status", "running")
    others = [model for model in doc.get("in_place_of") or () if model != doc.get("model")]
    parts = [
        ended.get(status, ""),
        count(doc.get("n_steps") or 0, "step"),
        count(doc["n_tool_calls"], "tool") if doc.get("n_tool_calls") else "",
        f"{tokens[0]:,} in, {tokens[1]:,} out" if any(tokens) else "",
        f"{doc['tokens_per_s']:,.0f} tok/s" if doc.get("tokens_per_s") else "",
        f"first token {seconds(doc['ttft_s'])}" if doc.get("ttft_s") is not None else "",
        price(doc.get("cost_usd")),
        seconds(doc.get("duration_s")),
        _retried(doc.get("n_retries") or 0),
        _replayed(doc),
        f"in place of {', '.join(others)}" if others else "",
        doc.get("thread") or "",
        _CUT_SHORT.get(doc.get("stop_reason") or "", ""),
    ]
    shown = [p for p in parts if p]
    return [f"{_MARKS.get(status, '·')} {shown[0]}", *shown[1:]]


def _retried(n: int) -> str:
    return "" if n == 0 else "retried once" if n == 1 else f"retried {n:,} times"


def _replayed(doc: dict[str, Any]) -> str:
    """Say that answers came from a tape, and how many where not all did."""
    n, n_steps = doc.get("n_replayed") or 0, doc.get("n_steps") or 0
    return "" if n == 0 else "replayed" if n >= n_steps else f"{n:,} of {n_steps:,} replayed"


def failure(doc: dict[str, Any]) -> str:
    """Say why a run failed and what to do about it; nothing for one that did not.

    Example:
        >>> failure({"status": "failed", "error": {"message": "No key.", "hint": "Set KEY."}})
        'No key. Set KEY.'
    """
    error = doc.get("error")
    if not error or doc["status"] != "failed":
        return ""
    return f"{error['message']} {error.get('hint') or ''}".strip()


def tool_state(item: dict[str, Any]) -> str:
    """Say how a tool call stands.

    Example:
        >>> tool_state({"status": "ok", "duration_s": 0.03})
        '✓ 0.03 s'
    """
    mark = {"ok": "✓", "error": "✗"}.get(item["status"])
    if mark:
        return f"{mark} {seconds(item.get('duration_s'))}".rstrip()
    if is_unanswered(item):
        return "was waiting for you"
    if item["status"] == "running" and item.get("state"):
        return str(item["state"])
    return _STATES.get(item["status"], str(item["status"]))


def is_unanswered(item: dict[str, Any]) -> bool:
    """Return whether the run ended while this call waited for an answer."""
    return item["status"] == "cancelled" and "question" in item


ASK_AGAIN = "Run %agent resume to be asked again."


def decision(item: dict[str, Any]) -> str:
    """Say what was decided about a tool call, and by whom; nothing for one that did not have to wait.

    Example:
        >>> decision({"decision": {"decision": "deny", "by": "person", "reason": "not on a Friday"}})
        'denied by you: not on a Friday'
        >>> decision({"decision": {"decision": "allow", "by": "policy", "reason": ""}})
        'allowed by policy'
    """
    made = item.get("decision")
    if not made:
        return ""
    by = "you" if made["by"] == "person" else made["by"]
    text = _DECISIONS.get(made["decision"], "{}").format(by)
    return f"{text}: {made['reason']}" if made.get("reason") else text


def outcome(item: dict[str, Any], width: int = 120) -> str:
    """Say how a tool call stands and what was decided about it, on one line.

    Example:
        >>> outcome({"status": "ok", "duration_s": 0.03, "decision": {"decision": "edit", "by": "person"}})
        '✓ 0.03 s, changed by you'
    """
    decided = one_line(decision(item), width)
    if item["status"] == "denied":
        return decided or tool_state(item)
    return f"{tool_state(item)}, {decided}" if decided else tool_state(item)


def arguments(text: str) -> dict[str, Any] | None:
    """Return the arguments of a tool call as a dict, or None where the model wrote no such thing."""
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def short_arguments(item: dict[str, Any], width: int = 100) -> str:
    """Return the arguments on one line: the first text bare, the others by name.

    Example:
        >>> short_arguments({"arguments": '{"table": "orders", "limit": 5}'})
        'orders, limit=5'
    """
    args = arguments(item["arguments"])
    if args is None:
        return one_line(item["arguments"], width)
    parts = []
    for i, (name, value) in enumerate(args.items()):
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        parts.append(one_line(text, 60) if i == 0 and isinstance(value, str) else f"{name}={one_line(text, 40)}")
    return one_line(", ".join(parts), width)


def one_line(text: str, width: int) -> str:
    """Return the first line of a text, cut to a width.

    Example:
        >>> one_line("first line\\nsecond", 20), one_line("abcdef", 4)
        ('first line…', 'abc…')
    """
    first, _, rest = text.strip().partition("\n")
    cut = first if len(first) <= width else first[: width - 1]
    return cut + ("…" if rest or cut != first else "")


def reasoning_state(item: dict[str, Any]) -> str:
    """Say how long the model thought; "Thinking" while it does."""
    return "Thinking" if item.get("duration_s") is None else f"Thought for {seconds(item['duration_s'])}"
