"""What is promised to whoever imports this library: names, layers, and a quick import."""

import json
import subprocess
import sys
import time

import pytest

import lumos_nb

PUBLIC = [
    "Agent", "Message", "RuntimeContext", "__version__", "advice", "cell_tools", "configure", "diagnose", "events",
    "llm",
    "load_ipython_extension", "messages", "metrics", "plot", "q", "runs", "snapshot", "spans", "sql", "stale",
    "steps", "threads", "tool", "tool_calls", "unload_ipython_extension", "wait",
]  # fmt: skip
HEAVY = {"pandas", "IPython", "httpx", "pydantic", "ipywidgets", "anywidget", "nbclient", "xllamacpp", "numpy"}


def _python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def test_the_public_names_are_these_and_each_loads():
    assert lumos_nb.__all__ == PUBLIC
    assert all(getattr(lumos_nb, name) is not None for name in PUBLIC)


def test_a_name_that_is_not_there_says_so():
    with pytest.raises(AttributeError, match="agent_of_chaos"):
        getattr(lumos_nb, "agent_of_chaos")  # noqa: B009


def test_frames_and_vocabulary_share_their_names():
    """`lumos.events()` is a DataFrame also after `lumos_nb.events`, the module, was imported."""
    out = _python(
        "import os, tempfile; os.environ['LUMOS_DB'] = tempfile.mkdtemp() + '/x.db'\n"
        "import lumos_nb as lumos\n"
        "from lumos_nb.events import TextDelta\n"
        "from lumos_nb.messages import Message\n"
        "print(len(lumos.events()), len(lumos.messages()), TextDelta('x').type, Message is lumos.Message)"
    )
    assert out.split() == ["0", "0", "text_delta", "True"]


def test_importing_the_library_loads_nothing_heavy():
    loaded = json.loads(_python("import lumos_nb, sys, json; print(json.dumps(sorted(sys.modules)))"))
    assert not HEAVY & set(loaded)


def test_importing_the_agent_loads_nothing_heavy():
    code = "from lumos_nb import Agent, Message, llm, tool; import sys, json; print(json.dumps(sorted(sys.modules)))"
    assert not HEAVY & set(json.loads(_python(code)))


def test_a_run_without_a_tape_loads_nothing_that_plays_one():
    code = (
        "from lumos_nb import Agent, llm, tool\nfrom lumos_nb.messages import ToolCall\n"
        "from lumos_nb.testing import Answer, FakeServer\n"
        "now = tool(lambda: 'noon', name='now', description='The time.')\n"
        "with FakeServer([Answer(tool_calls=[ToolCall(id='c', name='now', arguments='{}')]), 'Hi']) as server:\n"
        "    Agent('a', model=llm('mine/m', base_url=server.base_url), tools=[now]).generate_sync('x')\n"
        "import sys, json; print(json.dumps([name for name in sys.modules if name.startswith('lumos_nb.tapes')]))"
    )
    assert set(json.loads(_python(code))) == {"lumos_nb.tapes", "lumos_nb.tapes.modes", "lumos_nb.tapes.scenes"}


def test_importing_the_library_takes_no_time_that_anyone_notices():
    """The limit is 150 ms; it takes about 5, so that no load of the machine can reach it in the best of five."""
    took = []
    for _ in range(5):
        started = time.perf_counter()
        _python("import lumos_nb")
        with_library = time.perf_counter() - started
        started = time.perf_counter()
        _python("pass")
        took.append(with_library - (time.perf_counter() - started))
    assert min(took) < 0.150


def test_the_layers_hold():
    run = subprocess.run(["lint-imports"], capture_output=True, text=True, env=_environment(), check=False)
    assert run.returncode == 0, run.stdout


def _environment():
    import os
    from pathlib import Path

    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
