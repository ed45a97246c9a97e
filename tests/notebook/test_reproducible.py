"""Notebooks that are played from a tape come out the same, byte for byte, wherever they are."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from lumos_nb.messages import ToolCall
from lumos_nb.testing import Answer, FakeServer, Reply
from lumos_nb.testing.notebooks import run_notebook
from tests.kernels import ROOT

# The one about finding what is slow plays in real time, and says so.
FIRST = ROOT / "notebooks" / "01_first_run.ipynb"

TOOLS = """
def plain(n: int) -> str:
    "Prints in pieces and shows something."
    for i in range(3):
        print(n, i)
        time.sleep(0.02 * n)
    display(HTML(f"<b>{n}</b>"))
    return f"plain {n}"


async def waiting(n: int) -> str:
    "The later ones end first."
    await asyncio.sleep(0.05 / n)
    print("waited", n)
    return f"waiting {n}"


@tool(thread=True)
def threaded(n: int) -> str:
    "Blocks another thread."
    time.sleep(0.4 if n == 1 else 0.01)
    return f"threaded {n}"


def failing(n: int) -> str:
    "Shows a traceback."
    raise ValueError(f"no {n}")


worker = Agent("worker", model=llm("mine/m", base_url="URL"), tools=[plain, waiting, threaded, failing])
"""

CALLS = [
    ToolCall(id=f"c{i}{name}", name=name, arguments=f'{{"n": {i}}}')
    for i in (1, 2)
    for name in ("plain", "waiting", "threaded", "failing")
]
SCRIPT = [
    Answer(tool_calls=CALLS), Reply(status=429), "All done, **well**.", Reply(status=500), "A second answer.",
]  # fmt: skip

ASKED = "%%agent worker --new\nDo all of it."
ALL_KINDS = [
    "%load_ext lumos_nb\nimport asyncio, time\nimport lumos_nb as lumos\n"
    "from IPython.display import HTML, display\nfrom lumos_nb import Agent, llm, tool",
    TOOLS,
    ASKED,
    "%%agent worker\nAnd now?",
    "%trace last",
    "%trace diff {lumos.runs().run_id.iloc[-2]} {lumos.runs().run_id.iloc[-1]}",
    "lumos.runs().T",
    "lumos.steps().T",
    "lumos.tool_calls().T",
    "lumos.messages().T",
    "lumos.spans().T",
    "print(*lumos.sql('select payload_json from events order by seq').payload_json, sep='\\n')",
    "lumos.events(kind=['tool_output', 'metadata', 'text_delta', 'checkpoint']).T",
    "lumos.threads().T",
    "%thread list",
    "%agent fix",
    "%lumos tape",
]  # fmt: skip


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in [name for name in os.environ if name.startswith("LUMOS_") or name.endswith("_API_KEY")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    yield


def execute(notebook: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, tape: Path, *, is_played: bool) -> Any:
    """Execute a copy of a notebook in a folder, recording it or playing it as CI does; return its cells' outputs."""
    folder.mkdir()
    copy = folder / notebook.name
    copy.write_bytes(notebook.read_bytes())
    monkeypatch.setenv("LUMOS_TAPE", "replay" if is_played else "record")
    monkeypatch.setenv("LUMOS_TAPE_FILE", str(tape))
    monkeypatch.setenv("LUMOS_VIEW", "static")
    monkeypatch.setenv("CI", "1" if is_played else "")
    run = run_notebook(copy, output_dir=folder / "out")
    cells = nbformat.read(run.notebook, as_version=4).cells
    return [(cell.source, cell.outputs) for cell in cells if cell.cell_type == "code"]


def as_text(outputs: Any) -> str:
    """Return outputs as text, but for the pictures of matplotlib: they hold the version that drew them."""
    kept = [
        {**o, "data": {m: d for m, d in o["data"].items() if m != "image/png"}} if "data" in o else o for o in outputs
    ]
    return json.dumps(kept, sort_keys=True, indent=1)


def difference(one: str, other: str) -> str:
    """Return where two texts begin to differ; outputs are too long to be shown whole."""
    at = next((n for n, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), None)
    at = min(len(one), len(other)) if at is None and len(one) != len(other) else at
    return "" if at is None else f"{one[max(0, at - 150) : at + 80]}\n---\n{other[max(0, at - 150) : at + 80]}"


def check_reproducible(notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    tape = tmp_path / "book.tape.jsonl"
    execute(notebook, tmp_path / "recorded", monkeypatch, tape, is_played=False)
    first = execute(notebook, tmp_path / "first", monkeypatch, tape, is_played=True)
    second = execute(notebook, tmp_path / "second", monkeypatch, tape, is_played=True)
    for (source, one), (_, other) in zip(first, second, strict=True):
        assert not difference(as_text(one), as_text(other)), source
    return first


def test_a_notebook_that_is_recorded_now_is_the_same_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = check_reproducible(FIRST, tmp_path, monkeypatch)
    assert any(outputs for _, outputs in shown)


def test_tools_on_all_threads_retries_and_frames_are_the_same_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = tmp_path / "all_kinds.ipynb"
    with FakeServer(SCRIPT) as server:
        sources = [source.replace("URL", server.base_url) for source in ALL_KINDS]
        cells = [nbformat.v4.new_code_cell(source, id=f"cell-{n}") for n, source in enumerate(sources)]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), notebook)
        shown = dict(check_reproducible(notebook, tmp_path, monkeypatch))
        assert len(server.requests) == 5
    run = next(o for o in shown[ASKED] if "application/vnd.lumos.run+json" in o.get("data", {}))
    doc = run["data"]["application/vnd.lumos.run+json"]
    assert doc["n_replayed"] == 2 and doc["n_retries"] == 1 and doc["n_tool_calls"] == 8
