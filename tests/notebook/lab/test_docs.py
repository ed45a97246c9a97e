"""Documents of recorded runs."""

import pytest

from lumos_nb import Agent, clock
from lumos_nb.events import ApprovalRequested
from lumos_nb.messages import ToolCall
from lumos_nb.notebook.lab.docs import saved_doc
from lumos_nb.runtime import Runtime
from lumos_nb.testing import Answer, ScriptedProvider
from lumos_nb.widgets.live import RunView


def test_a_run_that_failed_has_lasted_as_long_as_it_did_whenever_it_is_looked_at(monkeypatch):
    runtime = Runtime({})
    model = ScriptedProvider([Answer(reasoning="Hm.", error=RuntimeError("boom"), error_after=1)])
    with pytest.raises(RuntimeError):
        Agent("failing", model=model).generate_sync("Go", thread_id="t")
    where = [("agent", "=", "failing")]
    ((run_id,),) = runtime.memory.store.select("runs", ["run_id"], where=where, order=["-started_at"], limit=1)
    later = clock.time() + 600
    monkeypatch.setattr(clock, "time", lambda: later)
    doc = saved_doc(runtime, run_id)
    assert doc["status"] == "failed"
    assert doc["duration_s"] < 60


def test_a_question_stands_in_the_document_as_soon_as_pages_are_told_of_it():
    view = RunView()  # whose own message to its page may be a second away
    call = ToolCall(id="c1", name="insert_cell", arguments="{}")
    view.on_events([ApprovalRequested(call=call, reason="It changes the notebook.", schema={})])
    view.catch_up()
    assert [item["status"] for item in view.transcript.doc["items"]] == ["waiting"]
