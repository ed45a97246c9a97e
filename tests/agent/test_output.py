"""Structured output: types in, checked values out, whichever way the model is held to them."""

from dataclasses import dataclass

import pytest
from pydantic import BaseModel

from lumos_nb import Agent, llm, tool
from lumos_nb.errors import OutputError, UsageError
from lumos_nb.messages import ToolCall
from lumos_nb.providers import ModelOptions
from lumos_nb.testing import Answer, FakeServer, ScriptedProvider


class City(BaseModel):
    name: str
    people: int


@dataclass
class Point:
    x: int
    y: int = 0


@pytest.mark.parametrize(
    ("type", "text", "value"),
    [
        (City, '{"name": "Oslo", "people": 700000}', City(name="Oslo", people=700000)),
        (Point, '{"x": 1}', Point(1)),
        (list[int], '{"value": [1, 2]}', [1, 2]),
        (list[int], "[1, 2]", [1, 2]),
        (bool, '{"value": true}', True),
        (City, 'Here it is:\n```json\n{"name": "Oslo", "people": 1}\n```\nDone.', City(name="Oslo", people=1)),
        (City, 'Sure: {"name": "Oslo", "people": 1}', City(name="Oslo", people=1)),
        ({"type": "object", "properties": {"a": {"type": "integer"}}}, '{"a": 1}', {"a": 1}),
    ],
)
async def test_an_answer_becomes_a_value_of_the_type(type, text, value):
    result = await Agent(model=ScriptedProvider([text]), output=type).generate("Go")
    assert result.output == value


async def test_a_run_may_ask_for_another_type_than_its_agent():
    agent = Agent(model=ScriptedProvider(['{"value": 4}']), output=City)
    assert (await agent.generate("Go", output=int)).output == 4


async def test_an_answer_that_misses_the_form_is_asked_for_again_with_what_is_wrong():
    model = ScriptedProvider(["Oslo.", '{"name": "Oslo"}', '{"name": "Oslo", "people": 7}'])
    result = await Agent(model=model, output=City).generate("Go")
    assert result.output == City(name="Oslo", people=7) and len(result.steps) == 3
    assert "no JSON" in model.requests[1].messages[-1].text
    assert "people: Field required" in model.requests[2].messages[-1].text


async def test_an_answer_that_never_gets_there_is_an_error_that_keeps_it():
    with pytest.raises(OutputError, match="Use a larger model") as caught:
        await Agent(model=ScriptedProvider(["Oslo."] * 3), output=City).generate("Go")
    assert caught.value.text == "Oslo."
    with pytest.raises(OutputError):
        await Agent(model=ScriptedProvider(["Oslo."]), output=City, max_steps=1).generate("Go")
    with pytest.raises(OutputError, match="max_tokens"):
        await Agent(model=ScriptedProvider([Answer(text='{"na', finish="length")] * 3), output=City).generate("Go")


def test_what_no_schema_can_be_made_of_is_said_when_the_agent_is_made():
    with pytest.raises(UsageError, match="output cannot be"):
        Agent(output=object())


@tool
def people(city: str) -> int:
    """How many live in a city."""
    return 7


async def test_a_tool_whose_arguments_are_the_answer_stands_in_where_a_vendor_has_no_way_of_its_own():
    script = [
        Answer(text="Let me see.", tool_calls=[ToolCall(id="1", name="people", arguments='{"city": "Oslo"}')]),
        Answer(text="Got it.", tool_calls=[ToolCall(id="2", name="answer", arguments='{"name": "Oslo", "people": 7}')]),
    ]
    with FakeServer(script) as server:
        model = llm("groq/m", base_url=server.base_url, api_key="k")
        result = await Agent(model=model, tools=[people], output=City).generate("Go")
    assert result.output == City(name="Oslo", people=7)
    first = server.requests[0].body
    assert [t["function"]["name"] for t in first["tools"]] == ["people", "answer"]
    assert first["tool_choice"] == "required" and "response_format" not in first
    assert result.response == '{"name": "Oslo", "people": 7}' and result.steps[1].tool_calls == ()


async def test_each_vendor_is_asked_in_its_own_way():
    sent = {}
    for vendor in ("openai", "deepseek", "groq"):
        with FakeServer(['{"value": 1}']) as server:
            await Agent(model=llm(f"{vendor}/m", base_url=server.base_url, api_key="k"), output=int).generate("Go")
        sent[vendor] = server.requests[0].body
    assert sent["openai"]["response_format"]["json_schema"]["schema"]["properties"]["value"] == {"type": "integer"}
    assert sent["deepseek"]["response_format"] == {"type": "json_object"}
    assert "JSON schema" in sent["deepseek"]["messages"][0]["content"]
    assert sent["groq"]["response_format"]["type"] == "json_schema"


async def test_a_model_without_function_calling_is_asked_in_words():
    with FakeServer(['{"value": 1}']) as server:
        model = llm("mine/m", base_url=server.base_url, supports_function_calling=False)
        assert (await Agent(model=model, tools=[people], output=int).generate("Go")).output == 1
    assert "response_format" not in server.requests[0].body
    assert "JSON schema" in server.requests[0].body["messages"][0]["content"]


async def test_a_tool_that_must_be_called_must_be_so_once():
    script = [Answer(tool_calls=[ToolCall(id="1", name="people", arguments='{"city": "Oslo"}')]), "7."]
    with FakeServer(script) as server:
        model = llm("openai/m", base_url=server.base_url, api_key="k")
        agent = Agent(model=model, tools=[people], options=ModelOptions(tool_choice="people", temperature=0.0))
        assert (await agent.generate("Go")).response == "7."
    named = {"type": "function", "function": {"name": "people"}}
    assert [r.body.get("tool_choice") for r in server.requests] == [named, None]
    assert [r.body["temperature"] for r in server.requests] == [0.0, 0.0]


async def test_a_schema_can_be_used_again_and_keeps_its_definitions():
    schema = {"type": "array", "items": {"$ref": "#/$defs/A"}, "$defs": {"A": {"type": "string"}}}
    model = ScriptedProvider(['{"value": ["x"]}'] * 2)
    for _ in range(2):
        assert (await Agent(model=model, output=schema).generate("Go")).output == ["x"]
    assert all("$defs" in request.options.output.schema for request in model.requests if request.options.output)
    assert "$defs" in schema


async def test_an_answer_that_is_nested_too_deeply_is_asked_for_again():
    result = await Agent(model=ScriptedProvider(["[" * 100_000, "[1]"]), output=list[int]).generate("Go")
    assert result.output == [1]


class Tree(BaseModel):
    name: str
    children: list["Tree"] = []


@pytest.mark.parametrize(
    ("type", "answer", "value"),
    [
        (dict[str, int], '{"a": 1, "b": 2}', {"a": 1, "b": 2}),
        (list[dict[str, int]], '{"value": [{"a": 1}]}', [{"a": 1}]),
        (dict, '{"a": [1]}', {"a": [1]}),
        (Tree, '{"name": "a", "children": [{"name": "b"}]}', Tree(name="a", children=[Tree(name="b")])),
    ],
)
async def test_a_form_that_a_closed_grammar_cannot_hold_is_asked_for_in_words(type, answer, value):
    with FakeServer([answer]) as server:
        model = llm("anthropic/m", base_url=server.base_url, api_key="k")
        result = await Agent(model=model, output=type).generate("Go")
    sent = server.requests[0].body
    assert result.output == value
    assert "output_config" not in sent and "JSON schema" in sent["system"]


async def test_a_form_that_it_can_hold_is_its_own_affair():
    with FakeServer(['{"name": "Oslo", "people": 1}']) as server:
        model = llm("anthropic/m", base_url=server.base_url, api_key="k")
        await Agent(model=model, output=City).generate("Go")
    assert "output_config" in server.requests[0].body and "system" not in server.requests[0].body


@pytest.mark.parametrize("first", ["[1]", "null", '"Oslo"', '{"people": 1}'])
async def test_an_answer_that_misses_the_outline_of_a_schema_is_asked_for_again(first):
    schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    model = ScriptedProvider([first, '{"name": "Oslo"}'])
    assert (await Agent(model=model, output=schema).generate("Go")).output == {"name": "Oslo"}
    assert "not the form" in model.requests[1].messages[-1].text
