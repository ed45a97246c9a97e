"""One `%%agent` cell: its run, its view, its result.

One idea: there is one way to run a cell, in two forms. Where the cell can be awaited the
kernel's loop stays free, so that clicks arrive; elsewhere the thread waits and serves the tools.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from lumos_nb import settings
from lumos_nb.agent.background import CoreTask
from lumos_nb.agent.home import HOME
from lumos_nb.errors import AgentInterrupted, UsageError
from lumos_nb.events import AgentGenerateResult, Metadata
from lumos_nb.memory import MemoryThread
from lumos_nb.messages import Message, TextPart
from lumos_nb.notebook.attach import evaluated
from lumos_nb.notebook.background import BackgroundHome, BackgroundRun
from lumos_nb.notebook.home import CellHome, SyncCellHome
from lumos_nb.notebook.interpolate import interpolate
from lumos_nb.notebook.interrupt import Interrupts
from lumos_nb.notebook.options import CellOptions
from lumos_nb.notebook.views import open_views
from lumos_nb.runtime import Runtime

logger = logging.getLogger("lumos_nb")


class CellRun:
    """What a cell asks for, resolved: everything that can be wrong with it is found here, before a view opens."""

    def __init__(self, shell: Any, runtime: Runtime, options: CellOptions, body: str) -> None:
        if not body.strip():
            raise UsageError("The prompt is empty.", hint="Write below the %%agent line what the agent should do.")
        self.shell = shell
        self.runtime = runtime
        self.options = options
        self.prompt = interpolate(body.strip("\n"), shell.user_ns)
        self.agent = runtime.agent(options.agent)
        self.model = runtime.model(options.model) if options.model else self.agent.get_llm()
        self.tools = None if options.tools is None else runtime.tools(options.tools)
        self.attached = [evaluated(image, shell.user_ns) for image in options.images]
        self.output_type = None if options.output_type is None else self._type(options.output_type)
        self.thread = self._thread()

    def _type(self, expression: str) -> Any:
        try:
            return eval(expression, dict(self.shell.user_ns))  # noqa: S307 - a cell runs what its person wrote
        except Exception as error:
            raise UsageError(
                f"The type {expression!r} of -o cannot be had: {type(error).__name__}: {error}.",
                hint="Define it in an earlier cell, or use one such as list[str], quoted: -o 'names:list[str]'.",
            ) from None

    def _thread(self) -> MemoryThread | None:
        if not settings.current().enable_memory_threads:
            return None
        if self.options.new:
            # A thread with a name is one beside the notebook's own.
            return self.runtime.new_thread(self.options.thread, use=self.options.thread is None)
        if self.options.thread:
            return self.runtime.thread(self.options.thread)
        return self.runtime.current_thread()

    async def awaited(self) -> AgentGenerateResult:
        """Run in a cell that can be awaited."""
        home = CellHome(self.shell)
        interrupts = Interrupts(home)
        with interrupts.installed():
            task = self._begin(home, interrupts)
            while not task.done():
                try:
                    await home.serve()
                except asyncio.CancelledError:  # the kernel's own handler was asked before ours stood
                    interrupts.cancel()
            return self._end(task)

    def blocking(self) -> AgentGenerateResult:
        """Run on this thread, where nothing can be awaited."""
        home = SyncCellHome(self.shell)
        interrupts = Interrupts(home)
        with interrupts.installed():
            task = self._begin(home, interrupts)
            home.serve()
            return self._end(task)

    def background(self) -> BackgroundRun:
        """Begin to run, and return at once; the end is shown in this cell."""
        home = BackgroundHome(self.shell)
        task = self._begin(home, home.interrupts)

        def at_end(result: AgentGenerateResult | None) -> None:
            self.runtime.running.discard(task)
            if result is not None:
                self._keep(result)

        return BackgroundRun(task, self.view, home, at_end)

    def _begin(
        self, home: CellHome | SyncCellHome | BackgroundHome, interrupts: Interrupts
    ) -> CoreTask[AgentGenerateResult]:
        title = self.thread.title if self.thread else ""
        self.view = open_views(self.shell, title, self.prompt, background=self.options.background)
        options: dict[str, Any] = {"model": self.model, "on_events": self.view.on_events}
        if self.thread is not None:
            options["thread_id"] = self.thread.id
        if self.tools is not None:
            options["tools"] = self.tools
        if self.output_type is not None:
            options["output"] = self.output_type
        if self.options.max_steps is not None:
            options["max_steps"] = self.options.max_steps
        token = HOME.set(home)
        try:
            task = CoreTask(self.agent.generate(self._message(), **options), home.stop)
        finally:
            HOME.reset(token)
        interrupts.watch(task, lambda: self.view.on_events([Metadata({"state": "stopping"})]))
        self.view.on_action(lambda message: interrupts.stop() if message.get("t") == "stop" else None)
        self.runtime.running.add(task)
        return task

    def _message(self) -> str | Message:
        if not self.attached:
            return self.prompt
        return Message(role="user", content=(TextPart(self.prompt), *self.attached))

    def _end(self, task: CoreTask[AgentGenerateResult]) -> AgentGenerateResult:
        self.runtime.running.discard(task)
        try:
            self.view.close()
        except Exception:  # a view is a subscriber: its fault must not cost the answer
            logger.exception("The view of a run could not be closed; the result is in `_`.")
        try:
            result = task.result()
        except asyncio.CancelledError:
            interrupted = True
        else:
            interrupted = False
        if interrupted:  # raised here, so that nothing stands in its context
            raise AgentInterrupted("the run was stopped; what it had said is kept.")
        self._keep(result)
        remember(self.shell, result)
        return result

    def _keep(self, result: AgentGenerateResult) -> None:
        if self.options.output:
            self.shell.user_ns[self.options.output] = result.output if self.output_type is not None else result


def remember(shell: Any, value: Any) -> None:
    """Make a value the last result, `_`, as if the cell had ended with it, without showing it."""
    update = getattr(shell.displayhook, "update_user_ns", None)
    if update is not None:
        update(value)
