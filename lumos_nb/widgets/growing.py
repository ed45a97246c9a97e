"""Markdown that is still being written.

One idea: a block that is complete is rendered once and never touched again; only the last, open
block is rendered anew. So the cost of a long answer grows with its length, not with its square.
"""

from __future__ import annotations

import re

from lumos_nb.widgets.markdown import code_html, render

_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_LIST = re.compile(r" {0,3}([-*+]|\d{1,9}[.)])\s")


class GrowingText:
    """The HTML blocks of one text, as it grows.

    Example:
        >>> growing = GrowingText()
        >>> growing.parts("One **bo")
        ['<p>One <strong>bo</strong></p>\\n']
        >>> growing.parts("One **bold**.\\n\\nTwo and")
        ['<p>One <strong>bold</strong>.</p>\\n', '<p>Two and</p>\\n']
        >>> growing.n_settled
        1
    """

    def __init__(self) -> None:
        self._settled: list[str] = []
        self._start = 0

    @property
    def n_settled(self) -> int:
        """How many blocks will not change any more."""
        return len(self._settled)

    def parts(self, text: str, done: bool = False) -> list[str]:
        """Return the HTML of each block of the text so far; `done` says that no more will come."""
        while (end := block_end(text, self._start)) is not None:
            self._settle(text[self._start : end])
            self._start = end
        if done:
            self._settle(text[self._start :])
            self._start = len(text)
        tail = open_html(text[self._start :])
        return [*self._settled, tail] if tail else list(self._settled)

    def _settle(self, block: str) -> None:
        if block.strip():
            self._settled.append(render(block))


def block_end(text: str, start: int) -> int | None:
    """Return where the block that begins at `start` surely ends, or None while it is open.

    Example:
        >>> block_end("a\\n\\nbcde", 0), block_end("a\\n\\n", 0), block_end("- a\\n\\n- b c d", 0)
        (3, None, None)
    """
    fence, blank, listed, seen, at = "", False, False, False, start
    while at < len(text):
        newline = text.find("\n", at)
        end = len(text) if newline < 0 else newline + 1
        line = text[at:end]
        if newline < 0 and len(line) < 4:
            return None  # too little to tell a list from a paragraph
        if fence:
            if newline >= 0 and line.strip().startswith(fence) and not line.strip(" \n" + fence[0]):
                return end
        elif not line.strip():
            blank = seen
        elif opening := _FENCE.match(line):
            if seen and not (listed and line[0] == " "):
                return at
            fence = opening[1]
        elif blank and not (line[0] in " \t" or (listed and _LIST.match(line))):
            return at
        listed = listed or (not seen and bool(_LIST.match(line)))
        seen = seen or bool(line.strip())
        at = end
    return None


def open_html(tail: str) -> str:
    """Return the HTML of a block that may be cut anywhere.

    An open fence is a code block, half a row of a table waits, and open marks are closed.

    Example:
        >>> open_html("```python\\nx = 1")
        '<pre style="..."><code style="...">x = 1</code></pre>\\n'
    """
    if opening := _FENCE.match(tail.lstrip("\n")):
        _, _, body = tail.lstrip("\n")[opening.start() :].partition("\n")
        return code_html(body, colours=False)
    return render(_closed(_whole_rows(tail))) if tail.strip() else ""


def _whole_rows(tail: str) -> str:
    lines = tail.split("\n")
    if lines[-1].lstrip().startswith("|"):
        lines.pop()
    table = [line for line in lines if line.lstrip().startswith("|")]
    if len(table) == 1 and lines and lines[-1] == table[0]:
        lines.pop()  # a heading without its rule would show as text
    return "\n".join(lines)


def _closed(tail: str) -> str:
    head, brk, last = tail.rpartition("\n")
    last = re.sub(r"!?\[([^\]\n]*)(\]\([^)\n]*)?$", r"\1", last)
    if last.count("`") % 2:
        last += "`"
    elif last.count("**") % 2:
        last = last.removesuffix("**") if last.endswith("**") else last.rstrip() + "**"
    return head + brk + last
