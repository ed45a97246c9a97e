"""The official client of OpenAI beside ours: the same bytes, the same answer."""

import json

import pytest
from openai import APIError, AsyncOpenAI

from lumos_nb.messages import ToolCall
from lumos_nb.testing import Answer, FakeServer, Reply
from tests.providers.streams import calls_of, decode, recorded, text_of

FULL = Answer(
    text="Grüße, one moment.",
    reasoning="two and two",
    tool_calls=[
        ToolCall(id="c1", name="add", arguments='{"a": 1, "b": "é"}'),
        ToolCall(id="c2", name="now", arguments="{}"),
    ],
)


async def read_by_sdk(reply):
    """Return text, calls by index and the last usage, as the official client gives them."""
    text, calls, usage = "", {}, None
    with FakeServer([reply]) as server:
        async with AsyncOpenAI(base_url=server.base_url, api_key="k", max_retries=0) as client:
            stream = await client.chat.completions.create(
                model="m", messages=[{"role": "user", "content": "Hi"}], stream=True
            )
            async for chunk in stream:
                usage = chunk.usage or usage
                for choice in chunk.choices:
                    content = choice.delta.content
                    text += content if isinstance(content, str) else ""
                    for part in choice.delta.tool_calls or ():
                        row = calls.setdefault(part.index, {"id": "", "name": "", "arguments": ""})
                        row["id"] = row["id"] or part.id or ""
                        row["name"] = row["name"] or (part.function and part.function.name) or ""
                        row["arguments"] += (part.function and part.function.arguments) or ""
    return text, calls, usage


async def test_it_reads_what_our_server_writes():
    text, calls, usage = await read_by_sdk(FULL)
    assert text == FULL.text
    assert [(c["id"], c["name"], c["arguments"]) for c in calls.values()] == [
        (c.id, c.name, c.arguments) for c in FULL.tool_calls
    ]
    counted = FULL.counted(1)
    assert (usage.prompt_tokens, usage.completion_tokens) == (counted.input_tokens, counted.output_tokens)


@pytest.mark.parametrize(("data", "expected"), recorded("openai-chat-sse"))
async def test_it_reads_a_recorded_stream_as_we_do(data, expected):
    events, error = decode("openai-chat", [data])
    reply = Reply(body=data, content_type="text/event-stream")
    if error is not None:
        with pytest.raises(APIError):
            await read_by_sdk(reply)
        return
    text, calls, _ = await read_by_sdk(reply)
    if '"type":"thinking"' not in data.decode():  # a list of parts, which its types do not know
        assert text == text_of(events)
    if None not in calls:  # an index that is missing, which its types do not know either
        ours = [(c.name, json.loads(c.arguments)) for c in calls_of(events)]
        assert [(c["name"], json.loads(c["arguments"] or "{}")) for c in calls.values()] == ours
