"""Taking up a run that was stopped: by an interrupt, an error, or the end of its process.

One idea: a run goes on as the same run, in the same log. What its tools have done stands there and
is not done twice; what waited for a person is asked again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lumos_nb import settings
from lumos_nb.agent.config import AgentGenerateOptions
from lumos_nb.agent.prepare import check_options, history_of, state_of
from lumos_nb.agent.run import Run, hold, is_running, let_go
from lumos_nb.agent.state import LoopState
from lumos_nb.agent.step import StepDraft
from lumos_nb.context import RuntimeContext
from lumos_nb.errors import UsageError
from lumos_nb.memory import RunInfo, SavedRun
from lumos_nb.memory.reopening import runs_elsewhere
from lumos_nb.messages import Message
from lumos_nb.traceparent import trace_id

if TYPE_CHECKING:
    from lumos_nb.agent.agent import Agent


async def prepare_resumed(agent: Agent, run: str, options: AgentGenerateOptions) -> Run:
    """Return a stopped run that goes on where it was, with this agent.

    Raises:
        UsageError: There is no such run, it has ended well or still goes on, it had not come to a tool, or its
            thread has gone on without it.
    """
    check_options(options)
    saved = await agent.get_memory().get_run(run)
    check_resumable(saved)
    run_id = saved.row["run_id"]
    hold(run_id)
    try:
        return await _taken_up(agent, saved, options)
    except BaseException:
        let_go(run_id)
        raise


async def _taken_up(agent: Agent, saved: SavedRun, options: AgentGenerateOptions) -> Run:
    memory, row = agent.get_memory(), saved.row
    thread_id = row["thread_id"]
    context = (options.get("context") or RuntimeContext()).with_run(row["run_id"], thread_id, agent.name)
    context.root_run_id = row["root_run_id"] or row["run_id"]
    context.trace_id = trace_id(row["trace_id"] or context.root_run_id)
    provider = agent.get_llm(context, options.get("model")).for_run()
    state = state_of(agent, context, provider, [], options)  # whatever is wrong with these shows before a change
    opening = await memory.reopen(saved)
    take_up(state, saved, await history_of(agent, thread_id, options))
    kept: dict[str, Any] = {name: row[name] or "" for name in ("notebook", "cell_id", "tape", "cost_source")}
    info = RunInfo(
        run_id=context.run_id, thread_id=thread_id, agent=context.agent, provider=provider.provider,
        model=provider.model, prompt=row["prompt_preview"] or "", execution_count=row["execution_count"],
        started_at=row["started_at"] / 1e9, away_s=saved.away_s, **kept,
    )  # fmt: skip
    log = memory.run_log(info, saved)
    save, on_events = thread_id is not None, options.get("on_events")
    return Run(info, state, (), log=log, save=save, on_events=on_events, resumed=opening)


def check_resumable(saved: SavedRun) -> None:
    """Raise a `UsageError` that says why a run cannot be taken up, if it cannot."""
    run_id, status = saved.row["run_id"], saved.row["status"]
    if status == "completed":
        raise UsageError(f"Run {run_id!r} has ended well; there is nothing to resume.")
    if is_running(run_id):
        raise UsageError(f"Run {run_id!r} still goes on.", hint="%agent shows it; %agent stop ends it.")
    if status == "running" and runs_elsewhere(saved.row["process"]):
        raise UsageError(
            f"Run {run_id!r} goes on in another kernel (process {saved.row['process'].partition('#')[0]}).",
            hint="Stop it there first.",
        )
    if not saved.can_go_on:
        raise UsageError(f"Run {run_id!r} was stopped before it came to a tool.", hint="Run its cell again.")
    if not settings.current().enable_telemetry:
        raise UsageError("A run can only be resumed where runs are recorded.", hint="Set enable_telemetry to true.")


def take_up(state: LoopState, saved: SavedRun, history: list[Message]) -> None:
    """Put into the state of a loop what the run had done: its conversation, its steps, the open one and its results."""
    state.said = saved.said
    state.messages += [*history, *(said.message for said in saved.said)]
    state.steps = list(saved.steps)
    # The checkpoints have these already, but for the results that came behind the last one.
    state.unkept = saved.unkept
    if saved.open_step is not None and saved.answer is not None:
        state.draft = StepDraft.taken_up(saved.open_step, saved.answer, state.provider)
        state.draft.results.update(saved.results)
        state.begun = dict(saved.begun)
