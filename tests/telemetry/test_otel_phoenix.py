"""A receiver that is not ours takes our traces and gives them back: Arize Phoenix, over HTTP, from its own database."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

from lumos_nb import settings
from lumos_nb.stores import default_store
from lumos_nb.telemetry import otel
from lumos_nb.telemetry.spans import read_spans
from lumos_nb.transport import default_transport
from tests.telemetry import golden

PHOENIX = Path(os.environ.get("LUMOS_PHOENIX", Path(__file__).parents[2] / ".venv/phoenix/bin/phoenix"))
KINDS = {"invoke_agent": "AGENT", "chat": "LLM", "execute_tool": "TOOL"}
"""What Phoenix makes of an operation."""

pytestmark = pytest.mark.skipif(not PHOENIX.exists(), reason="Phoenix is not installed: `make otel` does it")


@pytest.fixture(scope="module")
def phoenix(tmp_path_factory):
    """A running Phoenix; its address."""
    folder = tmp_path_factory.mktemp("phoenix")
    port, grpc_port = _free_port(), _free_port()
    env = {**os.environ, "PHOENIX_WORKING_DIR": str(folder), "PHOENIX_HOST": "127.0.0.1", "PHOENIX_PORT": str(port),
           "PHOENIX_GRPC_PORT": str(grpc_port), "PHOENIX_TELEMETRY_ENABLED": "false"}  # fmt: skip
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([str(PHOENIX), "serve"], env=env, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until(lambda: _answers(address), 120, folder / "log")
        yield address
    finally:
        process.terminate()
        process.wait(20)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def _answers(address: str) -> bool:
    try:
        return bool(_get(address, "/v1/projects"))
    except OSError:
        return False


def _wait_until(is_so, seconds: float, log: Path) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, log.read_text()[-2_000:]
        time.sleep(0.2)


def _get(address: str, path: str):
    with urllib.request.urlopen(address + path) as answer:
        return json.load(answer)


def _spans(address: str, at_least: int) -> dict:
    until = time.monotonic() + 30
    while True:
        found = _get(address, "/v1/projects/default/spans?limit=1000")["data"]
        if len(found) >= at_least or time.monotonic() > until:
            assert len(found) == len({s["context"]["span_id"] for s in found})
            return {s["context"]["span_id"]: s for s in found}
        time.sleep(0.2)


@pytest.fixture
def recorded(phoenix, tmp_path, monkeypatch):
    """Golden runs that were sent to Phoenix, with what was said."""
    monkeypatch.setenv("LUMOS_DB", str(tmp_path / "lumos.db"))
    monkeypatch.setenv("LUMOS_OTLP", phoenix)
    monkeypatch.setenv("LUMOS_OTLP_CONTENT", "true")
    with golden.served() as server:
        monkeypatch.setenv("LUMOS_VENDORS", json.dumps({"mine": {"base_url": server.base_url}}))
        settings.reset()

        async def record() -> None:
            await golden.record(server.base_url)
            await default_transport().aclose()

        asyncio.run(record())
    assert otel.flush(30)
    yield {span.span_id: span for span in read_spans(default_store())}
    settings.reset()


def test_phoenix_has_every_span_with_its_parent_kind_tokens_and_words(phoenix, recorded):
    assert otel.stats().n_spans_lost == 0
    arrived = _spans(phoenix, len(recorded))
    assert recorded.keys() <= arrived.keys()
    for id, ours in recorded.items():
        theirs = arrived[id]
        assert theirs["context"]["trace_id"] == ours.trace_id and theirs["parent_id"] == ours.parent_span_id
        assert theirs["name"] == (ours.name if ours.op in KINDS else f"lumos.{ours.op}")
        assert theirs["span_kind"] == KINDS.get(ours.op, "UNKNOWN")
        assert (theirs["status_code"] == "ERROR") is (ours.status in {"error", "cancelled"})
        if ours.usage is not None:
            assert theirs["attributes"]["llm.token_count.prompt"] == ours.usage.input_tokens
            assert theirs["attributes"]["llm.token_count.completion"] == ours.usage.output_tokens
            assert theirs["attributes"]["llm.model_name"] == ours.model
    said = [a["attributes"].get("llm.input_messages.0.message.content") for a in arrived.values()]
    assert "Twice two?" in said

    # Sent again, as a run is that was taken up: Phoenix keeps one of each.
    otel.send(sorted({span.run_id for span in recorded.values()}))
    assert _spans(phoenix, len(recorded)).keys() >= recorded.keys()
