"""The magics: parse the line, and hand it to who does it.

One idea: nothing happens here. A cell is a `CellRun` of a request, a line a subcommand (`commands/`).
"""

from __future__ import annotations

import inspect
import shlex
from collections.abc import Callable
from typing import Any

from IPython.display import display

from lumos_nb.errors import UsageError, nearest
from lumos_nb.notebook.background import BackgroundRun
from lumos_nb.notebook.cell import CellRun, remember
from lumos_nb.notebook.commands import agents, lumos, threads, traces
from lumos_nb.notebook.dryrun import dry_run
from lumos_nb.notebook.options import CellOptions, described, parse, split
from lumos_nb.notebook.place import in_scene
from lumos_nb.notebook.request import PromptRequest, ResumeRequest
from lumos_nb.notebook.shown import Shown
from lumos_nb.runtime import Runtime

AWAITED = "agent_awaited"
RESUMED = "agent_resumed"


class Magics:
    """The magics of one shell."""

    def __init__(self, shell: Any, runtime: Runtime) -> None:
        self.shell = shell
        self.runtime = runtime

    def agent_cell(self, line: str, cell: str) -> BackgroundRun | Shown | None:
        options = parse(line)
        with in_scene(self.shell, options.tape):
            request = self._prompt(options, cell)
            return dry_run(request) if options.dry_run else self._run(self._told(request))

    agent_cell.__doc__ = described()

    async def agent_awaited(self, line: str, cell: str) -> Any:
        """`%%agent` in a cell that is awaited."""
        options = parse(line)
        with in_scene(self.shell, options.tape):
            request = self._prompt(options, cell)
            return dry_run(request) if options.dry_run else await self._awaited(self._told(request))

    def _prompt(self, options: CellOptions, cell: str) -> PromptRequest:
        return PromptRequest(self.shell, self.runtime, options, cell)

    def _told(self, request: PromptRequest) -> CellRun:
        """Return the run of a request; what cannot be watched in it is said before it begins."""
        if warning := request.unpriced():
            display(Shown(warning))
        return CellRun(self.shell, self.runtime, request)

    def agent_line(self, line: str) -> Any:
        """`%agent [runs | list | show NAME | use NAME | stop | pause | resume [RUN] | fix [RUN]]`"""
        run = self._resumed(line)
        if run is None:
            return self._dispatch("agent", line, agents.COMMANDS)
        with in_scene(self.shell, run.request.options.tape):
            return self._run(run)

    async def agent_line_awaited(self, line: str) -> Any:
        """`%agent resume` in a cell that is awaited."""
        run = self._resumed(line)
        if run is None:
            return self._dispatch("agent", line, agents.COMMANDS)
        with in_scene(self.shell, run.request.options.tape):
            return await self._awaited(run)

    def _resumed(self, line: str) -> CellRun | None:
        """Return the stopped run that a line takes up; None if it asks for something else, or ends a pause."""
        word, _, rest = line.strip().partition(" ")
        if word != "resume":
            return None
        options = parse(rest)
        if agents.paused(self.runtime, options.agent):
            return None
        return CellRun(self.shell, self.runtime, ResumeRequest(self.shell, self.runtime, options))

    def _run(self, run: CellRun) -> BackgroundRun | None:
        if run.request.options.background:
            return run.background()
        run.blocking()
        return None

    async def _awaited(self, run: CellRun) -> None:
        if run.request.options.background:
            remember(self.shell, run.background())
        else:
            await run.awaited()

    def thread(self, line: str) -> Any:
        """`%thread [list | new | use | show | fork | rename | delete | export | df | allowed | revoke] …`"""
        return self._dispatch("thread", line, threads.COMMANDS)

    def trace(self, line: str) -> Any:
        """`%trace [last | RUN | THREAD | TRACE | diff RUN RUN | export RUN PATH | df]`"""
        return self._dispatch("trace", line, traces.COMMANDS)

    def lumos(self, line: str) -> Any:
        """`%lumos [doctor | models | login VENDOR | settings | tape]`"""
        return self._dispatch("lumos", line, lumos.COMMANDS)

    def _dispatch(self, magic: str, line: str, known: dict[str, Callable[..., Any]]) -> Any:
        words = split(line) or [next(iter(known))]
        name = words[0] if words[0] in known else "*"
        if name == "*" and "*" not in known:
            raise UsageError(f"%{magic} has no subcommand {words[0]!r}.", hint=nearest(words[0], known))
        command = known[name]
        given = words if name == "*" else words[1:]
        try:
            inspect.signature(command).bind(self.runtime, *given)
        except TypeError:
            if name == "*":
                quoted = f"A name of several words is quoted: %{magic} {shlex.quote(' '.join(words))}"
                hint = f"{nearest(words[0], set(known) - {'*'})} {quoted}"
                raise UsageError(f"%{magic} has no subcommand {words[0]!r}.", hint=hint) from None
            usage = f"Use: %{magic} {name} {_usage(command)}"
            raise UsageError(f"%{magic} {name} cannot take {given!r}.", hint=usage) from None
        return command(self.runtime, *given)


def _usage(command: Callable[..., Any]) -> str:
    """Return what a command takes, in brackets what may be left out."""
    taken = list(inspect.signature(command).parameters.values())[1:]
    return " ".join(p.name.upper() if p.default is p.empty else f"[{p.name.upper()}]" for p in taken)
