"""One call of a tool, done as a cell does its own work.

One idea: wherever it runs, what it prints and shows is captured, what it drew is shown, and what
it returns gets its notebook form.
"""

from __future__ import annotations

from typing import Any

from lumos_nb.agent.home import Job, Outcome
from lumos_nb.notebook.capture import encoded, flush_figures, taken_by
from lumos_nb.notebook.guard import Guard, Steps
from lumos_nb.notebook.routes import captured


class Work:
    """A job, and how to do it.

    Args:
        job: The call.
        shell: The shell whose cell asked for it.
        guard: Calls the tool's code, so that an interrupt ends it and nothing else.
    """

    def __init__(self, job: Job, shell: Any, guard: Guard) -> None:
        self.job = job
        self.shell = shell
        self.guard = guard

    def plain(self) -> Outcome:
        """Run a plain function, here and now."""
        with captured(self.shell), taken_by(self.job.emit):
            try:
                return self.guard(lambda: self._outcome(self.job.fn(**self.job.arguments)))  # type: ignore[no-any-return]
            finally:
                flush_figures()

    async def on_loop(self) -> Outcome:
        """Run an async function on the running loop."""
        with captured(self.shell), taken_by(self.job.emit):
            try:
                awaitable = self.guard(lambda: self.job.fn(**self.job.arguments))
                return self._outcome(await Steps(awaitable, self.guard))
            finally:
                flush_figures()

    def _outcome(self, value: Any) -> Outcome:
        if value is None or isinstance(value, str | bytes | int | float):
            return Outcome(value, {})
        formatter = getattr(self.shell, "display_formatter", None)
        if formatter is None:
            return Outcome(value)
        bundle = encoded(formatter.format(value)[0])
        bundle.pop("text/plain", None)
        return Outcome(value, bundle) if bundle else Outcome(value)
