"""Markdown of a model, whole and while it is written."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lumos_nb.widgets.growing import GrowingText
from lumos_nb.widgets.markdown import render

ANSWER = """# Head

One *two* **three** `four` [five](https://e.org).

| a | b |
|---|---|
| 1 | 2 |

1. first

   more

2. second
   - nested

```python
def f():

    return "`$x$`"
```
Text $a_1$ and

$$
x_{1} * y_{2}
$$

> quoted

Last."""


@pytest.mark.parametrize("formula", ["$a_1 * b_2 * c$", "$$\n\\frac{a}{b} _x_ _y_\n$$", "\\(a_1 _b_\\)", "\\[a < b\\]",
                                     "\\begin{align}a &= b \\\\ c\\end{align}"])  # fmt: skip
def test_a_formula_passes_untouched(formula: str) -> None:
    from html import escape

    assert escape(formula) in render(f"Before {formula} after")


def test_an_amount_of_dollars_is_no_formula() -> None:
    assert render("from $5 to $10, or $3 and 4 $") == (
        "<p>from <span>$</span>5 to <span>$</span>10, or <span>$</span>3 and 4 <span>$</span></p>\n"
    )


def test_dollars_in_code_stay_as_they_are() -> None:
    assert ">echo $HOME $PATH</code>" in render("```\necho $HOME $PATH\n```").replace("\n</code>", "</code>")
    assert "<code>$x$</code>" in render("`$x$`")


def test_a_far_picture_is_a_link_and_a_link_opens_apart() -> None:
    html = render("![plot](https://e.org/x.png) [a](https://e.org)")
    assert "<img" not in html and html.count('target="_blank" rel="noopener noreferrer"') == 2


def test_code_is_coloured_by_the_theme_and_escaped() -> None:
    html = render('```python\nx = "<b>"\n```')
    assert "var(--jp-mirror-editor-string-color," in html and "&lt;b&gt;" in html


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=60))
def test_any_chunking_ends_in_the_same_html(sizes: list[int]) -> None:
    growing, at = GrowingText(), 0
    for size in sizes:
        at += size
        growing.parts(ANSWER[:at])
    assert "".join(growing.parts(ANSWER, done=True)) == "".join(GrowingText().parts(ANSWER, done=True))


def test_blocks_joined_are_the_whole() -> None:
    assert "".join(GrowingText().parts(ANSWER, done=True)) == render(ANSWER)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["a", "word ", "\n", "\n\n", "- ", "1. ", "```", "|a|b|\n", "|-|-|\n", "    ", "> ", "$", "#", "**"]
        ),
        max_size=60,
    )
)
def test_a_settled_block_never_changes(pieces: list[str]) -> None:
    growing, text = GrowingText(), ""
    settled: list[str] = []
    for piece in pieces:
        text += piece
        parts = growing.parts(text)
        assert parts[: len(settled)] == settled
        settled = parts[: growing.n_settled]


def test_what_is_half_written_reads_sensibly() -> None:
    def shown(text: str) -> str:
        return "".join(GrowingText().parts(text))

    assert "<strong>bo</strong>" in shown("a **bo")
    assert "<code>x</code>" in shown("a `x")
    assert shown("see [the no") == "<p>see the no</p>\n"
    assert shown("see [notes](https://e") == "<p>see notes</p>\n"
    assert shown("| a | b") == "" and shown("| a | b |\n|--") == ""
    assert "<td" not in shown("| a | b |\n|---|---|\n| 1 |") and "<th" in shown("| a | b |\n|---|---|\n| 1 |")
    assert shown("```py").count("<pre") == 1
    assert ">x = 1" in shown("```python\nx = 1")
