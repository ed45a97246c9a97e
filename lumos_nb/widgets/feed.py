"""What the page must be told when a run's document changes.

One idea: the page holds the same rows as the kernel, and is sent the difference: of a part that
grew, how much to keep and what follows. So nothing is sent twice, however long the answer.

The operations, compact because there are twenty a second:
`["r", row, kind]` a new row · `["h", row, keep, tail]` its head · `["p", row, part, keep, tail]` a part ·
`["s", row, n]` so many parts are settled · `["o", row, open]` · `["a", row, question]` wants an answer,
`null` if no more · `["f", html]` the footer.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

from lumos_nb.widgets.form import question_of
from lumos_nb.widgets.growing import GrowingText
from lumos_nb.widgets.rows import Row, final_row, footer_html, growing_row, whole_row

Op = list[Any]


class Feed:
    """The rows of one run as the page knows them.

    Example:
        >>> feed = Feed()
        >>> doc = {"status": "running", "items": [{"kind": "text", "text": "Hel"}]}
        >>> feed.ops(doc)
        [['r', 0, 'text'], ['p', 0, 0, 0, '<p>Hel</p>\\n']]
        >>> doc["items"][0]["text"] += "lo"
        >>> feed.ops(doc)
        [['p', 0, 0, 6, 'lo</p>\\n']]
    """

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._asking: dict[int, dict[str, Any] | None] = {}
        self._footer = ""
        self._growing: dict[int, GrowingText] = {}
        self._marks: dict[int, object] = {}

    def ops(self, doc: dict[str, Any]) -> list[Op]:
        """Return what changed since the last call."""
        ops: list[Op] = []
        running, last = doc["status"] == "running", len(doc["items"]) - 1
        for i, item in enumerate(doc["items"]):
            done = i < last or not running
            mark = _mark(item, done)
            if self._marks.get(i) != mark:
                self._marks[i] = mark
                self._change(ops, i, item, done)
        footer = "" if running else footer_html(doc)
        if footer != self._footer:
            self._footer = footer
            ops.append(["f", footer])
        return ops

    def snapshot(self) -> list[Op]:
        """Return all that the page should know, for a page that knows nothing."""
        ops: list[Op] = []
        for i, row in enumerate(self._rows):
            _compare(ops, i, None, row)
        ops.extend(["a", i, question] for i, question in self._asking.items() if question)
        return [*ops, ["f", self._footer]] if self._footer else ops

    def final_rows(self, doc: dict[str, Any]) -> list[Row]:
        """Return the rows of a run that is over, as they stand in the page.

        A text that defines its links at the end is rendered anew: its blocks did not know them.
        """
        self.ops(doc)
        return [
            final_row(item) if "]:" in item.get("text", "") else row
            for item, row in zip(doc["items"], self._rows, strict=True)
        ]

    def _change(self, ops: list[Op], i: int, item: dict[str, Any], done: bool) -> None:
        before = self._rows[i] if i < len(self._rows) else None
        row = whole_row(item)
        if row is None:
            row = growing_row(item, self._growing.setdefault(i, GrowingText()), done)
        self._rows[i : i + 1] = [row]
        _compare(ops, i, before, row)
        is_asking = item.get("status") == "waiting"
        if is_asking != bool(self._asking.get(i)):
            self._asking[i] = question_of(item) if is_asking else None
            ops.append(["a", i, self._asking[i]])


def _mark(item: dict[str, Any], done: bool) -> object:
    """Return a value that differs when the row may: cheaper than rendering it to see."""
    if item["kind"] != "tool":
        return len(item["text"]), done, item.get("duration_s"), item.get("open")
    # Lists compare what is the same object without reading it.
    output = [entry.get("text") or entry.get("data") for entry in item["output"]]
    return item["status"], item.get("state"), item.get("decision"), output, item.get("open")


def _compare(ops: list[Op], i: int, before: Row | None, row: Row) -> None:
    if before is None:
        ops.append(["r", i, row.kind])
        before = Row(row.kind, "", [])
    if row.head != before.head:
        ops.append(["h", i, *_tail(before.head, row.head)])
    for j, (old, part) in enumerate(zip_longest(before.parts, row.parts, fillvalue="")):
        if part != old:  # the page makes the places of empty ones when it needs them
            ops.append(["p", i, j, *_tail(old, part)])
    if row.n_settled != before.n_settled:
        ops.append(["s", i, row.n_settled])
    if row.is_open != before.is_open:
        ops.append(["o", i, row.is_open])


def _tail(old: str, new: str) -> list[Any]:
    """Return how much of the old text to keep, in the page's units (UTF-16), and what follows."""
    low, high = 0, min(len(old), len(new))
    while low < high:  # halving compares slices, which is far quicker than characters
        middle = (low + high + 1) // 2
        if old[low:middle] == new[low:middle]:
            low = middle
        else:
            high = middle - 1
    keep = low if new.isascii() else len(new[:low].encode("utf-16-le", "surrogatepass")) // 2
    return [keep, new[low:]]
