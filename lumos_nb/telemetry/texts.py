"""What was said in a run: its prompt and what each step answered, whole, from its events.

One idea: an event of a later version is read as far as it is known, and otherwise left alone.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from lumos_nb.stores import Store
from lumos_nb.stores.base import Condition

Results = dict[tuple[int | None, str], str]


def read_prompt(store: Store, run_id: str) -> str | None:
    """Return the whole prompt of a run, or None where that is not kept.

    Example:
        >>> import tempfile; from lumos_nb.stores import open_store
        >>> read_prompt(open_store(tempfile.mkdtemp() + "/lumos.db"), "no such run")
    """
    where: list[Condition] = [("run_id", "=", run_id), ("kind", "=", "run_start")]
    for (payload,) in store.select("events", ["payload_json"], where=where, limit=1):
        return str(_object(payload).get("prompt") or "") or None
    return None


def read_answers(store: Store, run_id: str, steps: Collection[int] | None = None) -> dict[int, str]:
    """Return what a model said in each step of a run, or in some.

    Example:
        >>> import tempfile; from lumos_nb.stores import open_store
        >>> read_answers(open_store(tempfile.mkdtemp() + "/lumos.db"), "no such run")
        {}
    """
    where: list[Condition] = [("run_id", "=", run_id), ("kind", "in", ["checkpoint", "step_complete"])]
    if steps is not None:
        where.append(("step", "in", list(steps)))
    answers: dict[int, str] = {}
    for (payload,) in store.select("events", ["payload_json"], where=where, order=["run_seq"]):
        said = _object(payload).get("step")
        if isinstance(said, dict) and isinstance(said.get("index"), int):
            answers[said["index"]] = str(said.get("text") or "")
    return answers


def read_results(store: Store, run_id: str, tool_call_id: str | None = None) -> Results:
    """Return what a model was told by the tool calls of a run, or by one, by step and id; not those without an end.

    Example:
        >>> import tempfile; from lumos_nb.stores import open_store
        >>> read_results(open_store(tempfile.mkdtemp() + "/lumos.db"), "no such run")
        {}
    """
    where: list[Condition] = [("run_id", "=", run_id), ("result_json", "!=", None)]
    if tool_call_id is not None:
        where.append(("tool_call_id", "=", tool_call_id))
    found = store.select("tool_calls", ["step", "tool_call_id", "result_json"], where=where)
    return {(step, call): str(_object(text).get("content", text)) for step, call, text in found}


def _object(payload: str | None) -> dict[str, Any]:
    try:
        value = json.loads(payload or "{}")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
