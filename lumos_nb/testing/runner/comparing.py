"""What a notebook shows now against what is stored in it.

One idea: both sides are written as lines of text, without what may differ from one execution to the next, and
the lines are compared: what is said to be different is what a person would see as different.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from lumos_nb.testing.masks import masked_text
from lumos_nb.transcript import MIME

Masks = Sequence[tuple[re.Pattern[str], str]]

MASKED = frozenset({
    "v", "run_id", "thread_id", "call_id", "started_at", "asked_at", "duration_s", "ttft_s", "tokens_per_s", "open",
    "n_replayed",
})  # fmt: skip
"""Fields of a run's document that say when and under which name it was, not what it was."""

_TIMES: Masks = [
    (re.compile(r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"), "<time>"),
    (re.compile(r"\b\d{1,2}:\d\d:\d\d(?:\.\d+)?"), "<time>"),
    (re.compile(r"\b\d+(?:\.\d+)?(?:e-?\d+)? ?(?:ns|µs|us|ms|s|sec|seconds|min|minutes|tokens/s|tok/s)\b"), "<time>"),
]
_WIDGET = (re.compile(r'"model_id": "[0-9a-f]{32}"'), '"model_id": "ID"')
_FIRST = ("agent", "provider", "model", "prompt", "status", "items", "error")
"""Fields of a run's document in the order in which a person reads them; the others come after."""
_READ = ("text/plain", "text/markdown", "text/latex", "application/json", MIME)
"""What of an output is compared line by line; of the rest, that it is there."""


def masked(text: str, masks: Masks = (), *, times: bool = True) -> str:
    """Return text without what may differ: addresses, ids, temporary paths, times, and what a notebook's masks name.

    Example:
        >>> masked("<Agent at 0x7f12ab34cd56> took 1.25 s")
        '<Agent at 0x…> took <time>'
    """
    for pattern, replacement in masks:
        text = pattern.sub(replacement, text)
    text = masked_text(text)
    for pattern, replacement in _TIMES if times else ():
        text = pattern.sub(replacement, text)
    return text


def difference(stored: Sequence[Any], executed: Sequence[Any], *, everything: bool, masks: Masks = ()) -> str:
    """Return how the outputs of a cell differ from those stored, as a diff, or nothing.

    Args:
        stored: Outputs as the file has them.
        executed: Outputs as they are now.
        everything: Compare all outputs; else only runs, and only if one is stored.
        masks: What may differ here, too.
    """
    if not everything and not any(True for _ in _runs(stored)):
        return ""
    lines = _all_lines if everything else _run_lines
    # What is played costs nothing: its cost cannot be that of the run that was stored when it was asked.
    is_as_live = [_replayed(run) for run in _runs(stored)] == [_replayed(run) for run in _runs(executed)]
    before, now = (
        [masked(line, masks) for line in lines(outputs) if is_as_live or not line.startswith("cost_usd:")]
        for outputs in (stored, executed)
    )
    return "\n".join(
        line for line in difflib.unified_diff(before, now, "stored", "executed", lineterm="", n=1)
        if not line.startswith("@@")
    )  # fmt: skip


def is_same(stored: Any, executed: Any, masks: Masks = ()) -> bool:
    """Return whether two lists of outputs are the same but for addresses, ids and temporary paths.

    What is stored is then not written anew: a change in git is a change that somebody sees.
    """
    masks = [*masks, _WIDGET]
    before, now = (masked(json.dumps(each, sort_keys=True), masks, times=False) for each in (stored, executed))
    return before == now and not any(True for _ in _runs(stored))


def _runs(outputs: Iterable[Any]) -> Iterator[dict[str, Any]]:
    for output in outputs:
        if MIME in output.get("data", {}):
            yield output["data"][MIME]


def _replayed(run: dict[str, Any]) -> int:
    return int(run.get("n_replayed") or 0)


def _run_lines(outputs: Iterable[Any]) -> Iterator[str]:
    for n, document in enumerate(_runs(outputs), start=1):
        yield f"run {n}"
        yield from _lines(document, "")


def _all_lines(outputs: Sequence[Any]) -> Iterator[str]:
    for name in ("stdout", "stderr"):
        text = "".join(o["text"] for o in outputs if o["output_type"] == "stream" and o["name"] == name)
        yield from (f"{name}: {line}" for line in text.splitlines())
    for output in outputs:
        if output["output_type"] == "error":
            yield f"{output['ename']}: {output['evalue']}"
        yield from _bundle_lines(output.get("data", {}))


def _bundle_lines(bundle: dict[str, Any]) -> Iterator[str]:
    if MIME in bundle:
        bundle = {MIME: bundle[MIME]}
    for kind, value in sorted(bundle.items()):
        if kind == MIME:
            yield from _lines(value, "")
        elif kind in _READ or (kind.startswith("text/") and "text/plain" not in bundle):
            yield from _lines(value, kind)
        else:
            yield kind


def _lines(value: Any, name: str) -> Iterator[str]:
    """Yield a JSON value as lines, each with its name before it."""
    if isinstance(value, dict):
        for key in sorted(value, key=lambda key: (_FIRST.index(key) if key in _FIRST else len(_FIRST), key)):
            if key not in MASKED:
                yield from _lines(value[key], f"{name} {key}".strip())
    elif isinstance(value, list):
        for n, inner in enumerate(value, start=1):
            yield from _lines(inner, f"{name} {n}".strip())
    elif isinstance(value, str) and len(value) > 2000 and "\n" not in value:
        yield f"{name}: {len(value)} characters, {hashlib.sha256(value.encode()).hexdigest()[:12]}"
    elif isinstance(value, str):
        yield from (f"{name}: {line}".rstrip() for line in value.splitlines() or [""])
    else:
        yield f"{name}: {json.dumps(value)}"
