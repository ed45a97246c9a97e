"""The threads of a kernel's database: a page of them at a time, and what can be done to each."""

from __future__ import annotations

from typing import Any

import msgspec

from lumos_nb.agent.bridge import run_sync
from lumos_nb.errors import UsageError
from lumos_nb.memory import MemoryThread
from lumos_nb.notebook.lab.found import Wanted, by_words, n_found
from lumos_nb.notebook.lab.protocol import asked
from lumos_nb.notebook.lab.room import Room
from lumos_nb.stores.base import Condition
from lumos_nb.stores.reading import read_rows

LONGEST_TITLE = 200


class ThreadsWanted(Wanted, frozen=True, kw_only=True):
    """Which threads are wanted."""

    #: The archived ones instead of the open ones.
    archived: bool = False


class ThreadRow(msgspec.Struct, frozen=True, kw_only=True):
    """A thread, as a line of a list."""

    thread_id: str
    title: str
    agent: str
    #: Unix time in seconds.
    updated_at: float
    n_runs: int
    #: None where a price is not known.
    cost_usd: float | None
    notebook: str
    is_archived: bool
    #: Whether the next cell continues it.
    is_current: bool
    #: Whether a run goes on in it.
    is_running: bool


class ThreadPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some of the threads that were found, the last changed first."""

    rows: list[ThreadRow]
    n_found: int


class OneThread(msgspec.Struct, frozen=True):
    """Names a thread."""

    thread_id: str


class Fork(msgspec.Struct, frozen=True, kw_only=True):
    """Which thread is to be copied, and up to and with which run; empty: all of it."""

    thread_id: str
    run_id: str = ""


class ForkedThread(msgspec.Struct, frozen=True):
    """The copy of a thread."""

    thread_id: str
    title: str


class NewTitle(msgspec.Struct, frozen=True):
    """A thread and what it is to be called."""

    thread_id: str
    title: str


class Archiving(msgspec.Struct, frozen=True):
    """A thread, and whether it belongs among the archived ones."""

    thread_id: str
    is_archived: bool


_COLUMNS = ("thread_id", "title", "agent", "updated_at", "n_runs", "cost_usd", "notebook", "status")
_LOOKED_IN = (("threads", "title"), ("threads", "agent"), ("messages", "text"))


class ThreadsRoom(Room):
    """Lists threads and changes them."""

    @asked("threads.list")
    def page(self, wanted: ThreadsWanted) -> ThreadPage:
        store, (offset, limit) = self.runtime.memory.store, wanted.cut()
        where: list[Condition] = [("status", "=" if wanted.archived else "!=", "archived")]
        where += by_words(store, "thread_id", wanted.words, _LOOKED_IN)
        order = ["-updated_at", "-thread_id"]
        rows = read_rows(store, "threads", _COLUMNS, where=where, order=order, limit=limit, offset=offset)
        known = self.runtime.known_thread()
        return ThreadPage(
            rows=[self._row(row, known) for row in rows],
            n_found=n_found(store, "threads", where),
        )

    def _row(self, row: dict[str, Any], known: MemoryThread | None) -> ThreadRow:
        thread_id = row["thread_id"]
        return ThreadRow(
            thread_id=thread_id, title=row["title"] or "untitled", agent=row["agent"] or "",
            updated_at=(row["updated_at"] or 0) / 1e9, n_runs=row["n_runs"] or 0,
            cost_usd=row["cost_usd"], notebook=row["notebook"] or "", is_archived=row["status"] == "archived",
            is_current=known is not None and known.id == thread_id, is_running=self._is_running(thread_id),
        )  # fmt: skip

    @asked("threads.new")
    def new(self) -> OneThread:
        """Begin a thread, which the next cell continues."""
        return OneThread(self.runtime.new_thread().id)

    @asked("threads.use")
    def use(self, thread: OneThread) -> None:
        """Let the next cell continue a thread."""
        self.runtime.use_thread(self._known(thread.thread_id).id)

    @asked("threads.rename")
    def rename(self, given: NewTitle) -> None:
        title = " ".join(given.title.split())
        if not title or len(title) > LONGEST_TITLE:
            raise UsageError(
                "A thread needs a name." if not title else f"A name has at most {LONGEST_TITLE} characters.",
                hint="Write another one.",
            )
        run_sync(self._known(given.thread_id).rename(title))
        self._changed()

    @asked("threads.fork")
    def fork(self, given: Fork) -> ForkedThread:
        """Copy a thread; the copy is not used by itself."""
        thread, run_id = self._known(given.thread_id), given.run_id or None
        if run_id:
            run_sync(self.runtime.memory.get_run(run_id))
        copy = run_sync(self.runtime.memory.fork_thread(thread.id, run_id=run_id))
        self._changed()
        return ForkedThread(copy.id, copy.title)

    @asked("threads.archive")
    def archive(self, given: Archiving) -> None:
        status = "archived" if given.is_archived else "open"
        run_sync(self.runtime.memory.change_thread(self._known(given.thread_id).id, status=status))
        self._changed()

    @asked("threads.delete")
    def delete(self, thread: OneThread) -> None:
        """Delete a thread with its messages, runs and events."""
        found = self._known(thread.thread_id)
        if self._is_running(found.id):
            raise UsageError(f"A run goes on in thread {found.title!r}.", hint="Stop it, then delete the thread.")
        run_sync(self.runtime.memory.delete_thread(found.id))
        self._changed()

    def _known(self, thread_id: str) -> MemoryThread:
        """Return a thread by its id alone: what a page names is never a title."""
        found = self.runtime.thread(thread_id)
        if found.id != thread_id:
            raise UsageError(f"There is no thread {thread_id!r}.", hint="It was deleted meanwhile: look again.")
        return found

    def _is_running(self, thread_id: str) -> bool:
        return any(run.thread_id == thread_id for run in self.runtime.live())

    def _changed(self) -> None:
        self.server.tell_changed("threads", "runs", "status")
