"""The kernel's side of the JupyterLab extension.

One idea: a page asks, a room answers. A room is a class whose methods are marked with the name by which a
page asks for them (`@asked("threads.list")`); their annotations are the protocol, from which the types of
the page's side, `labextension/src/protocol.ts`, are written. Nothing here knows how a page looks.
"""

from lumos_nb.notebook.lab.rooms import ROOMS
from lumos_nb.notebook.lab.server import LabServer

__all__ = ["ROOMS", "LabServer"]
