"""`TraceDiff`: what is different between two runs, step by step.

One idea: what was said and decided is told apart from figures. Two runs of the same prompt never
take the same time; whether they *said* the same is the question.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from lumos_nb.events import TokenUsage
from lumos_nb.memory.configs import read_config
from lumos_nb.stores import Store
from lumos_nb.telemetry.diff.aligning import aligned, paired
from lumos_nb.telemetry.diff.view import diff_html, diff_text
from lumos_nb.telemetry.texts import Results, read_answers, read_prompt, read_results
from lumos_nb.telemetry.traces.trace import ExecutionTrace, TraceStep, TraceTool, load_trace

DIFF_VERSION = 1


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is not the same in both runs."""

    #: `run`, or `step 2`.
    where: str
    #: prompt, instructions, model, answer, tool rows …
    what: str
    #: changed, added (only in the second run) or removed (only in the first).
    kind: str
    a: str | None = None
    b: str | None = None


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A figure of both runs; None where it is not known."""

    name: str
    a: float | None
    b: float | None
    #: `run`, or `step 2`.
    where: str = "run"

    @property
    def change(self) -> float | None:
        """The second less the first."""
        return None if self.a is None or self.b is None else self.b - self.a


class TraceDiff(msgspec.Struct, frozen=True, kw_only=True):
    """What is different between two runs: changes of what was said and decided, and the figures of both."""

    #: Ids of the runs.
    a: str
    b: str
    changes: tuple[Change, ...]
    figures: tuple[Figure, ...]

    def rows(self) -> list[dict[str, Any]]:
        """Return a dict for each change and figure, for a DataFrame: where, what, kind, a, b."""
        figures = [{"where": f.where, "what": f.name, "kind": "figure", "a": f.a, "b": f.b} for f in self.figures]
        return [*map(msgspec.structs.asdict, self.changes), *figures]

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain data: `{"v": 1, …}`."""
        return {"v": DIFF_VERSION, **msgspec.to_builtins(self)}

    def to_text(self) -> str:
        """Return it as text."""
        return diff_text(self)

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": self.to_text(), "text/html": diff_html(self)}


def diff_traces(a: str | ExecutionTrace, b: str | ExecutionTrace, store: Store | None = None) -> TraceDiff:
    """Return what is different between two runs.

    Args:
        a: A trace, or what `load_trace` takes: `last`, a run id or its unique end.
        b: The other, which is told as what came of the first.
        store: Where to look; the default database if None.

    Raises:
        UsageError: There is no such run.

    Example:
        >>> from lumos_nb import Agent; from lumos_nb.testing import ScriptedProvider
        >>> agent = Agent("a", model=ScriptedProvider(["Hello.", "Good day."]))
        >>> a, b = [agent.generate_sync("Hi").run_id for _ in range(2)]
        >>> [(change.where, change.what, change.b) for change in diff_traces(a, b).changes]
        [('step 1', 'answer', 'Good day.')]
    """
    first = a if isinstance(a, ExecutionTrace) else load_trace(a, store)
    second = b if isinstance(b, ExecutionTrace) else load_trace(b, store)
    changes = [*_run_changes(first, second), *_config_changes(first, second), *_step_changes(first, second)]
    return TraceDiff(a=first.run_id, b=second.run_id, changes=tuple(changes), figures=_figures(first, second))


def _run_changes(a: ExecutionTrace, b: ExecutionTrace) -> Iterator[Change]:
    yield from _changed("run", "prompt", *(read_prompt(t.store, t.run_id) or t.prompt for t in (a, b)))
    for name in ("agent", "model", "status", "stop_reason", "error"):
        yield from _changed("run", name, getattr(a, name), getattr(b, name))


def _config_changes(a: ExecutionTrace, b: ExecutionTrace) -> Iterator[Change]:
    """Yield what is different in the agents; nothing where one of them was not kept."""
    first, second = (read_config(t.store, t.config_hash) for t in (a, b))
    if first is None or second is None:
        return
    yield from _changed("run", "instructions", first.get("instructions"), second.get("instructions"))
    yield from _changed("run", "max_steps", first.get("max_steps"), second.get("max_steps"))
    yield from _entries("run", "option", first.get("options") or {}, second.get("options") or {})
    yield from _tool_changes(*({t.get("name"): t for t in config.get("tools") or []} for config in (first, second)))


def _tool_changes(a: dict[Any, dict[str, Any]], b: dict[Any, dict[str, Any]]) -> Iterator[Change]:
    for name in sorted({*a, *b}, key=str):
        if name not in a or name not in b:
            kind, one = ("added", b[name]) if name in b else ("removed", a[name])
            text = str(one.get("description") or "")
            yield Change(where="run", what=f"tool {name}", kind=kind, **{"b" if kind == "added" else "a": text})
            continue
        for part in ("description", "parameters"):
            yield from _changed("run", f"tool {name}: {part}", a[name].get(part), b[name].get(part))


def _step_changes(a: ExecutionTrace, b: ExecutionTrace) -> Iterator[Change]:
    said = read_answers(a.store, a.run_id), read_answers(b.store, b.run_id)
    gave = read_results(a.store, a.run_id), read_results(b.store, b.run_id)
    for first, second in aligned(a.steps, b.steps):
        if first is None or second is None:
            yield _lone(first, second, said)
            continue
        where = _place(first, second)
        yield from _changed(where, "answer", said[0].get(first.step), said[1].get(second.step))
        for name in ("provider", "model", "stop_reason", "status", "error_type"):
            yield from _changed(where, name, getattr(first, name), getattr(second, name))
        yield from _call_changes(where, first, second, gave)


def _lone(a: TraceStep | None, b: TraceStep | None, said: tuple[dict[int, str], dict[int, str]]) -> Change:
    if b is not None:
        return Change(where=f"step {b.step}", what="step", kind="added", b=_told(b, said[1]))
    assert a is not None
    return Change(where=f"step {a.step}", what="step", kind="removed", a=_told(a, said[0]))


def _told(step: TraceStep, said: dict[int, str]) -> str:
    return "\n".join([*([said[step.step]] if said.get(step.step) else []), *map(_call_text, step.tool_calls)])


def _call_text(call: TraceTool) -> str:
    return f"{call.tool}({call.arguments})"


def _call_changes(where: str, a: TraceStep, b: TraceStep, gave: tuple[Results, Results]) -> Iterator[Change]:
    names = [[call.tool for call in step.tool_calls] for step in (a, b)]
    for first, second in paired(a.tool_calls, b.tool_calls, *names):
        if first is None or second is None:
            lone, kind, side = (second, "added", "b") if second else (first, "removed", "a")
            yield Change(where=where, what=f"call of {lone.tool}", kind=kind, **{side: _call_text(lone)})
            continue
        name = first.tool if first.tool == second.tool else f"{first.tool}, now {second.tool}"
        yield from _changed(where, f"{name}: arguments", _value(first.arguments), _value(second.arguments))
        for part in ("status", "decision", "error_type"):
            yield from _changed(where, f"{name}: {part}", getattr(first, part), getattr(second, part))
        results = gave[0].get((a.step, first.tool_call_id)), gave[1].get((b.step, second.tool_call_id))
        yield from _changed(where, f"{name}: result", *results)


def _entries(where: str, what: str, a: dict[str, Any], b: dict[str, Any]) -> Iterator[Change]:
    for name in sorted({*a, *b}):
        yield from _changed(where, f"{what} {name}", a.get(name), b.get(name))


def _changed(where: str, what: str, a: Any, b: Any) -> Iterator[Change]:
    if a == b:
        return
    kind = "added" if a in (None, "") else "removed" if b in (None, "") else "changed"
    yield Change(where=where, what=what, kind=kind, a=_text(a), b=_text(b))


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True)


def _value(arguments: str) -> Any:
    """Return arguments as a value: the order in which a model names them is no difference."""
    try:
        return json.loads(arguments)
    except (ValueError, RecursionError):
        return arguments


def _figures(a: ExecutionTrace, b: ExecutionTrace) -> tuple[Figure, ...]:
    def of(trace: ExecutionTrace) -> dict[str, float | None]:
        calls = sum(len(step.tool_calls) for step in trace.steps)
        return {"duration_s": trace.duration_s, "working_s": trace.working_s, "ttft_s": trace.ttft_s,
                "steps": len(trace.steps), "tool_calls": calls, **_used(trace)}  # fmt: skip

    found = list(_both("run", of(a), of(b)))
    for first, second in aligned(a.steps, b.steps):
        if first is not None and second is not None:
            figures = [{"duration_s": step.duration_s, **_used(step)} for step in (first, second)]
            found += _both(_place(first, second), *figures)
    return tuple(found)


def _used(part: ExecutionTrace | TraceStep) -> dict[str, float | None]:
    return {**{name: getattr(part.usage, name) for name in TokenUsage.__struct_fields__}, "cost_usd": part.cost_usd}


def _both(where: str, a: dict[str, float | None], b: dict[str, float | None]) -> Iterator[Figure]:
    for name, value in a.items():
        if value or b[name]:
            yield Figure(name=name, a=value, b=b[name], where=where)


def _place(a: TraceStep, b: TraceStep) -> str:
    return f"step {b.step}" if a.step == b.step else f"step {a.step}, now {b.step}"
