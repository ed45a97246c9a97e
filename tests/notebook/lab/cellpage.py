"""A page that shows a notebook: it answers what the kernel asks about cells, as the extension does."""

from __future__ import annotations

import time
from typing import Any

from tests.kernels import Kernel
from tests.notebook.lab.labpage import LabPage


class CellPage(LabPage):
    """Has cells by id, in their order."""

    def __init__(self, kernel: Kernel, page: str = "", **cells: str) -> None:
        super().__init__(kernel, page)
        self.cells = dict(cells)
        #: What the kernel wrote to outputs, in its order.
        self.outputs: list[dict[str, Any]] = []
        self.changes: list[dict[str, Any]] = []

    def until(self, done: Any, timeout: float = 30) -> dict[str, Any]:
        return super().until(lambda data: self._answer(data) or done(data), timeout)

    def proposals(self) -> list[dict[str, Any]]:
        """Return what waits, once something does."""
        while not (found := self.ask("proposals.list")["proposals"]):
            self.until_changed("approvals")
        return list(found)

    def proposals_of(self, n: int) -> list[dict[str, Any]]:
        """Return what waits, once it is so many."""
        ends = time.monotonic() + 30
        while len(found := self.ask("proposals.list")["proposals"]) < n:
            assert time.monotonic() < ends, f"{len(found)} of {n} proposals wait"
            time.sleep(0.02)
        return list(found)

    def decide(self, proposal: dict[str, Any], accepts: bool = True, **more: Any) -> None:
        ids = {name: proposal[name] for name in ("run_id", "call_id")}
        self.ask("proposals.decide", accepts=accepts, page=self.page, **ids, **more)

    def _answer(self, data: dict[str, Any]) -> bool:
        if "ask" in data:
            try:
                self.say({"id": data["id"], "answer": getattr(self, data["ask"].replace(".", "_"))(data["with"])})
            except KeyError as error:
                problem = {"type": "Error", "message": f"There is no cell {error}."}
                self.say({"id": data["id"], "problem": problem})
        return False

    def cells_list(self, _: Any) -> list[dict[str, Any]]:
        facts = {"type": "code", "state": "idle", "execution_count": None, "n_outputs": 0, "n_lines": 1}
        return [{"id": id, "source": source, **facts} for id, source in self.cells.items()]

    def cells_read(self, given: Any) -> dict[str, Any]:
        facts = {"type": "code", "state": "idle", "execution_count": None, "outputs": []}
        return {"id": given["cell_id"], "source": self.cells[given["cell_id"]], **facts}

    def cells_change(self, change: Any) -> dict[str, Any]:
        self.changes.append(change)
        if change["kind"] == "delete":
            del self.cells[change["cell_id"]]
        else:
            self.cells[change["cell_id"]] = change["source"]
        return {}

    def cells_run(self, given: Any) -> dict[str, Any]:
        return {"is_ok": True, "execution_count": 7, "outputs": [f"the page ran {self.cells[given['cell_id']]}"]}

    def cells_outputs(self, given: Any) -> dict[str, Any]:
        self.outputs.append(given)
        return {}
