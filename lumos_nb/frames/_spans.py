"""Spans as rows: what each took itself, how deep it lies, and what all below it used.

One idea: what a span used and what its subtree used are different columns, so that neither is added up twice.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import msgspec

from lumos_nb.events import TokenUsage
from lumos_nb.stores import Store
from lumos_nb.stores.schema import Column
from lumos_nb.telemetry.spans import Span, in_tree, read_spans

_TOKENS = TokenUsage.__struct_fields__
_AMOUNTS = (*_TOKENS, "cost_usd")

COLUMNS = (
    Column("start_at", "time", "when it began"),
    Column("name", "text", "chat MODEL, execute_tool TOOL, invoke_agent AGENT, or what was waited for"),
    Column("op", "cat", "invoke_agent, chat, execute_tool; waits: approval, retry, rate_limit, pause, away"),
    Column("status", "cat", "ok, error, denied, cancelled, running or waiting"),
    Column("duration_s", "float", "NaN while it goes on, or where its process was killed"),
    Column("self_s", "float", "duration in which none of the spans below it was under way"),
    Column("depth", "int", "from 0, the run that nobody began"),
    Column("path", "text", "names from the top to this one, with > between"),
    Column("input_tokens", "int", "of this span itself; only model calls have it"),
    Column("output_tokens", "int", "of this span itself"),
    Column("cost_usd", "float", "US dollars of this span itself; NaN where a price is not known"),
    Column("total_input_tokens", "int", "of this span and all below it; missing without a model call there"),
    Column("total_output_tokens", "int", "of this span and all below it"),
    Column("total_cost_usd", "float", "US dollars of this span and all below it; NaN where one is not known"),
    Column("error_type", "cat", "class of the error, if it failed"),
    Column("error_message", "text", "what the error said"),
    Column("provider", "cat", "vendor of the model"),
    Column("model", "cat", "model that was called"),
    Column("agent", "cat", "agent of the run"),
    Column("tool", "cat", "tool that was called"),
    Column("ttft_s", "float", "request sent to first token, of a model call"),
    Column("step", "int", "step of the run, from 1"),
    Column("cache_read_tokens", "int", "of this span itself: input that came from a cache"),
    Column("cache_write_tokens", "int", "of this span itself: input that was put into a cache"),
    Column("reasoning_tokens", "int", "of this span itself: output that was reasoning"),
    Column("total_cache_read_tokens", "int", "of this span and all below it"),
    Column("total_cache_write_tokens", "int", "of this span and all below it"),
    Column("total_reasoning_tokens", "int", "of this span and all below it"),
    Column("end_at", "time", "when it ended; missing while it goes on"),
    Column("tool_call_id", "id", "call that the span is of, if it is one"),
    Column("trace_id", "id", "the same for a run and all that runs within it"),
    Column("span_id", "id", "16 hexadecimal digits"),
    Column("parent_span_id", "id", "span that it is part of; a caller's, if it handed one over"),
    Column("thread_id", "id", "thread of the run"),
    Column("run_id", "id", "run that it is part of"),
    Column("attributes_json", "json", "what else there is to say of it", lazy=True),
)


def rows(store: Store, runs: list[str]) -> list[dict[str, Any]]:
    """Return the spans of whole families of runs, parents before children."""
    spans = list(read_spans(store, [("run_id", "in", runs)]))
    placed = list(in_tree(spans))
    seen = {span.span_id for _, span in placed}
    placed += [(0, span) for span in spans if span.span_id not in seen]  # a circle has no top
    children: dict[str, list[Span]] = defaultdict(list)
    for _, span in placed:
        if span.parent_span_id:
            children[span.parent_span_id].append(span)
    totals = _totals(placed)
    out: list[dict[str, Any]] = []
    above: list[str] = []
    for depth, span in placed:
        above[depth:] = [span.name]
        out.append(_row(span, depth, " > ".join(above), totals[span.span_id], _self_s(span, children[span.span_id])))
    return out


def _totals(placed: list[tuple[int, Span]]) -> dict[str, dict[str, Any]]:
    """Return what each span and all below it used; unknown plus anything is unknown, nothing is None."""
    out: dict[str, dict[str, Any]] = {}
    above: list[str] = []
    for depth, span in placed:
        out[span.span_id] = {"n": 0, **dict.fromkeys(_AMOUNTS, 0)}
        above[depth:] = [span.span_id]
        if span.usage is None:
            continue
        own = {**{name: getattr(span.usage, name) for name in _TOKENS}, "cost_usd": span.cost_usd}
        for one in above:
            total = out[one]
            total["n"] += 1
            for name, amount in own.items():
                total[name] = None if amount is None or total[name] is None else total[name] + amount
    return out


def _self_s(span: Span, children: list[Span]) -> float | None:
    """Return the seconds in which none of the children was under way."""
    if span.end_ns is None:
        return None
    end, at, busy = span.end_ns, span.start_ns, 0
    for child in sorted(children, key=lambda child: child.start_ns):
        until = min(end, end if child.end_ns is None else child.end_ns)
        since = max(at, child.start_ns)
        busy += max(0, until - since)
        at = max(at, until)
    return max(0, end - span.start_ns - busy) / 1e9


def _row(span: Span, depth: int, path: str, total: dict[str, Any], self_s: float | None) -> dict[str, Any]:
    has_calls = total["n"] > 0
    return {
        **{name: getattr(span, name) for name in _SAME},
        "start_at": span.start_ns,
        "end_at": span.end_ns,
        "self_s": self_s,
        "depth": depth,
        "path": path,
        **{name: getattr(span.usage, name, None) for name in _TOKENS},
        **{f"total_{name}": total[name] if has_calls else None for name in _AMOUNTS},
        "attributes_json": _json(span.attributes),
    }


_SAME = (
    "name", "op", "status", "duration_s", "cost_usd", "error_type", "error_message", "provider", "model", "agent",
    "tool", "ttft_s", "step", "tool_call_id", "trace_id", "span_id", "parent_span_id", "thread_id", "run_id",
)  # fmt: skip


def _json(attributes: dict[str, Any]) -> str:
    return msgspec.json.encode(attributes, enc_hook=str).decode()
