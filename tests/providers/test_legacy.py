"""Tools for models that have no function calling: described in words, called in the text."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lumos_nb import Agent, llm, tool
from lumos_nb.events import Finish, Restart, TextDelta
from lumos_nb.messages import Message, TextPart, ToolCall, ToolChoice, ToolResult, ToolSpec
from lumos_nb.providers import ModelOptions
from lumos_nb.providers.base import Ask
from lumos_nb.providers.legacy import CallFilter, adapt
from lumos_nb.testing import FakeServer, Reply, ScriptedProvider

ROWS = ToolSpec(name="rows", description="Rows of a table.", parameters={"type": "object", "properties": {}})
CALL = '<tool_call>{"name": "rows", "arguments": {"table": "sales"}}</tool_call>'


def read(text, cuts=()):
    """Return text, calls and reason of an answer that comes in pieces."""
    calls = CallFilter([ROWS, ToolSpec(name="now")])
    edges = [0, *sorted(cuts), len(text)]
    events = [e for a, b in zip(edges, edges[1:], strict=False) for e in calls.feed([TextDelta(text[a:b])])]
    events += calls.feed([Finish("stop")])
    said = "".join(e.delta for e in events if isinstance(e, TextDelta))
    return said, [(e.name, e.arguments) for e in events if e.type == "tool_call"], events[-1].reason


@pytest.mark.parametrize(
    ("text", "said", "calls"),
    [
        ("Just text.", "Just text.", []),
        (CALL, "", [("rows", '{"table": "sales"}')]),
        (f"Let me look.\n{CALL}\n{CALL.replace('rows', 'now')}\n", "Let me look.\n",
         [("rows", '{"table": "sales"}'), ("now", '{"table": "sales"}')]),
        ('<tool_call>{"name": "now"}', "", [("now", "{}")]),
        ('<tool_call>\n{"name": "now", "parameters": {"zone": "é"}}\n</tool_call>', "", [("now", '{"zone": "é"}')]),
        ('```json\n{"name": "now", "arguments": {}}\n```', "", [("now", "{}")]),
        ('<tool_call>[{"name": "now"}, {"name": "rows"}]</tool_call>', "", [("now", "{}"), ("rows", "{}")]),
        ('```json\n{"name": "Ada"}\n```', '```json\n{"name": "Ada"}\n```', []),
        ("a < b and <tool is text", "a < b and <tool is text", []),
        ("half a tag <tool_c", "half a tag <tool_c", []),
        ("```json\n{", "```json\n{", []),
    ],
)  # fmt: skip
def test_calls_are_found_in_the_text_and_nothing_else_is_lost(text, said, calls):
    assert read(text) == (said, calls, "tool_calls" if calls else "stop")
    assert read(text, range(len(text))) == read(text)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([CALL, "<tool_call>", "</tool_call>", "```json\n", "```", "text <", "\n", "{}", "é"]),
                max_size=8), st.data())  # fmt: skip
def test_any_chunking_gives_the_same(parts, data):
    text = "".join(parts)
    cuts = data.draw(st.sets(st.integers(0, len(text)), max_size=9))
    assert read(text, cuts) == read(text)


def test_text_streams_on_while_it_cannot_become_a_call():
    calls = CallFilter([ROWS])
    assert calls.feed([TextDelta("Hello ")]) == [TextDelta("Hello ")]
    assert calls.feed([TextDelta("<")]) == []
    assert calls.feed([TextDelta("b")]) == [TextDelta("<b")]


def test_a_call_that_is_not_json_still_reaches_the_tool_which_says_what_is_wrong():
    _, calls, _ = read('<tool_call>{"name": "rows", "arguments": {table}}</tool_call>')
    assert calls == [("rows", '{"name": "rows", "arguments": {table}}')]


def test_half_a_call_of_an_answer_that_broke_off_is_text():
    calls = CallFilter([ROWS])
    calls.feed([TextDelta(CALL[:-4])])
    assert calls.flush() == [TextDelta(CALL[:-4])]


def test_tools_calls_and_results_are_sent_in_words():
    history = (
        Message(role="system", content="Be brief."),
        Message(role="user", content="How many?"),
        Message(role="assistant", content=(TextPart("Let me look."), ToolCall(id="1", name="rows", arguments="{}"))),
        Message(role="tool", content=(ToolResult(call_id="1", name="rows", content="no table", is_error=True),)),
    )
    ask, _ = adapt(Ask(messages=history, tools=(ROWS,), options=ModelOptions(stop=("END",), tool_choice="rows")))
    system, _, said, results = ask.messages
    assert system.text.startswith("Be brief.\n\nYou can use the tools below.")
    assert json.loads(system.text.split("\n")[-3])["name"] == "rows"
    assert system.text.endswith("You must call rows now.")
    assert said.text == 'Let me look.\n<tool_call>{"name": "rows", "arguments": {}}</tool_call>'
    assert (results.role, results.text) == ("user", '<tool_result name="rows" error="true">\nno table\n</tool_result>')
    assert (ask.tools, ask.options.stop, ask.options.tool_choice) == ((), ("END", "<tool_result"), None)
    none, _ = adapt(Ask(messages=history[:2], tools=(ROWS,), options=ModelOptions(tool_choice=ToolChoice("none"))))
    assert [m.text for m in none.messages] == ["Be brief.", "How many?"]


@tool
def rows(table: str) -> int:
    """Count the rows of a table."""
    return {"sales": 42, "costs": 7}[table]


def two_calls(request):
    said = json.dumps(request.body["messages"], ensure_ascii=False)
    if "tool_result" not in said.split("You can use the tools below", 1)[1].split("user", 1)[1]:
        return f"Looking. {CALL}{CALL.replace('sales', 'costs')}"
    return "42 and 7."


async def test_an_agent_on_a_model_without_function_calling_uses_its_tools():
    with FakeServer(two_calls) as server:
        model = llm("mine/small", base_url=server.base_url, supports_function_calling=False)
        result = await Agent(model=model, tools=[rows]).generate("How many rows?")
    assert [r.content for r in result.steps[0].tool_results] == ["42", "7"]
    assert (result.steps[0].text, result.response) == ("Looking. ", "42 and 7.")
    assert all("tools" not in request.body for request in server.requests)


async def test_a_server_that_refuses_tools_gets_them_in_words_from_then_on():
    refusal = Reply(status=400, body='{"error": "registry.ollama.ai/library/small does not support tools"}')
    with FakeServer([refusal, CALL, "42.", CALL, "42."]) as server:
        agent = Agent(model=llm("ollama/small", base_url=server.base_url), tools=[rows])
        assert [(await agent.generate("How many?")).response for _ in range(2)] == ["42.", "42."]
    assert ["tools" in request.body for request in server.requests] == [True, False, False, False, False]


async def test_a_provider_of_ones_own_without_function_calling_gets_them_in_words_too():
    model = ScriptedProvider([CALL, "42."])
    model.supports_function_calling = False
    assert (await Agent(model=model, tools=[rows]).generate("How many?")).response == "42."
    assert model.requests[0].tools == () and "rows" in model.requests[0].messages[0].text


def test_an_answer_that_begins_again_begins_with_its_own_text():
    calls = CallFilter([ROWS])
    calls.feed([TextDelta(f"{CALL}\n\n")])
    assert calls.feed([Restart(), TextDelta(f"{CALL}after")]) == [Restart(), TextDelta("after")]


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ('<tool_call>{"name": "now", "arguments": {"a": "</tool_call>b"}}</tool_call>', ['{"a": "</tool_call>b"}']),
        ('```json\n{"name": "now", "arguments": {"md": "```py\\n```"}}\n```', ['{"md": "```py\\n```"}']),
        ('<tool_call>{"name": "now"}\n{"name": "now", "arguments": {"a": 1}}</tool_call>', ["{}", '{"a": 1}']),
        ('<tool_call>{"name": "now"}\n<tool_call>{"name": "now", "arguments": {"a": 1}}', ["{}", '{"a": 1}']),
        ('<tool_call>```json\n{"name": "now", "arguments": null}\n```</tool_call>', ["{}"]),
        ('<tool_call>{"type": "function", "function": {"name": "now"}}</tool_call>', ["{}"]),
        ('<tool_call>{"name": "now", "arguments": {"a": "\\ud83d"}}</tool_call>', ['{"a": "\ufffd"}']),
    ],
)  # fmt: skip
@pytest.mark.parametrize("step", [1, 7, 1000])
def test_calls_are_found_however_a_model_wraps_them(text, calls, step):
    assert read(text, range(step, len(text), step)) == ("", [("now", arguments) for arguments in calls], "tool_calls")


def test_a_call_in_which_a_quote_was_forgotten_does_not_swallow_what_follows():
    text = f'<tool_call>{{"name": "now", "arguments": {{"a": "x}}}}</tool_call> And {CALL}'
    said, calls, _ = read(text, range(1, len(text)))
    assert said.strip() == "And" and [name for name, _ in calls] == ["now", "rows"]


def test_json_that_is_too_deep_is_text():
    text = f"<tool_call>{'[' * 100_000}</tool_call>"
    assert read(text) == (text, [], "stop")
