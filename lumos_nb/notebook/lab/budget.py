"""What was spent, where and since when, against what a day should cost.

One idea: a price that is not known is said to be unknown; it is never counted as nothing.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from lumos_nb import clock, settings
from lumos_nb.notebook.lab.protocol import asked
from lumos_nb.notebook.lab.room import Room
from lumos_nb.stores.base import Condition


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """What some runs have cost."""

    #: US dollars, of the runs whose cost is known.
    usd: float
    n_runs: int
    #: How many of them have cost what nobody knows.
    n_unknown: int


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """What was spent in this database, in its runs of today, in this notebook and in its thread."""

    #: What a day should cost; None where nobody said.
    budget_usd: float | None
    today: Spent
    notebook: Spent
    thread: Spent


class BudgetRoom(Room):
    """Says what was spent."""

    @asked("budget")
    def budget(self) -> Budget:
        thread, notebook = self.runtime.known_thread(), self.runtime.notebook()
        midnight = datetime.fromtimestamp(clock.time()).astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
        return Budget(
            budget_usd=settings.current().budget_usd,
            today=self._spent(("started_at", ">=", int(midnight.timestamp() * 1e9))),
            notebook=self._spent(("notebook", "=", notebook)) if notebook else _NOTHING,
            thread=self._spent(("thread_id", "=", thread.id)) if thread else _NOTHING,
        )

    def _spent(self, of: Condition) -> Spent:
        store, known, unknown = self.runtime.memory.store, ("cost_usd", "!=", None), ("cost_usd", "=", None)
        usd, n_known = next(store.aggregate("runs", [], [("sum", "cost_usd"), ("count", None)], where=[of, known]))
        n_unknown = next(store.aggregate("runs", [], [("count", None)], where=[of, unknown]))[0]
        return Spent(usd=usd or 0.0, n_runs=n_known + n_unknown, n_unknown=n_unknown)


_NOTHING = Spent(usd=0.0, n_runs=0, n_unknown=0)
