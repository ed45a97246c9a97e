"""The drawings of a waterfall: a bar a row, the axis, and what each shape means.

One idea: shapes differ, not only colours. A run is a thin line, a model call hollow until its first
token, a tool solid, a wait dashed; what has not ended is open at the right.
"""

from __future__ import annotations

from collections.abc import Sequence

from lumos_nb.telemetry.spans import Span
from lumos_nb.telemetry.waterfall.scale import Scale
from lumos_nb.telemetry.wording import escaped, seconds

_W, _H = 1000, 16
_NARROWEST = 2.5
_ARROW = 12
"""What is open at its end has an arrow there, so wide."""
_ACCENT = "var(--jp-brand-color1,#2f7fd1)"
_ERROR = "var(--jp-error-color1,#d9453d)"
_PLAIN = "currentColor"
# The drawing is stretched to the page; its lines are not.
_SAME = "vector-effect:non-scaling-stroke"
# JupyterLab's own style sheet makes drawings as high as they like.
_SIZE = f"display:block;width:100%;height:{_H}px;max-width:none"
_GRID = f"stroke:currentColor;stroke-opacity:.14;stroke-width:1;fill:none;{_SAME}"
_TICKS = 5
_LETTER = 0.022
"""Width of a letter of the axis, as a part of the narrowest drawing."""


def bar_svg(spans: Sequence[Span], scale: Scale) -> str:
    """Return the bar of a span, or the line that stands for several, on the grid of the axis."""
    grid = "".join(f"M{_x(tick.place)} 0V{_H}" for tick in scale.ticks(_TICKS))
    first = min(span.start_ns for span in spans)
    drawn = _shape(spans[0], scale) if len(spans) == 1 else _many(spans, scale)
    last = max((max(span.start_ns, span.end_ns or 0) for span in spans), default=first)
    told = f"{seconds((first - scale.start_ns) / 1e9) or '0 s'} to {seconds((last - scale.start_ns) / 1e9)}"
    is_open = any(span.end_ns is None for span in spans)
    label = escaped(f"from {told}" if not is_open else f"from {told.partition(' to ')[0]}, not ended")
    return _svg(f'<path d="{grid}" style="{_GRID}"/>{drawn}', f"<title>{label}</title>")


def axis_svg(scale: Scale) -> str:
    """Return the marks of the axis, as many as have room; a stretch that is drawn short says how long it was."""
    drawn: list[str] = []
    taken: list[tuple[float, float]] = []
    for tick in sorted(scale.ticks(_TICKS), key=lambda tick: (not tick.is_break, tick.place)):
        width = _LETTER * len(tick.label) + 0.02
        left = min(max(tick.place - width / 2, 0.0), 1 - width)
        if any(left < b and a < left + width for a, b in taken):
            continue
        taken.append((left, left + width))
        anchor, x = ("start", 0.0) if left == 0 else ("end", 1.0) if left == 1 - width else ("middle", tick.place)
        style = f"{'font-style:italic;' if tick.is_break else ''}font-size:11px;fill:currentColor"
        drawn.append(
            f'<text x="{100 * x:.1f}%" y="12" text-anchor="{anchor}" style="{style}">{escaped(tick.label)}</text>'
        )
    return f'<svg width="100%" height="{_H}" role="img" aria-label="time" style="{_SIZE}">{"".join(drawn)}</svg>'


def _svg(inner: str, title: str = "") -> str:
    return (
        f'<svg width="100%" height="{_H}" viewBox="0 0 {_W} {_H}" preserveAspectRatio="none" role="img" '
        f'style="{_SIZE};overflow:visible">{title}{inner}</svg>'
    )


def _x(place: float) -> str:
    return f"{place * _W:.1f}".removesuffix(".0")


def _shape(span: Span, scale: Scale) -> str:
    left = scale.place(span.start_ns) * _W
    end = scale.end_ns if span.end_ns is None else max(span.start_ns, span.end_ns)
    # One that is too short to be seen is drawn wider, and stays within the drawing.
    left = min(left, _W - _NARROWEST)
    right = max(scale.place(end) * _W, left + _NARROWEST)
    is_open = span.end_ns is None
    if is_open:
        right = max(left, min(right, _W - _ARROW))
    colour = _ERROR if span.status in {"error", "denied"} else _ACCENT if span.op == "chat" else _PLAIN
    drawn = _OPS.get(span.op, _dashed)(left, right, colour)
    if span.op == "chat" and span.ttft_s is not None:
        token = scale.place(span.start_ns + round(max(0.0, span.ttft_s) * 1e9)) * _W
        drawn = _model(left, right, colour, min(max(token, left), right))
    return drawn + (_open_end(right, colour) if is_open else "")


def _model(left: float, right: float, colour: str, token: float | None = None) -> str:
    """Draw a model call: hollow until the first token."""
    token = left if token is None else token
    frame = _rect(
        left,
        right,
        3,
        10,
        f"fill:{colour};fill-opacity:.12;stroke:{colour};stroke-width:1;{_SAME}",
    )
    return frame + _rect(token, right, 3, 10, f"fill:{colour}") if right > token else frame


def _tool(left: float, right: float, colour: str) -> str:
    return _rect(left, right, 4, 8, f"fill:{colour};fill-opacity:.6")


def _run(left: float, right: float, colour: str) -> str:
    ends = f"M{left:.1f} 4V12M{right:.1f} 4V12M{left:.1f} 8H{right:.1f}"
    return f'<path d="{ends}" style="stroke:{colour};stroke-width:2;fill:none;{_SAME}"/>'


def _dashed(left: float, right: float, colour: str) -> str:
    style = f"stroke:{colour};stroke-opacity:.6;stroke-width:6;stroke-dasharray:2 3;fill:none;{_SAME}"
    return f'<path d="M{left:.1f} 8H{right:.1f}" style="{style}"/>'


def _many(spans: Sequence[Span], scale: Scale) -> str:
    """Draw where several were, without more marks than can be told apart."""
    marks = sorted({round(scale.place(span.start_ns) * 200) * 5 for span in spans})
    colour = _ERROR if any(span.status in {"error", "denied"} for span in spans) else _PLAIN
    ticks = "".join(f"M{x} 4V12" for x in marks)
    return f'<path d="{ticks}" style="stroke:{colour};stroke-opacity:.6;stroke-width:2;fill:none;{_SAME}"/>'


def _open_end(right: float, colour: str) -> str:
    style = f"stroke:{colour};stroke-width:2;fill:none;{_SAME}"
    return f'<path d="M{right + 3:.1f} 3L{right + _ARROW:.1f} 8L{right + 3:.1f} 13" style="{style}"/>'


def _rect(left: float, right: float, top: float, height: float, style: str) -> str:
    return f'<rect x="{left:.1f}" y="{top}" width="{max(right - left, 0.5):.1f}" height="{height}" style="{style}"/>'


_OPS = {"chat": _model, "execute_tool": _tool, "invoke_agent": _run}

SHAPES = {
    "run": _svg(_run(20, _W - 20, _PLAIN)),
    "model call, solid from the first token": _svg(_model(20, _W - 20, _ACCENT, 400)),
    "tool": _svg(_tool(20, _W - 20, _PLAIN)),
    "wait": _svg(_dashed(20, _W - 20, _PLAIN)),
}
"""What each shape means."""
