"""`%thread`: conversations, and what was allowed in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from lumos_nb import frames
from lumos_nb.agent.bridge import run_sync
from lumos_nb.errors import UsageError, nearest
from lumos_nb.memory import MemoryThread
from lumos_nb.messages import Message, ToolResult
from lumos_nb.notebook.commands import Command
from lumos_nb.notebook.shown import Shown, written
from lumos_nb.runtime import Runtime

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
        return written(target, json.dumps(data, ensure_ascii=False, indent=1))
    return written(target, _as_markdown(thread))


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


COMMANDS: dict[str, Command] = {
    "list": thread_list, "new": thread_new, "use": thread_use, "show": thread_show, "fork": thread_fork,
    "rename": thread_rename, "delete": thread_delete, "export": thread_export, "df": thread_df,
    "allowed": thread_allowed, "revoke": thread_revoke,
}  # fmt: skip
