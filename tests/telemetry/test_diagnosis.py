"""Each kind of failure is told from a real recorded run of it, and from no other's."""

from __future__ import annotations

import pytest

from lumos_nb import settings
from lumos_nb.telemetry import diagnose
from lumos_nb.transport import default_transport
from tests.telemetry.recorded_runs import OPEN, RUNS


@pytest.fixture(autouse=True)
async def database(tmp_path, monkeypatch):
    monkeypatch.setenv("LUMOS_DB", str(tmp_path / "lumos.db"))
    monkeypatch.setenv("LUMOS_READ_TIMEOUT_S", "0.5")
    monkeypatch.setenv("LUMOS_MAX_RETRIES", "2")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setattr("random.uniform", lambda a, b: 0.001)
    settings.reset()
    yield
    while OPEN:
        await OPEN.pop().aclose()
    await default_transport().aclose()
    settings.reset()


@pytest.mark.parametrize("name", RUNS)
async def test_a_run_is_given_its_own_kind_and_no_other_failure(name):
    kind, record = RUNS[name]
    await record()
    found = diagnose("last")
    print(found.to_text())
    said = [f.kind for f in found.findings if f.severity in {"failed", "warning"}]
    told = [f.kind for f in found.findings]
    assert (told[0] if told else "") == kind
    assert set(said) <= {kind}, "another kind's run, too"
