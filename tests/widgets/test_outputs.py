"""What a tool prints and displays is folded as a cell's output is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumos_nb.events import ToolCallStart, ToolOutput
from lumos_nb.messages import ToolCall
from lumos_nb.outputs import printed_on, shown_text
from lumos_nb.transcript import Transcript


def output_of(*events: ToolOutput) -> list[dict[str, object]]:
    transcript = Transcript()
    transcript.apply([ToolCallStart(ToolCall(id=c, name="f", arguments="{}")) for c in ("c", "d")])
    transcript.apply(events)
    found: list[dict[str, object]] = transcript.doc["items"][0]["output"]
    return found


def out(text: str) -> ToolOutput:
    return ToolOutput("c", "stdout", text)


def shown(kind: str, value: str, display_id: str = "", call_id: str = "c") -> ToolOutput:
    return ToolOutput(call_id, kind, display_id, {"text/plain": value})


@pytest.mark.parametrize(
    ("pieces", "seen"),
    [
        (["  0%|   |", "\r 50%|## |", "\r100%|###|\n", "done\n"], "100%|###|\ndone\n"),
        (["one\r\ntwo\r\n"], "one\ntwo\n"),
        (["abc\r", "X"], "Xbc"),
        (["abc\r", "X", "Y"], "XYc"),
        (["abc\b\b", "X"], "aXc"),
        (["ab\rc\nnext"], "cb\nnext"),
        (["\rx"], "x"),
    ],
)
def test_a_line_that_is_written_over_is_seen_once(pieces: list[str], seen: str) -> None:
    entries = output_of(*map(out, pieces))
    assert len(entries) == 1 and shown_text(str(entries[0]["text"])) == seen


def test_a_bar_of_ten_thousand_steps_is_kept_as_one_line() -> None:
    entries = output_of(*(out(f"\r{i:5} of 10000") for i in range(10_001)))
    assert entries == [{"kind": "stdout", "text": "10000 of 10000"}]


class Screen:
    """A terminal, character by character."""

    def __init__(self) -> None:
        self.lines, self.column = [""], 0

    def put(self, char: str) -> None:
        line = self.lines[-1]
        if char == "\n":
            self.lines.append("")
            self.column = 0
        elif char == "\r":
            self.column = 0
        elif char == "\b":
            self.column = max(0, self.column - 1)
        else:
            self.lines[-1] = line[: self.column] + char + line[self.column + 1 :]
            self.column += 1


@given(st.lists(st.text(alphabet="abcd\r\b\n", max_size=12), max_size=12))
def test_any_way_of_cutting_shows_what_a_terminal_shows(pieces: list[str]) -> None:
    text, screen = "", Screen()
    for piece in pieces:
        text = printed_on(text, piece)
        for char in piece:
            screen.put(char)
    assert shown_text(text) == "\n".join(screen.lines)


def test_an_update_takes_the_place_of_the_display_of_its_id_in_whichever_tool() -> None:
    first, second = shown("display", "1", "p"), shown("display", "x")
    entries = output_of(
        first, second, shown("update", "2", "p"), shown("update", "3", "p", "d"), shown("update", "4", "q")
    )
    assert entries == [
        {"kind": "display", "data": {"text/plain": "3"}, "display_id": "p"},
        {"kind": "display", "data": {"text/plain": "x"}},
    ]


def test_clear_empties_at_once_or_with_the_next_output() -> None:
    clear, wait = ToolOutput("c", "clear"), ToolOutput("c", "clear", "wait")
    assert output_of(out("a"), clear) == []
    assert output_of(out("a"), wait)[0] == {"kind": "stdout", "text": "a"}
    assert output_of(out("a"), wait, wait, out("b")) == [{"kind": "stdout", "text": "b"}]
    assert output_of(wait, out("b")) == [{"kind": "stdout", "text": "b"}]


def test_output_of_an_unknown_call_is_dropped() -> None:
    assert output_of(ToolOutput("nobody", "stdout", "a"), ToolOutput("nobody", "update", "", {})) == []
