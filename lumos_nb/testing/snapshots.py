"""A run kept as a file beside its test, and compared with it the next time.

One idea: what is kept is what a reviewer would read in a diff: what was said, which tools were called, what they
gave. Ids, times and costs are not in it.
"""

from __future__ import annotations

import json
from difflib import unified_diff
from pathlib import Path
from typing import Any

from lumos_nb.events import AgentGenerateResult
from lumos_nb.testing.masks import masked_text

SNAPSHOT_VERSION = 1


def snapshot_of(run: AgentGenerateResult) -> str:
    """Return what is kept of a run, as JSON that can be read.

    Example:
        >>> print(snapshot_of(AgentGenerateResult(response="at 0x7f12ab34cd56", agent="a", model="m")))
        {
          "v": 1,
          "agent": "a",
          "model": "m",
          "stop_reason": "stop",
          "steps": [],
          "response": "at 0x…"
        }
    """
    doc = {
        "v": SNAPSHOT_VERSION, "agent": run.agent, "model": run.model, "stop_reason": run.stop_reason,
        "steps": [_step(step) for step in run.steps], "response": run.response,
    }  # fmt: skip
    return masked_text(json.dumps(doc, indent=2, ensure_ascii=False))


def compare(run: AgentGenerateResult, path: Path, *, update: bool = False) -> None:
    """Compare a run with the snapshot in a file.

    Args:
        run: The run.
        path: The file.
        update: Write the file in place of comparing.

    Raises:
        AssertionError: They differ, or there is no file; the message has the difference.
    """
    now = snapshot_of(run) + "\n"
    if update:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(now, encoding="utf-8")
        return
    __tracebackhide__ = True
    if not path.is_file():
        raise AssertionError(f"There is no snapshot {path.name!r} yet. Write it: pytest --lumos-update")
    kept = path.read_text(encoding="utf-8")
    if kept != now:
        lines = unified_diff(kept.splitlines(), now.splitlines(), "kept", "now", n=2, lineterm="")
        raise AssertionError(
            f"The run differs from its snapshot {path.name!r}.\n" + "\n".join(lines)
            + "\nIf that is right: pytest --lumos-update"
        )  # fmt: skip


def _step(step: Any) -> dict[str, Any]:
    results = {result.call_id: result for result in step.tool_results}
    calls = [
        {"tool": call.name, "arguments": _arguments(call), **_outcome(results.get(call.id))} for call in step.tool_calls
    ]
    return {"text": step.text, **({"reasoning": step.reasoning} if step.reasoning else {}), "tool_calls": calls}


def _arguments(call: Any) -> Any:
    try:
        return call.parsed()
    except ValueError:
        return call.arguments


def _outcome(result: Any) -> dict[str, Any]:
    if result is None:
        return {}
    return {"error" if result.is_error else "result": result.content}
