"""How a diff is shown: what changed, text by text with what was taken out and put in, then the figures.

One idea: `-` and `+` stand before what changed, so that it reads without colours; what is the same
is left out and said to be.
"""

from __future__ import annotations

from difflib import unified_diff
from typing import TYPE_CHECKING

from lumos_nb.hiding.known import masked
from lumos_nb.telemetry.wording import escaped, visible

if TYPE_CHECKING:
    from lumos_nb.telemetry.diff.diff import Change, Figure, TraceDiff

_MOST_CHARS, _MOST_LINES, _SHOWN_LINES = 200_000, 3_000, 120
_MUTED = "color:var(--jp-ui-font-color2,#757575)"
_FRAME = (
    "font-family:var(--jp-content-font-family,sans-serif);font-size:var(--jp-ui-font-size1,13px);line-height:1.5;"
    "color:var(--jp-content-font-color1,inherit);max-width:1200px"
)
_PRE = (
    "margin:0 0 6px 0;padding:2px 0 2px 10px;background:none;border-left:2px solid var(--jp-border-color2,#8886);"
    "white-space:pre-wrap;overflow-wrap:anywhere;font-family:var(--jp-code-font-family,monospace);"
    "font-size:var(--jp-code-font-size,12px);color:inherit"
)
_MINUS = "background:color-mix(in srgb,var(--jp-error-color1,#d9453d) 16%,transparent);text-decoration:none"
_PLUS = "background:color-mix(in srgb,var(--jp-success-color1,#388e3c) 16%,transparent);text-decoration:none"
_SHOWN_STEPS = 40
_SHORT = {"duration_s": "{} s", "input_tokens": "{} in", "output_tokens": "{} out", "cost_usd": "${}"}
NOTHING = "Nothing differs in what was said, called and decided."


def diff_text(diff: TraceDiff) -> str:
    """Return a diff as text."""
    lines = [f"- {diff.a}", f"+ {diff.b}", ""]
    if not diff.changes:
        lines += [nothing_text(diff), ""]
    for change in diff.changes:
        lines += [heading(change), *(f"  {line}" for line in change_lines(change)), ""]
    return visible("\n".join([*lines, *map(_figure_line, _of_run(diff)), *_step_lines(diff)]).rstrip())


def diff_html(diff: TraceDiff) -> str:
    """Return a diff as HTML with inline styles only."""
    nothing = "" if diff.changes else f"<div>{nothing_text(diff)}</div>"
    ids = f"- {escaped(diff.a)}<br/>+ {escaped(diff.b)}"
    return (
        f'<div style="{_FRAME}"><div style="{_MUTED};overflow-wrap:anywhere">{ids}'
        f"</div>{nothing}{''.join(map(_change_html, diff.changes))}{_figures_html(diff)}</div>"
    )


def nothing_text(diff: TraceDiff) -> str:
    """Say that nothing differs; a person who compared a run with itself meant another one."""
    return NOTHING if diff.a != diff.b else f"Both are the same run. {NOTHING}"


def heading(change: Change) -> str:
    """Say where something is different, and how."""
    where = "" if change.where == "run" else f"{change.where} · "
    return f"{where}{change.what} · {change.kind}"


def change_lines(change: Change) -> list[str]:
    """Return the lines of a change: those taken out after `-`, those put in after `+`, some around them."""
    a, b = (masked(text or "") for text in (change.a, change.b))
    if len(a) + len(b) > _MOST_CHARS or a.count("\n") + b.count("\n") > _MOST_LINES:
        lines = [f"{len(a):,} characters, now {len(b):,}; the first difference is at character {_first(a, b):,}:",
                 f"-{_around(a, _first(a, b))}", f"+{_around(b, _first(a, b))}"]  # fmt: skip
    else:
        lines = list(unified_diff(a.splitlines(), b.splitlines(), lineterm="", n=2))[2:]
        lines = [line for line in lines if not line.startswith("@@")] if len(lines) < 8 else lines
    if not lines:  # only line ends
        lines = [f"-{a!r}", f"+{b!r}"]
    left = len(lines) - _SHOWN_LINES
    return lines if left <= 0 else [*lines[:_SHOWN_LINES], f"… {left:,} more lines; all of it: diff.changes"]


def _first(a: str, b: str) -> int:
    return next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _around(text: str, place: int) -> str:
    return text[max(0, place - 100) : place + 300].replace("\n", "\\n")


def _change_html(change: Change) -> str:
    lines = "".join(map(_line_html, change_lines(change)))
    told = f'<div style="margin-top:6px"><strong>{escaped(heading(change))}</strong></div>'
    return f'{told}<pre style="{_PRE}">{lines}</pre>'


def _line_html(line: str) -> str:
    tag, style = {"-": ("del", _MINUS), "+": ("ins", _PLUS)}.get(line[:1], ("span", _MUTED if line[:1] == "@" else ""))
    return f'<{tag} style="{style}">{escaped(line)}</{tag}>\n'


def _of_run(diff: TraceDiff) -> list[Figure]:
    return [figure for figure in diff.figures if figure.where == "run"]


def _step_lines(diff: TraceDiff) -> list[str]:
    """Return a line for each step that both runs have: its figures, and what they are now."""
    steps: dict[str, list[str]] = {}
    for figure in diff.figures:
        if figure.where != "run" and figure.name in _SHORT:
            same = figure.a == figure.b
            told = _number(figure.a) if same else f"{_number(figure.a)} → {_number(figure.b)}"
            steps.setdefault(figure.where, []).append(_SHORT[figure.name].format(told))
    lines = [f"{where}: {' · '.join(told)}" for where, told in steps.items()]
    left = len(lines) - _SHOWN_STEPS
    return lines if left <= 0 else [*lines[:_SHOWN_STEPS], f"… {left:,} more steps; all of them: diff.rows()"]


def _figure_line(figure: Figure) -> str:
    return f"{figure.name:<20} {_number(figure.a):>12} {_number(figure.b):>12} {_change(figure):>12}"


def _figures_html(diff: TraceDiff) -> str:
    cell = "padding:0 12px 0 0;text-align:right;font-variant-numeric:tabular-nums;border:0;background:none"
    rows = "".join(
        f'<tr style="background:none"><td style="{cell};text-align:left;{_MUTED}">{figure.name}</td>'
        + "".join(f'<td style="{cell}">{escaped(text)}</td>'
                  for text in (_number(figure.a), _number(figure.b), _change(figure)))
        + "</tr>"
        for figure in _of_run(diff)
    )  # fmt: skip
    head = "".join(f'<th style="{cell};font-weight:400;{_MUTED}">{name}</th>' for name in ("", "-", "+", "change"))
    table = '<table style="border-collapse:collapse;margin:8px 0 0 0;border:0;font-size:inherit;color:inherit">'
    steps = "".join(f"<div>{escaped(line)}</div>" for line in _step_lines(diff))
    by_step = f'<details><summary style="cursor:pointer;{_MUTED}">By step</summary>{steps}</details>' if steps else ""
    return f'{table}<tr style="background:none">{head}</tr>{rows}</table>{by_step}' if rows else ""


def _number(value: float | None) -> str:
    if value is None:
        return "?"
    if isinstance(value, int) or abs(value) >= 0.001:
        return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _change(figure: Figure) -> str:
    change = figure.change
    if change is None or abs(change) < 1e-12:
        return "" if change is None else "same"
    share = f" ({change / figure.a:+.0%})" if figure.a and abs(change / figure.a) < 10 else ""
    return f"{'+' if change > 0 else '-'}{_number(abs(change))}{share}"
