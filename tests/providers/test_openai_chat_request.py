"""What is sent: whole bodies, because a recording keeps passing after a field is no longer sent."""

import pytest

from lumos_nb.errors import UsageError
from lumos_nb.messages import ImagePart, Message, ReasoningPart, TextPart, ToolCall, ToolResult
from lumos_nb.providers import ModelOptions, ToolSpec
from lumos_nb.providers.vendors import VENDORS
from lumos_nb.providers.wire import WireRequest
from lumos_nb.providers.wire.openai_chat import encode

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
        content=(ReasoningPart("add them"), TextPart("Let me see."), ToolCall(id="call_1", name="add", arguments="")),
    ),
    Message(role="tool", content=(ToolResult(call_id="call_1", name="add", content="4", display={"text/plain": "4"}),)),
)
OPTIONS = ModelOptions(temperature=0.0, max_tokens=9, seed=7, stop=("\n",), extra={"top_p": 0.5})


def body(vendor, messages=CONVERSATION, tools=(ADD,), options=OPTIONS):
    quirks = VENDORS[vendor].quirks
    return encode(WireRequest(model="m", messages=messages, tools=tools, options=options, quirks=quirks))


def test_a_whole_request():
    assert body("openai") == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "What is 2+2?"},
            {
                "role": "assistant",
                "content": "Let me see.",
                "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "add", "arguments": "{}"}}],
            },
            {"role": "tool", "tool_call_id": "call_1", "content": "4"},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "tools": [
            {
                "type": "function",
                "function": {"name": "add", "description": "Add two numbers.", "parameters": ADD.parameters},
            }
        ],
        "temperature": 0.0,
        "max_completion_tokens": 9,
        "seed": 7,
        "stop": ["\n"],
        "top_p": 0.5,
    }


def test_the_least_request_has_no_key_that_nobody_asked_for():
    assert body("vllm", (Message(role="user", content="Hi"),), (), ModelOptions()) == {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_quirks_of_mistral():
    sent = body("mistral")
    assert "stream_options" not in sent and "seed" not in sent and sent["random_seed"] == 7 and sent["max_tokens"] == 9
    call, result = sent["messages"][2]["tool_calls"][0], sent["messages"][3]
    assert len(call["id"]) == 9 and call["id"].isalnum() and result["tool_call_id"] == call["id"]
    assert result["name"] == "add"
    assert body("mistral") == sent, "the same id must be sent in every request"


@pytest.mark.parametrize("vendor", ["deepseek", "zhipu", "zai"])
def test_reasoning_goes_back_with_tool_calls_where_it_must(vendor):
    assert body(vendor)["messages"][2]["reasoning_content"] == "add them"
    without = (Message(role="assistant", content=(ToolCall(id="1", name="f"),)), Message(role="assistant", content="x"))
    assert [m.get("reasoning_content") for m in body(vendor, without)["messages"]] == ["", None]


def test_a_message_of_calls_alone_has_no_content():
    sent = body("openai", (Message(role="assistant", content=(ToolCall(id="1", name="f"),)),))["messages"][0]
    assert sent["content"] is None


def test_pictures_are_sent_as_data_or_as_addresses():
    parts = (TextPart("see"), ImagePart(data=b"\x89PNG"), ImagePart(url="https://example.com/a.png"))
    assert body("openai", (Message(role="user", content=parts),))["messages"][0]["content"] == [
        {"type": "text", "text": "see"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
    ]


@pytest.mark.parametrize(
    "message", [Message(role="tool", content="4"), Message(role="user", content=(ImagePart(),))], ids=["tool", "image"]
)
def test_a_message_that_cannot_be_sent_is_named(message):
    with pytest.raises(UsageError):
        body("openai", (message,))
