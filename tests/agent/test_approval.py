"""Tools that a person is asked about, and what settings say instead."""

from __future__ import annotations

import asyncio

import pytest

import lumos_nb as lumos
from lumos_nb import Agent, settings, tool
from lumos_nb.agent.approval import Decision
from lumos_nb.errors import SettingsError, ToolDefinitionError
from lumos_nb.memory import Memory
from lumos_nb.messages import ToolCall
from lumos_nb.testing import ScriptedProvider
from lumos_nb.transcript import Transcript

DONE: list[str] = []


@pytest.fixture(autouse=True)
def nothing_done():
    DONE.clear()


@tool(permission="ask")
def drop(table: str, rows: int = 1) -> str:
    DONE.append(f"{table} {rows}")
    return f"dropped {rows}"


@tool
def look(table: str) -> str:
    DONE.append(f"look {table}")
    return "3 rows"


def call(name="drop", id="c1", arguments='{"table": "orders"}'):
    return ToolCall(id=id, name=name, arguments=arguments)


def agent_of(*calls, answer="Done.", tools=(drop, look)):
    model = ScriptedProvider([list(calls), answer])
    return Agent("a", model=model, tools=tools), model


def told(model, n=0):
    return model.requests[-1].messages[-1].parts[n].content


async def decide(question):
    return Decision(decision="allow")


async def test_a_call_runs_after_it_was_allowed_and_the_decision_is_a_row():
    agent, model = agent_of(call())
    await agent.generate("Go", on_approval=decide)
    assert DONE == ["orders 1"] and told(model) == "dropped 1"
    row = lumos.tool_calls().iloc[0]
    assert [row[c] for c in ("status", "decision", "approved_by")] == ["ok", "allow", "person"]
    assert row.decided_at >= row.started_at.floor("s") and row.asked_args_json == '{"table": "orders"}'
    kinds = list(lumos.events().kind)
    order = ["checkpoint", "approval_requested", "approval_decided", "tool_call_start", "tool_call_complete"]
    assert [k for k in kinds if k in order] == order


async def test_what_waits_for_a_person_is_in_the_log_before_anybody_is_asked():
    seen = []

    async def asks(question):
        seen.append(list(lumos.tool_calls().status))
        return Decision(decision="allow")

    await agent_of(call())[0].generate("Go", on_approval=asks)
    assert seen == [["waiting"]]


async def test_the_model_is_told_that_a_call_was_denied_and_why():
    async def no(question):
        return Decision(decision="deny", reason="It is Friday")

    agent, model = agent_of(call())
    result = await agent.generate("Go", on_approval=no)
    assert DONE == [] and told(model) == "The person denied this call: It is Friday"
    assert result.steps[0].tool_results[0].error_type == "Denied"
    row = lumos.tool_calls().iloc[0]
    assert [row[c] for c in ("status", "decision", "decided_by", "decision_reason")] == [
        "denied", "deny", "person", "It is Friday"
    ]  # fmt: skip


async def test_changed_arguments_run_and_the_model_is_told():
    async def edits(question):
        return Decision(decision="edit", arguments='{"table": "orders", "rows": 7}')

    agent, model = agent_of(call())
    await agent.generate("Go", on_approval=edits)
    assert DONE == ["orders 7"]
    assert told(model) == (
        'dropped 7\n\n(The person changed the arguments of this call before it ran, to {"table": "orders", "rows": 7})'
    )
    row = lumos.tool_calls().iloc[0]
    assert (row.args_json, row.asked_args_json) == ('{"table": "orders", "rows": 7}', '{"table": "orders"}')
    assert model.requests[-1].messages[-2].tool_calls[0].arguments == '{"table": "orders"}'


async def test_changed_arguments_that_do_not_fit_never_run():
    async def edits(question):
        assert question.problem_of(Decision(decision="edit", arguments='{"rows": "many"}')).startswith("The arguments")
        return Decision(decision="edit", arguments='{"rows": "many"}')

    agent, model = agent_of(call())
    await agent.generate("Go", on_approval=edits)
    assert DONE == [] and "table" in told(model)


async def test_other_calls_of_the_step_go_on_while_one_waits():
    looked = asyncio.Event()

    async def waits(question):
        await asyncio.wait_for(looked.wait(), 10)
        return Decision(decision="allow")

    @tool
    async def look_on() -> str:
        looked.set()
        return "seen"

    agent, model = agent_of(call(), call("look_on", "c2", "{}"), tools=(drop, look_on))
    await agent.generate("Go", on_approval=waits)
    assert [told(model, 0), told(model, 1)] == ["dropped 1", "seen"]


async def test_allowed_in_a_thread_holds_for_later_runs_of_it_and_goes_with_it():
    asked = []

    async def for_thread(question):
        asked.append(question.call.id)
        return Decision(decision="allow_thread")

    for _ in range(2):
        await agent_of(call())[0].generate("Go", thread_id="t1", on_approval=for_thread)
    assert asked == ["c1"] and DONE == ["orders 1"] * 2
    await agent_of(call())[0].generate("Go", thread_id="t2", on_approval=for_thread)
    assert len(asked) == 2
    await Memory().delete_thread("t1")
    await agent_of(call())[0].generate("Go", thread_id="t1", on_approval=for_thread)
    assert len(asked) == 3


async def test_what_is_taken_back_is_asked_for_again_also_by_a_run_that_goes_on():
    asked = []

    async def for_thread(question):
        asked.append(question.call.id)
        return Decision(decision="allow_thread")

    @tool
    async def take_back() -> str:
        await Memory().revoke_tool("t1", "drop")
        return "taken back"

    model = ScriptedProvider([call(), call(id="c2"), call("take_back", "c3", "{}"), call(id="c4"), "Done."])
    await Agent("a", model=model, tools=[drop, take_back]).generate("Go", thread_id="t1", on_approval=for_thread)
    assert asked == ["c1", "c4"] and len(DONE) == 3


async def test_without_a_thread_it_holds_in_the_run():
    asked = []

    async def for_thread(question):
        asked.append(question.call.id)
        return Decision(decision="allow_thread")

    model = ScriptedProvider([call(), call(id="c2"), "Done."])
    await Agent("a", model=model, tools=[drop]).generate("Go", on_approval=for_thread)
    assert asked == ["c1"] and DONE == ["orders 1"] * 2


async def test_allowed_in_the_thread_answers_the_other_questions_about_that_tool():
    async def first_only(question):
        if question.call.id != "c1":
            await asyncio.sleep(60)
        return Decision(decision="allow_thread")

    agent, _ = agent_of(call(), call(id="c2", arguments='{"table": "people"}'))
    await asyncio.wait_for(agent.generate("Go", on_approval=first_only), 10)
    assert sorted(DONE) == ["orders 1", "people 1"]


async def test_where_nobody_can_be_asked_it_is_denied_and_says_how_to_allow_it():
    agent, model = agent_of(call())
    await agent.generate("Go")
    assert DONE == [] and "LUMOS_APPROVE" in told(model)
    assert lumos.tool_calls().iloc[0].status == "denied"


@pytest.mark.parametrize("approve", ["drop", "d*", ["look", "drop"], "all"])
async def test_what_is_approved_ahead_needs_no_question(approve):
    agent, _ = agent_of(call())
    await agent.generate("Go", approve=approve)
    assert DONE == ["orders 1"]
    assert "approval_requested" not in set(lumos.events().kind)


async def test_the_setting_approve_does_the_same(monkeypatch):
    monkeypatch.setenv("LUMOS_APPROVE", "drop, other")
    settings.reset()
    await agent_of(call())[0].generate("Go")
    assert DONE == ["orders 1"]


async def test_settings_stand_above_a_tools_own_mark():
    settings.configure(permissions={"lo*": "deny", "drop": "allow"})
    agent, model = agent_of(call(), call("look", "c2"))
    await agent.generate("Go", approve="all")
    assert DONE == ["orders 1"]
    assert "not allowed here" in told(model, 1) and "lo*" in told(model, 1)


async def test_a_permission_may_depend_on_the_arguments_and_a_broken_rule_asks():
    def rule(table):
        return "allow" if table == "mine" else 1 / 0

    clear = tool(name="clear", permission=rule)(lambda table: DONE.append(table))
    questions = []

    async def asks(question):
        questions.append(question.reason)
        return Decision(decision="deny")

    agent, _ = agent_of(
        call("clear", "c1", '{"table": "mine"}'), call("clear", "c2", '{"table": "yours"}'), tools=[clear]
    )
    await agent.generate("Go", on_approval=asks)
    assert DONE == ["mine"] and questions == ["Its own rule failed: ZeroDivisionError: division by zero"]


async def test_an_approver_may_be_plain_and_one_that_fails_lets_nothing_through(caplog):
    await agent_of(call())[0].generate("Go", on_approval=lambda question: True)
    assert DONE == ["orders 1"]
    agent, model = agent_of(call())
    await agent.generate("Go", on_approval=lambda question: 1 / 0)
    assert DONE == ["orders 1"] and "Asking failed: ZeroDivisionError" in told(model)
    assert "The approver of a run failed." in caplog.text


async def test_a_run_that_is_cancelled_while_it_asks_asks_nobody_any_more():
    asked, ended = asyncio.Event(), []

    async def waits(question):
        asked.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(question.call.id)

    run = asyncio.create_task(agent_of(call())[0].generate("Go", thread_id="t1", on_approval=waits))
    await asked.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert ended == ["c1"] and DONE == []
    assert (await Memory().load("t1"))[-1].parts[0].content == "The call was cancelled before it began."
    assert [lumos.runs().iloc[0].status, lumos.tool_calls().iloc[0].status] == ["cancelled", "cancelled"]
    assert (await agent_of(answer="Fine.")[0].generate("Again", thread_id="t1")).response is not None


async def test_time_in_which_a_person_is_asked_is_not_working_time():
    async def slow(question):
        await asyncio.sleep(0.4)
        return Decision(decision="allow")

    await agent_of(call(), call(id="c2"))[0].generate("Go", on_approval=slow)
    run = lumos.runs().iloc[0]
    assert 0.35 < run.duration_s - run.working_s < run.duration_s


def test_marks_and_settings_that_do_not_exist_say_what_there_is():
    with pytest.raises(ToolDefinitionError, match="allow, ask, deny"):
        tool(permission="maybe", name="f")(lambda: None)
    with pytest.raises(ToolDefinitionError, match="none, idempotent, unsafe"):
        tool(side_effect="some", name="f")(lambda: None)
    with pytest.raises(SettingsError, match="permissions"):
        settings.configure(permissions={"x": "maybe"})


async def test_a_call_that_a_setting_denies_is_seen_and_says_who_decided():
    settings.configure(permissions={"drop": "deny"})
    agent, _ = agent_of(call())
    transcript = Transcript("t")
    async for event in agent.stream("Go"):
        transcript.apply([event])
    (row,) = [item for item in transcript.doc["items"] if item["kind"] == "tool"]
    assert (row["name"], row["status"], row["decision"]["by"]) == ("drop", "denied", "policy")
    kept = lumos.tool_calls().iloc[0]
    assert (kept.status, kept.decision) == ("denied", "deny") and "permissions" in kept.decision_reason
    assert DONE == []
