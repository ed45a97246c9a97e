"""A real model server, llama.cpp's, which speaks three of the formats: nobody of ours wrote it."""

import asyncio
import json

import pytest

from lumos_nb import Agent, llm
from lumos_nb.errors import CredentialError
from lumos_nb.messages import Message
from lumos_nb.providers import ModelOptions, OutputSchema
from lumos_nb.providers.embedded import is_installed
from lumos_nb.providers.embedded_server import start

pytestmark = [
    pytest.mark.model,
    pytest.mark.skipif(not is_installed(), reason="the embedded model is not installed: lumos models install smollm2"),
]
FORMATS = ["openai-chat", "openai-responses", "anthropic-messages"]
CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
SHORT = ModelOptions(max_tokens=24, temperature=0.0)


@pytest.fixture(params=FORMATS)
async def model(request):
    server = await start("smollm2")
    return llm("llamacpp/smollm2", base_url=server.base_url, api_key=server.key, format=request.param)


def ask(text):
    return [Message(role="system", content="You are terse."), Message(role="user", content=text)]


async def said_in_chat(text):
    """Return what the same model says to the same words over Chat Completions."""
    server = await start("smollm2")
    return (
        await llm("llamacpp/m", base_url=server.base_url, api_key=server.key).generate(ask(text), options=SHORT)
    ).text


async def test_text_streams_with_its_usage(model):
    events = [event async for event in model.generate_stream(ask("Say hello."), options=SHORT)]
    text = [event.delta for event in events if event.type == "text_delta"]
    assert len(text) > 3 and "".join(text) == await said_in_chat("Say hello.")
    assert events[-1].type == "finish" and events[-1].usage.output_tokens in range(4, 26)
    assert events[-1].usage.input_tokens > 10


async def test_an_answer_keeps_to_its_form():
    server = await start("smollm2")
    model = llm("llamacpp/smollm2", base_url=server.base_url, api_key=server.key)
    options = ModelOptions(max_tokens=60, temperature=0.0, output=OutputSchema(schema=CITY))
    answer = await model.generate(ask("What is the capital of France?"), options=options)
    assert list(json.loads(answer.text)) == ["city"]


async def test_a_conversation_goes_back(model):
    agent = Agent(model=model, options=SHORT)
    history = [*ask("My name is Ada."), Message(role="assistant", content="Hello Ada."), *ask("What is my name?")[1:]]
    said = (await agent.generate(history)).response
    server = await start("smollm2")
    in_chat = llm("llamacpp/smollm2", base_url=server.base_url, api_key=server.key)
    assert said == (await Agent(model=in_chat, options=SHORT).generate(history)).response


async def test_stopping_leaves_the_server_free_for_the_next_answer(model):
    async for _ in model.generate_stream(ask("Tell a long story."), options=ModelOptions(max_tokens=400)):
        break
    answer = await asyncio.wait_for(model.generate(ask("Say hello."), options=SHORT), 20)
    assert answer.text


@pytest.mark.parametrize("format", FORMATS)
async def test_a_wrong_key_is_refused_in_words(format):
    server = await start("smollm2")
    with pytest.raises(CredentialError, match="HTTP 401"):
        await llm("llamacpp/m", base_url=server.base_url, api_key="wrong", format=format).generate(ask("x"))
