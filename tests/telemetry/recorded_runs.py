"""Runs that go wrong, one for each kind of finding, recorded for real."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sqlite3
import subprocess
import sys

from lumos_nb import Agent, llm, tool
from lumos_nb.agent.prepare import prepare
from lumos_nb.errors import LumosError
from lumos_nb.messages import ToolCall
from lumos_nb.providers import ModelOptions
from lumos_nb.stores import default_store
from lumos_nb.telemetry import diagnose
from lumos_nb.testing import Answer, FakeServer, Reply, ScriptedProvider


def call(name, id="c1", **arguments):
    return ToolCall(id=id, name=name, arguments=json.dumps(arguments))


@tool
def mean(values: list[float]) -> float:
    """Mean of numbers."""
    return sum(values) / len(values)


@tool(permission="ask", side_effect="unsafe")
def drop(table: str) -> str:
    """Drop a table."""
    return "dropped"


def refusal(status, message, code=""):
    return Reply(status=status, body=json.dumps({"error": {"message": message, "code": code}}))


TEXT = Answer(text="So far so good and then some more")
SERVED = {
    "refused_key": refusal(401, "Incorrect API key provided: sk-abcdefgh12345678"),
    "not_allowed": refusal(403, "Your project does not have access to this model", "model_not_found"),
    "no_credit": refusal(429, "You exceeded your current quota", "insufficient_quota"),
    "unknown_model": refusal(404, "The model does not exist"),
    "rate_limit": refusal(429, "Rate limit reached, the context window of a minute is full"),
    "overloaded": Reply(status=503, body="<html><title>503 Service Unavailable</title></html>"),
    "context_length": refusal(400, "This model's maximum context length is 8192 tokens", "context_length_exceeded"),
    "bad_request": refusal(400, "temperature must be at most 2; your key was refused, said nobody"),
    "cut_stream": Reply(answer=TEXT, cut_after=3),
}


async def served(kind):
    with FakeServer([SERVED[kind]]) as server:
        await ask(Agent("a", model=llm("mine/m", base_url=server.base_url)))


async def ask(agent, prompt="Go on", **options):
    """Run it; how it ends is in the log."""
    with contextlib.suppress(LumosError):
        await agent.generate(prompt, **options)


async def scripted(script, tools=(), **options):
    await ask(Agent("a", model=ScriptedProvider(script), tools=tools), **options)


async def no_key():
    await ask(Agent("a", model=llm("openai/gpt-5")))


async def connection():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    await ask(Agent("a", model=llm("mine/m", base_url=f"http://127.0.0.1:{port}/v1")))


async def unknown_host():
    await ask(Agent("a", model=llm("mine/m", base_url="http://no-such-host.invalid/v1")))


async def no_tls():
    """A server that speaks plain HTTP where TLS is spoken to it."""

    async def answer(reader, writer):
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        await ask(Agent("a", model=llm("mine/m", base_url=f"https://127.0.0.1:{port}/v1")))


async def silent():
    with FakeServer([Reply(first_byte_delay_s=30)]) as server:
        await ask(Agent("a", model=llm("mine/m", base_url=server.base_url)))


async def stalled():
    with FakeServer([Reply(answer=TEXT, cut_after=3, cut="stall")]) as server:
        await ask(Agent("a", model=llm("mine/m", base_url=server.base_url)))


async def overloaded_on_the_way():
    with FakeServer([Reply(answer=TEXT, error_after=3)]) as server:
        await ask(Agent("a", model=llm("mine/m", base_url=server.base_url)))


async def login_page():
    """A network that answers everything with its own page."""
    with FakeServer([Reply(body="<html><title>Log in to the network</title></html>")]) as server:
        await ask(Agent("a", model=llm("mine/m", base_url=server.base_url)))


async def answer_form():
    await scripted(["No.", "Never.", "Not that either."], output=list[int])


async def interrupted():
    begun = asyncio.Event()

    @tool
    async def wait() -> str:
        begun.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(scripted([call("wait"), "Done."], [wait]))
    await begun.wait()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


KILLED = """
import os
from lumos_nb import Agent, tool
from lumos_nb.messages import ToolCall
from lumos_nb.testing import ScriptedProvider

@tool
def die() -> str:
    os.kill(os.getpid(), 9)

Agent("a", model=ScriptedProvider([ToolCall(id="c1", name="die"), "Done."]), tools=[die]).generate_sync("Go")
"""


async def killed():
    subprocess.run([sys.executable, "-c", KILLED], check=False, timeout=60)


async def database():
    """Between two steps somebody takes the tables away."""

    @tool
    def sabotage() -> str:
        store = default_store()
        raw = sqlite3.connect(store.path)
        raw.execute("create trigger no_steps before insert on steps begin select raise(abort, 'no'); end")
        raw.execute("create trigger no_end before update on runs begin select raise(abort, 'no'); end")
        raw.commit()
        raw.close()
        return "done"

    with contextlib.suppress(Exception):
        await scripted([call("sabotage"), "Done."], [sabotage])


async def running():
    """A run whose reader has stopped reading."""
    agent = Agent("a", model=ScriptedProvider(["One two three"]))
    run = (await prepare(agent, "Go", {})).batches()
    await anext(run)
    OPEN.append(run)


OPEN = []


class Broken(ScriptedProvider):
    """A provider of the caller's own, with a bug."""


async def unknown():
    with contextlib.suppress(ZeroDivisionError):
        await scripted([ZeroDivisionError("division by zero")])


async def limited():
    with FakeServer([Reply(status=429, headers={"retry-after": "0"}), Reply(status=429, headers={"retry-after": "0"}),
                     "Now."]) as server:  # fmt: skip
        await ask(Agent("a", model=llm("mine/m", base_url=server.base_url)))


async def denied_by_person():
    await scripted([call("drop", table="x"), "I see."], [drop], on_approval=lambda question: False)


LOOP = [call("mean", f"c{n}", values=[1]) for n in range(4)]

CUT = ToolCall(id="c1", name="mean", arguments='{"values": [1, 2')

RUNS = {
    **{kind: (kind, lambda kind=kind: served(kind)) for kind in SERVED},
    "no key": ("no_key", no_key),
    "nothing answers": ("connection", connection),
    "unknown host": ("connection", unknown_host),
    "no tls": ("connection", no_tls),
    "a login page": ("connection", login_page),
    "silent": ("timeout", silent),
    "stalled": ("timeout", stalled),
    "overloaded in the middle": ("overloaded", overloaded_on_the_way),
    "never in form": ("answer_form", answer_form),
    "asked for the form again": ("reasked", lambda: scripted(["No.", '{"value": [1]}'], output=list[int])),
    "stopped": ("interrupted", interrupted),
    "killed": ("killed", killed),
    "no end in the database": ("database", database),
    "running": ("running", running),
    "a provider's own bug": ("unknown", unknown),
    "the script is over": ("setup", lambda: scripted([call("mean", values=[1])], [mean])),
    "a tool's bug": ("tool_bug", lambda: scripted([call("mean", values=[]), "Sorry."], [mean])),
    "bad arguments": ("tool_arguments", lambda: scripted([call("mean", values="x"), "Sorry."], [mean])),
    "no such tool": ("unknown_tool", lambda: scripted([call("median", values=[]), "Sorry."], [mean])),
    "a loop": ("tool_loop", lambda: scripted([*LOOP, "1."], [mean])),
    "out of steps": ("max_steps", lambda: scripted([call("mean", f"c{n}", values=[n]) for n in range(2)], [mean],
                                                   max_steps=2)),
    "cut in a call": ("truncated", lambda: scripted([Answer(finish="length", tool_calls=[CUT]), "Sorry."], [mean])),
    "cut": ("truncated", lambda: scripted([Answer(text="It is", finish="length")])),
    "filtered": ("content_filter", lambda: scripted([Answer(text="I", finish="content_filter")])),
    "empty": ("empty_answer", lambda: scripted([Answer(text="")])),
    "denied by policy": ("denied", lambda: scripted([call("drop", table="x"), "I see."], [drop])),
    "denied by a person": ("denied", denied_by_person),
    "tried again": ("retries", limited),
    "fine": ("", lambda: scripted([call("mean", values=[1, 2]), "1.5"], [mean])),
}  # fmt: skip
"""Name of a run: the kind of its first finding, and what records it."""


def last():
    return diagnose("last")


__all__ = ["OPEN", "RUNS", "ModelOptions", "ask", "call", "drop", "last", "mean", "scripted", "served"]
