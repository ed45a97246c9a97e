"""The tool calls of one step: all at once, each with its own outcome.

One idea: a tool never breaks a run. What it raises, returns or prints becomes events; only
cancelling the run ends it early. A call that has to be asked about waits alone, the others go on.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, Coroutine, Mapping, Sequence
from typing import Any

import msgspec

from lumos_nb import clock
from lumos_nb.agent.approval import Decision, Permits, Question
from lumos_nb.agent.home import Emit, Home, Job, Outcome
from lumos_nb.agent.taped import at_home, taped
from lumos_nb.agent.toolevents import Events, InOrder, Output
from lumos_nb.context import IN_CALL, RuntimeContext
from lumos_nb.errors import TapeError, ToolError, nearest
from lumos_nb.events import AgentEvent, ApprovalDecided, ApprovalRequested, ToolCallComplete, ToolCallStart
from lumos_nb.messages import ToolCall, ToolResult
from lumos_nb.tools import Tool, ToolRegistry
from lumos_nb.tools.permissions import ALLOWED, Ruling
from lumos_nb.tools.results import from_error, from_value


class ToolCalls:
    """What the calls of a step have to work with.

    Args:
        tools: What there is.
        context: Values of the caller.
        home: Where functions run.
        permits: What may run, and who is asked.
        begun: Calls that had begun when the run was stopped, with their arguments; whether they did their work
            is not known.
        is_replayed: Whether a tape said them.
    """

    def __init__(
        self,
        tools: ToolRegistry,
        context: RuntimeContext,
        home: Home,
        permits: Permits,
        begun: Mapping[str, ToolCall] | None = None,
        is_replayed: bool = False,
    ) -> None:
        self.tools = tools
        self.context = context
        self.home = home
        self.permits = permits
        self.begun = begun or {}
        self._is_replayed = is_replayed

    def arguments(self, tool: Tool, call: ToolCall) -> dict[str, Any]:
        """Return what a tool is called with; a path that was played is one of this machine."""
        return tool.arguments(at_home(call) if self._is_replayed else call, self.context)

    async def run(self, calls: Sequence[ToolCall]) -> AsyncGenerator[list[AgentEvent], None]:
        """Run all calls at once; yield starts first, then questions, output and results as they come.

        A start is yielded before its tool runs: whoever reads it commits it before asking on.
        """
        events, in_order = Events(), InOrder([call.id for call in calls])
        ready = [_Call(call, self, events) for call in calls]
        now = clock.perf_counter()  # the same for all: they are let go together
        starts: list[AgentEvent] = [call.start(now) for call in ready if call.starts_at_once]
        if starts:
            yield starts
        tasks = [asyncio.create_task(call.run()) for call in ready]
        for task in tasks:
            task.add_done_callback(events.note_end)
        try:
            left = len(tasks)
            while left:
                batch = await events.batch()
                left -= sum(isinstance(e, ToolCallComplete) for e in batch)
                if shown := in_order.of(batch, is_last=not left):
                    yield shown
                events.were_taken()
        finally:
            if open_ := [task for task in tasks if not task.done()]:
                for task in open_:
                    task.cancel()
                await asyncio.gather(*open_, return_exceptions=True)


class _Call:
    """One call, from its rules to its result."""

    __slots__ = (
        "_arguments", "_asked", "_begun", "_error", "_events", "_let_go_at", "_ruling", "_step", "_tool", "call",
    )  # fmt: skip

    def __init__(self, call: ToolCall, step: ToolCalls, events: Events) -> None:
        self._step, self._events = step, events
        self._asked = call
        self.call = step.begun.get(call.id, call)
        self._error: Exception | None = None
        self._ruling = ALLOWED
        self._begun: list[float] = []
        try:
            self._tool = _find(call, step.tools)
            self._arguments = step.arguments(self._tool, self.call)
        except Exception as error:  # no such tool, or arguments that it does not take: the model is told
            self._error = error
        else:
            self._ruling = self._rule()

    @property
    def starts_at_once(self) -> bool:
        """Whether nobody has to be asked."""
        return self._ruling.permission == "allow"

    def _rule(self) -> Ruling:
        found = self._step.permits.ruling(self._tool, self._arguments)
        if callable(self._tool.permission):  # the author's rule may have changed them: what was shown is what runs
            self._arguments = self._step.arguments(self._tool, self.call)
        if found.permission == "deny" or self.call.id not in self._step.begun:
            return found
        if self._tool.side_effect == "unsafe":
            self._error = _unsafe(self.call)
            return ALLOWED
        if self._tool.side_effect:  # none, or idempotent: may be done twice
            return found
        return Ruling("ask", "It had begun when the run was stopped, and may have done its work already.")

    def start(self, now: float | None = None) -> ToolCallStart:
        """Return the event that it begins."""
        self._let_go_at = clock.perf_counter() if now is None else now
        return ToolCallStart(self.call, "" if self._error else self._tool.side_effect)

    async def run(self) -> None:
        """Run it and tell what comes; the last event is `ToolCallComplete`, whatever the tool does."""
        status = "denied"
        try:
            if self._error is not None:
                raise self._error
            denied = None if self.starts_at_once else await self._permission()
            result = denied or await self._work()
            if denied is None:
                status = "error" if result.is_error else "ok"
        except (KeyboardInterrupt, TapeError):  # a model that is told of a miss would go on as nobody recorded it
            raise
        except BaseException as error:  # the tool's own, whatever it is; the model is told, the run goes on
            task = asyncio.current_task()
            if isinstance(error, asyncio.CancelledError) and (task is None or task.cancelling()):
                raise  # the run was cancelled, not something that the tool waited for
            result, status = from_error(self.call, error), "error"
        duration_s = clock.perf_counter() - self._begun[0] if self._begun else 0.0
        queue_s = self._begun[0] - self._let_go_at if self._begun else 0.0
        complete = ToolCallComplete(self.call.id, result, duration_s, status, queue_s)
        # Behind call_soon, so that output which a thread handed over before the end comes first.
        asyncio.get_running_loop().call_soon(self._events.put, complete)

    async def _permission(self) -> ToolResult | None:
        """Wait until the call may run; return its result if it may not."""
        permits = self._step.permits
        if self._ruling.permission == "deny":
            await self._events.told(self.start())  # else nobody would see that it was called
            decision = Decision(decision="deny", reason=self._ruling.reason, by="policy")
            self._take(decision)
            return _denied(self.call, decision)
        is_known = self.call.id not in self._step.begun and await permits.is_allowed_here(self.call.name)
        if not is_known:
            reason = self._ruling.reason
            await self._events.told(ApprovalRequested(self.call, reason, dict(self._tool.spec.parameters)))
            decision = await permits.ask(Question(self.call, self._tool, reason))
            self._take(decision)
            if not decision.is_allowed:
                return _denied(self.call, decision)
            if (found := self._rule()).permission == "deny":  # of the arguments as they are now
                return _denied(self.call, Decision(decision="deny", reason=found.reason, by="policy"))
        await self._events.told(self.start())
        return None

    def _take(self, decision: Decision) -> None:
        is_changed = decision.decision == "edit" and decision.arguments != self.call.arguments
        if is_changed:
            self.call = msgspec.structs.replace(self.call, arguments=decision.arguments)
            self._arguments = self._step.arguments(self._tool, self.call)
        self._events.put(
            ApprovalDecided(
                call_id=self.call.id, decision=decision.decision, by=decision.by, reason=decision.reason,
                arguments=decision.arguments if is_changed else None,
            )
        )  # fmt: skip

    async def _work(self) -> ToolResult:
        tool, home = self._tool, self._step.home
        output = Output(self.call.id, self._events)
        place = (self._step.context, self.call.id)

        def work(**arguments: Any) -> Any:
            self._begun.append(clock.perf_counter())  # only here: until then the call may have waited behind another
            token = IN_CALL.set(place)  # here, too: wherever it runs, what it begins is part of it
            try:
                value = tool.fn(**arguments)
            finally:
                IN_CALL.reset(token)
            return _placed(value, place) if inspect.iscoroutine(value) else value

        async def done(emit: Emit) -> ToolResult:
            outcome = await home.run(Job(work, self._arguments, tool.is_async, tool.thread, emit))
            if inspect.iscoroutine(outcome.value):  # a plain function that hands on an async one's
                outcome = await self._awaited(outcome, emit)
            return from_value(self.call, outcome.value, outcome.display)

        try:
            result = await taped(self.call, tool, output.emit, lambda: self._begun.append(clock.perf_counter()), done)
        finally:
            output.end()
        return result if self.call.arguments == self._asked.arguments else _with_note(result, self.call)

    async def _awaited(self, outcome: Outcome, emit: Emit) -> Outcome:
        return await self._step.home.run(Job(lambda: outcome.value, {}, True, False, emit))


async def _placed(work: Coroutine[Any, Any, Any], place: tuple[RuntimeContext, str]) -> Any:
    """Await what an async tool does as part of its call."""
    IN_CALL.set(place)  # in the context of the task that does this and nothing else
    return await work


def _denied(call: ToolCall, decision: Decision) -> ToolResult:
    who = "The person denied this call" if decision.by == "person" else "This call is not allowed here"
    told = f"{who}: {decision.reason}" if decision.reason else f"{who}."
    return ToolResult(
        call_id=call.id, name=call.name, content=told, is_error=True, size_bytes=len(told.encode()), error_type="Denied"
    )


def _with_note(result: ToolResult, call: ToolCall) -> ToolResult:
    """Tell the model what it did not write itself."""
    note = f"(The person changed the arguments of this call before it ran, to {call.arguments})"
    return msgspec.structs.replace(result, content=f"{result.content}\n\n{note}")


def _unsafe(call: ToolCall) -> ToolError:
    return ToolError(
        f"{call.name!r} had begun when the run was stopped. It is marked unsafe and was not run again:"
        " whether it did its work is not known.",
        hint="Find out before you call it again.",
    )


def _find(call: ToolCall, tools: ToolRegistry) -> Tool:
    if call.name not in tools:
        names = [t.name for t in tools]
        raise ToolError(f"There is no tool {call.name!r}.", hint=nearest(call.name, names))
    return tools.get(call.name)
