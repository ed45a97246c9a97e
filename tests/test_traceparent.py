"""A trace goes through us: in from a caller, out to model servers and whatever a tool asks."""

from __future__ import annotations

import pytest

import lumos_nb as lumos
from lumos_nb import Agent, RuntimeContext, llm, settings, tool
from lumos_nb.messages import ToolCall
from lumos_nb.testing import FakeServer, ScriptedProvider
from lumos_nb.traceparent import format_traceparent, parse_traceparent, span_id
from lumos_nb.transport import default_transport

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"


@pytest.fixture(autouse=True)
async def database(tmp_path, monkeypatch):
    monkeypatch.setenv("LUMOS_DB", str(tmp_path / "lumos.db"))
    monkeypatch.delenv("TRACEPARENT", raising=False)
    settings.reset()
    yield
    settings.reset()
    await default_transport().aclose()


@pytest.mark.parametrize("text", [PARENT, f" {PARENT} ", f"cc-{TRACE}-{SPAN}-01-what-the-future-brings"])
def test_what_can_be_read_is(text):
    found = parse_traceparent(text)
    assert (found.trace_id, found.span_id, found.is_sampled) == (TRACE, SPAN, True)


@pytest.mark.parametrize(
    "text",
    [
        None, "", "x", 7, PARENT.upper(), f"ff-{TRACE}-{SPAN}-01", f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}-01-more", f"00-{TRACE}-{SPAN}", f"00-{TRACE[:-1]}-{SPAN}-01", f"00-{TRACE}-{SPAN}-0g",
        f"00-{TRACE}-{SPAN}-01\nx: y", f"00-{'٣' * 32}-{SPAN}-01",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_left_alone(text):
    assert parse_traceparent(text) is None
    Agent("a", model=ScriptedProvider(["x"])).generate_sync("Hi", context=RuntimeContext(traceparent=text))
    assert lumos.runs().parent_span_id.isna().all()


def test_whether_a_trace_is_kept_is_passed_on():
    context = RuntimeContext(traceparent=f"00-{TRACE}-{SPAN}-00").with_run("r", None, "a")
    assert context.parent.is_sampled is False and context.traceparent.endswith("-00")
    assert parse_traceparent(format_traceparent(TRACE, SPAN, is_sampled=False)).is_sampled is False


async def test_a_program_that_was_started_within_a_trace_runs_within_it(monkeypatch):
    monkeypatch.setenv("TRACEPARENT", PARENT)
    await Agent("a", model=ScriptedProvider(["x"])).generate("Hi")
    row = lumos.runs().iloc[0]
    assert (row.trace_id, row.parent_span_id) == (TRACE, SPAN)


async def test_a_tool_can_hand_its_own_span_on():
    seen = []

    @tool
    def fetch(context: RuntimeContext) -> str:
        seen.append(context.traceparent)
        return "done"

    model = ScriptedProvider([ToolCall(id="c7", name="fetch", arguments="{}"), "Done."])
    context = RuntimeContext(traceparent=PARENT, tenant="x")
    result = await Agent("a", model=model, tools=[fetch]).generate("Go", context=context)
    assert seen == [f"00-{TRACE}-{span_id(result.run_id, 'c7')}-01"]
    assert context.traceparent == PARENT and context.get("tenant", str) == "x"


@pytest.mark.parametrize(
    "propagate, given, is_sent",
    [("auto", None, False), ("auto", PARENT, True), ("on", None, True), ("off", PARENT, False)],
)
async def test_a_model_server_is_told_only_where_somebody_keeps_the_trace(propagate, given, is_sent):
    settings.configure(propagate=propagate)
    with FakeServer(["Hello."]) as server:
        model = llm("mine/m", base_url=server.base_url)
        result = await Agent("a", model=model).generate("Hi", context=RuntimeContext(traceparent=given))
        sent = server.requests[0].headers.get("traceparent")
    assert (sent is not None) is is_sent
    if sent:
        assert sent == f"00-{lumos.runs().iloc[0].trace_id}-{span_id(result.run_id, 1)}-01"
        assert not given or TRACE in sent


async def test_runs_within_a_run_tell_the_model_server_too():
    with FakeServer(["Hello."]) as server:
        inner = Agent("inner", model=llm("mine/m", base_url=server.base_url))

        @tool
        async def ask() -> str:
            return (await inner.generate("Hi")).response

        model = ScriptedProvider([ToolCall(id="c", name="ask", arguments="{}"), "Done."])
        agent = Agent("outer", model=model, tools=[ask])
        await agent.generate("Go", context=RuntimeContext(traceparent=PARENT))
        assert server.requests[0].headers["traceparent"].startswith(f"00-{TRACE}-")
    assert set(lumos.runs().trace_id) == {TRACE}
