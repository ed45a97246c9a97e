"""What is sent to Gemini: whole bodies, and what the official types say of them."""

import json

import pytest
from google.genai import types

from lumos_nb.errors import UsageError
from lumos_nb.messages import FilePart, ImagePart, Message, ReasoningPart, TextPart, ToolCall, ToolResult
from lumos_nb.providers import ModelOptions, ToolSpec
from lumos_nb.providers.base import OutputSchema
from lumos_nb.providers.vendors import VENDORS
from lumos_nb.providers.wire import Quirks, WireRequest
from lumos_nb.providers.wire.gemini import MODELS_PATH, encode, path

ADD = ToolSpec(
    name="add",
    description="Add two numbers.",
    parameters={"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
)
CALL = ToolCall(id="8hd0", name="add", arguments='{"a": 2}', signature="EsIN", provider="google")
OTHER = ToolCall(id="k0sr", name="add", arguments='{"a": 3}')
UNSIGNED = ToolCall(id="toolu_1", name="add", arguments='{"a": 2}')
RESULTS = Message(
    role="tool",
    content=(
        ToolResult(call_id="8hd0", name="add", content="4"),
        ToolResult(call_id="k0sr", name="add", content="Too large", is_error=True),
    ),
)
CONVERSATION = (
    Message(role="system", content="Be brief."),
    Message(role="user", content="What is 2+2?"),
    Message(role="assistant", content=(ReasoningPart("hm", provider="google"), TextPart("Let me see."), CALL, OTHER)),
    RESULTS,
    Message(role="system", content="Be kind."),
)
HI = (Message(role="user", content="Hi"),)
DUMMY = "skip_thought_signature_validator"


def body(
    messages=CONVERSATION, tools=(), model="gemini-3.6-flash", quirks=VENDORS["google"].quirks, extra=None, **more
):
    options = ModelOptions(**more, extra=extra or {})
    return encode(
        WireRequest(model=model, messages=messages, tools=tools, options=options, quirks=quirks, origin="google")
    )


def parts_of(*parts, role="assistant", **options):
    return [
        p for content in body((Message(role=role, content=parts),), **options)["contents"] for p in content["parts"]
    ]


def call_part(id="8hd0", a=2, **more):
    return {"functionCall": {"name": "add", "args": {"a": a}, **({"id": id} if id else {})}, **more}


def official(sent):
    """Check a body against the types of Google's own package, which allow no key that they do not know."""
    kinds = {
        "contents": types.Content, "tools": types.Tool, "systemInstruction": types.Content,
        "toolConfig": types.ToolConfig, "generationConfig": types.GenerationConfig,
    }  # fmt: skip
    for key, value in sent.items():
        for row in value if isinstance(value, list) else [value]:
            kinds[key].model_validate_json(json.dumps(row))


def test_a_whole_request():
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    sent = body(
        tools=(ADD,), temperature=0.0, top_p=0.5, max_tokens=9, seed=7, stop=("\n",), reasoning="low",
        tool_choice="add", parallel_tool_calls=False, output=OutputSchema(schema=schema),
        extra={"generationConfig": {"topK": 1}},
    )  # fmt: skip
    official(sent)
    assert sent == {
        "systemInstruction": {"parts": [{"text": "Be brief.\n\nBe kind."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "What is 2+2?"}]},
            {
                "role": "model",
                "parts": [{"text": "Let me see."}, call_part(thoughtSignature="EsIN"), call_part("k0sr", 3)],
            },
            {
                "role": "user",
                "parts": [
                    {"functionResponse": {"id": "8hd0", "name": "add", "response": {"result": "4"}}},
                    {"functionResponse": {"id": "k0sr", "name": "add", "response": {"error": "Too large"}}},
                ],
            },
        ],
        "tools": [
            {
                "functionDeclarations": [
                    {"name": "add", "description": "Add two numbers.", "parametersJsonSchema": ADD.parameters}
                ]
            }
        ],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["add"]}},
        "generationConfig": {
            "temperature": 0.0,
            "topP": 0.5,
            "maxOutputTokens": 9,
            "seed": 7,
            "stopSequences": ["\n"],
            "responseMimeType": "application/json",
            "responseJsonSchema": schema,
            "thinkingConfig": {"includeThoughts": True, "thinkingLevel": "LOW"},
            "topK": 1,
        },
    }


def test_the_least_request_has_no_key_that_nobody_asked_for():
    assert body(HI) == {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}


@pytest.mark.parametrize(
    ("model", "sent"), [("gemini-3.6-flash", "gemini-3.6-flash"), ("models/m", "m"), ("a b/c?", "a%20b%2Fc%3F")]
)
def test_the_model_stands_in_the_path(model, sent):
    assert path(model) == f"/models/{sent}:streamGenerateContent?alt=sse" and MODELS_PATH == "/models?pageSize=1000"


@pytest.mark.parametrize(
    ("choice", "sent"),
    [("none", {"mode": "NONE"}), ("required", {"mode": "ANY"}), ("f", {"mode": "ANY", "allowedFunctionNames": ["f"]})],
)
def test_a_choice_of_tools_is_sent_with_tools_alone_and_where_it_is_understood(choice, sent):
    assert body(HI, (ADD,), tool_choice=choice)["toolConfig"] == {"functionCallingConfig": sent}
    quirks = Quirks(tool_choices=())
    for without in (
        body(HI, tool_choice=choice),
        body(HI, (ADD,)),
        body(HI, (ADD,), tool_choice=choice, quirks=quirks),
    ):
        assert "toolConfig" not in without


@pytest.mark.parametrize(
    ("model", "effort", "sent"),
    [
        ("gemini-2.5-flash", "none", {"thinkingBudget": 0}),
        ("gemini-2.5-pro", "none", {"thinkingBudget": 128}),
        ("gemini-2.5-flash", "minimal", {"includeThoughts": True, "thinkingBudget": 512}),
        ("gemini-2.5-flash", "high", {"includeThoughts": True, "thinkingBudget": 24_576}),
        ("gemini-2.5-pro", "max", {"includeThoughts": True, "thinkingBudget": 32_768}),
        ("gemini-3.6-flash", "none", {"thinkingLevel": "MINIMAL"}),
        ("gemini-3.1-pro-preview", "none", {"thinkingLevel": "LOW"}),
        ("gemini-3.6-flash", "minimal", {"includeThoughts": True, "thinkingLevel": "MINIMAL"}),
        ("gemini-3.6-flash", "medium", {"includeThoughts": True, "thinkingLevel": "MEDIUM"}),
        ("gemini-flash-latest", "xhigh", {"includeThoughts": True, "thinkingLevel": "HIGH"}),
    ],
)
def test_how_much_to_think_is_a_number_or_a_word(model, effort, sent):
    asked = body(HI, model=model, reasoning=effort)
    official(asked)
    assert asked["generationConfig"] == {"thinkingConfig": sent}
    assert "generationConfig" not in body(HI, model=model, reasoning=effort, quirks=Quirks(reasoning=""))


def test_a_signature_goes_back_with_its_part_and_parts_are_not_joined():
    parts = (
        ReasoningPart("hm", signature="A", provider="google"),
        TextPart("a"),
        TextPart("b", signature="B", provider="google"),
        TextPart("", signature="C", provider="google"),
        CALL,
    )
    assert parts_of(*parts) == [
        {"text": "hm", "thought": True, "thoughtSignature": "A"},
        {"text": "a"},
        {"text": "b", "thoughtSignature": "B"},
        {"text": "", "thoughtSignature": "C"},
        call_part(thoughtSignature="EsIN"),
    ]


def test_what_another_model_signed_goes_without_its_signature():
    parts = (
        ReasoningPart("hm", signature="A", provider="anthropic"),
        TextPart("a", signature="B", provider="google:other"),
        TextPart("", signature="C", provider="anthropic"),
        ToolCall(id="toolu_1", name="add", arguments='{"a": 2}', signature="D", provider="anthropic"),
    )
    assert parts_of(*parts, model="gemini-2.5-flash") == [{"text": "a"}, call_part("toolu_1")]


@pytest.mark.parametrize("model", ["gemini-3.6-flash", "gemini-10-pro", "gemini-flash-latest"])
def test_calls_of_this_turn_without_a_signature_are_marked_where_it_would_be_missed(model):
    def step(call):
        result = ToolResult(call_id=call.id, name="add", content="4")
        return Message(role="assistant", content=(call, OTHER)), Message(role="tool", content=(result,))

    messages = (*HI, *step(UNSIGNED), Message(role="assistant", content="Done"), *HI, *step(UNSIGNED), *step(CALL))
    sent = body(messages, model=model)
    official(sent)
    calls = [p for c in sent["contents"] if c["role"] == "model" for p in c["parts"] if "functionCall" in p]
    assert [p.get("thoughtSignature") for p in calls] == [None, None, DUMMY, None, "EsIN", None]
    # What a user adds to tool results stands in one content with them: no new turn.
    more = body((*HI, *step(UNSIGNED), Message(role="user", content="And?")), model=model)["contents"]
    assert more[1]["parts"][0]["thoughtSignature"] == DUMMY and [*more[2]["parts"][1]] == ["text"]


@pytest.mark.parametrize("model", ["gemini-2.5-pro", "gemma-4"])
def test_older_models_need_no_mark(model):
    assert DUMMY not in json.dumps(body((*HI, Message(role="assistant", content=(UNSIGNED,))), model=model))


def test_an_id_goes_back_only_where_the_server_gave_one():
    made_up = ToolCall(id="call_zwCz_0", name="add", arguments='{"a": 2}')
    result = ToolResult(call_id="call_zwCz_0", name="add", content="4")
    assert parts_of(made_up, model="gemini-2.5-flash") == [call_part("")]
    assert parts_of(result, role="tool") == [{"functionResponse": {"name": "add", "response": {"result": "4"}}}]


@pytest.mark.parametrize("arguments", ["", "{oops", "[1]", "null", "\ud83d"])
def test_arguments_that_are_no_object_are_sent_as_an_empty_one(arguments):
    assert parts_of(ToolCall(id="x", name="f", arguments=arguments), model="m")[0]["functionCall"]["args"] == {}


def test_messages_of_one_role_are_one_and_empty_ones_are_none():
    messages = (
        *HI,
        Message(role="user", content="there"),
        Message(role="assistant"),
        Message(role="assistant", content="Yes"),
    )
    assert body((*messages, Message(role="system"), Message(role="assistant", content="?")))["contents"] == [
        {"role": "user", "parts": [{"text": "Hi"}, {"text": "there"}]},
        {"role": "model", "parts": [{"text": "Yes"}, {"text": "?"}]},
    ]


def test_encoding_twice_gives_the_same():
    assert body() == body()


def test_pictures_files_and_sounds_are_sent_as_data_or_as_addresses():
    parts = (
        ImagePart(data=b"\x89PNG"),
        ImagePart(media_type="image/jpeg", url="https://x.example/a.jpg"),
        FilePart(data=b"%PDF", name="a.pdf"),
        FilePart(media_type="audio/wav", data=b"RIFF"),
        FilePart(media_type="video/mp4", url="https://x.example/a.mp4"),
    )
    official(body((Message(role="user", content=parts),)))
    assert parts_of(*parts, role="user") == [
        {"inlineData": {"mimeType": "image/png", "data": "iVBORw=="}},
        {"fileData": {"mimeType": "image/jpeg", "fileUri": "https://x.example/a.jpg"}},
        {"inlineData": {"mimeType": "application/pdf", "data": "JVBERg=="}},
        {"inlineData": {"mimeType": "audio/wav", "data": "UklGRg=="}},
        {"fileData": {"mimeType": "video/mp4", "fileUri": "https://x.example/a.mp4"}},
    ]


@pytest.mark.parametrize(
    ("message", "what"),
    [
        (Message(role="tool", content="4"), "no ToolResult"),
        (Message(role="user", content=(ImagePart(),)), "ImagePart has neither"),
        (Message(role="user", content=(FilePart(),)), "FilePart has neither"),
    ],
)
def test_a_message_that_cannot_be_sent_is_named(message, what):
    with pytest.raises(UsageError, match=what):
        body((message,))
