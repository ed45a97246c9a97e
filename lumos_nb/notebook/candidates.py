"""The names that may complete a line: agents, threads, models, tools, types, subcommands.

One idea: each list is read from what the notebook has now, and says in a line what a name stands for.
"""

from __future__ import annotations

import inspect
import shlex
import threading
from collections.abc import Callable, Iterable
from functools import cached_property
from itertools import islice
from types import FunctionType
from typing import Any

import msgspec

from lumos_nb import settings
from lumos_nb.agent.bridge import run_sync
from lumos_nb.hiding.known import masked
from lumos_nb.notebook.commands import agents, lumos, threads, traces
from lumos_nb.notebook.commands.tape import TAPE_WORDS
from lumos_nb.providers import LlmProvider
from lumos_nb.providers.catalog import state_of
from lumos_nb.providers.prices import known_models
from lumos_nb.providers.vendors import vendors
from lumos_nb.runtime import Runtime
from lumos_nb.tools import Tool
from lumos_nb.values import is_of

_COMMANDS = {
    "agent": agents.COMMANDS, "thread": threads.COMMANDS, "trace": traces.COMMANDS, "lumos": lumos.COMMANDS
}  # fmt: skip
_TYPES = ("str", "int", "float", "bool", "list[str]", "list[int]", "list[float]", "dict[str,float]")
_MAY_HOLD_KEYS = {"keys", "vendors"}
"""Settings of which only the names are told."""

N_KEYS = 2_000
"""Keys of a container that are offered: IPython sorts all of them, which takes a minute for a million."""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A text that may stand at the cursor."""

    text: str
    #: option, agent, thread, model, tool, type, command, variable
    kind: str
    #: One line.
    help: str = ""


class Names:
    """What there is to name.

    Args:
        runtime: What the notebook's cells share.
        shell: For Python between braces; without one there is none.
    """

    def __init__(self, runtime: Runtime, shell: Any = None) -> None:
        self._runtime, self._shell = runtime, shell
        self._lock = threading.Lock()

    def of_kind(self, kind: str, told: list[str]) -> list[Candidate]:
        """Return what an option takes; nothing where it could be anything."""
        by_kind: dict[str, Callable[[], list[Candidate]]] = {
            "model": self.models, "thread": self.threads, "tools": self.tools, "image": self.pictures,
            "approve": lambda: self._allowed(told),
        }  # fmt: skip
        return by_kind.get(kind, list)()

    def agents(self) -> list[Candidate]:
        """Return the notebook's agents, the current one first."""
        current = self._runtime.agent()
        found = [
            Candidate(text=_quoted(n), kind="agent", help=_line(repr(a))) for n, a in self._runtime.agents().items()
        ]
        return sorted(found, key=lambda c: c.text != current.name)

    def threads(self) -> list[Candidate]:
        """Return the threads, last used first."""
        found = run_sync(self._runtime.memory.list_threads())
        return [
            Candidate(text=_quoted(t.title), kind="thread", help=f"agent {t.agent}" if t.agent else "") for t in found
        ]

    def models(self) -> list[Candidate]:
        """Return variables that hold a model, then the vendors' models, those that have a key first."""
        held = [
            Candidate(text=n, kind="variable", help=_line(repr(v)))
            for n, v in self._variables()
            if is_of(v, LlmProvider) or (is_of(v, str) and v.partition("/")[0] in vendors() and "/" in v)
        ]
        states = {vendor.id: state_of(vendor) for vendor in vendors().values()}
        found = [Candidate(text=m, kind="model", help=states.get(m.partition("/")[0], "")) for m in known_models()]
        return held + sorted(found, key=lambda c: not c.help.startswith(("key found", "installed", "http")))

    def tools(self) -> list[Candidate]:
        """Return the notebook's tools, then its functions."""
        found = [(n, v) for n, v in self._variables() if is_of(v, Tool) or is_of(v, FunctionType)]
        return [
            Candidate(text=n, kind="tool", help=_line(v.description if is_of(v, Tool) else inspect.getdoc(v) or ""))
            for n, v in sorted(found, key=lambda each: not is_of(each[1], Tool))
        ]

    def _allowed(self, told: list[str]) -> list[Candidate]:
        """Return the tools of the line's agent, and the word for all of them."""
        named = next((word for word in told if word in self._runtime.agents()), None)
        every = [Candidate(text="all", kind="option", help="every tool of this cell")]
        try:
            own = self._runtime.agent(named).get_tools()
        except Exception:  # tools may be computed, by anybody's code
            return every
        return [Candidate(text=t.name, kind="tool", help=_line(t.description)) for t in own] + every

    def types(self) -> list[Candidate]:
        """Return what an answer may be: classes of the notebook, and plain types."""
        own = [Candidate(text=n, kind="type", help=_line(inspect.getdoc(v) or "")) for n, v in self._variables()
               if is_of(v, type) and v.__module__ == "__main__"]  # fmt: skip
        return own + [Candidate(text=name, kind="type") for name in _TYPES]

    def pictures(self) -> list[Candidate]:
        """Return variables that can be sent as pictures."""
        return [Candidate(text=n, kind="variable", help=type(v).__name__) for n, v in self._variables()
                if is_of(v, bytes) or _has(v, "savefig") or _has(v, "_repr_png_")]  # fmt: skip

    def of_magic(self, magic: str, told: list[str]) -> list[Candidate]:
        """Return what may stand behind a line magic and the words that are there."""
        commands = {n: c for n, c in _COMMANDS[magic].items() if n != "*"}
        if not told:
            found = [
                Candidate(text=n, kind="command", help=_line(inspect.getdoc(c) or "")) for n, c in commands.items()
            ]
            return found + (self._runs() if magic == "trace" else [])
        if told[0] not in commands:
            return []
        return self._of_command(magic, told)

    def _of_command(self, magic: str, told: list[str]) -> list[Candidate]:
        takes = list(inspect.signature(_COMMANDS[magic][told[0]]).parameters.values())[len(told) :]
        match magic, told[0]:
            case "agent", "show" | "use" if takes:
                return self.agents()
            case "agent", "stop" | "pause":
                return [
                    Candidate(text=_quoted(n), kind="agent") for r in self._runtime.live() for n in (r.agent, r.thread)
                ]
            case "thread", "use" | "show" | "fork" | "rename" | "delete" | "export" | "df" | "allowed" if (
                len(told) == 1
            ):
                return self.threads()
            case "trace", "diff" | "export":
                return self._runs()
            case "lumos", "login":
                return [Candidate(text=v.id, kind="model", help=state_of(v)) for v in vendors().values() if v.key_env]
            case "lumos", "settings":
                values = msgspec.structs.asdict(settings.current())
                return [Candidate(text=f"{n}=", kind="option", help="" if n in _MAY_HOLD_KEYS else _line(repr(v)))
                        for n, v in values.items()]  # fmt: skip
            case "lumos", "tape":
                return [Candidate(text=n, kind="command") for n in TAPE_WORDS]
        return []

    def _runs(self) -> list[Candidate]:
        rows = self._runtime.memory.store.select(
            "runs", ["run_id", "agent", "prompt_preview"], order=["-started_at"], limit=20
        )
        return [Candidate(text="last", kind="command", help="the last run")] + [
            Candidate(text=run, kind="run", help=_line(f"{agent}: {prompt or ''}")) for run, agent, prompt in rows
        ]

    def _variables(self) -> Iterable[tuple[str, Any]]:
        return [(n, v) for n, v in list(self._runtime.namespace.items()) if not n.startswith("_")]

    # ---- Python between braces --------------------------------------------------------

    @cached_property
    def _python(self) -> Any:
        """A completer of its own: the shell's is busy with the question that led here."""
        from IPython.core.completer import IPCompleter

        class FirstKeys(IPCompleter):  # type: ignore[misc]
            @staticmethod
            def _get_keys(obj: Any) -> list[Any]:
                return list(islice(IPCompleter._get_keys(obj), N_KEYS))

        own = FirstKeys(shell=self._shell, namespace=self._shell.user_ns, global_namespace=self._shell.user_global_ns)
        own.use_jedi = False  # names as they are; jedi guesses at text, and two threads may ask
        return own

    def python(self, expression: str) -> tuple[str, list[Candidate]]:
        """Return what is completed of an expression, and what may stand in its place."""
        from IPython.core.completer import provisionalcompleter

        if self._shell is None:
            return "", []
        text = expression.lstrip()
        with self._lock, provisionalcompleter():
            found = [c for c in self._python.completions(text, len(text)) if not c.text.lstrip().startswith("%")]
        start = min((c.start for c in found), default=len(text))
        typed = text[start:]
        items = [
            Candidate(text=c.text if c.start == start else text[start : c.start] + c.text, kind=c.type or "variable")
            for c in found
        ]
        return typed, [item for item in items if "=" not in item.text]


def _quoted(name: str) -> str:
    return shlex.quote(name)


def _has(value: Any, name: str) -> bool:
    """Return whether a value's class has a method, without running anybody's code."""
    return inspect.getattr_static(type(value), name, None) is not None


def _line(text: str) -> str:
    """Return the first line of what a page is told of a value; it may hold a key."""
    first = masked(text.strip().partition("\n")[0][:10_000])
    return first if len(first) <= 100 else f"{first[:99]}…"
