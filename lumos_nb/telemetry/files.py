"""Traces as files: data, a page that needs nothing else, or spans as OpenTelemetry has them.

One idea: the ending of the name says which.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path

from lumos_nb.errors import UsageError, nearest
from lumos_nb.hiding.known import masked
from lumos_nb.telemetry.traces.trace import TRACE_VERSION, ExecutionTrace
from lumos_nb.telemetry.wording import escaped, visible

FORMS = ("json", "otlp", "html")

# A page of one's own may have a style sheet: it gives the variables of a notebook's themes, light and dark.
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --jp-content-font-color1: #1b1b1b; --jp-ui-font-color2: #666;
  --jp-brand-color1: #2f7fd1; --jp-error-color1: #c62828; --jp-content-font-family: system-ui, sans-serif; }}
@media (prefers-color-scheme: dark) {{ :root {{ --jp-content-font-color1: #e6e6e6; --jp-ui-font-color2: #a8a8a8;
  --jp-brand-color1: #64b5f6; --jp-error-color1: #ef5350; }} body {{ background: #151515; }} }}
body {{ margin: 16px; }}
h1 {{ font: 600 16px system-ui, sans-serif; color: var(--jp-content-font-color1); }}
</style></head><body>
{body}
</body></html>
"""


def export_text(traces: Sequence[ExecutionTrace], form: str) -> str:
    """Return traces as the text of a file.

    Args:
        traces: One, or several of a thread.
        form: `json` (versioned: `{"v": 1, …}`), `otlp` (OTLP/JSON of the spans) or `html`.

    Raises:
        UsageError: There is no such form.

    Example:
        >>> export_text([], "json")
        '{\\n "v": 1,\\n "traces": []\\n}'
    """
    match form:
        case "json":
            found = [trace.to_dict() for trace in traces]
            data = found[0] if len(found) == 1 else {"v": TRACE_VERSION, "traces": found}
            return masked(json.dumps(data, ensure_ascii=False, indent=1))
        case "otlp":
            from lumos_nb.telemetry.otel import otlp_json

            spans = [span for trace in traces for span in trace.spans]
            return masked(json.dumps(otlp_json(spans), ensure_ascii=False, indent=1))
        case "html":
            return page(traces)
    raise UsageError(f"A trace cannot be written as {form!r}.", hint=nearest(form, FORMS))


def form_of(path: str | Path) -> str:
    """Return the form that a file's ending names.

    Raises:
        UsageError: It names none.

    Example:
        >>> form_of("run.json"), form_of("run.otlp.json"), form_of("run.html")
        ('json', 'otlp', 'html')
    """
    name = Path(path).name.lower()
    endings = {".otlp.json": "otlp", ".json": "json", ".html": "html", ".htm": "html"}
    for ending, form in endings.items():
        if name.endswith(ending):
            return form
    raise UsageError(
        f"{Path(path).name!r} does not say how the trace is to be written.",
        hint="End it with .json, .otlp.json or .html, or say json, otlp or html behind it.",
    )


def page(traces: Sequence[ExecutionTrace]) -> str:
    """Return traces as a page that needs nothing else: no script, no network, light and dark.

    Example:
        >>> page([]).startswith("<!doctype html>")
        True
    """
    titles = [f"{trace.agent or 'run'} · {trace.run_id}" for trace in traces]
    shown = "".join(
        f"<h1>{escaped(title)}</h1>{trace.waterfall().to_html()}" for title, trace in zip(titles, traces, strict=True)
    )
    return _PAGE.format(title=escape(visible(titles[0] if titles else "No run")), body=shown)
