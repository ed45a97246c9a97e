"""The subcommands of the line magics: each a function of the runtime and its words.

One idea: a subcommand returns what a cell can show or keep, a DataFrame where there is one.
"""

from __future__ import annotations

import getpass
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from lumos_nb import frames, settings
from lumos_nb.agent import Agent
from lumos_nb.agent.background import run_sync
from lumos_nb.credentials import store_key
from lumos_nb.errors import CredentialError, SettingsError, UsageError, nearest
from lumos_nb.memory import MemoryThread
from lumos_nb.messages import Message, ToolResult
from lumos_nb.notebook.doctor import doctor, models
from lumos_nb.notebook.shown import Shown
from lumos_nb.providers.install import install
from lumos_nb.providers.vendors import vendors
from lumos_nb.runtime import LiveRun, Runtime
from lumos_nb.telemetry import ExecutionTrace, load_trace

# ---- %agent ---------------------------------------------------------------------------


def agent_runs(runtime: Runtime) -> Any:
    """What runs now, as a DataFrame; where nothing does, how to go on."""
    import pandas as pd

    running = runtime.live()
    if not running:
        return Shown("Nothing runs. `%agent list` shows the agents, `%trace df` the runs that there were.")
    rows = [
        (r.agent, r.status, round(time.time() - r.started_at, 1), r.thread, r.cell, r.is_background, r.run_id)
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


# ---- %thread --------------------------------------------------------------------------

_THREAD_COLUMNS = ["title", "agent", "updated_at", "n_runs", "n_messages", "input_tokens", "output_tokens", "cost_usd"]


def thread_list(runtime: Runtime) -> Any:
    """All threads, the newest first, as a DataFrame."""
    found = frames.threads().sort_values("updated_at", ascending=False, ignore_index=True)
    return found[[*_THREAD_COLUMNS, "thread_id"]]


def thread_new(runtime: Runtime, name: str | None = None) -> MemoryThread:
    """Make a thread and continue in it."""
    return runtime.new_thread(name)


def thread_use(runtime: Runtime, name: str) -> MemoryThread:
    """Continue in this thread from now on."""
    return runtime.use_thread(name)


def thread_show(runtime: Runtime, name: str | None = None) -> Shown:
    """The conversation, as text."""
    return Shown(_as_markdown(_thread(runtime, name)))


def thread_fork(runtime: Runtime, name: str, title: str | None = None) -> MemoryThread:
    """Copy a thread and continue in the copy."""
    copy = run_sync(runtime.memory.fork_thread(runtime.thread(name).id, title=title))
    return runtime.use_thread(copy.id)


def thread_rename(runtime: Runtime, name: str, title: str) -> MemoryThread:
    """Give a thread another name."""
    return run_sync(runtime.thread(name).rename(title))


def thread_delete(runtime: Runtime, name: str) -> Shown:
    """Delete a thread with its messages, runs and events."""
    thread = runtime.thread(name)
    run_sync(runtime.memory.delete_thread(thread.id))
    return Shown(f"Thread {thread.title} is deleted.")


def thread_export(runtime: Runtime, name: str, path: str) -> Shown:
    """Write a thread as Markdown (`.md`) or as data (`.json`)."""
    thread = runtime.thread(name)
    target = Path(path).expanduser()
    if target.suffix == ".json":
        data = {
            "v": 1,
            "thread_id": thread.id,
            "title": thread.title,
            "messages": msgspec.to_builtins(_messages(thread)),
        }
        return _write(target, json.dumps(data, ensure_ascii=False, indent=1))
    return _write(target, _as_markdown(thread))


def thread_df(runtime: Runtime, name: str | None = None) -> Any:
    """The messages of a thread as a DataFrame."""
    return frames.messages(thread_id=_thread(runtime, name).id)


def thread_allowed(runtime: Runtime, name: str | None = None) -> Any:
    """The tools that you allowed in a thread, as a DataFrame."""
    import pandas as pd

    allowed = run_sync(runtime.memory.allowed_tools(_thread(runtime, name).id))
    return pd.DataFrame({"tool": pd.Series(sorted(allowed), dtype="str")})


def thread_revoke(runtime: Runtime, tool: str, name: str | None = None) -> Shown:
    """Be asked again for a tool that you allowed in a thread."""
    thread = _thread(runtime, name)
    allowed = run_sync(runtime.memory.allowed_tools(thread.id))
    if tool not in allowed:
        raise UsageError(f"{tool!r} was not allowed in thread {thread.title!r}.", hint=nearest(tool, allowed))
    run_sync(runtime.memory.revoke_tool(thread.id, tool))
    return Shown(f"{tool} is asked for again in thread {thread.title}.")


def _thread(runtime: Runtime, name: str | None) -> MemoryThread:
    return runtime.thread(name) if name else runtime.current_thread()


def _messages(thread: MemoryThread) -> list[Message]:
    return run_sync(thread.get_messages())


def _as_markdown(thread: MemoryThread) -> str:
    blocks = [f"# {thread.title}"]
    for message in _messages(thread):
        parts = [message.text] if message.text else []
        parts += [f"`{c.name}({c.arguments})`" for c in message.tool_calls]
        parts += [f"    {line}" for p in message.parts if isinstance(p, ToolResult) for line in p.content.splitlines()]
        blocks.append(f"**{message.role}**\n\n" + "\n".join(parts))
    return "\n\n".join(blocks) + "\n"


# ---- %trace ---------------------------------------------------------------------------


def trace_show(runtime: Runtime, run: str = "last") -> ExecutionTrace:
    """A run, step by step: `last`, a run id, or its beginning or end."""
    return load_trace(run)


def trace_df(runtime: Runtime) -> Any:
    """All runs as a DataFrame."""
    return frames.runs()


def trace_export(runtime: Runtime, run: str, path: str) -> Shown:
    """Write a run's trace as JSON."""
    data = {"v": 1, **load_trace(run).to_dict()}
    return _write(Path(path).expanduser(), json.dumps(data, ensure_ascii=False, indent=1))


def _write(target: Path, text: str) -> Shown:
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{str(target)!r} cannot be written: {error.strerror}.", hint="Name another file.") from None
    return Shown(f"Written to {target}.")


# ---- %lumos ---------------------------------------------------------------------------


def lumos_settings(runtime: Runtime, *changes: str) -> Any:
    """The settings, as a DataFrame; `name=value` changes some for this kernel."""
    import pandas as pd

    pairs = dict(_pair(change) for change in changes)
    if pairs:
        settings.configure(**pairs)
    values = msgspec.structs.asdict(settings.current())
    return pd.DataFrame([(n, repr(v), f"LUMOS_{n.upper()}") for n, v in values.items()],
                        columns=["setting", "value", "environment variable"])  # fmt: skip


def _pair(change: str) -> tuple[str, str]:
    name, separator, value = change.partition("=")
    if not separator:
        raise SettingsError(f"{change!r} sets nothing.", hint="Use: %lumos settings name=value")
    return name, value


def lumos_models(runtime: Runtime, action: str | None = None, name: str = "smollm2") -> Any:
    """Vendors with their key's variable and default model; `install smollm2` installs the embedded one."""
    if action is None:
        return models()
    if action != "install":
        raise UsageError(f"%lumos models cannot {action!r}.", hint="Use: %lumos models install smollm2")
    return Shown(install(name))


def lumos_login(runtime: Runtime, vendor: str = "", *where: str) -> Shown:
    """Ask for a vendor's key and keep it in this kernel; with `--keep` in the system's keyring, for all kernels."""
    if not vendor:
        raise UsageError("%lumos login needs a vendor.", hint="Use: %lumos login VENDOR [--keep]")
    if where not in {(), ("--keep",)}:
        raise UsageError(f"%lumos login takes no {' '.join(where)!r}.", hint="Use: %lumos login VENDOR [--keep]")
    row = vendors().get(vendor)
    if row is None:
        raise UsageError(f"There is no vendor {vendor!r}.", hint=nearest(vendor, vendors()))
    if not row.key_env:
        return Shown(f"{vendor} needs no key.")
    try:
        key = getpass.getpass(f"{row.key_env[0]}: ").strip()
    except (EOFError, RuntimeError):  # a runner without a person
        key = ""
    if not key:
        raise CredentialError(
            f"No key for {vendor!r} was given.", hint=f"Set {row.key_env[0]} before the kernel starts."
        )
    os.environ[row.key_env[0]] = key
    if where:
        store_key(vendor, key)
        return Shown(f"The key for {vendor} is in the system's keyring.")
    return Shown(f"{row.key_env[0]} is set in this kernel.")


Command = Callable[..., Any]
AGENT: dict[str, Command] = {
    "runs": agent_runs, "list": agent_list, "show": agent_show, "use": agent_use, "stop": agent_stop,
    "pause": agent_pause, "resume": agent_resume,
}  # fmt: skip
THREAD: dict[str, Command] = {
    "list": thread_list, "new": thread_new, "use": thread_use, "show": thread_show, "fork": thread_fork,
    "rename": thread_rename, "delete": thread_delete, "export": thread_export, "df": thread_df,
    "allowed": thread_allowed, "revoke": thread_revoke,
}  # fmt: skip
TRACE: dict[str, Command] = {"last": trace_show, "df": trace_df, "export": trace_export, "*": trace_show}
LUMOS: dict[str, Command] = {
    "doctor": doctor, "models": lumos_models, "login": lumos_login, "settings": lumos_settings,
}  # fmt: skip
