"""What is sent as Anthropic Messages: whole bodies, and what the vendor's own client says of them."""

import msgspec
import pydantic
import pytest
from anthropic.lib._parse._transform import transform_schema
from anthropic.types.message_create_params import MessageCreateParamsStreaming

from lumos_nb.errors import CredentialError, UsageError
from lumos_nb.messages import FilePart, ImagePart, Message, ReasoningPart, TextPart, ToolCall, ToolChoice, ToolResult
from lumos_nb.providers import ModelOptions, ToolSpec, llm
from lumos_nb.providers.base import OutputSchema
from lumos_nb.providers.vendors import VENDORS
from lumos_nb.providers.wire import Quirks, WireRequest
from lumos_nb.providers.wire.anthropic_messages import encode
from lumos_nb.providers.wire.schemas import closed
from lumos_nb.testing import FakeServer

ADD = ToolSpec(
    name="add",
    description="Add two numbers.",
    parameters={"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
)
HI = Message(role="user", content="Hi")
REDACTED = '{"type":"redacted_thinking","data":"Ev=="}'
ACCEPTED = pydantic.TypeAdapter(MessageCreateParamsStreaming)


def body(*messages, tools=(), quirks=None, origin="anthropic", **options):
    sent = encode(
        WireRequest(
            model="m",
            messages=messages or (HI,),
            tools=tools,
            options=ModelOptions(**options),
            quirks=quirks or Quirks(),
            origin=origin,
        )
    )
    # The client knows no sampling options since the newest models take none; older models do.
    known = {key: value for key, value in sent.items() if key not in {"temperature", "top_p", "top_k"}}
    ACCEPTED.validate_python(known, extra="forbid")
    return msgspec.json.decode(msgspec.json.encode(sent))


def thought(text, signature=None, provider="anthropic"):
    return ReasoningPart(text, signature=signature, provider=provider)


def assistant(*parts):
    return Message(role="assistant", content=parts)


def test_a_whole_request():
    conversation = (
        Message(role="system", content="Be brief."),
        Message(role="user", content="What is 2+2?"),
        assistant(
            thought("add them", "sig"), TextPart("Let me see."), ToolCall(id="toolu_1", name="add", arguments='{"a":2}')
        ),
        Message(role="tool", content=(ToolResult(call_id="toolu_1", name="add", content="4", display={"x": "y"}),)),
        Message(role="system", content="Be kind."),
    )
    options = {"temperature": 0.0, "top_p": 0.5, "max_tokens": 9, "seed": 7, "stop": ("\n",), "extra": {"top_k": 3}}
    assert body(*conversation, tools=(ADD,), **options) == {
        "model": "m",
        "max_tokens": 9,
        "stream": True,
        "system": "Be brief.\n\nBe kind.",
        "messages": [
            {"role": "user", "content": "What is 2+2?"},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "add them", "signature": "sig"},
                    {"type": "text", "text": "Let me see."},
                    {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {"a": 2}},
                ],
            },
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "4"}]},
        ],
        "tools": [{"name": "add", "description": "Add two numbers.", "input_schema": ADD.parameters}],
        "temperature": 0.0,
        "top_p": 0.5,
        "stop_sequences": ["\n"],
        "top_k": 3,
    }


def test_the_least_request_has_no_key_that_nobody_asked_for():
    assert body() == {
        "model": "m",
        "max_tokens": 8192,
        "stream": True,
        "messages": [{"role": "user", "content": "Hi"}],
    }


def test_all_results_and_what_the_user_says_next_are_one_message_with_the_results_first():
    results = (
        ToolResult(call_id="a", name="f", content="1"),
        ToolResult(call_id="b", name="f", content="no", is_error=True),
    )
    calls = assistant(ToolCall(id="a", name="f"), ToolCall(id="b", name="f"))
    late = Message(role="tool", content=(ToolResult(call_id="c", name="f", content=""),))
    sent = body(HI, calls, Message(role="tool", content=results), Message(role="user", content="Go on"), late)
    assert sent["messages"][2:] == [
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "a", "content": "1"},
                {"type": "tool_result", "tool_use_id": "b", "content": "no", "is_error": True},
                {"type": "tool_result", "tool_use_id": "c"},
                {"type": "text", "text": "Go on"},
            ],
        }
    ]


def test_ids_with_other_letters_are_replaced_alike_in_call_and_result():
    call, result = ToolCall(id="functions.f:0", name="f"), ToolResult(call_id="functions.f:0", name="f", content="1")
    sent = body(HI, assistant(call), Message(role="tool", content=(result,)))["messages"]
    id = sent[1]["content"][0]["id"]
    assert id.isalnum() and sent[2]["content"][0]["tool_use_id"] == id


def test_a_signature_goes_back_with_its_block():
    parts = (thought("", "omitted"), thought("", REDACTED), thought("hm", "plain"), TextPart("So."))
    assert body(HI, assistant(*parts))["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "", "signature": "omitted"},
        {"type": "redacted_thinking", "data": "Ev=="},
        {"type": "thinking", "thinking": "hm", "signature": "plain"},
        {"type": "text", "text": "So."},
    ]


def test_reasoning_that_is_not_signed_or_not_from_here_is_left_out():
    others = (thought("a"), thought("b", "s", "google"), thought("c", REDACTED, "bedrock"), TextPart("So."))
    assert body(HI, assistant(*others))["messages"][1] == {"role": "assistant", "content": "So."}


def test_a_vendor_that_must_see_its_reasoning_again_gets_it_without_a_signature():
    asked = {"quirks": Quirks(returns_reasoning=True), "origin": "deepseek:anthropic-messages"}
    parts = (thought("hm", None, asked["origin"]), thought("not mine", None, "deepseek"), TextPart("So."))
    assert body(HI, assistant(*parts), **asked)["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "hm", "signature": ""},
        {"type": "text", "text": "So."},
    ]


def test_texts_of_white_space_are_left_out_and_neighbours_become_one_message():
    sent = body(HI, assistant(TextPart(" \n")), Message(role="user", content="Still there?"))
    assert sent["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "text", "text": "Still there?"}]}
    ]


@pytest.mark.parametrize("arguments", ['{"a": ', "[1]", "null", "", "nonsense", "[" * 100_000])
def test_arguments_that_are_no_object_are_sent_as_an_empty_one(arguments):
    call = ToolCall(id="a", name="f", arguments=arguments)
    assert body(HI, assistant(call))["messages"][1]["content"][0]["input"] == {}


def test_pictures_and_documents_are_sent_as_data_or_as_addresses():
    parts = (
        ImagePart(data=b"\x89PNG"),
        ImagePart(media_type="image/jpg", data=b"\xff"),
        ImagePart(url="https://example.com/a.png"),
        FilePart(data=b"%PDF", name="terms.pdf"),
        FilePart(url="https://example.com/a.pdf"),
        TextPart("Compare."),
    )
    assert body(Message(role="user", content=parts))["messages"][0]["content"] == [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw=="}},
        {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": "/w=="}},
        {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERg=="},
            "title": "terms.pdf",
        },
        {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}},
        {"type": "text", "text": "Compare."},
    ]


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (Message(role="tool", content="4"), "no ToolResult"),
        (Message(role="user", content=(ImagePart(),)), "ImagePart has neither data nor a url"),
        (Message(role="user", content=(FilePart(),)), "FilePart has neither data nor a url"),
        (Message(role="user", content=(FilePart(media_type="audio/wav", data=b"RIFF"),)), "audio/wav"),
        (Message(role="user", content=(ImagePart(media_type="image/tiff", data=b"II"),)), "image/gif"),
        (assistant(ImagePart(data=b"\x89PNG")), "user message"),
    ],
)
def test_a_message_that_cannot_be_sent_is_named(message, said):
    with pytest.raises(UsageError) as caught:
        body(message)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, None),
        ({"tool_choice": "auto"}, None),
        ({"parallel_tool_calls": True}, None),
        ({"parallel_tool_calls": False}, {"type": "auto", "disable_parallel_tool_use": True}),
        ({"tool_choice": "none", "parallel_tool_calls": False}, {"type": "none"}),
        ({"tool_choice": "required"}, {"type": "any"}),
        (
            {"tool_choice": ToolChoice("tool", "add"), "parallel_tool_calls": False},
            {"type": "tool", "name": "add", "disable_parallel_tool_use": True},
        ),
        ({"tool_choice": "required", "quirks": Quirks(tool_choices=())}, None),
        ({"parallel_tool_calls": False, "quirks": Quirks(has_parallel_switch=False)}, None),
    ],
)
def test_how_tools_are_chosen(options, expected):
    assert body(tools=(ADD,), **options).get("tool_choice") == expected


def test_a_choice_of_tools_is_not_sent_without_tools():
    assert body(tool_choice="required", parallel_tool_calls=False) == body()


@pytest.mark.parametrize("wish", ["none", "minimal", "low", "medium", "high", "xhigh", "max"])
def test_how_much_to_think(wish):
    sent = body(reasoning=wish)
    if wish == "none":
        assert sent["thinking"] == {"type": "disabled"} and "output_config" not in sent
    else:
        assert sent["thinking"] == {"type": "adaptive", "display": "summarized"}
        assert sent["output_config"] == {"effort": "low" if wish == "minimal" else wish}


def test_a_form_stands_beside_the_effort_and_what_is_extra_beside_both():
    schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}, "required": ["n"]}
    sent = body(reasoning="low", output=OutputSchema(schema=schema), extra={"output_config": {"effort": "max"}})
    assert sent["output_config"] == {
        "effort": "max",
        "format": {
            "type": "json_schema",
            "schema": {
                "type": "object",
                "properties": {"n": {"type": "integer", "description": "(minimum: 1)"}},
                "required": ["n"],
                "additionalProperties": False,
            },
        },
    }


class _Item(pydantic.BaseModel):
    kind: str = pydantic.Field(pattern="[ab]", description="What it is.")
    size: int | float | None = pydantic.Field(None, ge=0)
    at: pydantic.AwareDatetime
    tags: list[str] = pydantic.Field(min_length=1, max_length=3)


class _Order(pydantic.BaseModel):
    item: _Item = pydantic.Field(description="Beside a reference nothing may stand.")
    items: list[_Item] = []
    notes: dict[str, int] = {}


def _shapes(schema):
    """Return a schema without its descriptions: how limits are worded is anyone's own."""
    if isinstance(schema, dict):
        return {k: _shapes(v) for k, v in schema.items() if k != "description" or isinstance(v, dict)}
    return [_shapes(v) for v in schema] if isinstance(schema, list) else schema


@pytest.mark.parametrize("model", [_Item, _Order])
def test_a_schema_is_shaped_as_the_vendors_own_client_shapes_it(model):
    schema = model.model_json_schema()
    theirs, ours = transform_schema(schema), closed(schema)
    for one in (theirs, ours):
        for shown in [one, *one.get("$defs", {}).values()]:
            # A mapping with free keys cannot be held to a closed form: there the clients differ in an empty key.
            shown["properties"].pop("notes", None)
    assert _shapes(ours) == _shapes(theirs)
    assert closed(schema) == closed(schema) and schema == model.model_json_schema(), "the schema given is not changed"


async def test_the_version_goes_with_every_request_and_the_key_in_the_header_of_the_format():
    with FakeServer(["Hello"]) as server:
        for spec in ("anthropic/m", "deepseek/m", "mine/m"):
            provider = llm(spec, base_url=server.base_url, api_key="k-1", format="anthropic-messages")
            assert (await provider.generate([HI])).text == "Hello"
            assert await provider.list_models() == ["fake-model"]
    for request in (*server.requests, *server.other_requests):
        assert request.path in {"/v1/messages", "/v1/models"}
        assert request.headers["anthropic-version"] == "2023-06-01"
        assert request.headers["x-api-key"] == "k-1" and "authorization" not in request.headers


@pytest.mark.parametrize("vendor", ["deepseek", "qwen", "huawei", "zai"])
async def test_a_key_is_asked_for_also_where_this_is_not_the_usual_format(vendor, monkeypatch):
    for name in VENDORS[vendor].key_env:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(CredentialError, match="has no API key"):
        await llm(f"{vendor}/m", format="anthropic-messages").generate([HI])


def test_tools_of_earlier_turns_are_declared_because_they_must_be_and_not_called():
    call, result = ToolCall(id="toolu_1", name="add"), ToolResult(call_id="toolu_1", name="add", content="5")
    sent = body(HI, assistant(call), Message(role="tool", content=(result,)), HI)
    assert [tool["name"] for tool in sent["tools"]] == ["add"] and sent["tool_choice"] == {"type": "none"}
