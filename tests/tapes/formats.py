"""One conversation in each wire format, and how a model of a format is asked."""

from lumos_nb import llm
from lumos_nb.messages import ImagePart, Message, TextPart, ToolCall, ToolResult, ToolSpec
from lumos_nb.providers import ModelOptions, OutputSchema

VENDORS = {
    "openai-chat": "openai", "openai-responses": "openai", "anthropic-messages": "anthropic", "gemini": "google",
    "cohere-chat": "cohere", "ollama-chat": "ollama", "bedrock-converse": "bedrock",
}  # fmt: skip

TOOLS = [
    ToolSpec(
        name=name,
        description=f"The {name} of a city.",
        parameters={
            "type": "object",
            "properties": {"city": {"type": "string", "enum": ["Oslo", "Rom"]}, "days": {"type": "integer", "minimum": 1}},  # noqa: E501
            "required": ["city"],
        },
    )
    for name in ("weather", "traffic")
]  # fmt: skip

TURNS = [
    Message(role="system", content="Be brief."),
    Message(role="user", content=(TextPart("What is it?"), ImagePart(data=b"\x89PNG\r\n\x1a\n0123456789"))),
    Message(
        role="assistant",
        content=(TextPart("Let me see."), ToolCall(id="call_1abc", name="weather", arguments='{"city": "Oslo", "days": 2}')),  # noqa: E501
    ),
    Message(role="tool", content=(ToolResult(call_id="call_1abc", name="weather", content="5 degrees"),)),
    Message(role="user", content="And tomorrow?"),
]  # fmt: skip

OPTIONS = ModelOptions(
    temperature=0.5, top_p=0.9, max_tokens=200, stop=("END", "STOP"), tool_choice="auto", parallel_tool_calls=False,
    extra={"flag": True, "nothing": None, "count": 1, "share": 1.0, "word": "1"},
)  # fmt: skip

FORM = OutputSchema(schema={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]})


def model(format, url="http://127.0.0.1:9/v1", **given):
    """Return a model of a format; its key is no secret."""
    return llm(f"{VENDORS[format]}/fake-model", base_url=url, api_key="key-1", format=format, **given)
