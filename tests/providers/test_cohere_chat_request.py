"""What is sent to Cohere: whole bodies, which its own client's types accept."""

import inspect

import pytest

from lumos_nb.errors import UsageError
from lumos_nb.messages import FilePart, ImagePart, Message, ReasoningPart, TextPart, ToolCall, ToolResult
from lumos_nb.providers import ModelOptions, ToolSpec
from lumos_nb.providers.base import OutputSchema
from lumos_nb.providers.vendors import VENDORS
from lumos_nb.providers.wire import Quirks, WireRequest
from lumos_nb.providers.wire.cohere_chat import encode

ADD = ToolSpec(
    name="add",
    description="Add two numbers.",
    parameters={"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
)
CONVERSATION = (
    Message(role="system", content="Be brief."),
    Message(role="user", content="What is 2+2?"),
    Message(
        role="assistant",
        content=(
            ReasoningPart("I will add.", signature="tool_plan", provider="cohere"),
            ToolCall(id="add_1", name="add", arguments='{"a": 2}'),
        ),
    ),
    Message(role="tool", content=(ToolResult(call_id="add_1", name="add", content="4", display={"text/plain": "4"}),)),
)
USER = (Message(role="user", content="Hi"),)
CALL = ToolCall(id="1", name="f")


def body(messages=CONVERSATION, tools=(), origin="cohere", quirks=VENDORS["cohere"].quirks, **options):
    request = WireRequest(
        model="m", messages=messages, tools=tools, options=ModelOptions(**options), quirks=quirks, origin=origin
    )
    sent = encode(request)
    accept(sent)
    return sent


def accept(sent):
    """Check a body with the types of the official client, strictly: they know each key, and each is right."""
    cohere = pytest.importorskip("cohere")
    from cohere.core.unchecked_base_model import construct_type

    keys = {*inspect.signature(cohere.AsyncClientV2.chat_stream).parameters, "stream"}
    assert set(sent) <= keys
    kinds = {"system": "System", "user": "User", "assistant": "Assistant", "tool": "Tool"}
    for message in sent["messages"]:
        kind = getattr(cohere, f"{kinds[message['role']]}ChatMessageV2")
        assert kind.model_validate(message).model_dump(exclude_unset=True) == message
        assert set(message) <= set(kind.model_fields)
    if "thinking" in sent:
        assert set(sent["thinking"]) <= set(cohere.Thinking.model_fields)
    if "response_format" in sent:
        form = construct_type(type_=cohere.ResponseFormatV2, object_=sent["response_format"])
        assert form.model_dump() == sent["response_format"]
        assert set(sent["response_format"]) <= set(type(form).model_fields)
    for tool in sent.get("tools", ()):
        assert cohere.ToolV2.model_validate(tool).model_dump(exclude_unset=True) == tool


def test_a_whole_request():
    sent = body(
        tools=(ADD,), temperature=0.0, top_p=0.5, max_tokens=9, seed=7, stop=("\n",), reasoning="low",
        tool_choice="required", parallel_tool_calls=False,
    )  # fmt: skip
    assert sent == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "What is 2+2?"},
            {
                "role": "assistant",
                "tool_plan": "I will add.",
                "tool_calls": [
                    {"id": "add_1", "type": "function", "function": {"name": "add", "arguments": '{"a": 2}'}}
                ],
            },
            {"role": "tool", "tool_call_id": "add_1", "content": "4"},
        ],
        "stream": True,
        "tools": [
            {
                "type": "function",
                "function": {"name": "add", "description": "Add two numbers.", "parameters": ADD.parameters},
            }
        ],
        "tool_choice": "REQUIRED",
        "thinking": {"type": "enabled", "token_budget": 2048},
        "temperature": 0.0,
        "p": 0.5,
        "max_tokens": 9,
        "seed": 7,
        "stop_sequences": ["\n"],
    }


def test_the_least_request_has_no_key_that_nobody_asked_for():
    assert body(USER) == {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": True}


@pytest.mark.parametrize(
    ("choice", "sent"), [("auto", None), ("none", "NONE"), ("required", "REQUIRED"), ("add", None), (None, None)]
)
def test_a_choice_of_tools_has_two_words(choice, sent):
    assert body(USER, (ADD,), tool_choice=choice).get("tool_choice") == sent
    assert body(USER, (ADD,), quirks=Quirks(), tool_choice=choice).get("tool_choice") == sent
    assert "tool_choice" not in body(USER, (ADD,), quirks=Quirks(tool_choices=()), tool_choice=choice)
    assert "tool_choice" not in body(USER, tool_choice=choice), "without tools there is nothing to choose"


@pytest.mark.parametrize(
    ("reasoning", "thinking"),
    [
        ("none", {"type": "disabled"}),
        ("medium", {"type": "enabled", "token_budget": 8192}),
        ("high", {"type": "enabled"}),
        ("max", {"type": "enabled"}),
    ],
)
def test_reasoning_is_a_budget_or_without_limit(reasoning, thinking):
    assert body(USER, reasoning=reasoning)["thinking"] == thinking


def test_extra_keys_stand_beside_the_usual_ones():
    sent = body(USER, reasoning="high", extra={"thinking": {"token_budget": 99}, "k": 3})
    assert (sent["thinking"], sent["k"]) == ({"type": "enabled", "token_budget": 99}, 3)


def test_a_form_is_sent_as_its_schema():
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    sent = body(USER, output=OutputSchema(schema=schema))
    assert sent["response_format"] == {"type": "json_object", "json_schema": schema}


def test_words_beside_calls_are_a_plan():
    parts = (TextPart("Let me "), TextPart("see."), CALL)
    assert body((Message(role="assistant", content=parts),))["messages"][0] == {
        "role": "assistant",
        "tool_plan": "Let me \nsee.",
        "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
    }


def test_a_message_of_calls_alone_has_no_content():
    assert set(body((Message(role="assistant", content=(CALL,)),))["messages"][0]) == {"role", "tool_calls"}


def test_thoughts_go_back_to_where_they_came_from_in_their_order():
    parts = (ReasoningPart("hm", provider="cohere"), TextPart("Yes"), ReasoningPart("well", provider="cohere"))
    assert body((Message(role="assistant", content=(*parts, TextPart("."))),))["messages"][0]["content"] == [
        {"type": "thinking", "thinking": "hm"},
        {"type": "text", "text": "Yes"},
        {"type": "thinking", "thinking": "well"},
        {"type": "text", "text": "."},
    ]


def test_a_thought_beside_calls_stands_in_the_content():
    parts = (ReasoningPart("hm", provider="cohere"), ReasoningPart("I will.", "tool_plan", "cohere"), CALL)
    sent = body((Message(role="assistant", content=parts),))["messages"][0]
    assert (sent["content"], sent["tool_plan"]) == ([{"type": "thinking", "thinking": "hm"}], "I will.")


@pytest.mark.parametrize("signature", [None, "tool_plan", "c2ln"])
def test_thoughts_of_others_are_left_out(signature):
    thought = ReasoningPart("hm", signature=signature, provider="anthropic")
    sent = body((Message(role="assistant", content=(thought, TextPart("Yes"))),))
    assert sent["messages"] == [{"role": "assistant", "content": "Yes"}]
    with_call = body((Message(role="assistant", content=(thought, CALL)),))["messages"][0]
    assert set(with_call) == {"role", "tool_calls"}


def test_a_plan_without_its_calls_has_no_place():
    parts = (ReasoningPart("I will.", "tool_plan", "cohere"), TextPart("Yes"))
    assert body((Message(role="assistant", content=parts),))["messages"] == [{"role": "assistant", "content": "Yes"}]


@pytest.mark.parametrize("arguments", ["", "[1]", '{"a":', "null", "[" * 100_000])
def test_arguments_that_are_no_object_are_sent_as_an_empty_one(arguments):
    sent = body((Message(role="assistant", content=(ToolCall(id="1", name="f", arguments=arguments),)),))
    assert sent["messages"][0]["tool_calls"][0]["function"]["arguments"] == "{}"


def test_each_result_is_a_message():
    results = tuple(ToolResult(call_id=str(n), name="f", content=f"r{n}") for n in (1, 2))
    assert body((Message(role="tool", content=results),))["messages"] == [
        {"role": "tool", "tool_call_id": "1", "content": "r1"},
        {"role": "tool", "tool_call_id": "2", "content": "r2"},
    ]


def test_pictures_are_sent_as_data_or_as_addresses():
    parts = (TextPart("see"), ImagePart(data=b"\x89PNG"), ImagePart(url="https://example.com/a.png"))
    assert body((Message(role="user", content=parts),))["messages"][0]["content"] == [
        {"type": "text", "text": "see"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
    ]


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (Message(role="tool", content="4"), "no ToolResult"),
        (Message(role="user", content=(ImagePart(),)), "neither data nor a url"),
        (Message(role="user", content=(FilePart(data=b"%PDF"),)), "application/pdf"),
        (Message(role="user", content=(FilePart(media_type="audio/wav", data=b"R"),)), "audio/wav"),
    ],
)
def test_a_message_that_cannot_be_sent_is_named(message, says):
    with pytest.raises(UsageError, match=says):
        body((message,))
