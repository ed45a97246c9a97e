"""Documents of recorded runs."""

import pytest

from lumos_nb import Agent, clock
from lumos_nb.notebook.lab.docs import saved_doc
from lumos_nb.runtime import Runtime
from lumos_nb.testing import Answer, ScriptedProvider


def test_a_run_that_failed_has_lasted_as_long_as_it_did_whenever_it_is_looked_at(monkeypatch):
    runtime = Runtime({})
    model = ScriptedProvider([Answer(reasoning="Hm.", error=RuntimeError("boom"), error_after=1)])
    with pytest.raises(RuntimeError):
        Agent("failing", model=model).generate_sync("Go", thread_id="t")
    ((run_id,),) = runtime.memory.store.select("runs", ["run_id"], where=[("agent", "=", "failing")])
    later = clock.time() + 600
    monkeypatch.setattr(clock, "time", lambda: later)
    doc = saved_doc(runtime, run_id)
    assert doc["status"] == "failed"
    assert doc["duration_s"] < 60
