"""What is sent to Ollama: whole bodies, which its own client's types accept."""

import msgspec
import pytest

from lumos_nb.errors import UsageError
from lumos_nb.messages import FilePart, ImagePart, Message, ReasoningPart, TextPart, ToolCall, ToolResult
from lumos_nb.providers import ModelOptions, ToolSpec
from lumos_nb.providers.base import OutputSchema
from lumos_nb.providers.vendors import VENDORS
from lumos_nb.providers.wire import Quirks, WireRequest
from lumos_nb.providers.wire.ollama_chat import encode

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
            ReasoningPart("add them", provider="ollama"),
            TextPart("Let me see."),
            ToolCall(id="call_1", name="add", arguments='{"a":2}'),
        ),
    ),
    Message(role="tool", content=(ToolResult(call_id="call_1", name="add", content="4", display={"text/plain": "4"}),)),
)
USER = (Message(role="user", content="Hi"),)


def body(messages=CONVERSATION, tools=(), model="m", origin="ollama", quirks=VENDORS["ollama"].quirks, **options):
    request = WireRequest(
        model=model, messages=messages, tools=tools, options=ModelOptions(**options), quirks=quirks, origin=origin
    )
    sent = encode(request)
    assert msgspec.json.decode(msgspec.json.encode(sent)) == sent
    accept(sent)
    return sent


def accept(sent):
    """Check a body with the types of the official client, which may not leave out any of it."""
    types = pytest.importorskip("ollama._types")
    parsed = types.ChatRequest.model_validate(sent)
    assert parsed.model == sent["model"]
    assert set(sent) <= set(types.ChatRequest.model_fields)
    assert set(sent.get("options", {})) <= set(types.Options.model_fields)
    for message in sent["messages"]:
        # The client's own type has not heard of `tool_call_id` yet; the server's has.
        assert set(message) <= {*types.Message.model_fields, "tool_call_id"}
        images = [types.Image(value=image) for image in message.get("images", ())]
        assert [image.serialize_model() for image in images] == message.get("images", [])
        assert types.Message.model_validate({**message, "images": images}).role == message["role"]


def test_a_whole_request():
    sent = body(tools=(ADD,), temperature=0.0, top_p=0.5, max_tokens=9, seed=7, stop=("\n",), reasoning="low")
    assert sent == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "What is 2+2?"},
            {
                "role": "assistant",
                "content": "Let me see.",
                "thinking": "add them",
                "tool_calls": [{"id": "call_1", "function": {"index": 0, "name": "add", "arguments": {"a": 2}}}],
            },
            {"role": "tool", "tool_name": "add", "tool_call_id": "call_1", "content": "4"},
        ],
        "stream": True,
        "tools": [
            {
                "type": "function",
                "function": {"name": "add", "description": "Add two numbers.", "parameters": ADD.parameters},
            }
        ],
        "think": True,
        "options": {"temperature": 0.0, "top_p": 0.5, "num_predict": 9, "seed": 7, "stop": ["\n"]},
    }


def test_the_least_request_has_no_key_that_nobody_asked_for():
    assert body(USER) == {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": True}


@pytest.mark.parametrize(
    ("model", "reasoning", "think"),
    [
        ("qwen3", "none", False),
        ("qwen3", "minimal", True),
        ("qwen3", "high", True),
        ("gpt-oss:20b", "none", False),
        ("gpt-oss:20b", "minimal", "low"),
        ("gpt-oss:20b", "medium", "medium"),
        ("gpt-oss", "max", "high"),
    ],
)
def test_thinking_is_a_level_where_the_model_takes_one(model, reasoning, think):
    assert body(USER, model=model, reasoning=reasoning)["think"] == think


def test_a_form_is_sent_as_its_schema():
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    assert body(USER, output=OutputSchema(schema=schema))["format"] == schema


def test_extra_options_stand_beside_the_usual_ones():
    sent = body(USER, seed=7, extra={"options": {"num_ctx": 8192}, "keep_alive": "5m"})
    assert sent["options"] == {"seed": 7, "num_ctx": 8192}
    assert sent["keep_alive"] == "5m"


@pytest.mark.parametrize("choice", ["none", "required", "add"])
def test_a_choice_of_tools_has_no_place(choice):
    assert body(USER, (ADD,), tool_choice=choice, parallel_tool_calls=False) == body(USER, (ADD,))
    assert body(USER, (ADD,), quirks=Quirks(), tool_choice=choice) == body(USER, (ADD,))


def test_reasoning_goes_back_with_calls_to_where_it_came_from_and_nowhere_else():
    thought = ReasoningPart("hm", provider="ollama")
    call = ToolCall(id="1", name="f")
    with_call = (Message(role="assistant", content=(thought, call)),)
    assert body(with_call)["messages"][0]["thinking"] == "hm"
    assert "thinking" not in body(with_call, origin="ollama:other")["messages"][0]
    alone = (Message(role="assistant", content=(thought, TextPart("Yes."))),)
    assert body(alone)["messages"] == [{"role": "assistant", "content": "Yes."}]


@pytest.mark.parametrize("arguments", ["", "[1]", '{"a":', "null", "[" * 100_000])
def test_arguments_that_are_no_object_are_sent_as_an_empty_one(arguments):
    sent = body((Message(role="assistant", content=(ToolCall(id="1", name="f", arguments=arguments),)),))
    assert sent["messages"][0]["tool_calls"][0]["function"]["arguments"] == {}


def test_each_result_is_a_message():
    results = tuple(ToolResult(call_id=str(n), name="f", content=f"r{n}", is_error=n == 2) for n in (1, 2))
    assert body((Message(role="tool", content=results),))["messages"] == [
        {"role": "tool", "tool_name": "f", "tool_call_id": "1", "content": "r1"},
        {"role": "tool", "tool_name": "f", "tool_call_id": "2", "content": "r2"},
    ]


def test_pictures_are_bare_base64_beside_the_text():
    parts = (TextPart("see"), ImagePart(data=b"\x89PNG"), TextPart(" this"))
    assert body((Message(role="user", content=parts),))["messages"] == [
        {"role": "user", "content": "see this", "images": ["iVBORw=="]}
    ]


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (Message(role="tool", content="4"), "no ToolResult"),
        (Message(role="user", content=(ImagePart(),)), "neither data nor a url"),
        (Message(role="user", content=(ImagePart(url="https://example.com/a.png"),)), "Fetch it first"),
        (Message(role="user", content=(FilePart(data=b"%PDF"),)), "no place"),
        (Message(role="user", content=(FilePart(media_type="audio/wav", data=b"R"),)), "audio/wav"),
    ],
)
def test_a_message_that_cannot_be_sent_is_named(message, says):
    with pytest.raises(UsageError) as caught:
        body((message,))
    assert says in f"{caught.value.message} {caught.value.hint}"
