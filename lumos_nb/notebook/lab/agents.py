"""The agents of a notebook and what their tools may do."""

from __future__ import annotations

import msgspec

from lumos_nb.agent import Agent
from lumos_nb.agent.bridge import run_sync
from lumos_nb.errors import LumosError, UsageError
from lumos_nb.hiding.known import masked
from lumos_nb.notebook.lab.protocol import asked
from lumos_nb.notebook.lab.room import Room
from lumos_nb.tools import Tool
from lumos_nb.tools.permissions import standing


class ToolRow(msgspec.Struct, frozen=True, kw_only=True):
    """A tool of an agent, and what its calls may do."""

    name: str
    description: str
    #: allow, ask or deny.
    permission: str
    #: Which rule says so.
    reason: str
    #: Whether a person has allowed it in the current thread.
    is_allowed_here: bool


class AgentRow(msgspec.Struct, frozen=True, kw_only=True):
    """An agent of the notebook."""

    #: What a cell calls it.
    name: str
    model: str
    #: First line of its instructions.
    instructions: str
    is_current: bool
    tools: list[ToolRow]
    #: Why something of it cannot be said, such as a model without a key.
    problem: str


class Agents(msgspec.Struct, frozen=True, kw_only=True):
    """The agents of a notebook, and what was allowed in its thread."""

    rows: list[AgentRow]
    thread_id: str
    thread: str
    #: Tools that a person has allowed there.
    allowed: list[str]


class OneAgent(msgspec.Struct, frozen=True):
    """Names an agent."""

    name: str


class Revoked(msgspec.Struct, frozen=True):
    """A tool that is to be asked for again, and the thread in which it was allowed."""

    thread_id: str
    tool: str


class AgentsRoom(Room):
    """Lists agents and their tools."""

    @asked("agents.list")
    def all(self) -> Agents:
        thread, current = self.runtime.known_thread(), self.runtime.agent()
        allowed = run_sync(self.runtime.memory.allowed_tools(thread.id)) if thread else set[str]()
        named: dict[int, tuple[str, Agent]] = {}
        for name, agent in self.runtime.agents().items():  # by its own name, if that is not another's, or its variable
            if id(agent) not in named or name == agent.name:
                named[id(agent)] = name, agent
        return Agents(
            rows=[_row(name, agent, agent is current, allowed) for name, agent in named.values()],
            thread_id=thread.id if thread else "", thread=thread.title if thread else "", allowed=sorted(allowed),
        )  # fmt: skip

    @asked("agents.use")
    def use(self, agent: OneAgent) -> None:
        """Let cells without a name run this agent."""
        self.runtime.use_agent(agent.name)

    @asked("agents.revoke")
    def revoke(self, given: Revoked) -> None:
        """Ask again for a tool that was allowed in a thread."""
        if given.tool not in run_sync(self.runtime.memory.allowed_tools(given.thread_id)):
            raise UsageError(f"{given.tool!r} is not allowed in this thread.", hint="It was revoked already.")
        run_sync(self.runtime.memory.revoke_tool(given.thread_id, given.tool))
        self.server.tell_changed("agents")


def _row(name: str, agent: Agent, is_current: bool, allowed: set[str]) -> AgentRow:
    model, tools, problem = "", [], ""
    try:
        asks = agent.get_llm()
        model = f"{asks.provider}/{asks.model}"
    except LumosError as error:
        problem = " ".join(filter(None, (error.message, error.hint)))
    try:
        tools = [_tool(tool, allowed) for tool in agent.get_tools()]
    except Exception as error:  # a function of the notebook may choose them
        problem = masked(f"Its tools cannot be had now: {type(error).__name__}: {error}")
    said = agent.config.instructions
    first = next(iter(said.strip().splitlines()), "") if isinstance(said, str) else "computed for each run"
    return AgentRow(
        name=name, model=model, instructions=first, is_current=is_current, tools=tools, problem=problem
    )  # fmt: skip


def _tool(tool: Tool, allowed: set[str]) -> ToolRow:
    found = standing(tool)
    first = next(iter(tool.description.strip().splitlines()), "") if tool.description else ""
    return ToolRow(
        name=tool.name, description=first, permission=found.permission, reason=found.reason,
        is_allowed_here=tool.name in allowed,
    )  # fmt: skip
