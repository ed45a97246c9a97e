"""All rooms, in the order in which the page's types list them. A new one is one line here."""

from __future__ import annotations

from lumos_nb.notebook.lab.agents import AgentsRoom
from lumos_nb.notebook.lab.approvals import ApprovalsRoom
from lumos_nb.notebook.lab.budget import BudgetRoom
from lumos_nb.notebook.lab.cells import CellsRoom
from lumos_nb.notebook.lab.chat import ChatRoom
from lumos_nb.notebook.lab.outputs import OutputsRoom
from lumos_nb.notebook.lab.proposals import ProposalsRoom
from lumos_nb.notebook.lab.room import Room
from lumos_nb.notebook.lab.runs import RunsRoom
from lumos_nb.notebook.lab.status import StatusRoom
from lumos_nb.notebook.lab.threads import ThreadsRoom

ROOMS: tuple[type[Room], ...] = (
    StatusRoom,
    OutputsRoom,
    ThreadsRoom,
    RunsRoom,
    AgentsRoom,
    ApprovalsRoom,
    BudgetRoom,
    ChatRoom,
    CellsRoom,
    ProposalsRoom,
)
