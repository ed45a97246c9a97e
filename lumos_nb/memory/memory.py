"""Threads by name, their messages, and the log of runs: what an agent remembers.

One idea: everything is asynchronous and done in the store's own thread, so a slow disk never
holds up a stream. Nothing here knows which database it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from lumos_nb import clock
from lumos_nb.errors import ConflictError
from lumos_nb.events import Metadata
from lumos_nb.ids import new_id
from lumos_nb.memory import _conversations as conversations
from lumos_nb.memory import runs
from lumos_nb.memory._rows import to_json
from lumos_nb.memory._worker import in_worker
from lumos_nb.memory.reopening import reopen
from lumos_nb.memory.runinfo import RunInfo
from lumos_nb.memory.runlog import RunLog
from lumos_nb.memory.runs import SavedRun
from lumos_nb.memory.threads import GetMessagesParams, MemoryThread, as_time
from lumos_nb.memory.working import WorkingMemory
from lumos_nb.messages import Message, valid_text
from lumos_nb.stores import Insert, Store, Update, Upsert, default_store


class Memory:
    """Creates, finds and changes threads, and records runs.

    Args:
        store: Where everything is kept; the default store if not given.

    Example:
        >>> import asyncio, tempfile; from lumos_nb.stores import open_store
        >>> async def main():
        ...     memory = Memory(open_store(tempfile.mkdtemp() + "/lumos.db"))
        ...     thread = await memory.create_thread(title="sales")
        ...     await thread.add_messages([Message(role="user", content="Hello")])
        ...     return [m.text for m in await memory.load(thread.id)]
        >>> asyncio.run(main())
        ['Hello']
    """

    def __init__(self, store: Store | None = None) -> None:
        self.store = store or default_store()

    def __repr__(self) -> str:
        return f"Memory({self.store!r})"

    async def create_thread(
        self,
        *,
        title: str = "",
        thread_id: str | None = None,
        agent: str = "",
        resource_id: str | None = None,
        notebook: str = "",
        metadata: dict[str, Any] | None = None,
    ) -> MemoryThread:
        """Create a thread and return it. Titles may repeat, ids may not.

        Raises:
            ConflictError: There is a thread of that id.
        """
        row = conversations.new_thread_row(
            title=valid_text(title) or "untitled",
            agent=agent or None,
            resource_id=resource_id,
            notebook=notebook or None,
            metadata_json=to_json(metadata or {}),
            thread_id=thread_id or new_id("thread"),
        )
        try:
            await in_worker(self.store, self.store.write, [Insert("threads", row)])
        except ConflictError:
            raise ConflictError(
                f"There is already a thread {thread_id!r}.", hint="Use it, or take another id."
            ) from None
        return self._thread(row)

    async def get_thread(self, name: str) -> MemoryThread:
        """Return the thread of that id, title, or unique beginning of an id (4 characters or more).

        Of several threads with one title the last changed is meant.

        Raises:
            ThreadNotFoundError: There is none; suggests the nearest title.
        """
        return self._thread(await in_worker(self.store, conversations.get_thread, self.store, name))

    async def find_thread(self, name: str) -> MemoryThread | None:
        """Return what `get_thread` returns, or None."""
        row = await in_worker(self.store, conversations.find_thread, self.store, name)
        return self._thread(row) if row else None

    async def list_threads(self, notebook: str | None = None, *, archived: bool = False) -> list[MemoryThread]:
        """Return threads, last changed first; `archived` adds the archived ones."""

        def rows() -> list[dict[str, Any]]:
            return conversations.list_threads(self.store, notebook, archived=archived)

        return [self._thread(row) for row in await in_worker(self.store, rows)]

    async def delete_thread(self, name: str) -> None:
        """Remove a thread with all its messages, runs, steps, tool calls and events."""
        thread = await self.get_thread(name)
        await in_worker(self.store, conversations.delete_thread, self.store, thread.id)

    async def fork_thread(self, name: str, title: str | None = None, *, run_id: str | None = None) -> MemoryThread:
        """Copy a thread's messages, up to and with those of a run if one is named, into a new thread.

        The copy remembers where it came from.
        """

        def fork() -> str:
            row = conversations.get_thread(self.store, name)
            return conversations.fork_thread(self.store, row, title, run_id)

        return await self.get_thread(await in_worker(self.store, fork))

    async def change_thread(self, name: str, **columns: str) -> MemoryThread:
        """Set `title`, `status` (open or archived), `notebook` or `agent`; return the thread."""
        thread = await self.get_thread(name)
        changes: dict[str, Any] = {**columns, "updated_at": clock.time_ns()}
        await in_worker(self.store, self.store.write, [Update("threads", {"thread_id": thread.id}, changes)])
        return await self.get_thread(thread.id)

    async def update_metadata(self, name: str, changes: dict[str, Any]) -> MemoryThread:
        """Set entries of a thread's metadata, None removes one; return the thread."""
        thread = await self.get_thread(name)
        merged = {k: v for k, v in {**thread.metadata, **changes}.items() if v is not None}
        return await self.change_thread(thread.id, metadata_json=to_json(merged))

    async def load(self, thread_id: str, limit: int | None = None) -> list[Message]:
        """Return the messages of a thread in their order; none if there is no thread.

        With a limit, at most the last so many, from a message of the user on: a model refuses results of
        calls that it cannot see.
        """
        found = await self.get_messages(thread_id, GetMessagesParams(limit=limit))
        start = 0 if limit is None else next((i for i, m in enumerate(found) if m.role == "user"), len(found))
        return found[start:]

    async def get_messages(self, thread_id: str, params: GetMessagesParams | None = None) -> list[Message]:
        """Return the messages of a thread that `params` asks for, in their order."""
        params = params or GetMessagesParams()
        return await in_worker(self.store, conversations.read_messages, self.store, thread_id, params)

    async def add_messages(self, thread_id: str, messages: Sequence[Message]) -> list[Message]:
        """Add messages at the end of a thread; return them with their ids.

        Raises:
            ThreadNotFoundError: There is no thread of that id.
        """
        kept = conversations.with_ids(messages)

        def add() -> None:
            if not any(self.store.select("threads", ["thread_id"], where=[("thread_id", "=", thread_id)])):
                raise conversations.not_found(self.store, thread_id)
            conversations.write_with_messages(self.store, [], thread_id, kept)

        await in_worker(self.store, add)
        return kept

    def working(self, scope: str) -> WorkingMemory:
        """Return the working memory of a thread id or a resource id."""
        return WorkingMemory(scope, store=self.store)

    def run_log(self, info: RunInfo, saved: SavedRun | None = None) -> RunLog:
        """Return the log of a run that is about to start, or to be taken up again."""
        return RunLog(self.store, info, saved)

    async def get_run(self, name: str = "last") -> SavedRun:
        """Return a recorded run by its id, a beginning or end of it, or the `last` one.

        Raises:
            UsageError: There is no such run, or there are several.
        """

        def read() -> SavedRun:
            return runs.read_run(self.store, runs.find_run(self.store, name))

        return await in_worker(self.store, read)

    async def reopen(self, saved: SavedRun) -> Metadata:
        """Take up a stopped run: what it left in its thread is taken out again, for it will say it itself.

        Returns:
            The next event of its log.

        Raises:
            UsageError: The thread has gone on since, or somebody else has taken the run up.
        """
        return await in_worker(self.store, reopen, self.store, saved)

    async def last_stopped(self, notebook: str | None = None, but: Iterable[str] = ()) -> str | None:
        """Return the id of the last run that has not ended well, of a notebook if one is given, or None."""
        return await in_worker(self.store, runs.last_stopped, self.store, notebook, but)

    async def kept(self, name: str, default: Any = None) -> Any:
        """Return a value that `keep` kept, or `default`."""

        def read() -> Any:
            rows = self.store.select("kept_settings", ["value_json"], where=[("name", "=", name)])
            return next((msgspec.json.decode(value) for (value,) in rows), default)

        return await in_worker(self.store, read)

    async def keep(self, name: str, value: Any) -> None:
        """Keep a small JSON value under a name, such as the current thread of a notebook."""
        row = {"name": name, "updated_at": clock.time_ns(), "value_json": to_json(value)}
        await in_worker(self.store, self.store.write, [Upsert("kept_settings", row)])

    async def allowed_tools(self, thread_id: str) -> set[str]:
        """Return the names of the tools that a person allowed in a thread."""
        return set(await self.kept(conversations.allowed_key(thread_id), []))

    async def allow_tool(self, thread_id: str, name: str) -> None:
        """Remember that a person allowed a tool in a thread."""
        await in_worker(self.store, conversations.change_allowed, self.store, thread_id, {name}, set())

    async def revoke_tool(self, thread_id: str, name: str) -> None:
        """Ask again for a tool that a person had allowed in a thread."""
        await in_worker(self.store, conversations.change_allowed, self.store, thread_id, set(), {name})

    def _thread(self, row: dict[str, Any]) -> MemoryThread:
        return MemoryThread(
            id=row["thread_id"],
            title=row["title"] or "untitled",
            agent=row["agent"] or "",
            resource_id=row["resource_id"],
            metadata=msgspec.json.decode(row["metadata_json"] or "{}"),
            created_at=as_time(row["created_at"]),
            updated_at=as_time(row["updated_at"]),
            notebook=row["notebook"] or "",
            status=row["status"] or "open",
            n_messages=row["n_messages"] or 0,
            n_runs=row["n_runs"] or 0,
            parent_thread_id=row.get("parent_thread_id"),
            memory=self,
        )
