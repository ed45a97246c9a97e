"""The data beside a trace's page: JupyterLab's extension draws it; `src/run/run.test.ts` reads the same sample."""

import json
from pathlib import Path
from typing import Any

from lumos_nb import Agent, tool
from lumos_nb.messages import ToolCall
from lumos_nb.telemetry import load_trace
from lumos_nb.telemetry.traces.trace import TRACE_MIME
from lumos_nb.testing import ScriptedProvider

SAMPLE = Path(__file__).parents[1] / "samples" / "lab" / "trace.json"


@tool
def rows(table: str) -> str:
    "Rows."
    return f"3 rows of {table}"


def shape(value: Any) -> Any:
    """Return what kind of data it is: names of fields, and the first of each list."""
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return {name: shape(one) for name, one in value.items()} if isinstance(value, dict) else None


def test_a_trace_has_its_data_with_what_each_bar_opens_to_in_the_form_of_the_sample():
    call = ToolCall(id="c1", name="rows", arguments='{"table": "orders"}')
    run = Agent("analyst", model=ScriptedProvider([call, "Three."]), tools=[rows]).generate_sync("Count").run_id
    bundle = load_trace(run)._repr_mimebundle_()
    data = bundle[TRACE_MIME]
    assert set(bundle) == {"text/plain", "text/html", TRACE_MIME} and data["v"] == 1 and data["run_id"] == run
    assert [span["op"] for span in data["spans"]] == ["invoke_agent", "chat", "execute_tool", "chat"]
    [of_tool] = [data["pieces"][span["span_id"]] for span in data["spans"] if span["op"] == "execute_tool"]
    assert "3 rows of orders" in [piece["text"] for piece in of_tool]
    if not SAMPLE.exists():
        SAMPLE.write_text(json.dumps(data, indent=1) + "\n", "utf-8")
    kept = json.loads(SAMPLE.read_text("utf-8"))
    assert [set(span) for span in kept["spans"]] == [set(span) for span in data["spans"]]
    assert set(shape(kept)) == set(shape(data))
