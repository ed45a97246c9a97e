"""`%agent`: what runs, which agents there are, and what to do with them."""

from __future__ import annotations

from typing import Any

from IPython import get_ipython

from lumos_nb import clock
from lumos_nb.agent import Agent
from lumos_nb.errors import UsageError
from lumos_nb.notebook.commands import Command
from lumos_nb.notebook.shown import Shown
from lumos_nb.runtime import LiveRun, Runtime
from lumos_nb.telemetry import Diagnosis, diagnose


def agent_runs(runtime: Runtime) -> Any:
    """What runs now, as a DataFrame; where nothing does, how to go on."""
    import pandas as pd

    running = runtime.live()
    if not running:
        return Shown("Nothing runs. `%agent list` shows the agents, `%trace df` the runs that there were.")
    rows = [
        (r.agent, r.status, round(clock.time() - r.started_at, 1), r.thread, r.cell, r.is_background, r.run_id)
        for r in running
    ]
    return pd.DataFrame(rows, columns=["agent", "status", "seconds", "thread", "cell", "background", "run_id"])


def agent_list(runtime: Runtime) -> Any:
    """The agents of this notebook, as a DataFrame."""
    import pandas as pd

    current = runtime.agent()
    rows = [(name, repr(agent), agent is current) for name, agent in runtime.agents().items()]
    return pd.DataFrame(rows, columns=["name", "agent", "current"])


def agent_show(runtime: Runtime, name: str | None = None) -> Shown:
    """Instructions, model and tools of an agent."""
    agent = runtime.agent(name)
    text = agent.config.instructions if isinstance(agent.config.instructions, str) else "computed for each run"
    tools = [f"- `{t.name}` {t.description.splitlines()[0] if t.description else ''}" for t in agent.get_tools()]
    return Shown("\n\n".join([f"**{agent.name}**", f"`{agent!r}`", text, "\n".join(tools)]))


def agent_use(runtime: Runtime, name: str) -> Agent:
    """Make an agent the one that cells without a name run."""
    return runtime.use_agent(name)


def agent_stop(runtime: Runtime, name: str | None = None) -> Shown:
    """Stop what runs: all of it, or what a run's id, its agent or its thread names."""
    found = runtime.live(name)
    for run in found:
        run.stop()
    return Shown(_told(found, "stopping"))


def agent_pause(runtime: Runtime, name: str | None = None) -> Shown:
    """Let what runs stand still before its next model call; `%agent resume` goes on."""
    found = runtime.live(name)
    for run in found:
        run.control.pause()
    return Shown(_told(found, "pausing before the next model call"))


def agent_resume(runtime: Runtime, name: str | None = None) -> Shown:
    """End a pause."""
    found = paused(runtime, name)
    for run in found:
        run.control.go_on()
    return Shown(_told(found, "going on"))


def agent_fix(runtime: Runtime, run: str = "last") -> Diagnosis:
    """What went wrong with a run and what to do; the cell that does it again is put below, and not run."""
    found = diagnose(run)
    shell = get_ipython()
    if shell is not None and found.reproduce:
        shell.set_next_input(found.reproduce)
    return found


def paused(runtime: Runtime, name: str | None) -> list[LiveRun]:
    """Return what is paused: all of it, or what a name stands for."""
    found = runtime.live() if name is None else _named(runtime, name)
    return [run for run in found if run.control.is_paused]


def _named(runtime: Runtime, name: str) -> list[LiveRun]:
    try:
        return runtime.live(name)
    except UsageError:  # it may be a run that was stopped
        return []


def _told(runs: list[LiveRun], doing: str) -> str:
    if not runs:
        return "Nothing runs."
    return f"{len(runs)} runs are {doing}." if len(runs) > 1 else f"1 run is {doing}."


COMMANDS: dict[str, Command] = {
    "runs": agent_runs, "list": agent_list, "show": agent_show, "use": agent_use, "stop": agent_stop,
    "pause": agent_pause, "resume": agent_resume, "fix": agent_fix,
}  # fmt: skip
