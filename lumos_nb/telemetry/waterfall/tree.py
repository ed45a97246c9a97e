"""A trace as lines of text, for a terminal and for whoever reads a notebook without pictures.

One idea: the same rows as the waterfall has, folded alike; each line says what, how it went, how
long, and what it cost.
"""

from __future__ import annotations

from collections.abc import Sequence

from lumos_nb.hiding.known import masked
from lumos_nb.phrases import price
from lumos_nb.telemetry.spans import Span
from lumos_nb.telemetry.waterfall.folding import Row
from lumos_nb.telemetry.wording import MARKS, decision, one_line, seconds, title, tokens, visible, what_failed

_WIDTH = 200


def tree_text(rows: Sequence[Row]) -> str:
    """Return rows as a tree of lines.

    Example:
        >>> tree_text([])
        'Nothing was recorded.'
    """
    if not rows:
        return "Nothing was recorded."
    return "\n".join(guide + line for guide, row in zip(_guides(rows), rows, strict=True) for line in [row_text(row)])


def row_text(row: Row) -> str:
    """Return one row as a line: what it is, how it went, its figures, and what came of it."""
    if row.is_fold:
        return fold_text(row.spans)
    span = row.spans[0]
    told = [title(span), status(span), *figures(row), *remarks(span)]
    return one_line(" · ".join(part for part in told if part), _WIDTH)


def fold_text(spans: Sequence[Span]) -> str:
    """Say what is folded into one row: how many of what, and what they come to.

    Example:
        >>> one = Span(trace_id="", span_id="", parent_span_id=None, op="execute_tool", name="execute_tool rows",
        ...            tool="rows", start_ns=0, end_ns=10**9, status="ok", run_id="r")
        >>> fold_text([one, one])
        '2 calls of rows · folded · ✓ · 2.00 s together'
    """
    known = [span.usage for span in spans if span.usage is not None]
    used = tokens(sum(known[1:], known[0])) if known else ""
    costs = [span.cost_usd for span in spans if span.usage is not None]
    cost = price(sum(c for c in costs if c is not None)) if costs and None not in costs else ""
    marks = sorted({status(span) for span in spans})
    together = seconds(sum(span.duration_s or 0 for span in spans)) + " together"
    told = [f"{len(spans):,} {_kind(spans)}", "folded", ", ".join(marks), together, used, cost]
    return one_line(" · ".join(part for part in told if part), _WIDTH)


def _kind(spans: Sequence[Span]) -> str:
    names = {span.tool or span.agent if span.op in {"execute_tool", "invoke_agent"} else "" for span in spans}
    ops = {span.op for span in spans}
    if len(ops) > 1:
        return "parts of several kinds"
    op = ops.pop()
    if op in {"execute_tool", "invoke_agent"}:
        of = f" of {visible(str(names.pop()))}" if len(names) == 1 else ""
        return f"calls{of or ' of tools'}" if op == "execute_tool" else f"runs{of}"
    return "model calls" if op == "chat" else f"waits ({visible(op)})"


def status(span: Span) -> str:
    """Say how a span went: a mark, and a word where the mark is not enough."""
    mark = MARKS.get(span.status, "·")
    if span.status == "ok":
        return mark
    word = f"{mark} {visible(span.status)}"
    return word if span.end_ns is not None else f"{word}, not ended"


def figures(row: Row) -> list[str]:
    """Return seconds, tokens and cost, as far as they are known; of a run with all that is in it."""
    span = row.spans[0]
    first = f"first token {seconds(span.ttft_s)}" if span.ttft_s is not None else ""
    return [seconds(span.duration_s), first, *cost_texts(row)]


def cost_texts(row: Row) -> list[str]:
    """Return tokens and cost of a model call or a run; a tool that began runs leaves them to those."""
    if row.spans[0].op not in {"chat", "invoke_agent"}:
        return ["", ""]
    return [tokens(row.usage), price(row.cost_usd)]


def error_text(span: Span) -> str:
    """Return what went wrong in a span, with its place; nothing where nothing is said."""
    said = what_failed(span)
    return one_line(f"{title(span)}: {masked(said[:2000])}", 300) if said else ""


def remarks(span: Span) -> list[str]:
    """Return what is worth knowing beside the figures: why it stopped, who decided, what went wrong."""
    said, reason = span.attributes, str(span.attributes.get("stop_reason") or "")
    attempt = said.get("attempt")
    error = what_failed(span)
    result = str(said.get("result_preview") or "") if span.op == "execute_tool" and not error else ""
    tries = f"{attempt} tries" if isinstance(attempt, int) and attempt > 1 else ""
    return [
        "" if reason in {"stop", ""} else reason, tries, decision(span) if span.op == "approval" else "",
        "replayed" if said.get("tape") == "replay" else "", f"→ {one_line(masked(result), 80)}" if result else "",
        one_line(masked(error[:2000]), 120) if error else "",
    ]  # fmt: skip


def _guides(rows: Sequence[Row]) -> list[str]:
    """Return for each row the lines that lead to it."""
    guides: list[str] = []
    goes_on: dict[int, bool] = {}  # at this depth another row follows further down
    for row in reversed(rows):
        depth = row.depth
        for deeper in [d for d in goes_on if d > depth]:
            del goes_on[deeper]
        before = "".join("│  " if goes_on.get(d) else "   " for d in range(1, min(depth, 20)))
        own = "" if depth == 0 else "├─ " if goes_on.get(depth) else "└─ "
        guides.append(before + own)
        goes_on[depth] = True
    return guides[::-1]
