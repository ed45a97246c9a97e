"""One run from its first event to its last: history in, loop, messages out, log.

One idea: whatever happens to the loop, the log ends with one last event and the thread stays a
conversation that a model accepts.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable, Sequence

from lumos_nb import clock
from lumos_nb.agent import watching
from lumos_nb.agent.loop import run_loop
from lumos_nb.agent.state import LoopState
from lumos_nb.errors import LumosCancelled, LumosError, StoreError
from lumos_nb.events import (
    AgentEvent,
    AgentGenerateResult,
    Error,
    ErrorInfo,
    GenerationComplete,
    MemoryUpdate,
    Metadata,
    RunStart,
    TokenUsage,
    total_cost_usd,
)
from lumos_nb.memory import RunInfo, RunLog, Said
from lumos_nb.messages import Message

logger = logging.getLogger("lumos_nb")

_running: set[str] = set()


def is_running(run_id: str) -> bool:
    """Return whether a run goes on in this process."""
    return run_id in _running


def hold(run_id: str) -> None:
    """Note that a run goes on here, so that nobody else takes it up."""
    _running.add(run_id)


def let_go(run_id: str) -> None:
    """Note that it does not any more."""
    _running.discard(run_id)


class Run:
    """A run that is ready to begin.

    Args:
        info: Who runs what, where.
        state: What the loop works with.
        prompt: The messages that the caller adds.
        log: Where events and messages are kept, or None.
        save: Whether the messages are added to the thread.
        on_events: A subscriber; what it raises is logged and does not touch the run.
        resumed: The event with which a stopped run is taken up again; the log has it already.
    """

    def __init__(
        self,
        info: RunInfo,
        state: LoopState,
        prompt: Sequence[Message],
        *,
        log: RunLog | None,
        save: bool,
        on_events: Callable[[Sequence[AgentEvent]], None] | None,
        resumed: Metadata | None = None,
    ) -> None:
        self.info = info
        self.state = state
        self.prompt = prompt
        self.log = log
        self.save = save and info.thread_id is not None
        self.on_events = on_events
        self.resumed = resumed
        self.n_history = len(state.messages) - len(prompt)
        self._asides: list[AgentEvent] = []
        state.notify = self._aside
        if log is not None and log.keeps_exchanges:
            state.on_exchange = log.keep
        #: Who hears of it: those that watch all runs when it begins, and its own subscriber.
        self._watchers = watching.followed()

    async def batches(self) -> AsyncGenerator[list[AgentEvent], None]:
        """Yield all events, a list a read. Raises what ended the run early, after its `error` event."""
        failure: Exception | None = None
        ended = False
        loop = run_loop(self.state)
        hold(self.info.run_id)
        try:
            if self.log is not None:
                await self.log.start()
            yield await self._open()
            async for batch in loop:
                yield await self._record(batch)
            last = [*self._saved(), GenerationComplete(self._result())]
            ended = True  # from here on it is kept as completed, also if it is cancelled while it is written
            yield await self._record_last(last)
        except Exception as error:
            failure = error
        finally:
            await loop.aclose()  # no tool goes on behind a run that has ended
            try:
                if not ended and failure is None:  # cancelled, or the reader went away
                    await self._record_last([error_event(LumosCancelled())])
            finally:
                let_go(self.info.run_id)
        if failure is not None:
            yield await self._record_failure(failure)
            raise failure

    async def _open(self) -> list[AgentEvent]:
        if self.resumed is None:
            return await self._record(self._opening())
        self._tell([self.resumed])
        return [self.resumed]

    def _opening(self) -> list[AgentEvent]:
        i = self.info
        start = RunStart(run_id=i.run_id, thread_id=i.thread_id, agent=i.agent, provider=i.provider, model=i.model,
                         prompt=i.prompt, started_at=i.started_at,
                         tools=tuple(t.name for t in self.state.tools))  # fmt: skip
        return [start, MemoryUpdate("loaded", self.n_history)] if i.thread_id else [start]

    def _saved(self) -> list[AgentEvent]:
        return [MemoryUpdate("saved", len(self._gained()))] if self.save else []

    async def _record_last(self, events: list[AgentEvent]) -> list[AgentEvent]:
        """Record the end. A database that fails here must cost neither the answer nor the first error."""
        asides, self._asides = self._asides, []
        if self.log is not None:
            try:
                await self.log.finish(events, self._gained())
            except StoreError as error:
                logger.warning("Run %s could not be recorded to its end: %s", self.info.run_id, error)
        self._tell(events)
        return [*asides, *events]

    async def _record_failure(self, failure: Exception) -> list[AgentEvent]:
        event = error_event(failure)
        if isinstance(failure, StoreError):  # who cannot keep a run cannot keep its end
            self._tell([event])
            return [event]
        return await self._record_last([event])

    async def _record(self, events: list[AgentEvent]) -> list[AgentEvent]:
        asides, self._asides = self._asides, []
        if self.log is not None:
            await self.log.append(events)
        self._tell(events)
        return [*asides, *events]

    def _aside(self, events: list[AgentEvent]) -> None:
        """Tell the subscriber and the log now; the stream gets it with what comes next."""
        self._tell(events)
        if self.log is not None:
            self.log.note(events)
        self._asides.extend(events)

    def _tell(self, events: Sequence[AgentEvent]) -> None:
        if self._watchers:
            watching.tell(self._watchers, self, events)
        if self.on_events is None:
            return
        try:
            self.on_events(events)
        except Exception:  # a subscriber's fault is its own
            logger.exception("A subscriber of run %s failed.", self.info.run_id)

    def _gained(self) -> list[Said]:
        """Return what the thread gains, also of a step that was cut off; nothing if the model never said anything."""
        self.state.settle()
        prompt = [Said(message, None, self.info.started_at) for message in self.prompt]
        return [*prompt, *self.state.said] if self.save and self.state.said else []

    def _result(self) -> AgentGenerateResult:
        steps = self.state.steps
        return AgentGenerateResult(
            response=steps[-1].text if steps else "",
            output=self.state.output,
            steps=tuple(steps),
            usage=sum((s.usage for s in steps), TokenUsage()),
            cost_usd=total_cost_usd(steps),
            stop_reason=self.state.stop_reason,
            run_id=self.info.run_id,
            thread_id=self.info.thread_id,
            agent=self.info.agent,
            model=f"{self.info.provider}/{self.info.model}",
            duration_s=clock.time() - self.info.started_at - self.info.away_s,
            messages=tuple(said.message for said in self.state.said),
        )


def error_event(error: Exception) -> Error:
    """Return the event with which a run ends that could not go on."""
    status = "cancelled" if isinstance(error, LumosCancelled) else "failed"
    if isinstance(error, LumosError):
        info = ErrorInfo(type=type(error).__name__, message=error.message, hint=error.hint)
    else:
        info = ErrorInfo(type=type(error).__name__, message=f"{type(error).__name__}: {error}")
    return Error(error=info, status=status)
