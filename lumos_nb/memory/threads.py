"""A stored conversation, and how to ask for its messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from lumos_nb.messages import Message, Role
from lumos_nb.stores.base import Condition

if TYPE_CHECKING:
    from lumos_nb.memory.memory import Memory


class GetMessagesParams(msgspec.Struct, frozen=True, kw_only=True):
    """Which messages of a thread are wanted. All conditions must hold; none means all messages.

    A page is always in the order of the conversation. Without a cursor `limit` gives the last
    messages; `before=page[0].id` then gives the page before it.

    Example:
        >>> GetMessagesParams(limit=20, role="user", words="invoice March").limit
        20
    """

    #: At most so many messages.
    limit: int | None = None
    #: Id of a message: only what stands before it, nearest first if there is a limit.
    before: str | None = None
    #: Id of a message: only what stands after it.
    after: str | None = None
    role: Role | None = None
    #: Kept at this time or later; a time without zone is local.
    since: datetime | None = None
    #: Kept before this time.
    until: datetime | None = None
    #: Every one of these words occurs in the text, in any case.
    words: str = ""
    #: Added by this run.
    run_id: str | None = None
    #: Added by a run of this agent.
    agent: str | None = None

    def conditions(self) -> list[Condition]:
        """Return the conditions on the messages table; the cursors are not among them."""
        out: list[Condition] = [("text", "contains", word) for word in self.words.split()]
        for name in ("role", "run_id", "agent"):
            if getattr(self, name) is not None:
                out.append((name, "=", getattr(self, name)))
        if self.since is not None:
            out.append(("created_at", ">=", time_ns(self.since)))
        if self.until is not None:
            out.append(("created_at", "<", time_ns(self.until)))
        return out


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class MemoryThread:
    """A stored conversation. Get one from a `Memory`.

    The fields are as they were when the thread was read; what changes them returns a new one.
    """

    id: str
    title: str
    agent: str = ""
    resource_id: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    created_at: datetime
    updated_at: datetime
    notebook: str = ""
    status: str = "open"
    n_messages: int = 0
    n_runs: int = 0
    parent_thread_id: str | None = None
    memory: Memory = field(repr=False, compare=False)

    def __repr__(self) -> str:
        return f"<Thread {self.title!r}: {self.n_messages} messages>"

    async def add_messages(self, messages: Sequence[Message]) -> list[Message]:
        """Add messages at the end; return them with their ids."""
        return await self.memory.add_messages(self.id, messages)

    async def get_messages(self, params: GetMessagesParams | None = None) -> list[Message]:
        """Return messages in the order of the conversation."""
        return await self.memory.get_messages(self.id, params)

    async def update_metadata(self, **changes: Any) -> MemoryThread:
        """Set entries of the metadata, None removes one; return the thread as it is now."""
        return await self.memory.update_metadata(self.id, changes)

    async def rename(self, title: str) -> MemoryThread:
        """Give the thread another title; return it as it is now."""
        return await self.memory.change_thread(self.id, title=title)


def time_ns(time: datetime) -> int:
    """Return a time as the integer nanoseconds of a `time` column, exactly.

    Example:
        >>> time_ns(datetime(1970, 1, 1, 0, 0, 1, 5, tzinfo=UTC))
        1000005000
    """
    passed = time.astimezone(UTC) - _EPOCH
    return ((passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds) * 1_000


def as_time(ns: int | None) -> datetime:
    """Return the time of a `time` column."""
    return datetime.fromtimestamp((ns or 0) // 1_000 / 1e6, UTC)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
