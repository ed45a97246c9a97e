"""What was not allowed does not run: odd decisions, odd rules, changed arguments, races."""

from __future__ import annotations

import asyncio

import pytest

import lumos_nb as lumos
from lumos_nb import Agent, tool
from lumos_nb.agent import Decision, Question
from lumos_nb.context import RuntimeContext
from lumos_nb.memory import Memory
from lumos_nb.messages import ToolCall
from lumos_nb.testing import ScriptedProvider

DONE: list[object] = []


@pytest.fixture(autouse=True)
def nothing_done():
    DONE.clear()


@tool(permission="ask")
async def drop(table: str) -> str:
    DONE.append(table)
    return "dropped"


def call(name="drop", id="c1", arguments='{"table": "orders"}'):
    return ToolCall(id=id, name=name, arguments=arguments)


def agent_of(*calls, tools=(drop,)):
    model = ScriptedProvider([list(calls), "Done."])
    return Agent("a", model=model, tools=tools), model


def told(model):
    return model.requests[-1].messages[-1].parts[0].content


ODD = [
    Decision(decision="Deny"), Decision(decision="denied"), Decision(decision=""), Decision(decision=None),
    Decision(decision="allow", reason=None), Decision(decision="edit", arguments={"table": "x"}), "allow", 1, None,
]  # fmt: skip


@pytest.mark.parametrize("decision", ODD, ids=repr)
async def test_what_is_no_decision_lets_nothing_through_and_the_log_can_be_read(decision):
    agent, model = agent_of(call())
    await agent.generate("Go", on_approval=lambda question: decision)
    assert DONE == [] and "denied" in set(lumos.tool_calls().status)
    assert len((await Memory().get_run()).steps) == 2


async def test_a_reason_that_is_no_valid_text_is_kept_as_well_as_it_can_be():
    agent, _ = agent_of(call())
    result = await agent.generate(
        "Go", thread_id="t", on_approval=lambda question: Decision(decision="deny", reason="no \ud83d")
    )
    assert result.response == "Done." and "no" in lumos.tool_calls().decision_reason.iloc[0]
    assert len((await Memory().get_run()).steps) == 2


class Same:
    def __eq__(self, other):
        return True

    __hash__ = None


class Unequal(Same):
    def __eq__(self, other):
        raise ValueError("cannot be compared")


class OddError(BaseException):
    pass


def raising(error):
    def rule(table):
        raise error

    return rule


RULES = {
    "equal to all": lambda table: Same(),
    "not to be compared": lambda table: Unequal(),
    "a list": lambda table: ["allow"],
    "SystemExit": raising(SystemExit()),
    "CancelledError": raising(asyncio.CancelledError()),
    "no Exception": raising(OddError()),
}


@pytest.mark.parametrize("rule", RULES)
async def test_a_rule_that_does_not_say_allow_asks(rule):
    clear = tool(name="clear", permission=RULES[rule])(lambda table: DONE.append(table))
    reasons = []

    def asked(question):
        reasons.append(question.reason)
        return False

    agent, _ = agent_of(call("clear"), tools=[clear])
    result = await asyncio.wait_for(agent.generate("Go", on_approval=asked), 20)
    assert DONE == [] and result.response == "Done." and reasons[0].startswith("Its own rule")


async def test_a_rule_cannot_change_the_arguments_of_a_call():
    def rule(tables):
        tables.append("all of them")
        return "allow"

    def clear(tables: list[str]) -> None:
        DONE.extend(tables)

    agent, _ = agent_of(call("clear", arguments='{"tables": ["mine"]}'), tools=[tool(permission=rule)(clear)])
    await agent.generate("Go")
    assert DONE == ["mine"]


def below_scratch(path, context):
    return "ask" if path.startswith(context.get("root", str)) else "deny"


@tool(permission=below_scratch)
def remove(path: str, context: RuntimeContext) -> None:
    DONE.append(path)


async def test_a_person_cannot_change_arguments_to_what_the_rule_denies():
    agent, model = agent_of(call("remove", arguments='{"path": "scratch/a"}'), tools=[remove])
    await agent.generate(
        "Go", context=RuntimeContext(root="scratch/"),
        on_approval=lambda question: Decision(decision="edit", arguments='{"path": "/"}'),
    )  # fmt: skip
    assert DONE == [] and told(model) == "This call is not allowed here: Its own rule says deny."


def test_a_form_says_so_before():
    rule = tool(name="rm", permission=lambda path: "deny" if path == "/" else "ask")(lambda path: None)
    question = Question(call("rm", arguments='{"path": "a"}'), rule)
    assert "not allowed" in question.problem_of(Decision(decision="edit", arguments='{"path": "/"}'))


async def test_allowed_in_a_run_without_a_thread_holds_for_all_of_that_run_and_no_other():
    asked = []

    def for_thread(question):
        asked.append(question.call.id)
        return Decision(decision="allow_thread")

    agent = Agent("a", model=ScriptedProvider([call(), call(id="c2"), "Done."] * 2), tools=[drop])
    await agent.generate("Go", on_approval=for_thread)
    assert asked == ["c1"] and len(DONE) == 2
    await agent.generate("Go", on_approval=for_thread)
    assert len(asked) == 2


async def test_one_allow_in_the_thread_answers_fifty_questions_at_once():
    async def first_only(question):
        if question.call.id != "c0":
            await asyncio.sleep(60)
        return Decision(decision="allow_thread")

    agent, _ = agent_of(*(call(id=f"c{n}") for n in range(50)))
    await asyncio.wait_for(agent.generate("Go", thread_id="t1", on_approval=first_only), 20)
    assert len(DONE) == 50


async def test_tools_that_are_allowed_at_once_are_all_remembered():
    memory = Memory()
    await asyncio.gather(*(memory.allow_tool("t1", f"tool_{n}") for n in range(20)), memory.revoke_tool("t1", "x"))
    assert len(await memory.allowed_tools("t1")) == 20


@pytest.mark.parametrize("arguments", ["[" * 90_000, '{"table": ' * 90_000, "null", "NaN", "[]", '"x"'])
def test_arguments_that_are_none_are_a_problem_in_words(arguments):
    problem = Question(call(), drop).problem_of(Decision(decision="edit", arguments=arguments))
    assert "were not accepted" in problem and len(problem) < 300
