"""`%trace` in a real JupyterLab: bars stand one below the other, each opens, and a page without trust reads it too."""

from __future__ import annotations

from typing import Any

from conftest import set_theme

from lumos_nb.telemetry.traces.trace import TRACE_MIME

SETUP = "%load_ext lumos_nb\nfrom tests.telemetry.recording import record\nrun = await record()"


def boxes(nb: Any) -> list[dict[str, float]]:
    drawings = nb.output(1).locator("summary svg")
    return [drawings.nth(i).bounding_box() for i in range(drawings.count())]


def test_a_trace_is_read_in_the_notebook(open_notebook: Any, lab: Any) -> None:
    nb = open_notebook("trace.ipynb", [SETUP, "%trace {run}"])
    for cell in (0, 1):
        nb.run(cell)
        nb.wait_done(cell)
    rows = nb.output(1).locator("details:has(> summary svg)")
    rows.first.wait_for(timeout=10_000)
    assert rows.count() == 12
    assert len({(round(box["x"]), round(box["width"])) for box in boxes(nb)}) == 1, "bars begin and end alike"
    assert {round(box["height"]) for box in boxes(nb)} == {16}, "the style sheet of the page does not press them"
    axis = nb.output(1).locator("svg[aria-label=time]").bounding_box()
    assert abs(axis["x"] - boxes(nb)[0]["x"]) < 2, "so does the axis"
    nb.shot("trace_light")
    set_theme(nb.page, dark=True)
    nb.shot("trace_dark")

    step = rows.nth(1)
    step.locator("> summary").click()
    step.get_by_text("HTTP 429").first.wait_for(timeout=5_000)
    body = step.locator("details", has_text="Body").last
    body.locator("> summary").click()
    assert "Tidy up the tables." in body.inner_text()
    nb.shot("trace_open")

    nb.page.set_viewport_size({"width": 480, "height": 900})
    nb.page.wait_for_timeout(500)
    output = nb.output(1)
    assert output.evaluate("node => node.scrollWidth <= node.clientWidth + 1"), "nothing sticks out of a narrow page"
    nb.shot("trace_narrow")

    nb.save()
    saved = lab.read("trace.ipynb")["cells"][1]["outputs"][0]["data"]
    assert set(saved) == {"text/plain", "text/html", TRACE_MIME} and len("".join(saved["text/html"])) < 150_000


def test_a_page_that_does_not_trust_the_notebook_reads_it_all_the_same(open_notebook: Any, lab: Any) -> None:
    import nbformat.v4 as v4

    from lumos_nb.telemetry import waterfall
    from tests.telemetry.test_waterfall import RUN

    nb = open_notebook("distrusted.ipynb", ["1"])
    notebook = lab.read("distrusted.ipynb")
    bundle = waterfall(RUN)._repr_mimebundle_()
    notebook["cells"][0]["outputs"] = [v4.new_output("display_data", bundle)]
    import json

    (lab.root / "distrusted.ipynb").write_text(json.dumps(notebook))
    nb.open()
    shown = nb.output(0)
    shown.get_by_text("rows(table='orders')").first.wait_for(timeout=10_000)
    assert "Too many requests." in shown.inner_text() and "5.00 s" in shown.inner_text()
    shown.locator("summary").nth(2).click()
    nb.shot("trace_distrusted")
