"""The agent loop: ask the model, run the tools that it asks for, ask again, until it is done.

One idea: the loop produces events and nothing else. It knows no storage, no notebook and no
vendor; what it has done so far stands in `LoopState`, also when it is cut off.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from lumos_nb.agent.state import LoopState
from lumos_nb.events import AgentEvent, Metadata, StepComplete, StepStart, ToolCallComplete


async def run_loop(state: LoopState) -> AsyncGenerator[list[AgentEvent], None]:
    """Yield the events of all steps. Errors of the provider pass through; `state` keeps what was done.

    A state with a draft is one that is taken up again: its tools are run, and the model is not asked anew.
    """
    known = {call.id for m in state.messages if type(m.content) is not str for call in m.tool_calls}
    first = len(state.steps) + 1
    if state.draft is not None:
        known.update(call.id for call in state.draft.calls)
    elif state.steps and state.messages[-1].role == "assistant" and state.is_done():
        return  # it was stopped behind its last answer
    for index in range(first, max(state.max_steps, first if state.draft else 0) + 1):
        draft = state.draft
        if draft is None:
            if state.is_paused:
                yield [Metadata({"kind": "paused", "state": "paused"})]
                await state.gate()
                yield [Metadata({"kind": "continued", "state": ""})]
            yield [*state.listen(), StepStart(index)]
            draft = state.begin_step(known)
            try:
                async with aclosing(state.asked(draft)) as reads:
                    async for read in reads:
                        if shown := draft.keep(read):
                            yield shown
            finally:
                unshown = draft.end()
            if rest := [*unshown, *state.checkpoint()]:
                yield rest
            known.update(call.id for call in draft.calls)
        if draft.calls:
            async for batch in state.run_calls(draft):
                for event in batch:
                    if isinstance(event, ToolCallComplete):
                        draft.results[event.call_id] = event.result
                yield batch
        yield [StepComplete(state.end_step(draft))]
        if state.is_done():
            break
        if rest := state.words():
            yield rest
    if said := state.listen():  # too late for an answer; the thread has it for the next run
        yield said
