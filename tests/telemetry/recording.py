# ruff: noqa: E501 (scripts and texts stand on one line)
"""A real run with everything that a trace can show: a retry, tools, a failure, an approval, a nested agent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lumos_nb import Agent, llm, settings, tool
from lumos_nb.agent.approval import Decision
from lumos_nb.messages import ToolCall
from lumos_nb.stores import SqliteStore, default_store
from lumos_nb.testing import Answer, FakeServer, Reply
from lumos_nb.transport import default_transport


@tool
def rows(table: str, limit: int = 10) -> str:
    """First rows of a table."""
    if table == "order":
        raise ValueError("There is no table 'order'.")
    return f"{limit} rows of {table}\n" + "id,amount\n" * limit


@tool(permission="ask")
def drop(table: str) -> str:
    """Remove a table."""
    return f"{table} is gone"


async def _decide(question: Any) -> Decision:
    await asyncio.sleep(0.15)
    return Decision(decision="edit", arguments='{"table": "orders_old"}')


def call(id: str, name: str, arguments: str) -> ToolCall:
    return ToolCall(id=id, name=name, arguments=arguments)


FIRST = [
    Reply(status=429, headers={"Retry-After": "0.1"}),
    Answer(text="I'll look.", delay_s=0.03, tool_calls=[call("c1", "rows", '{"table": "order"}'), call("c2", "rows", '{"table": "orders", "limit": 3}')]),
    Answer(text="One is wrong.", delay_s=0.02, tool_calls=[call("c3", "ask_expert", '{"question": "Which?"}'), call("c4", "drop", '{"table": "orders"}')]),
    Answer(text="Done: <b>three</b> rows of $5 each, 1 < 2.", delay_s=0.02),
]  # fmt: skip


async def record(prompt: str = "Tidy up the tables.", instructions: str = "Be careful.", thread: str | None = None,
                 script: list[Any] = FIRST, tools: tuple[Any, ...] = (rows, drop)) -> str:  # fmt: skip
    """Record a run and return its id."""
    with FakeServer({"lead-1": script, "expert-1": [Answer(text="The old one.", delay_s=0.02)]}) as server:
        expert = Agent("expert", model=llm("mock/expert-1", base_url=server.base_url))

        @tool
        async def ask_expert(question: str) -> str:
            """Ask somebody who knows."""
            return (await expert.generate(question)).response

        lead = Agent("analyst", model=llm("mock/lead-1", base_url=server.base_url, api_key="sk-planted-0123456789abcdef"),
                     instructions=instructions, tools=[*tools, ask_expert])  # fmt: skip
        result = await lead.generate(prompt, on_approval=_decide, thread_id=thread)
        return result.run_id


@contextmanager
def database(path: Path) -> Iterator[SqliteStore]:
    """Have everything recorded in a database of its own."""
    settings.configure(db=str(path))
    try:
        yield default_store()
    finally:
        default_store().close()
        settings.reset()


def recorded(**how: Any) -> str:
    """Record a run and return its id, from a test that is not asynchronous."""

    async def main() -> str:
        try:
            return await record(**how)
        finally:
            await default_transport().aclose()

    return asyncio.run(main())
