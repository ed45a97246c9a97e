"""How every chart looks with matplotlib: transparent, grey letters, colours for light and dark pages.

One idea: grey of middle lightness and colours of middle lightness can be read on white and on black;
so the same picture serves both themes.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from functools import cache
from itertools import accumulate
from typing import Any
from unicodedata import east_asian_width

INK = "#767676"
"""4.5 to 1 on white, 4.2 to 1 on JupyterLab's dark page."""
QUIET = "#8884"
COLOURS = ("#1f77c4", "#d55e00", "#009e73", "#b8629a", "#a07a00", "#7a6fd0", "#8a8a8a")
"""At least 3 to 1 on white and on dark; the last is for what is left."""
MOST = len(COLOURS) - 1
WIDTH, HEIGHT = 7.5, 3.6
LABEL_CHARS = 30


def new(title: str, note: str) -> Any:
    """Return an empty figure with its title, and what has to be said beside it."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained", facecolor="none")
    wrapped = textwrap.fill(note, 110)
    figure.suptitle(title, x=0.01, ha="left", fontsize=11, color=INK, fontweight="bold")
    if wrapped:
        figure.supxlabel(wrapped, x=0.01, ha="left", fontsize=8.5, color=INK)
    return figure


def say_empty(figure: Any, words: str) -> None:
    """Say in words that there is nothing to draw."""
    figure.supxlabel("")
    figure.set_figheight(1.2)
    figure.text(0.01, 0.35, textwrap.fill(words, 100), color=INK, fontsize=10, ha="left")


def axes(figure: Any, *place: Any, **options: Any) -> Any:
    """Return axes without a frame, with quiet lines behind what is drawn."""
    made = figure.add_subplot(*place, facecolor="none", **options)
    made.tick_params(which="both", colors=INK, labelsize=8.5, length=0)
    for side in made.spines.values():
        side.set_visible(False)
    made.grid(True, color=QUIET, linewidth=0.6)
    made.set_axisbelow(True)
    made.xaxis.label.set_color(INK)
    made.yaxis.label.set_color(INK)
    made.xaxis.label.set_size(9)
    made.yaxis.label.set_size(9)
    return made


def legend(axes: Any, n: int) -> None:
    """Put the legend beside the axes, where it covers nothing."""
    if n:
        axes.legend(
            loc="upper left", bbox_to_anchor=(1.0, 1.02), frameon=False, fontsize=8.5, labelcolor=INK, borderaxespad=0.2
        )


def time_axis(axes: Any) -> None:
    """Write times in short, and that they are UTC."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=3, maxticks=8)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    axes.xaxis.get_offset_text().set_color(INK)
    axes.set_xlabel("UTC")


def colours(names: Iterable[str]) -> dict[str, str]:
    """Return a colour for each name; those beyond the palette share grey."""
    return {name: COLOURS[min(n, MOST)] for n, name in enumerate(names)}


def label(name: Any, chars: int = LABEL_CHARS) -> str:
    """Return a name as it can stand beside an axis: one line, printable, bounded.

    Example:
        >>> label("a\\nb"), len(label("x" * 100)), label(None)
        ('a b', 30, 'unknown')
    """
    if name is None or name != name:
        return "unknown"
    text = " ".join("".join(c if c.isprintable() or c.isspace() else "·" for c in str(name)).split())
    widths = list(accumulate(2 if east_asian_width(c) in "WF" else 1 for c in text))
    if not text or widths[-1] <= chars:
        return text or "unknown"
    return text[: sum(width < chars for width in widths)] + "…"


def finish(figure: Any) -> None:
    """Let every text be shown as it is: `$` in a name is no formula, and any script has a font if there is one."""
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        text.set_parse_math(False)
        text.set_fontfamily(list(_families()))


@cache
def _families() -> tuple[str, ...]:
    """Return the fonts of this machine that cover most scripts, the usual one first."""
    from matplotlib import font_manager

    wanted = ("DejaVu Sans", "Noto Sans", "Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans Arabic",
              "Arial Unicode MS",
              "Segoe UI", "Microsoft YaHei", "Hiragino Sans", "Noto Sans Symbols2")  # fmt: skip
    there = {font.name for font in font_manager.fontManager.ttflist}
    return tuple(name for name in wanted if name in there) or ("sans-serif",)
