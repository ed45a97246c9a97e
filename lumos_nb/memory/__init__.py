"""What an agent remembers: threads and their messages, working memory, and the log of runs."""

from __future__ import annotations

from lumos_nb.memory.ids import new_id
from lumos_nb.memory.memory import Memory
from lumos_nb.memory.provenance import provenance, set_provenance
from lumos_nb.memory.runlog import RunInfo, RunLog, Said
from lumos_nb.memory.threads import GetMessagesParams, MemoryThread
from lumos_nb.memory.working import WorkingMemory

__all__ = [
    "GetMessagesParams",
    "Memory",
    "MemoryThread",
    "RunInfo",
    "RunLog",
    "Said",
    "WorkingMemory",
    "new_id",
    "provenance",
    "set_provenance",
]
