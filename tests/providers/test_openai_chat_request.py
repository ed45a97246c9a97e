"""What is sent: whole bodies, because a recording keeps passing after a field is no longer sent."""

import msgspec
import pytest

from lumos_nb.errors import UsageError
from lumos_nb.messages import FilePart, ImagePart, Message, ReasoningPart, TextPart, ToolCall, ToolResult
from lumos_nb.providers import ModelOptions, OutputSchema, ToolSpec
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
    sent = encode(WireRequest(model="m", messages=messages, tools=tools, options=options, quirks=quirks, origin=vendor))
    return msgspec.json.decode(msgspec.json.encode(sent))


def one(*parts, role="user"):
    return (Message(role=role, content=parts),)


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


@pytest.mark.parametrize(
    ("vendor", "choice", "sent"),
    [
        ("openai", None, None),
        ("openai", "auto", None),
        ("openai", "none", "none"),
        ("openai", "required", "required"),
        ("openai", "add", {"type": "function", "function": {"name": "add"}}),
        ("mistral", "required", "any"),
        ("qwen", "required", None),
        ("qwen", "add", {"type": "function", "function": {"name": "add"}}),
        ("deepseek", "required", None),
        ("zhipu", "none", None),
    ],
)
def test_a_tool_choice_is_sent_where_it_is_understood(vendor, choice, sent):
    assert body(vendor, options=ModelOptions(tool_choice=choice)).get("tool_choice") == sent
    assert "tool_choice" not in body(vendor, tools=(), options=ModelOptions(tool_choice=choice))


def test_parallel_calls_can_be_switched_off_where_there_is_a_switch():
    options = ModelOptions(parallel_tool_calls=False)
    assert body("openai", options=options)["parallel_tool_calls"] is False
    assert "parallel_tool_calls" not in body("huawei", options=options)
    assert "parallel_tool_calls" not in body("openai", tools=(), options=options)


@pytest.mark.parametrize(
    ("vendor", "on", "off"),
    [
        ("openai", {"reasoning_effort": "low"}, {"reasoning_effort": "none"}),
        ("openrouter", {"reasoning": {"effort": "low"}}, {"reasoning": {"effort": "none"}}),
        ("deepseek", {"thinking": {"type": "enabled"}, "reasoning_effort": "low"}, {"thinking": {"type": "disabled"}}),
        ("zhipu", {"thinking": {"type": "enabled"}, "reasoning_effort": "low"}, {"thinking": {"type": "disabled"}}),
        ("qwen", {"enable_thinking": True}, {"enable_thinking": False}),
        ("baidu", {"enable_thinking": True}, {"enable_thinking": False}),
        ("mistral", {}, {}),
    ],
)
def test_the_wish_for_reasoning_is_written_in_each_vendors_way(vendor, on, off):
    plain = body(vendor, options=ModelOptions())
    assert body(vendor, options=ModelOptions(reasoning="low")) == plain | on
    assert body(vendor, options=ModelOptions(reasoning="none")) == plain | off


def test_a_form_is_sent_as_a_schema_or_as_json_mode():
    options = ModelOptions(output=OutputSchema(schema={"type": "object"}, name="city"))
    schema = {"type": "json_schema", "json_schema": {"name": "city", "schema": {"type": "object"}}}
    assert body("openai", options=options)["response_format"] == schema
    assert body("deepseek", options=options)["response_format"] == {"type": "json_object"}


def test_documents_and_sounds_are_sent_as_bytes():
    parts = (TextPart("read"), FilePart(data=b"%PDF", name="a.pdf"), FilePart(data=b"ID3", media_type="audio/mpeg"))
    assert body("openai", one(*parts))["messages"][0]["content"] == [
        {"type": "text", "text": "read"},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERg=="}},
        {"type": "input_audio", "input_audio": {"data": "SUQz", "format": "mp3"}},
    ]
    with pytest.raises(UsageError, match="as bytes"):
        body("openai", one(FilePart(url="https://example.com/a.pdf")))


def test_rows_of_reasoning_go_back_where_they_came_from_and_nowhere_else():
    rows = '[{"type":"reasoning.text","text":"hm","signature":"s"}]'
    said = one(ReasoningPart("hm", signature=rows, provider="openrouter"), ToolCall(id="1", name="f"), role="assistant")
    assert body("openrouter", said)["messages"][0]["reasoning_details"] == [
        {"type": "reasoning.text", "text": "hm", "signature": "s"}
    ]
    for other in ("openai", "deepseek"):
        sent = body(other, said)["messages"][0]
        assert "reasoning_details" not in sent and sent["tool_calls"][0]["id"] == "1"
        assert sent.get("reasoning_content", "") == "", "another vendor's thoughts are not its own"


def test_what_we_send_is_what_the_official_client_takes():
    from openai.types.chat import completion_create_params
    from pydantic import TypeAdapter

    params = TypeAdapter(completion_create_params.CompletionCreateParamsStreaming)
    options = ModelOptions(tool_choice="add", reasoning="low", output=OutputSchema(schema={"type": "object"}))
    picture = one(TextPart("see"), ImagePart(data=b"x"), FilePart(data=b"%PDF"))
    for sent in (body("openai"), body("openai", options=options), body("openai", picture)):
        params.validate_python(sent)


@pytest.mark.parametrize(
    ("media_type", "format"),
    [("audio/wav", "wav"), ("audio/x-wav", "wav"), ("audio/mpeg", "mp3"), ("audio/mp3", "mp3"), ("audio/flac", "flac"),
     ("audio/ogg; codecs=opus", "ogg"), ("audio/mp4", "m4a")],
)  # fmt: skip
def test_a_sound_is_called_what_it_is(media_type, format):
    ask = Message(role="user", content=(FilePart(data=b"sound", media_type=media_type),))
    sent = encode(WireRequest(model="m", messages=(ask,)))["messages"][0]["content"][0]
    assert sent["input_audio"]["format"] == format
