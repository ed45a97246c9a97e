"""A diagnosis as HTML: inline styles and `<details>` only, in the notebook's own colours.

One idea: what happened and what to do stand open; what it rests on is folded.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from lumos_nb.phrases import seconds
from lumos_nb.telemetry.diagnosis.finding import KINDS, Finding

if TYPE_CHECKING:
    from lumos_nb.telemetry.diagnosis.diagnosis import Diagnosis

_FRAME = (
    "font-family:var(--jp-content-font-family,sans-serif);color:var(--jp-content-font-color1,inherit);"
    "line-height:1.5;overflow-wrap:anywhere;padding:4px 0;max-width:900px"
)
_MUTED = "color:var(--jp-ui-font-color2,#7a7a7a)"
_HEAD = f"padding-bottom:2px;margin-bottom:6px;border-bottom:1px solid var(--jp-border-color2,#8886);{_MUTED}"
_CODE = "font-family:var(--jp-code-font-family,monospace);font-size:var(--jp-code-font-size,13px)"
_PRE = f"margin:0 0 2px 0;padding:0;background:none;color:inherit;white-space:pre-wrap;{_CODE};line-height:1.4"
_BAR = {
    "failed": "var(--jp-error-color1,#d9453d)", "warning": "var(--jp-warn-color1,#c98a00)",
    "note": "var(--jp-border-color1,#8888)",
}  # fmt: skip
# A page without a doctype hands neither colour nor size down to a table.
_TABLE = "border:none;border-collapse:collapse;margin:2px 0 4px 0;color:inherit;font-size:inherit"
_CELL = "padding:1px 12px 1px 0;border:none;text-align:left;vertical-align:top;background:none"
_SUMMARY = f'<summary style="cursor:pointer;{_MUTED}">'


def diagnosis_html(diagnosis: Diagnosis) -> str:
    """Return a diagnosis as HTML."""
    head = escape(" · ".join(diagnosis.summary))
    found = "".join(map(_finding, diagnosis.findings)) or "<div>Nothing was found to be wrong.</div>"
    parts = [f'<div style="{_HEAD}">{head}</div>', found, _phases(diagnosis.phases), _cell(diagnosis.reproduce)]
    return f'<div data-lumos="diagnosis" style="{_FRAME}">{"".join(parts)}</div>'


def _finding(finding: Finding) -> str:
    where = f' <span style="{_MUTED}">{escape(finding.where)}</span>' if finding.where else ""
    saves = f' <span style="{_MUTED}">It {escape(finding.saves)}.</span>' if finding.saves else ""
    rows = "".join(
        f'<tr><td style="{_CELL};{_MUTED}">{escape(e.source)}</td>'
        f'<td style="{_CELL}"><pre style="{_PRE}">{escape(e.value)}</pre></td></tr>'
        for e in finding.evidence
    )
    folded = f'<details>{_SUMMARY}Evidence</summary><table style="{_TABLE}">{rows}</table></details>' if rows else ""
    border = f"border-left:3px solid {_BAR[finding.severity]};margin:6px 0 10px 0;padding:0 0 0 12px"
    return (
        f'<div style="{border}"><div><b>{escape(KINDS[finding.kind])}</b>{where}</div>'
        f"<div>{escape(finding.title)}</div><div>→ {escape(finding.suggestion)}{saves}</div>{folded}</div>"
    )


def _phases(took: dict[str, float]) -> str:
    from lumos_nb.telemetry.diagnosis.timing import PHASES

    if not took:
        return ""
    longest = max(took.values())
    rows = "".join(
        f'<tr><td style="{_CELL}">{escape(PHASES[name])}</td><td style="{_CELL};text-align:right">{seconds(value)}</td>'
        f'<td style="{_CELL};width:200px"><div style="height:8px;margin-top:7px;width:{100 * value / longest:.0f}%;'
        'background:var(--jp-brand-color1,#4a90d9)"></div></td></tr>'
        for name, value in took.items()
    )
    return f'<details>{_SUMMARY}Time, part by part</summary><table style="{_TABLE}">{rows}</table></details>'


def _cell(text: str) -> str:
    if not text:
        return ""
    return f'<details>{_SUMMARY}A cell that does it again</summary><pre style="{_PRE}">{escape(text)}</pre></details>'
