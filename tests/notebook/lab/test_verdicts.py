"""What two people decide about one proposal at the same time."""

from types import SimpleNamespace

import pytest

from lumos_nb.errors import UsageError
from lumos_nb.notebook.lab.proposals import ProposalsRoom, Verdict


def test_who_decides_second_does_not_take_the_place_of_the_first():
    item = {"kind": "tool", "status": "waiting", "name": "run_cell", "call_id": "c", "arguments": "{}"}
    answers = iter(["", "This call is already decided."])
    run = SimpleNamespace(run_id="r", doc=lambda: {"items": [item]}, act=lambda action: next(answers))
    runtime = SimpleNamespace(live=lambda: [run])
    room = ProposalsRoom(SimpleNamespace(runtime=runtime, tell_changed=lambda *what: None))
    first, second = (Verdict(run_id="r", call_id="c", accepts=True, page=page) for page in ("one", "two"))
    room.decide(first)
    with pytest.raises(UsageError, match="decided"):
        room.decide(second)
    assert room.verdict("r", "c") == first
