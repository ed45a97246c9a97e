"""The agent loop: ask the model, run the tools that it asks for, ask again, until it is done.

One idea: the loop produces events and nothing else. It knows no storage, no notebook and no
vendor; what it has done so far stands in `LoopState`, also when it is cut off.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from lumos_nb.agent.state import LoopState
from lumos_nb.events import AgentEvent, Metadata, StepComplete, StepStart


async def run_loop(state: LoopState) -> AsyncGenerator[list[AgentEvent], None]:
    """Yield the events of all steps. Errors of the provider pass through; `state` keeps what was done.

    A state with a draft is one that is taken up again: its tools are run, and the model is not asked anew.
    """
    if state.was_answered():  # it was stopped behind its last answer
        return
    while state.draft is not None or state.may_ask():
        draft = state.draft
        if draft is None:
            async for batch in _paused(state):
                yield batch
            yield [*state.listen(), StepStart(len(state.steps) + 1)]
            draft = state.begin_step()
            try:  # here, not in a generator of its own: each read would pass through one more
                async with aclosing(state.asked(draft)) as reads:
                    async for read in reads:
                        if shown := draft.keep(read):
                            yield shown
            finally:
                unshown = draft.end()
            if rest := [*unshown, *state.checkpoint_before_tools(draft)]:
                yield rest
        if draft.calls:
            async with aclosing(state.run_calls(draft)) as batches:
                async for batch in batches:
                    draft.keep_results(batch)
                    yield batch
        yield [StepComplete(state.end_step(draft))]
        if state.is_done():
            break
        if rest := state.checkpoint_between_steps():
            yield rest
    if said := state.listen():  # too late for an answer; the thread has it for the next run
        yield said


async def _paused(state: LoopState) -> AsyncGenerator[list[AgentEvent], None]:
    """Stand still until the run is not paused."""
    if state.control.is_paused:
        yield [Metadata({"kind": "paused", "state": "paused"})]
        await state.control.gate()
        yield [Metadata({"kind": "continued", "state": ""})]
