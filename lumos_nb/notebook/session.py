"""What `%load_ext lumos_nb` puts into a shell, and how it comes out again."""

from __future__ import annotations

import warnings
from typing import Any

from lumos_nb import memory, settings
from lumos_nb.events import AgentGenerateResult
from lumos_nb.notebook.awaiting import Awaiting
from lumos_nb.notebook.cells import RanCells
from lumos_nb.notebook.completion import Completing
from lumos_nb.notebook.lab import LabServer
from lumos_nb.notebook.magics import AWAITED, RESUMED, Magics
from lumos_nb.notebook.place import beside_notebook, notebook_name, provenance, tape_place, tape_scene
from lumos_nb.notebook.shown import Shown
from lumos_nb.notebook.tapetime import TapeTime
from lumos_nb.runtime import Runtime
from lumos_nb.tapes.scenes import set_place


class Session:
    """The extension in one shell."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.runtime = Runtime(shell.user_ns, lambda: notebook_name(shell))
        has_own_db = not settings.current().db
        if has_own_db:
            settings.configure(db=str(beside_notebook(shell) / ".lumos" / "lumos.db"))
        magics = Magics(shell, self.runtime)
        self._cell = {"agent": magics.agent_cell, AWAITED: magics.agent_awaited}
        self._line = {
            "agent": magics.agent_line, "thread": magics.thread, "trace": magics.trace, "lumos": magics.lumos,
            RESUMED: magics.agent_line_awaited,
        }  # fmt: skip
        self._register()
        self._awaiting = Awaiting(shell, {"agent": AWAITED}, {"agent resume": RESUMED})
        self._awaiting.install()
        self.completing = Completing(shell, self.runtime)
        self.completing.install()
        self.cells = RanCells(shell)
        self.cells.install()
        memory.set_provenance(lambda: provenance(shell), self.cells.all)
        set_place(lambda: tape_place(shell), lambda: tape_scene(shell))
        self._time = TapeTime(shell, has_own_db=has_own_db)
        self._time.install()
        #: The links to pages; None in a terminal.
        self.lab: LabServer | None = None
        if getattr(shell, "kernel", None) is not None:
            self.lab = LabServer(shell, self.runtime)
            self.lab.open()
        html = shell.display_formatter.formatters["text/html"]
        html.for_type(AgentGenerateResult, lambda r: Shown(r.response)._repr_mimebundle_()["text/html"])

    def _register(self) -> None:
        manager = self.shell.magics_manager
        for kind, ours in (("cell", self._cell), ("line", self._line)):
            for name, fn in ours.items():
                if name in manager.magics[kind]:
                    warnings.warn(f"The magic {name!r} of another extension is replaced by lumos_nb.", stacklevel=2)
                manager.register_function(fn, kind, name)

    def close(self) -> None:
        """Take everything out again."""
        if self.lab is not None:
            self.lab.close()
        self._awaiting.remove()
        self.completing.remove()
        self.cells.remove()
        memory.set_provenance(None)
        self._time.close()
        set_place(None)
        for kind, ours in (("cell", self._cell), ("line", self._line)):
            for name in ours:
                self.shell.magics_manager.magics[kind].pop(name, None)
