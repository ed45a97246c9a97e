"""What a tool printed and displayed, folded as a cell's output is.

One idea: the document keeps what would be seen, not what was sent. A progress bar that wrote its
line a thousand times is one line, and a display that was updated is the last of its states.

The entries: `{"kind": "stdout" | "stderr", "text"}`, `{"kind": "display", "data"}` with a
`"display_id"` if it can be updated, and `{"kind": "clear"}` where the next output clears all.
"""

from __future__ import annotations

import re
from typing import Any

from lumos_nb.events import ToolOutput

Entry = dict[str, Any]

WIDGET = "application/vnd.jupyter.widget-view+json"
"""The kind of data that stands for a widget, by its `model_id`."""

_MOVES = re.compile("[\r\b\n]")


def add_output(output: list[Entry], event: ToolOutput) -> None:
    """Fold one event into the output of its tool.

    Example:
        >>> output = []
        >>> add_output(output, ToolOutput("c", "stdout", "10 %"))
        >>> add_output(output, ToolOutput("c", "stdout", "\\r20 %"))
        >>> output
        [{'kind': 'stdout', 'text': '20 %'}]
    """
    if event.kind == "clear":
        output[:] = [*output, {"kind": "clear"}] if event.text == "wait" and output else []
    else:
        if output and output[-1]["kind"] == "clear":
            output.clear()
        _append(output, event)


def update_display(output: list[Entry], event: ToolOutput) -> None:
    """Replace what is shown under the event's display id, if there is any."""
    for entry in output:
        if event.text and entry.get("display_id") == event.text:
            entry["data"] = event.data


def _append(output: list[Entry], event: ToolOutput) -> None:
    if event.kind == "display":
        known = {"display_id": event.text} if event.text else {}
        output.append({"kind": "display", "data": event.data, **known})
    elif output and output[-1]["kind"] == event.kind:
        output[-1]["text"] = printed_on(output[-1]["text"], event.text)
    else:
        output.append({"kind": event.kind, "text": printed_on("", event.text)})


def printed_on(before: str, text: str) -> str:
    """Return a text with more printed after it, as a terminal shows it: `\\r` and `\\b` go back and overwrite.

    Where the next character would not go to the end of the last line, that line is followed by
    `\\r` and what stands before the place: printed once more, it is the same.

    Example:
        >>> printed_on("a\\n10 %", "\\r20 %"), printed_on("ab", "\\b"), printed_on("ab\\ra", "X")
        ('a\\n20 %', 'ab\\ra', 'aX')
    """
    start = before.rfind("\n") + 1
    if "\r" not in text and "\b" not in text and before.rfind("\r", start) < 0:
        return before + text
    lines, line, column, at = [], "", 0, 0
    text = before[start:] + text
    while at < len(text):
        move = _MOVES.search(text, at)
        end = move.start() if move else len(text)
        line = line[:column] + text[at:end] + line[column + end - at :]
        column += end - at
        if move and move[0] == "\n":
            lines.append(line)
            line, column = "", 0
        elif move:
            column = 0 if move[0] == "\r" else max(0, column - 1)
        at = end + 1
    last = line if column == len(line) else f"{line}\r{line[:column]}"
    return before[:start] + "\n".join([*lines, last])


def shown_text(text: str) -> str:
    """Return a printed text without the note of where its next character goes.

    Example:
        >>> shown_text("a\\nab\\ra")
        'a\\nab'
    """
    start = text.rfind("\n") + 1
    place = text.find("\r", start)
    return text if place < 0 else text[:place]
