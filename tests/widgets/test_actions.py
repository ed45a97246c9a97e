"""What a page asks for: passed on if it can be meant, refused in words if not, and acknowledged at once."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lumos_nb.events import ApprovalDecided, ApprovalRequested, Error, ErrorInfo
from lumos_nb.messages import ToolCall

CALL = ToolCall(id="c", name="rows", arguments="{}")
GOOD = [
    {"t": "stop"},
    {"t": "allow", "call_id": "c"},
    {"t": "allow_thread", "call_id": "c"},
    {"t": "edit", "call_id": "c", "arguments": '{"limit": 5}'},
    {"t": "deny", "call_id": "c", "reason": ""},
    {"t": "steer", "text": "Only the north."},
]
LONG = "x" * 100_001
BAD = [
    {},
    {"t": "rm"},
    {"t": None},
    {"t": ["stop"]},
    {"t": {"t": "stop"}},
    {"t": "allow"},
    {"t": "allow", "call_id": 3},
    {"t": "allow", "call_id": "unknown"},
    {"t": "allow", "call_id": ""},
    {"t": "edit", "call_id": "c"},
    {"t": "edit", "call_id": "c", "arguments": {"limit": 5}},
    {"t": "edit", "call_id": "c", "arguments": LONG},
    {"t": "edit", "call_id": "c", "arguments": "é" * 50_001},
    {"t": "deny", "call_id": "c"},
    {"t": "deny", "call_id": "c", "reason": LONG},
    {"t": "steer"},
    {"t": "steer", "text": " "},
    {"t": "steer", "text": LONG},
    {"t": "open", "row": "0", "open": True},
    {"t": "open", "row": 0, "open": "yes"},
    {"t": "ready"},
    {"t": "ready", "page": 3},
]


@pytest.fixture
def asking(view: Any) -> Any:
    """A view that shows a question, and a list of what is asked for."""
    view.seen = []
    view.on_action(lambda action: view.seen.append(action))
    show(view, ApprovalRequested(CALL))
    return view


def show(view: Any, *events: Any) -> None:
    """Fold events as the view's thread does soon."""
    view.on_events(events)
    view._flush()


@pytest.mark.parametrize("action", GOOD, ids=lambda a: a["t"])
def test_an_action_is_passed_on_with_its_own_fields_and_acknowledged(asking: Any, action: dict[str, str]) -> None:
    assert asking._widget.hear({**action, "n": 7, "more": "x"}) == {"ack": 7, "problem": ""}
    assert asking.seen == [action]


@pytest.mark.parametrize("content", BAD, ids=lambda c: json.dumps(c)[:60])
def test_what_cannot_be_meant_is_refused_in_words_and_logged(
    asking: Any, content: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    ack = asking._widget.hear({**content, "n": 7})
    assert ack is not None and ack["ack"] == 7 and ack["problem"].endswith(".")
    assert asking.seen == [] and "refused" in caplog.text and len(caplog.text) < 1000


@pytest.mark.parametrize("n", [None, "7", 1.5, True, -1, 2**53, [7]])
def test_an_action_without_a_number_is_refused(asking: Any, n: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert asking._widget.hear({"t": "stop", "n": n}) is None
    assert asking._widget.hear({"t": "stop"}) is None
    assert asking.seen == [] and "refused" in caplog.text


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["stop", "allow", "open", "c"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["t", "n", "call_id", "row"]), inner),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(json_values)
def test_no_message_breaks_the_view(asking: Any, content: Any) -> None:
    asking.seen.clear()
    asking._widget.hear(content)
    assert all(action["t"] in {"stop", "allow"} for action in asking.seen)


def test_a_problem_of_the_one_who_acts_is_told_to_the_page(asking: Any) -> None:
    asking.on_action(lambda _: "limit must be a number.")
    ack = asking._widget.hear({"t": "edit", "call_id": "c", "arguments": "{}", "n": 1})
    assert ack == {"ack": 1, "problem": "limit must be a number."}


def test_a_second_click_learns_that_the_call_is_decided(asking: Any) -> None:
    show(asking, ApprovalDecided(call_id="c", decision="allow"))
    ack = asking._widget.hear({"t": "deny", "call_id": "c", "reason": "", "n": 2})
    assert ack == {"ack": 2, "problem": "This call is already decided."} and asking.seen == []


def test_a_run_that_ended_takes_nothing_more(asking: Any) -> None:
    show(asking, Error(error=ErrorInfo(type="E", message="m"), status="cancelled"))
    for content in GOOD:
        assert asking._widget.hear({**content, "n": 3}) == {"ack": 3, "problem": "The run has ended."}
    assert asking.seen == []


def test_a_callback_that_raises_does_no_harm(asking: Any, caplog: pytest.LogCaptureFixture) -> None:
    asking.on_action(lambda _: 1 / 0)
    ack = asking._widget.hear({"t": "stop", "n": 1})
    assert ack is not None and "log" in ack["problem"] and "the action 'stop' failed" in caplog.text


def test_a_ping_is_sent_and_any_message_of_the_page_is_a_sign_of_life(asking: Any) -> None:
    assert asking.heard_at == 0.0
    asking.ping()
    asking.ping()
    pings = [m["ping"] for m in asking._widget.sent if "ping" in m]
    assert len(set(pings)) == 2 and asking.heard_at == 0.0
    asking._widget.hear({"t": "pong", "k": pings[0]})
    first = asking.heard_at
    assert first > 0
    asking._widget.hear({"t": "nonsense"})
    assert asking.heard_at >= first


def test_a_background_view_tells_the_page_not_to_interrupt(monkeypatch: pytest.MonkeyPatch, view: Any) -> None:
    import IPython.display

    from lumos_nb.widgets import live, open_view

    monkeypatch.setattr(IPython.display, "display", lambda *_, **__: None)
    other: Any = open_view("live", is_background=True)
    assert isinstance(other, live.RunView)
    for each, is_background in ((other, True), (view, False)):
        assert each._snapshot()["h"]["background"] is is_background
    other.close()


def test_all_that_a_view_sends_belongs_to_its_own_cell(view: Any) -> None:
    from contextvars import ContextVar, copy_context

    cell = ContextVar("cell", default="another")
    sent_in: list[str] = []
    send = view._widget.send
    view._widget.send = lambda message: (sent_in.append(cell.get()), send(message))
    own = copy_context()
    own.run(cell.set, "its own")
    view._context = own
    view.on_action(lambda _: None)
    view._widget.hear({"t": "stop", "n": 1})
    pinging = threading.Thread(target=view.ping)
    pinging.start()
    pinging.join()
    show(view, ApprovalRequested(CALL))
    view.close()
    assert len(sent_in) >= 3 and set(sent_in) == {"its own"}


@pytest.mark.parametrize(
    "action",
    [
        {"t": "edit", "call_id": "gone", "arguments": '{"password": "hunter2"}'},
        {"t": "deny", "call_id": "gone", "reason": "hunter2"},
        {"t": "steer", "text": "hunter2" * 20_000},
        {"t": "hunter2"},
        {"t": "deny", "hunter": ["hunter2"]},
        ["hunter2"],
        "hunter2",
    ],
    ids=["edit", "deny", "steer", "kind", "field", "list", "text"],
)
@pytest.mark.parametrize("n", [{"n": 7}, {}], ids=["numbered", "not"])
def test_what_was_typed_does_not_come_into_the_log(
    asking: Any, action: Any, n: dict[str, int], caplog: pytest.LogCaptureFixture
) -> None:
    asking._widget.hear({**action, **n} if isinstance(action, dict) else action)
    assert "refused" in caplog.text and "hunter2" not in caplog.text


def test_half_an_emoji_is_passed_on_as_text_that_can_be_kept_and_sent(asking: Any) -> None:
    asking._widget.hear({"t": "steer", "text": "Well done \ud83d", "n": 1})
    assert asking.seen == [{"t": "steer", "text": "Well done \ufffd"}]


def test_a_page_cannot_change_the_state_of_the_widget() -> None:
    from lumos_nb.widgets.widget import LiveView

    widget = LiveView(shells={"run": "x"}, snapshot=lambda: {"s": 0})
    widget._handle_msg({"content": {"data": {"method": "update", "state": {"shells": {}, "snapshot": 5}}}})
    assert widget.shells == {"run": "x"} and widget.get_state("snapshot") == {"snapshot": {"s": 0}}
    widget.close()
