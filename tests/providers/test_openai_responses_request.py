"""What is sent as Responses: whole bodies, and what the official types say of them."""

import json

import pytest
from openai.types.responses import response_create_params
from pydantic import TypeAdapter

from lumos_nb.errors import UsageError
from lumos_nb.messages import FilePart, ImagePart, Message, ReasoningPart, TextPart, ToolCall, ToolResult
from lumos_nb.providers import ModelOptions, ToolSpec
from lumos_nb.providers.base import OutputSchema
from lumos_nb.providers.vendors import VENDORS
from lumos_nb.providers.wire import Quirks, WireRequest
from lumos_nb.providers.wire.openai_responses import MODELS_PATH, encode, path

ADD = ToolSpec(
    name="add",
    description="Add two numbers.",
    parameters={"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
)
THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"}
HERE, ELSEWHERE = "openai:openai-responses", "anthropic"


def thinking(item=THOUGHT, provider=HERE):
    return ReasoningPart("add them", signature=json.dumps(item), provider=provider)


CALL = ToolCall(id="call_1", name="add", arguments='{"a": 2}')
RESULT = Message(role="tool", content=(ToolResult(call_id="call_1", name="add", content="4", is_error=True),))
CONVERSATION = (
    Message(role="system", content="Be brief."),
    Message(role="user", content="What is 2+2?"),
    Message(role="assistant", content=(thinking(), TextPart("Let me see."), CALL)),
    RESULT,
    Message(role="system", content="Be kind."),
)
CALL_ITEM = {"type": "function_call", "call_id": "call_1", "name": "add", "arguments": '{"a": 2}'}
STRICT = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}


def body(messages=CONVERSATION, tools=(), origin=HERE, quirks=VENDORS["openai"].quirks, extra=None, **options):
    options = ModelOptions(**options, extra=extra or {})
    request = WireRequest(model="m", messages=messages, tools=tools, options=options, quirks=quirks, origin=origin)
    return encode(request)


def items(*parts, **options):
    return body((Message(role="assistant", content=parts),), **options)["input"]


def said(text, **more):
    return {"type": "message", "role": "assistant", "content": text, **more}


def user(*parts):
    return body((Message(role="user", content=parts),))["input"][0]["content"]


def official(sent):
    """Check a body against the types of OpenAI's own package."""
    sent = json.loads(json.dumps(sent))
    TypeAdapter(response_create_params.ResponseCreateParamsStreaming).validate_python(sent)


def test_a_whole_request():
    sent = body(
        tools=(ADD,), temperature=0.0, top_p=0.5, max_tokens=9, seed=7, stop=("\n",), reasoning="low",
        tool_choice="add", parallel_tool_calls=False, output=OutputSchema(schema=STRICT, name="my answer"),
        extra={"text": {"verbosity": "low"}, "include": []},
    )  # fmt: skip
    official(sent)
    assert sent == {
        "model": "m",
        "instructions": "Be brief.\n\nBe kind.",
        "input": [
            {"role": "user", "content": "What is 2+2?"},
            THOUGHT,
            said("Let me see."),
            CALL_ITEM,
            {"type": "function_call_output", "call_id": "call_1", "output": "4"},
        ],
        "stream": True,
        "store": False,
        "include": [],
        "tools": [
            {
                "type": "function",
                "name": "add",
                "description": "Add two numbers.",
                "parameters": ADD.parameters,
                "strict": False,
            },
        ],
        "tool_choice": {"type": "function", "name": "add"},
        "parallel_tool_calls": False,
        "temperature": 0.0,
        "top_p": 0.5,
        "max_output_tokens": 9,
        "reasoning": {"effort": "low", "summary": "auto"},
        "text": {
            "format": {"type": "json_schema", "name": "my_answer", "schema": STRICT, "strict": True},
            "verbosity": "low",
        },
    }


def test_the_least_request_has_no_key_that_nobody_asked_for():
    sent = body((Message(role="user", content="Hi"),))
    official(sent)
    assert sent == {
        "model": "m",
        "input": [{"role": "user", "content": "Hi"}],
        "stream": True,
        "store": False,
        "include": ["reasoning.encrypted_content"],
    }
    assert (path("a/b"), MODELS_PATH) == ("/responses", "/models")


@pytest.mark.parametrize(
    ("choice", "sent"), [("none", "none"), ("required", "required"), ("add", {"type": "function", "name": "add"})]
)
def test_a_choice_of_tools_is_sent_with_tools_alone_and_where_it_is_understood(choice, sent):
    assert body(tools=(ADD,), tool_choice=choice)["tool_choice"] == sent
    for without in (body(tool_choice=choice), body(tools=(ADD,)), body(tools=(ADD,), tool_choice="auto")):
        assert "tool_choice" not in without
    assert "tool_choice" not in body(tools=(ADD,), tool_choice=choice, quirks=Quirks(tool_choices=()))


def test_quirks_leave_out_what_a_server_does_not_know():
    quirks = Quirks(has_parallel_switch=False, reasoning="", body={"safety": {"a": 1}})
    sent = body(tools=(ADD,), parallel_tool_calls=True, reasoning="high", quirks=quirks, extra={"safety": {"b": 2}})
    assert "parallel_tool_calls" not in sent and "reasoning" not in sent and sent["safety"] == {"a": 1, "b": 2}


def test_no_reasoning_is_asked_for_without_a_summary_of_it():
    assert body(reasoning="none")["reasoning"] == {"effort": "none"}


def test_reasoning_stands_before_what_it_led_to():
    second = {**THOUGHT, "id": "rs_2"}
    other = ToolCall(id="call_2", name="add", arguments="{}")
    assert items(thinking(), TextPart("a"), thinking(second), CALL, other) == [
        THOUGHT, said("a"), second, CALL_ITEM, {**CALL_ITEM, "call_id": "call_2", "arguments": "{}"},
    ]  # fmt: skip


def test_calls_stand_together_behind_what_was_said():
    second = {**THOUGHT, "id": "rs_2"}
    assert items(thinking(), CALL, TextPart("a"), thinking(second), CALL) == [
        said("a"), THOUGHT, CALL_ITEM, second, CALL_ITEM,
    ]  # fmt: skip


@pytest.mark.parametrize(
    "parts", [(TextPart("a"), thinking()), (thinking(provider=ELSEWHERE), TextPart("a")), (TextPart("a"), TextPart(""))]
)
def test_reasoning_that_led_to_nothing_or_came_from_elsewhere_is_not_sent(parts):
    assert items(*parts) == [said("a")]


@pytest.mark.parametrize("signature", [None, "", "EsIN", "[]", "{}", '{"type":"message"}', "\ud83d"])
def test_reasoning_whose_item_cannot_be_read_is_not_sent(signature):
    assert items(ReasoningPart("hm", signature=signature, provider=HERE), TextPart("a")) == [said("a")]


def test_the_phase_of_a_text_goes_back_with_it_to_where_it_came_from():
    part = TextPart("a", signature='{"phase":"commentary"}', provider=HERE)
    assert items(part, TextPart("b")) == [said("a", phase="commentary"), said("b")]
    assert items(part, origin=ELSEWHERE) == [said("a")]
    official(body((Message(role="assistant", content=(part,)),)))


@pytest.mark.parametrize("arguments", ["", "{oops", "[1]", '"x"', "null", "\ud83d"])
def test_arguments_that_are_no_object_are_sent_as_an_empty_one(arguments):
    assert items(ToolCall(id="call_1", name="add", arguments=arguments)) == [{**CALL_ITEM, "arguments": "{}"}]


def test_pictures_and_files_are_sent_as_data_or_as_addresses():
    pdf, doc = FilePart(data=b"%PDF", name="a.pdf"), FilePart(media_type="text/csv", data=b"a,b")
    parts = (TextPart("see"), ImagePart(data=b"\x89PNG"), ImagePart(url="https://x.example/a.png"), pdf, doc)
    sent = user(*parts, FilePart(url="https://x.example/a.pdf"))
    assert sent == [
        {"type": "input_text", "text": "see"},
        {"type": "input_image", "image_url": "data:image/png;base64,iVBORw=="},
        {"type": "input_image", "image_url": "https://x.example/a.png"},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERg=="},
        {"type": "input_file", "filename": "file.csv", "file_data": "data:text/csv;base64,YSxi"},
        {"type": "input_file", "file_url": "https://x.example/a.pdf"},
    ]
    official(body((Message(role="user", content=(TextPart("see"), pdf)),)))


@pytest.mark.parametrize(
    ("message", "what"),
    [
        (Message(role="tool", content="4"), "no ToolResult"),
        (Message(role="user", content=(ImagePart(),)), "neither data nor a url"),
        (Message(role="user", content=(FilePart(),)), "neither data nor a url"),
        (Message(role="user", content=(FilePart(media_type="audio/wav", data=b"x"),)), "no audio"),
    ],
)
def test_a_message_that_cannot_be_sent_is_named(message, what):
    with pytest.raises(UsageError, match=what):
        body((message,))


NESTED = {
    **STRICT,
    "properties": {"n": {"type": "array", "items": {"$ref": "#/$defs/row"}}},
    "$defs": {"row": {**STRICT, "title": "Row", "properties": {"n": {"anyOf": [{"type": "null"}, {"enum": ["a"]}]}}}},
}


@pytest.mark.parametrize("schema", [STRICT, NESTED], ids=["flat", "nested"])
def test_a_schema_that_the_strict_mode_takes_is_kept_to_strictly(schema):
    assert body(output=OutputSchema(schema=schema))["text"]["format"]["strict"] is True


@pytest.mark.parametrize(
    "change",
    [
        {"additionalProperties": True},
        {"required": []},
        {"anyOf": [STRICT]},
        {"type": "array", "items": STRICT},
        {"properties": {"n": {"type": "integer", "minimum": 0}}},
        {"properties": {"n": {"type": "integer", "default": 0}}},
        {"properties": {"n": {}}},
        {"properties": {"n": True}},
        {"properties": {"n": {"type": "object"}}},
        {"properties": {"n": {"type": ["array", "null"]}}},
        {"properties": {"n": {"$ref": "#/$defs/x", "description": "d"}}},
        {"$defs": {"row": {"type": "object"}}},
    ],
)
def test_a_schema_that_the_strict_mode_would_refuse_is_not_sent_as_strict(change):
    assert body(output=OutputSchema(schema={**STRICT, **change}))["text"]["format"]["strict"] is False
