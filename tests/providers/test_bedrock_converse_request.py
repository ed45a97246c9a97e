"""What is sent to Bedrock: whole bodies, and what AWS's own description of the service says of them."""

import base64
import copy
import json

import botocore.session
import msgspec
import pytest
from botocore.serialize import create_serializer
from botocore.validate import ParamValidator

from lumos_nb.errors import UsageError
from lumos_nb.messages import FilePart, ImagePart, Message, ReasoningPart, TextPart, ToolCall, ToolResult
from lumos_nb.providers import ModelOptions, ToolSpec
from lumos_nb.providers.base import OutputSchema
from lumos_nb.providers.vendors import VENDORS
from lumos_nb.providers.wire import WireRequest
from lumos_nb.providers.wire.bedrock_converse import encode, path

ADD = ToolSpec(
    name="add",
    description="Add two numbers.",
    parameters={"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
)
HI = Message(role="user", content="Hi")
HIDDEN = '{"redactedContent":"Ev8="}'


@pytest.fixture(scope="module")
def operation():
    return botocore.session.Session().get_service_model("bedrock-runtime").operation_model("ConverseStream")


@pytest.fixture
def body(operation):
    """Return a body as it is sent, after AWS's client found that it would have sent the same."""

    def make(*messages, tools=(), origin="bedrock", quirks=VENDORS["bedrock"].quirks, **options):
        request = WireRequest(
            model="m",
            messages=messages or (HI,),
            tools=tools,
            options=ModelOptions(**options),
            quirks=quirks,
            origin=origin,
        )
        sent = encode(request)
        params = {**_with_bytes(sent), "modelId": "m"}
        report = ParamValidator().validate(params, operation.input_shape)
        assert not report.has_errors(), report.generate_report()
        theirs = create_serializer("rest-json").serialize_to_request(params, operation)
        assert msgspec.json.decode(theirs["body"]) == sent
        return sent

    return make


def _with_bytes(value):
    """Return a body as AWS's client takes it: with bytes where JSON has their base64."""
    value = copy.deepcopy(value)
    for message in value["messages"]:
        for block in message["content"]:
            for key in ("image", "document"):
                if "bytes" in block.get(key, {}).get("source", {}):
                    block[key]["source"]["bytes"] = base64.b64decode(block[key]["source"]["bytes"])
            if "redactedContent" in block.get("reasoningContent", {}):
                hidden = base64.b64decode(block["reasoningContent"]["redactedContent"])
                block["reasoningContent"]["redactedContent"] = hidden
    return value


def assistant(*parts):
    return Message(role="assistant", content=parts)


def test_a_whole_request(body):
    conversation = (
        Message(role="system", content="Be brief."),
        Message(role="user", content="What is 2+2?"),
        assistant(
            ReasoningPart("add them", signature="sig", provider="bedrock"),
            ReasoningPart("", signature=HIDDEN, provider="bedrock"),
            TextPart("Let me see."),
            ToolCall(id="tooluse_1", name="add", arguments='{"a":2}'),
            ToolCall(id="tooluse_2", name="add", arguments="oops"),
        ),
        Message(
            role="tool",
            content=(
                ToolResult(call_id="tooluse_1", name="add", content="4"),
                ToolResult(call_id="tooluse_2", name="add", content="", is_error=True),
            ),
        ),
        Message(role="user", content="Go on."),
        Message(role="system", content="Be kind."),
    )
    options = {"temperature": 0.0, "top_p": 0.5, "max_tokens": 9, "seed": 7, "stop": ("\n",)}
    assert body(*conversation, tools=(ADD,), parallel_tool_calls=False, **options) == {
        "system": [{"text": "Be brief.\n\nBe kind."}],
        "messages": [
            {"role": "user", "content": [{"text": "What is 2+2?"}]},
            {
                "role": "assistant",
                "content": [
                    {"reasoningContent": {"reasoningText": {"text": "add them", "signature": "sig"}}},
                    {"reasoningContent": {"redactedContent": "Ev8="}},
                    {"text": "Let me see."},
                    {"toolUse": {"toolUseId": "tooluse_1", "name": "add", "input": {"a": 2}}},
                    {"toolUse": {"toolUseId": "tooluse_2", "name": "add", "input": {}}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"toolResult": {"toolUseId": "tooluse_1", "content": [{"text": "4"}]}},
                    {"toolResult": {"toolUseId": "tooluse_2", "content": [{"text": "(empty)"}], "status": "error"}},
                    {"text": "Go on."},
                ],
            },
        ],
        "inferenceConfig": {"maxTokens": 9, "temperature": 0.0, "topP": 0.5, "stopSequences": ["\n"]},
        "toolConfig": {
            "tools": [
                {
                    "toolSpec": {
                        "name": "add",
                        "description": "Add two numbers.",
                        "inputSchema": {"json": ADD.parameters},
                    }
                }
            ]
        },
    }


def test_the_least_request_has_no_key_that_nobody_asked_for(body):
    assert body() == {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("us.anthropic.claude-x-v1:0", "/model/us.anthropic.claude-x-v1%3A0/converse-stream"),
        ("arn:aws:bedrock:a:1:p/x", "/model/arn%3Aaws%3Abedrock%3Aa%3A1%3Ap%2Fx/converse-stream"),
    ],
)
def test_the_model_stands_in_the_path_as_awss_client_writes_it(operation, model, expected):
    params = {"modelId": model, "messages": [{"role": "user", "content": [{"text": "Hi"}]}]}
    theirs = create_serializer("rest-json").serialize_to_request(params, operation)
    assert path(model) == expected == theirs["url_path"]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [("auto", None), ("none", None), ("required", {"any": {}}), ("add", {"tool": {"name": "add"}})],
)
def test_how_tools_are_chosen(body, choice, expected):
    assert body(tools=(ADD,), tool_choice=choice)["toolConfig"].get("toolChoice") == expected
    assert body(tool_choice=choice) == body(), "no choice without tools"


def test_tools_of_earlier_turns_are_declared_because_they_must_be(body):
    calls = assistant(ToolCall(id="a", name="add"), ToolCall(id="b", name="add"))
    results = Message(role="tool", content=(ToolResult(call_id="a", name="add", content="1"),))
    schema = {"json": {"type": "object", "properties": {}}}
    assert body(HI, calls, results)["toolConfig"] == {"tools": [{"toolSpec": {"name": "add", "inputSchema": schema}}]}


def test_reasoning_that_is_not_signed_or_not_from_here_is_left_out(body):
    parts = (
        ReasoningPart("a", provider="bedrock"),
        ReasoningPart("b", signature="s", provider="anthropic"),
        TextPart(" \n"),
        TextPart("So."),
    )
    assert body(HI, assistant(*parts))["messages"][1] == {"role": "assistant", "content": [{"text": "So."}]}


def test_ids_with_other_letters_are_replaced_alike_in_call_and_result(body):
    call, result = ToolCall(id="f:0 é", name="f"), ToolResult(call_id="f:0 é", name="f", content="1")
    sent = body(HI, assistant(call), Message(role="tool", content=(result,)))["messages"]
    id = sent[1]["content"][0]["toolUse"]["toolUseId"]
    assert id.isalnum() and sent[2]["content"][0]["toolResult"]["toolUseId"] == id


def test_pictures_and_documents(body):
    parts = (
        ImagePart(data=b"\x89PNG"),
        ImagePart(media_type="image/jpg", url="s3://bucket/a.jpg"),
        FilePart(data=b"%PDF", name="terms_of  use (2).pdf"),
        FilePart(data=b"%PDF2", name="terms of use (2).pdf"),
        FilePart(media_type="text/csv", data=b"a,b"),
        TextPart("Compare."),
    )
    assert body(Message(role="user", content=parts))["messages"][0]["content"] == [
        {"image": {"format": "png", "source": {"bytes": "iVBORw=="}}},
        {"image": {"format": "jpeg", "source": {"s3Location": {"uri": "s3://bucket/a.jpg"}}}},
        {"document": {"format": "pdf", "name": "terms of use (2) pdf", "source": {"bytes": "JVBERg=="}}},
        {"document": {"format": "pdf", "name": "terms of use (2) pdf 2", "source": {"bytes": "JVBERjI="}}},
        {"document": {"format": "csv", "name": "document", "source": {"bytes": "YSxi"}}},
        {"text": "Compare."},
    ]


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (Message(role="tool", content="4"), "no ToolResult"),
        (Message(role="user", content=(ImagePart(),)), "ImagePart has neither data nor a url"),
        (Message(role="user", content=(FilePart(),)), "FilePart has neither data nor a url"),
        (Message(role="user", content=(ImagePart(url="https://example.com/a.png"),)), "Give its data"),
        (Message(role="user", content=(ImagePart(media_type="image/tiff", data=b"II"),)), "image/webp"),
        (Message(role="user", content=(FilePart(media_type="audio/wav", data=b"RIFF"),)), "docx"),
        (assistant(FilePart(data=b"%PDF")), "user message"),
    ],
)
def test_a_message_that_cannot_be_sent_is_named(body, message, said):
    with pytest.raises(UsageError) as caught:
        body(message)
    assert said in str(caught.value)


@pytest.mark.parametrize(("wish", "effort"), [("minimal", "low"), ("high", "high"), ("max", "max")])
def test_how_much_to_think(body, wish, effort):
    assert body(reasoning=wish)["outputConfig"] == {"effort": effort}
    assert body(reasoning="none") == body()


def test_a_form_and_what_is_extra(body):
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    sent = body(
        output=OutputSchema(schema=schema, name="sum"),
        max_tokens=5,
        extra={"inferenceConfig": {"topP": 0.1}, "additionalModelRequestFields": {"thinking": {"type": "adaptive"}}},
    )
    form = sent["outputConfig"]["textFormat"]
    assert json.loads(form["structure"]["jsonSchema"].pop("schema")) == {**schema, "additionalProperties": False}
    assert form == {"type": "json_schema", "structure": {"jsonSchema": {"name": "sum"}}}
    assert sent["inferenceConfig"] == {"maxTokens": 5, "topP": 0.1}
    assert sent["additionalModelRequestFields"] == {"thinking": {"type": "adaptive"}}
