"""Reasoning that stands in the text, between `<think>` tags.

One idea: only tags at the very beginning count, so an answer *about* the tag is left alone; and
no more text is held back than could still become a tag.
"""

from __future__ import annotations

from lumos_nb.events import ReasoningDelta, TextDelta

_OPEN, _CLOSE = "<think>", "</think>"
_MOST_SPACE = 1_000


class ThinkSplitter:
    """Splits text as it streams into reasoning and answer.

    Example:
        >>> splitter = ThinkSplitter()
        >>> splitter.feed("<thi"), splitter.feed("nk>a</think>b")
        ([], [ReasoningDelta(delta='a'), TextDelta(delta='b')])
    """

    __slots__ = ("_held", "_state")

    def __init__(self) -> None:
        self._state = "start"
        self._held = ""

    def feed(self, text: str) -> list[TextDelta | ReasoningDelta]:
        """Return what is certain by now."""
        if self._state == "text":
            return [TextDelta(text)]
        out: list[TextDelta | ReasoningDelta] = []
        text, self._held = self._held + text, ""
        if self._state == "start":
            text = self._start(text, out)
        if self._state == "opened" and (text := text.lstrip("\n")):
            self._state = "inside"
        if self._state == "inside" and text:
            text = self._inside(text, out)
        if self._state == "after" and (text := text.lstrip()):
            self._state = "text"
            out.append(TextDelta(text))
        return out

    def close(self) -> list[TextDelta | ReasoningDelta]:
        """Return what was held back."""
        held, self._held = self._held, ""
        if not held:
            return []
        return [ReasoningDelta(held) if self._state == "inside" else TextDelta(held)]

    def _start(self, text: str, out: list[TextDelta | ReasoningDelta]) -> str:
        head = text.lstrip()
        # More white space is not held: each piece is looked at with all that is held before it.
        if len(text) - len(head) <= _MOST_SPACE:
            if head.startswith(_OPEN):
                self._state = "opened"
                return head[len(_OPEN) :]
            if _OPEN.startswith(head):
                self._held = text
                return ""
        self._state = "text"
        out.append(TextDelta(text))
        return ""

    def _inside(self, text: str, out: list[TextDelta | ReasoningDelta]) -> str:
        thought, tag, rest = text.partition(_CLOSE)
        if tag:
            self._state = "after"
        else:
            keep = next((n for n in range(len(_CLOSE) - 1, 0, -1) if text.endswith(_CLOSE[:n])), 0)
            thought, self._held = text[: len(text) - keep], text[len(text) - keep :]
        if thought:
            out.append(ReasoningDelta(thought))
        return rest
