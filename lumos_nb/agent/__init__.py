"""Agents: the loop, and what goes around it.

One idea: a run is a stream of events (`loop.py`); `agent.py` gives it history and a log.
"""

from __future__ import annotations

from lumos_nb.agent.agent import Agent, AgentLike
from lumos_nb.agent.approval import Approver, Decision, Question
from lumos_nb.agent.config import AgentConfig, AgentGenerateOptions, MemoryOptions
from lumos_nb.agent.control import RunControl
from lumos_nb.agent.streaming import StreamingAgent, StreamingConfig
from lumos_nb.events import AgentGenerateResult, AgentStep

BasicAgent = Agent

__all__ = [
    "Agent",
    "AgentConfig",
    "AgentGenerateOptions",
    "AgentGenerateResult",
    "AgentLike",
    "AgentStep",
    "Approver",
    "BasicAgent",
    "Decision",
    "MemoryOptions",
    "Question",
    "RunControl",
    "StreamingAgent",
    "StreamingConfig",
]
