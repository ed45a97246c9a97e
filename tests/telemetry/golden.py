"""Real runs of every kind: tools, errors, retries, approvals, a run within a run, cancelled and failed ones."""

from __future__ import annotations

import asyncio
import contextlib

from lumos_nb import Agent, RuntimeContext, llm, tool
from lumos_nb.agent.approval import Decision
from lumos_nb.errors import LumosError
from lumos_nb.events import TokenUsage
from lumos_nb.messages import ToolCall
from lumos_nb.testing import Answer, FakeServer, Reply, ScriptedProvider

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
SECRET = "sk-very-secret-0123456789"
USAGE = TokenUsage(input_tokens=100, output_tokens=20, cache_read_tokens=40, cache_write_tokens=5, reasoning_tokens=7)


def call(name: str, arguments: str = "{}", id: str = "c1") -> ToolCall:
    return ToolCall(id=id, name=name, arguments=arguments)


@tool
def double(x: int) -> int:
    return 2 * x


@tool
def broken() -> str:
    raise ValueError("the table is gone")


@tool(permission="ask")
def send_mail(to: str) -> str:
    return f"sent to {to}"


@tool
async def ask_expert(question: str) -> str:
    return (await Agent("expert", model=ScriptedProvider(["Forty-two."])).generate(question)).response


async def allow(question):
    return Decision(decision="allow")


async def deny(question):
    return Decision(decision="deny", reason="not today")


async def record(server_url: str) -> None:
    """Make one run of each kind in the default database."""
    model = ScriptedProvider([
        [call("double", '{"x": 2}'), call("broken", id="c2")],
        Answer(text="Four 🎉 \u202e \ud83d", usage=USAGE),
    ])  # fmt: skip
    context = RuntimeContext(traceparent=PARENT)
    await Agent("tools", model=model, tools=[double, broken]).generate("Twice two?", thread_id="t1", context=context)
    retried = llm("mine/m", base_url=server_url, api_key=SECRET)
    await Agent("retried", model=retried).generate("Hi", thread_id="t1")
    for answer in (allow, deny):
        model = ScriptedProvider([call("send_mail", '{"to": "ada"}'), "Done."])
        await Agent("mailer", model=model, tools=[send_mail]).generate("Write.", on_approval=answer)
    model = ScriptedProvider([call("ask_expert", '{"question": "?"}'), "It says forty-two."])
    await Agent("outer", model=model, tools=[ask_expert]).generate("Ask.")
    with contextlib.suppress(LumosError):
        await Agent(
            "failing", model=ScriptedProvider([Answer(text="one two", error=LumosError("It broke."))])
        ).generate("x")
    await cancelled()


async def cancelled() -> None:
    begun = asyncio.Event()

    @tool
    async def wait() -> str:
        begun.set()
        await asyncio.Event().wait()

    agent = Agent("stopped", model=ScriptedProvider([call("wait")]), tools=[wait])
    task = asyncio.ensure_future(agent.generate("Wait."))
    await begun.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def served() -> FakeServer:
    """Return a model server that refuses once."""
    return FakeServer([Reply(status=503, headers={"retry-after": "0"}), Answer(text="Hello there", usage=USAGE)])
