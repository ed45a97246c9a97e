"""What a program prints for a terminal, with its colours.

One idea: colours and weights become spans with inline styles; every other control of a terminal has
no meaning in a page and is left out.
"""

from __future__ import annotations

import re

from markdown_it.common.utils import escapeHtml

_CONTROL = re.compile(r"\x1b\[([0-?]*)[ -/]*([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-Z\\-_]?")
# The notebook's own tones: readable on white and on black.
_TONES = (
    "#3e424d", "#e75c58", "#00a250", "#c08d00", "#208ffb", "#d160c4", "#30a5a8", "#a09c90",
    "#7d828f", "#d2484d", "#2f9a4a", "#b27d12", "#3b8ee0", "#b455ab", "#258f8f", "#a1a6b2",
)  # fmt: skip
_WEIGHTS = {1: ("bold", "font-weight:bold"), 2: ("faint", "opacity:0.7"), 3: ("italic", "font-style:italic"),
            4: ("line", "text-decoration:underline"), 9: ("line", "text-decoration:line-through")}  # fmt: skip
_ENDS = {22: ("bold", "faint"), 23: ("italic",), 24: ("line",), 29: ("line",), 39: ("fg",), 49: ("bg",)}


def ansi_html(text: str) -> str:
    """Return a printed text as safe HTML.

    Example:
        >>> ansi_html("a \\x1b[1mbold\\x1b[0m <b>")
        'a <span style="font-weight:bold">bold</span> &lt;b&gt;'
    """
    if "\x1b" not in text:
        return escapeHtml(text)
    parts, style, at = [], dict[str, str](), 0
    for control in _CONTROL.finditer(text):
        parts.append(_span(text[at : control.start()], style))
        at = control.end()
        if control[2] == "m":
            _change(style, [int(code or 0) for code in control[1].split(";") if not code or code.isdecimal()])
    return "".join([*parts, _span(text[at:], style)])


def _span(text: str, style: dict[str, str]) -> str:
    if not text or not style:
        return escapeHtml(text)
    return f'<span style="{";".join(style.values())}">{escapeHtml(text)}</span>'


def _change(style: dict[str, str], codes: list[int]) -> None:
    while codes:
        code = codes.pop(0)
        if code == 0:
            style.clear()
        elif code in _WEIGHTS:
            name, rule = _WEIGHTS[code]
            style[name] = rule
        elif code in _ENDS:
            for name in _ENDS[code]:
                style.pop(name, None)
        elif tone := _tone(code, codes):
            is_back = 40 <= code <= 48 or code >= 100
            style["bg" if is_back else "fg"] = f"{'background' if is_back else 'color'}:{tone}"


def _tone(code: int, more: list[int]) -> str:
    """Return the colour that a code names; an extended one takes what follows it."""
    if code in {38, 48} and more:
        kind = more.pop(0)
        numbers, more[:] = more[: 1 if kind == 5 else 3], more[1 if kind == 5 else 3 :]
        if any(n > 255 for n in numbers):
            return ""
        if kind == 5 and numbers:
            return _of_palette(numbers[0])
        return f"rgb({','.join(map(str, numbers))})" if kind == 2 and len(numbers) == 3 else ""
    for first, bright in ((30, 0), (40, 0), (90, 8), (100, 8)):
        if first <= code < first + 8:
            return _TONES[code - first + bright]
    return ""


def _of_palette(n: int) -> str:
    if n < 16:
        return _TONES[n]
    if n >= 232:
        return "rgb({0},{0},{0})".format(8 + 10 * (n - 232))
    steps = (0, 95, 135, 175, 215, 255)
    return f"rgb({steps[(n - 16) // 36]},{steps[(n - 16) // 6 % 6]},{steps[(n - 16) % 6]})"
