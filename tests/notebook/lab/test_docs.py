"""Documents of recorded runs."""

import pytest

from lumos_nb import Agent, clock
from lumos_nb.memory import Memory
from lumos_nb.notebook.lab.docs import saved_doc
from lumos_nb.stores import SqliteStore
from lumos_nb.testing import Answer, ScriptedProvider


def test_a_run_that_failed_has_lasted_as_long_as_it_did_whenever_it_is_looked_at(monkeypatch, tmp_path):
    memory = Memory(SqliteStore(tmp_path / "runs.db"))
    model = ScriptedProvider([Answer(reasoning="Hm.", error=RuntimeError("boom"), error_after=1)])
    with pytest.raises(RuntimeError):
        Agent("failing", model=model, memory=memory).generate_sync("Go", thread_id="t")
    ((run_id,),) = memory.store.select("runs", ["run_id"])
    later = clock.time() + 600
    monkeypatch.setattr(clock, "time", lambda: later)
    doc = saved_doc(memory, run_id)
    assert doc["status"] == "failed"
    assert doc["duration_s"] < 60
