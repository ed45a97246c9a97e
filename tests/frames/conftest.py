"""A database with real runs: an agent that asks another one, and a tool that fails."""

import asyncio

import pytest

from lumos_nb import Agent, settings, tool
from lumos_nb.messages import ToolCall
from lumos_nb.stores import open_store
from lumos_nb.testing import Answer, ScriptedProvider

CALLS = Answer(
    tool_calls=[
        ToolCall(id="c1", name="ask", arguments='{"what": "x"}'),
        ToolCall(id="c2", name="broken", arguments='{"what": "/"}'),
    ]
)


@tool
async def ask(what: str) -> str:
    """Ask another agent."""
    return (await Agent("inner", model=ScriptedProvider(["Inner."])).generate(what)).response


@tool
def broken(what: str) -> str:
    """Fail."""
    raise ValueError(what)


async def record(n: int) -> None:
    for i in range(n):
        agent = Agent("outer", model=ScriptedProvider([CALLS, "Done."]), tools=[ask, broken])
        await agent.generate("Go ∕ Ünï 🎉 \x00", thread_id=f"t{i}")


@pytest.fixture
def recorded(tmp_path, monkeypatch):
    """The store of three runs, each with another one in it; also the default store."""
    monkeypatch.setenv("LUMOS_DB", str(tmp_path / "lumos.db"))
    settings.reset()
    asyncio.run(record(3))
    yield open_store(tmp_path / "lumos.db")
    settings.reset()
