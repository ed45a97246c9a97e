"""`Memory`: threads, found by name or id, and their messages.

One idea: all calls go through the store's own thread, in order, so that no event loop waits for a
disk and what is read is what was written before.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import msgspec

from lumos_nb.errors import ConflictError, ThreadNotFoundError, UsageError, nearest
from lumos_nb.memory._rows import message_of, message_row, to_json
from lumos_nb.memory._worker import in_worker
from lumos_nb.memory.ids import new_id
from lumos_nb.memory.runlog import RunInfo, RunLog, next_idx, thread_row
from lumos_nb.memory.threads import GetMessagesParams, MemoryThread, as_time
from lumos_nb.memory.working import WorkingMemory
from lumos_nb.messages import Message
from lumos_nb.stores import Delete, Insert, Store, Update, Upsert, default_store
from lumos_nb.stores.base import Condition, Write
from lumos_nb.stores.schema import TABLES

_THREAD_COLUMNS = tuple(c.name for c in TABLES["threads"].columns)


class Memory:
    """Threads and their messages in one store.

    Args:
        store: Where they are kept; the default store if not given.

    Example:
        >>> import asyncio, tempfile; from lumos_nb.stores import open_store
        >>> async def main():
        ...     memory = Memory(open_store(tempfile.mkdtemp() + "/a.db"))
        ...     thread = await memory.create_thread(title="sales")
        ...     await thread.add_messages([Message(role="user", content="Hi")])
        ...     return [m.text for m in await memory.load(thread.id)]
        >>> asyncio.run(main())
        ['Hi']
    """

    def __init__(self, store: Store | None = None) -> None:
        self._given = store

    @property
    def store(self) -> Store:
        """Where threads are kept: the given store, or the default one of the moment."""
        return self._given or default_store()

    # ---- threads ----------------------------------------------------------------------

    async def create_thread(
        self,
        title: str = "",
        *,
        thread_id: str | None = None,
        agent: str | None = None,
        resource_id: str | None = None,
        notebook: str | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> MemoryThread:
        """Make a thread. Raises `ConflictError` if there is one of that id."""
        row = thread_row(thread_id or new_id(), title or thread_id or "thread", agent=agent, notebook=notebook)
        row |= {"resource_id": resource_id, "metadata_json": to_json(metadata or {})}
        await self._write([Insert("threads", row)])
        return await self.get_thread(row["thread_id"])

    async def get_thread(self, name: str) -> MemoryThread:
        """Return a thread by id, title, or an unambiguous beginning of its id.

        Raises:
            ThreadNotFoundError: There is none, or there are several; names the nearest.
        """
        found = await self._matching(name)
        if len(found) == 1:
            return found[0]
        if found:
            raise ThreadNotFoundError(f"There are {len(found)} threads {name!r}.", hint="Use the id of one.")
        titles = [t.title for t in await self.list_threads()]
        hint = nearest(name, titles) or "Make it with %thread new."
        raise ThreadNotFoundError(f"There is no thread {name!r}.", hint=hint)

    async def find_thread(self, name: str) -> MemoryThread | None:
        """Return a thread like `get_thread`, or None."""
        found = await self._matching(name)
        return found[0] if len(found) == 1 else None

    async def list_threads(self, *, notebook: str | None = None, archived: bool = False) -> list[MemoryThread]:
        """Return open threads, the newest first; of one notebook, or with archived ones."""
        where: list[Condition] = [] if archived else [("status", "=", "open")]
        if notebook is not None:
            where.append(("notebook", "=", notebook))
        return await self._threads(where)

    async def delete_thread(self, name: str) -> None:
        """Delete a thread, its messages and its working memory. Its runs stay in the log."""
        thread = await self.get_thread(name)
        where = {"thread_id": thread.id}
        await self._write(
            [Delete("messages", where), Delete("working_memory", {"scope": thread.id}), Delete("threads", where)]
        )

    async def fork_thread(self, name: str, title: str | None = None) -> MemoryThread:
        """Copy a thread with its messages; the copy knows where it came from."""
        parent = await self.get_thread(name)
        messages = await self.load(parent.id)
        row = thread_row(new_id(), title or f"{parent.title}-fork", agent=parent.agent, notebook=parent.notebook)
        row |= {"parent_thread_id": parent.id, "forked_at_seq": len(messages), "resource_id": parent.resource_id}
        await self._write([Insert("threads", row)])
        await self.add_messages(row["thread_id"], messages)
        return await self.get_thread(row["thread_id"])

    async def change_thread(self, thread_id: str, **changes: Any) -> MemoryThread:
        """Set columns of a thread, such as `title` or `status`."""
        await self._write([Update("threads", {"thread_id": thread_id}, {**changes, "updated_at": time.time_ns()})])
        return await self.get_thread(thread_id)

    async def update_metadata(self, thread_id: str, changes: dict[str, Any]) -> MemoryThread:
        """Set entries of a thread's metadata; None removes one."""
        metadata = {**(await self.get_thread(thread_id)).metadata, **changes}
        kept = {k: v for k, v in metadata.items() if v is not None}
        return await self.change_thread(thread_id, metadata_json=to_json(kept))

    async def _matching(self, name: str) -> list[MemoryThread]:
        for where in ([("thread_id", "=", name)], [("title", "=", name)]):
            if found := await self._threads(where):
                return found
        near = await self._threads([("thread_id", "contains", name)]) if len(name) >= 4 else []
        return [t for t in near if t.id.startswith(name)]

    async def _threads(self, where: Sequence[Condition]) -> list[MemoryThread]:
        def read() -> list[dict[str, Any]]:
            rows = self.store.select("threads", _THREAD_COLUMNS, where=where, order=["-updated_at"])
            return [dict(zip(_THREAD_COLUMNS, row, strict=True)) for row in rows]

        return [self._thread(row) for row in await in_worker(self.store, read)]

    def _thread(self, row: dict[str, Any]) -> MemoryThread:
        return MemoryThread(
            id=row["thread_id"], title=row["title"] or "", agent=row["agent"] or "", resource_id=row["resource_id"],
            metadata=msgspec.json.decode(row["metadata_json"] or "{}"), created_at=as_time(row["created_at"]),
            updated_at=as_time(row["updated_at"]), notebook=row["notebook"] or "", status=row["status"] or "open",
            n_messages=row["n_messages"] or 0, n_runs=row["n_runs"] or 0, parent_thread_id=row["parent_thread_id"],
            memory=self,
        )  # fmt: skip

    # ---- messages ---------------------------------------------------------------------

    async def load(self, thread_id: str, limit: int | None = None) -> list[Message]:
        """Return the last `limit` messages of a thread, or all; none if there is no such thread.

        A limited history begins with a user's message: a model refuses results of calls that it cannot see.
        """
        found = await self.get_messages(thread_id, GetMessagesParams(limit=limit))
        if limit is None:
            return found
        start = next((i for i, m in enumerate(found) if m.role == "user"), len(found))
        return found[start:]

    async def get_messages(self, thread_id: str, params: GetMessagesParams | None = None) -> list[Message]:
        """Return messages of a thread in the order of the conversation.

        Raises:
            UsageError: A cursor names no message of this thread.
        """
        wanted = params or GetMessagesParams()

        def read() -> list[Message]:
            where: list[Condition] = [("thread_id", "=", thread_id), *wanted.conditions()]
            if wanted.before is not None:
                where.append(("idx", "<", self._idx(thread_id, wanted.before)))
            if wanted.after is not None:
                where.append(("idx", ">", self._idx(thread_id, wanted.after)))
            first = wanted.after is not None and wanted.before is None
            order = "idx" if first or wanted.limit is None else "-idx"
            rows = self.store.select(
                "messages", ["content_json", "message_id"], where=where, order=[order], limit=wanted.limit
            )
            found = [message_of(*row) for row in rows]
            return found if order == "idx" else found[::-1]

        return await in_worker(self.store, read)

    def _idx(self, thread_id: str, message_id: str) -> int:
        where: list[Condition] = [("thread_id", "=", thread_id), ("message_id", "=", message_id)]
        for (idx,) in self.store.select("messages", ["idx"], where=where):
            return int(idx)
        raise UsageError(f"There is no message {message_id!r} in thread {thread_id!r}.")

    async def add_messages(self, thread_id: str, messages: Sequence[Message]) -> list[Message]:
        """Add messages at the end of a thread; return them with their ids."""
        stored = [msgspec.structs.replace(m, id=new_id()) for m in messages]
        now = time.time_ns()

        def write() -> None:
            while True:
                first = next_idx(self.store, thread_id)
                places = enumerate(stored, first)
                rows = [message_row(m, thread_id=thread_id, idx=i, created_at=now) for i, m in places]
                touched = Update("threads", {"thread_id": thread_id}, {"updated_at": now}, {"n_messages": len(rows)})
                try:
                    self.store.write([*(Insert("messages", row) for row in rows), touched])
                except ConflictError:  # another process was first: place them behind its messages
                    continue
                return

        await in_worker(self.store, write)
        return stored

    # ---- the rest ---------------------------------------------------------------------

    def working(self, scope: str) -> WorkingMemory:
        """Return the working memory of a thread or a resource."""
        return WorkingMemory(scope, store=self.store)

    def run_log(self, info: RunInfo) -> RunLog:
        """Return the log of a run that is about to begin."""
        return RunLog(self.store, info)

    async def keep(self, name: str, value: Any) -> None:
        """Keep a small JSON value under a name."""
        row = {"name": name, "updated_at": time.time_ns(), "value_json": to_json(value)}
        await self._write([Upsert("kept_settings", row)])

    async def kept(self, name: str) -> Any:
        """Return the value that was kept under a name, or None."""

        def read() -> Any:
            for (value,) in self.store.select("kept_settings", ["value_json"], where=[("name", "=", name)]):
                return msgspec.json.decode(value)
            return None

        return await in_worker(self.store, read)

    async def _write(self, batch: Sequence[Write]) -> None:
        await in_worker(self.store, self.store.write, batch)
