"""The notebooks about data and debugging show what they say they show."""

import json
import os

import pytest

from lumos_nb.testing import run_notebook
from tests.kernels import ROOT


@pytest.fixture
def executed(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.endswith("_API_KEY") or name.startswith("LUMOS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LUMOS_DB", str(tmp_path / "lumos.db"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("CI", "true")

    def run(name):
        ran = run_notebook(ROOT / "notebooks" / name, output_dir=tmp_path)
        cells = json.loads(ran.notebook.read_text())["cells"]
        return {cell["id"]: _outputs(cell) for cell in cells if cell["cell_type"] == "code"}

    return run


def _outputs(cell):
    """Return MIME type to text of all that a cell put out."""
    found = {}
    for output in cell["outputs"]:
        data = output.get("data", {"text/plain": output.get("text", "")})
        for kind, value in data.items():
            found[kind] = found.get(kind, "") + ("".join(value) if isinstance(value, list) else str(value))
    return found


@pytest.mark.model
def test_traces_as_data_answers_its_question(executed):
    cells = executed("06_traces_as_data.ipynb")
    behind, within = cells["right"]["text/plain"].splitlines()[2:4]
    assert behind.split()[3:4] == ["1.0"] and float(within.split()[3]) < 1.0
    ops = cells["where"]["text/plain"]
    assert "execute_tool" in ops and "retry" not in ops
    assert "<svg" in cells["one"]["text/html"] and "mean_order" in cells["one"]["text/plain"]
    assert "tool mean_order · removed" in cells["diff"]["text/plain"]
    assert cells["query"]["text/plain"].startswith("q.tool_calls: 4 rows")
    assert "in the prompt     4" in cells["sql"]["text/plain"]
    assert cells["plot"]["image/png"]
    assert "reason" in cells["stale"]["text/plain"]


def test_debugging_finds_what_it_broke(executed):
    cells = executed("07_debugging.ipynb")
    fix = cells["fix"]["text/plain"]
    assert "raised ZeroDivisionError: division by zero (line 5 of 'share')" in fix and "To do it again:" in fix
    assert "tools=[share]" in cells["repro"]["text/plain"]
    assert (
        "The same call again and again" in cells["loop"]["text/plain"] and "Out of steps" in cells["loop"]["text/plain"]
    )
    assert "No connection" in cells["server"]["text/plain"]
    assert "Tools one after another" in cells["slow"]["text/plain"]
    assert cells["slow-trace"]["text/plain"].count("look_up(") == 3
    assert "Nothing differs in what was said" in cells["parallel"]["text/plain"]
    assert "not_enough" in cells["many"]["text/plain"]
