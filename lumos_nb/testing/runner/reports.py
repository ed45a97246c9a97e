"""The words for a cell that failed: its source with the line, the error, and what to do.

One idea: who reads it knows the notebook, not the machinery. Frames of libraries are left out, the cell's are not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_FRAMES = 6
"""How many frames are shown that are not in a cell: the last ones."""


def plain(text: str) -> str:
    """Return text without the colours of a terminal.

    Example:
        >>> plain("\\x1b[31mred\\x1b[0m")
        'red'
    """
    return _COLOUR.sub("", text)


def headline(problem: str) -> str:
    """Return a problem in one line.

    Example:
        >>> headline("A thread failed:\\nTraceback (most recent call last):\\n  File …\\nKeyError: 'a'")
        "A thread failed: KeyError: 'a'"
    """
    lines = [line.rstrip() for line in plain(problem).splitlines() if line.strip()] or [""]
    if re.match(r"Cell In|File ", lines[0]):
        return next(
            (line for line in lines if re.match(r"[A-Za-z_.]+(Error|Exception|Interrupt)?(:|$)", line)), lines[-1]
        )
    return f"{lines[0]} {lines[-1]}" if lines[0].endswith(":") and len(lines) > 1 else lines[0]


def problem_of(outputs: Sequence[Any], reply: dict[str, Any]) -> tuple[dict[str, Any] | None, str]:
    """Return the error of a cell, if it has one, and what is wrong with it in words, or nothing.

    Notebook runners look at the reply only; who shows a traceback and goes on replies that all is well.
    """
    errors = [output for output in outputs if output["output_type"] == "error"]
    if not errors and reply.get("status") == "error":
        errors = [{"ename": reply.get("ename", ""), "evalue": reply.get("evalue", ""),
                   "traceback": reply.get("traceback", [])}]  # fmt: skip
    if errors:
        return dict(errors[-1]), traceback_text(errors[-1])
    if reply.get("status") == "aborted":
        return None, "The kernel did not run it."
    return None, ""


def traceback_text(error: Any) -> str:
    """Return a traceback with the frames of the notebook, the last of the others, and what was raised."""
    entries = [str(entry) for entry in error.get("traceback", [])]
    frames = [entry for entry in entries if re.match(r"\s*(File |Cell In|<ipython)", plain(entry))]
    if not frames:
        return "\n".join(entries) or f"{error['ename']}: {error['evalue']}"
    first, last = entries.index(frames[0]), len(entries) - 1
    while last > 0 and entries[last] not in frames:
        last -= 1
    others = [entry for entry in frames if not plain(entry).lstrip().startswith("Cell In")]
    left_out = set(map(id, others[:-_FRAMES])) if len(others) > _FRAMES else set()
    kept = [entry for entry in entries[first : last + 1] if id(entry) not in left_out]
    if left_out:
        kept.insert(1, f"… {len(left_out)} frames of libraries …")
    # The cell's own line is shown with its source.
    if re.match(r"Cell In\[\d+\], line \d+\n", plain(kept[0])):
        kept = kept[1:]
    return "\n".join([*kept, *entries[last + 1 :]]).strip("\n")


def source_text(source: str, error: dict[str, Any] | None, execution_count: int | None) -> str:
    """Return the source of a cell, with a mark at the line where its error came from.

    Example:
        >>> print(source_text("x = 1\\nx / 0", {"traceback": ["Cell In[3], line 2\\n …"]}, 3))
          1  x = 1
        > 2  x / 0
    """
    at = 0
    for entry in error.get("traceback", []) if error else []:
        if found := re.search(rf"Cell In\[{execution_count}\], line (\d+)", plain(str(entry))):
            at = int(found[1])
            break
    lines = source.splitlines()
    width = len(str(len(lines)))
    return "\n".join(
        f"{'>' if n == at else ' '} {n:>{width}}  {line}".rstrip() for n, line in enumerate(lines, start=1)
    )
