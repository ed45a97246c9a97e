"""The runs of a kernel's database: what goes on now, what has ended, and what a person asks of one that runs."""

from __future__ import annotations

from typing import Any

import msgspec

from lumos_nb.memory.reopening import runs_elsewhere
from lumos_nb.notebook.lab.docs import bearable, saved_doc, standing_doc
from lumos_nb.notebook.lab.found import Wanted, by_words, n_found
from lumos_nb.notebook.lab.protocol import asked
from lumos_nb.notebook.lab.room import Room
from lumos_nb.runtime import LiveRun
from lumos_nb.stores.base import Condition
from lumos_nb.stores.reading import read_rows


class RunsWanted(Wanted, frozen=True, kw_only=True):
    """Which runs are wanted; what is empty is not asked about."""

    status: str = ""
    agent: str = ""
    thread_id: str = ""


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """A run, as a line of a list."""

    run_id: str
    agent: str
    model: str
    #: running, waiting for you, paused, stopping; completed, failed, cancelled; interrupted: its process is gone.
    status: str
    #: Unix time in seconds.
    started_at: float
    duration_s: float | None
    input_tokens: int
    output_tokens: int
    #: None where a price is not known.
    cost_usd: float | None
    prompt: str
    error: str
    thread_id: str
    thread: str
    notebook: str
    #: Empty where it was asked for beside the cells.
    cell_id: str
    #: Whether it goes on in this kernel, which can stop it.
    is_live: bool


class RunPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some of the runs that were found, the newest first."""

    rows: list[RunRow]
    n_found: int
    #: Agents that any run had.
    agents: list[str]


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """What a person asks of a run: stop, steer, allow, allow_thread, edit or deny, with what belongs to it."""

    run_id: str
    t: str
    call_id: str = ""
    text: str = ""
    arguments: str = ""
    reason: str = ""


class RunNamed(msgspec.Struct, frozen=True):
    """Names a run."""

    run_id: str


class RunShown(msgspec.Struct, frozen=True):
    """A run as a bundle of an output."""

    bundle: dict[str, Any]


_COLUMNS = (
    "run_id", "agent", "model", "status", "started_at", "duration_s", "input_tokens", "output_tokens", "cost_usd",
    "prompt_preview", "error_message", "thread_id", "notebook", "cell_id", "process",
)  # fmt: skip
_LOOKED_IN = tuple(("runs", name) for name in ("prompt_preview", "output_preview", "agent", "model", "error_message"))


class RunsRoom(Room):
    """Lists runs, and hands over what is asked of those that go on."""

    @asked("runs.list")
    def page(self, wanted: RunsWanted) -> RunPage:
        store, (offset, limit) = self.runtime.memory.store, wanted.cut()
        where: list[Condition] = [("parent_run_id", "=", None)]
        where += [(name, "=", v) for name in ("status", "agent", "thread_id") if (v := getattr(wanted, name))]
        where += by_words(store, "run_id", wanted.words, _LOOKED_IN)
        order = ["-started_at", "-run_id"]
        found = [*read_rows(store, "runs", _COLUMNS, where=where, order=order, limit=limit, offset=offset)]
        live, titles = {run.run_id: run for run in self.runtime.live()}, self._titles(found)
        return RunPage(
            rows=[_row(row, live.get(row["run_id"]), titles.get(row["thread_id"], "")) for row in found],
            n_found=n_found(store, "runs", where),
            agents=sorted(str(name) for name, _ in store.aggregate("runs", ["agent"], [("count", None)]) if name),
        )

    def _titles(self, rows: list[dict[str, Any]]) -> dict[str, str]:
        where: list[Condition] = [("thread_id", "in", sorted({row["thread_id"] for row in rows if row["thread_id"]}))]
        return dict(self.runtime.memory.store.select("threads", ["thread_id", "title"], where=where))

    @asked("runs.show")
    def show(self, run: RunNamed) -> RunShown:
        live = self.find_run(run.run_id)
        return RunShown(bearable(saved_doc(self.runtime, run.run_id) if live is None else standing_doc(live)))

    @asked("runs.act")
    def act(self, action: Action) -> None:
        """Do what a person asks of a run; it is checked as what its view asks."""
        self.act_on(self.find_run(action.run_id), msgspec.to_builtins(action))


def _row(row: dict[str, Any], live: LiveRun | None, thread: str) -> RunRow:
    status: str = row["status"] or ""
    usage: dict[str, int] = live.doc().get("usage") or {} if live is not None else {}
    if live is not None:
        status = live.status
    elif status == "running" and not runs_elsewhere(row["process"]):
        status = "interrupted"
    return RunRow(
        run_id=row["run_id"], agent=row["agent"] or "", model=row["model"] or "", status=status,
        started_at=(row["started_at"] or 0) / 1e9, duration_s=row["duration_s"],
        input_tokens=row["input_tokens"] or usage.get("input_tokens", 0),
        output_tokens=row["output_tokens"] or usage.get("output_tokens", 0), cost_usd=row["cost_usd"],
        prompt=row["prompt_preview"] or "", error=row["error_message"] or "", thread_id=row["thread_id"] or "",
        thread=thread or "", notebook=row["notebook"] or "", cell_id=row["cell_id"] or "", is_live=live is not None,
    )  # fmt: skip
