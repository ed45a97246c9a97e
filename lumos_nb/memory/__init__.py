"""What an agent remembers: threads and their messages, working memory, and the log of runs."""

from __future__ import annotations

from lumos_nb.ids import new_id
from lumos_nb.memory.memory import Memory
from lumos_nb.memory.provenance import provenance, set_provenance
from lumos_nb.memory.runinfo import RunInfo
from lumos_nb.memory.runlog import RunLog
from lumos_nb.memory.runs import SavedRun
from lumos_nb.memory.said import Said
from lumos_nb.memory.threads import GetMessagesParams, MemoryThread
from lumos_nb.memory.working import WorkingMemory

__all__ = [
    "GetMessagesParams",
    "Memory",
    "MemoryThread",
    "RunInfo",
    "RunLog",
    "Said",
    "SavedRun",
    "WorkingMemory",
    "new_id",
    "provenance",
    "set_provenance",
]
