"""`Waterfall`: what happened when, as bars that open.

One idea: HTML with inline styles and small inline drawings, no script and no style sheet, so that
it is the same in JupyterLab, in an exported page, on paper. Every bar's figures stand beside it as
text, so that nothing depends on colours or on the drawing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from lumos_nb.stores import Store
from lumos_nb.telemetry.spans import Span
from lumos_nb.telemetry.waterfall import tree
from lumos_nb.telemetry.waterfall.bars import SHAPES, axis_svg, bar_svg
from lumos_nb.telemetry.waterfall.folding import NOT_WELL, Row, rows_of
from lumos_nb.telemetry.waterfall.inspect import Inspector, Piece
from lumos_nb.telemetry.waterfall.scale import Scale, scale_of
from lumos_nb.telemetry.wording import MARKS, escaped, seconds, title

_ROOM_CHARS, _MOST_CHARS, _LEAST_CHARS = 300_000, 8_000, 800
"""What all pieces may take together, and one of them."""
_LISTED = 20

MUTED = "color:var(--jp-ui-font-color2,#757575)"
ERROR = "color:color-mix(in srgb,var(--jp-error-color1,#d9453d) 75%,var(--jp-content-font-color1,currentColor))"
_FRAME = (
    "font-family:var(--jp-content-font-family,sans-serif);font-size:var(--jp-ui-font-size1,13px);line-height:1.4;"
    "color:var(--jp-content-font-color1,inherit);max-width:1200px"
)
# Beside the mark that opens a row.
_LINE = "display:inline-flex;flex-wrap:wrap;gap:0 12px;align-items:center;width:calc(100% - 18px);vertical-align:top"
# Below about 600 px the drawing goes under the words, in its full width: bars stand one below the other in any case.
_WORDS = "box-sizing:border-box;flex:1 1 300px;min-width:0;display:flex;gap:8px;align-items:baseline"
_DRAWING = "flex:1 1 280px;min-width:0;height:16px"
_NAME = "flex:1 1 0;min-width:0;overflow:hidden;text-overflow:ellipsis;white-space:nowrap"
_FIGURES = "white-space:nowrap;font-variant-numeric:tabular-nums"
_BODY = "border-left:2px solid var(--jp-border-color2,#8886);margin:2px 0 8px 6px;padding:2px 0 2px 12px"
# Of high contrast, which gives each letter its own colour, the mark that is not seen is left out.
_UNFORCED = "forced-color-adjust:none"
_RULE = "border-bottom:1px solid var(--jp-border-color2,#8886);margin-bottom:2px"
_PRE = (
    "margin:0;padding:0;background:none;white-space:pre-wrap;overflow-wrap:anywhere;"
    "font-family:var(--jp-code-font-family,monospace);font-size:var(--jp-code-font-size,12px);line-height:1.4;"
    "color:inherit"
)


class Waterfall:
    """Spans on an axis of time; each bar opens to what was sent and what came back.

    Shown as HTML in a notebook and as a tree of text anywhere else.
    """

    def __init__(self, spans: Sequence[Span], inspector: Inspector | None = None) -> None:
        self.spans = list(spans)
        self._inspector = inspector or Inspector()

    @cached_property
    def _rows(self) -> list[Row]:
        return rows_of(self.spans)

    def to_text(self) -> str:
        """Return the tree of lines."""
        return tree.tree_text(self._rows)

    def to_html(self) -> str:
        """Return the bars as HTML with inline styles only."""
        rows, scale = self._rows, scale_of(self.spans)
        if not rows:
            return f'<div style="{_FRAME}">Nothing was recorded.</div>'
        drawn = "".join(self._row(row, scale) for row in rows)
        return f'<div style="{_FRAME}">{_axis(scale)}{drawn}{_legend(self.spans, rows)}</div>'

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": self.to_text(), "text/html": self.to_html()}

    @cached_property
    def pieces(self) -> dict[str, list[Piece]]:
        """What each bar opens to, by the id of its span; all together of a bearable size."""
        alone = [row.spans[0] for row in self._rows if not row.is_fold]
        room = min(_MOST_CHARS, max(_LEAST_CHARS, _ROOM_CHARS // (3 * max(1, len(self._rows)))))
        self._inspector.expect(alone)
        return {span.span_id: self._inspector.pieces(span, room) for span in alone}

    def _row(self, row: Row, scale: Scale) -> str:
        span = row.spans[0]
        body = _members(row.spans) if row.is_fold else "".join(map(_piece, self.pieces[span.span_id]))
        opened = ' open="open"' if not row.is_fold and span.status == "error" and span.op == "invoke_agent" else ""
        return (
            f'<details{opened} style="break-inside:avoid"><summary style="cursor:pointer;padding:1px 0">'
            f'<span style="{_LINE}">{_words(row)}<span style="{_DRAWING}">{bar_svg(row.spans, scale)}</span></span>'
            f'</summary><div style="{_BODY}">{_times(row.spans)}{body}</div></details>'
        )


def waterfall(spans: Sequence[Span], store: Store | None = None) -> Waterfall:
    """Return spans as a waterfall.

    Args:
        spans: In any order.
        store: Where what bars open to is kept; None: they open to what the spans themselves say.

    Example:
        >>> waterfall([])
        Nothing was recorded.
    """
    return Waterfall(spans, Inspector(store))


def _words(row: Row) -> str:
    """Return what stands left of the bar: mark, name, what went wrong, and the figures."""
    span = row.spans[0]
    indent = f"padding-left:{min(row.depth, 12) * 14}px"
    if row.is_fold:
        told = escaped(tree.fold_text(row.spans))
        return f'<span style="{_WORDS};{indent}"><span style="{_NAME};{MUTED}">{told}</span></span>'
    figures = [seconds(span.duration_s) or "not ended", *tree.cost_texts(row)]
    mark = "" if span.status == "ok" else f"{MARKS.get(span.status, '·')} {span.status}"
    remarks = [text for text in tree.remarks(span) if text]
    colour = ERROR if span.status == "error" else MUTED
    said = " · ".join(part for part in (mark, *remarks) if part)
    weight = ";font-weight:600" if span.op == "invoke_agent" else ""
    return (
        f'<span style="{_WORDS};{indent}"><span style="{_NAME}">'
        f'<span style="{weight.lstrip(";")}">{escaped(title(span))}</span>'
        + (f' <span style="{colour}">{escaped(said)}</span>' if said else "")
        # The blank is seen where styles are taken out, as on GitHub: else the name and its seconds are one number.
        + f'</span> <span style="{_FIGURES};{MUTED}">{escaped(" · ".join(f for f in figures if f))}</span></span>'
    )


def _axis(scale: Scale) -> str:
    """Return the line above the bars; a mark that is not seen makes it as wide as they are."""
    start = datetime.fromtimestamp(scale.start_ns / 1e9, UTC) if 0 <= scale.start_ns < 2**62 else None
    began = f"{start:%Y-%m-%d %H:%M:%S} UTC" if start else ""
    return (
        f'<div style="display:list-item;list-style:inside disclosure-closed;color:transparent;{_UNFORCED};{_RULE}">'
        f'<span style="{_LINE};forced-color-adjust:auto;{MUTED}"><span style="{_WORDS}">{began}</span>'
        f'<span style="{_DRAWING}">{axis_svg(scale)}</span></span></div>'
    )


def _legend(spans: Sequence[Span], rows: Sequence[Row]) -> str:
    folded = sum(len(row.spans) for row in rows if row.is_fold)
    shapes = "".join(
        f'<span style="white-space:nowrap"><span style="display:inline-block;width:28px;height:12px;'
        f'vertical-align:-2px">{drawing}</span> {name}</span>'
        for name, drawing in SHAPES.items()
    )
    failed = sum(span.status in NOT_WELL for row in rows if row.is_fold for span in row.spans)
    told = (
        f"{folded:,} of {len(spans):,} spans, {failed:,} that failed among them, are folded into rows of many. "
        "Those with a row of their own failed or took longest."
    )
    all_of_them = escaped(f'lumos.spans(trace_id="{spans[0].trace_id}")')
    note = f"<div>{told} All of them: <code>{all_of_them}</code></div>"
    legend = f'<div style="display:flex;flex-wrap:wrap;gap:0 14px">{shapes}</div>'
    return f'<div style="{MUTED};margin-top:4px">{legend}{note if folded else ""}</div>'


def _times(spans: Sequence[Span]) -> str:
    """Return when it was, by the clock; a clock that was put back is told."""
    start = min(span.start_ns for span in spans)
    if not 0 <= start < 2**62:
        return ""
    began = datetime.fromtimestamp(start / 1e9, UTC)
    back = any(span.end_ns is not None and span.end_ns < span.start_ns for span in spans)
    note = " · the clock was put back while it went on" if back else ""
    return f'<div style="{MUTED}">from {began:%H:%M:%S}.{start // 1_000_000 % 1000:03d} UTC{note}</div>'


def _members(spans: Sequence[Span]) -> str:
    """Return the slowest of a fold, a line each."""
    slowest = sorted(spans, key=lambda span: -(span.duration_s or 0))[:_LISTED]
    lines = "\n".join(tree.row_text(Row(0, (span,))) for span in slowest)
    head = f"the slowest {len(slowest)} of {len(spans):,}" if len(spans) > len(slowest) else "all of them"
    return f'<div style="{MUTED}">{head}</div><pre style="{_PRE}">{escaped(lines)}</pre>'


def _piece(piece: Piece) -> str:
    note = f'<div style="{MUTED};overflow-wrap:anywhere">{escaped(piece.note)}</div>' if piece.note else ""
    text = f'<pre style="{_PRE}">{escaped(piece.text)}</pre>{note}'
    if piece.is_folded:
        label = f'<summary style="cursor:pointer;{MUTED}">{escaped(piece.label)}</summary>'
        return f'<details style="margin:2px 0">{label}<div style="{_BODY}">{text}</div></details>'
    return f'<div style="margin:2px 0"><div style="{MUTED}">{escaped(piece.label)}</div>{text}</div>'
